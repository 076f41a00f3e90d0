"""The sentences about what is not there, and about what others say: pruning, closed logs, witnesses."""

from __future__ import annotations

from collections.abc import Mapping

GAPS: Mapping[str, tuple[str, str]] = {
    "pruned.line": (
        "A line kept of pruned record {index} is not the one that the hash tiles stand for.",
        "Une ligne conservée de l'enregistrement élagué {index} n'est pas celle que désignent les tuiles de hachage.",
    ),
    "pruned.kept": (
        "{file}, what was kept of pruned records, cannot be read: {reason}.",
        "{file}, ce qui a été conservé d'enregistrements élagués, est illisible : {reason}.",
    ),
    "pruned.hashes": (
        "Records {first} to {last} were pruned, and their hashes are gone too: {reason}.",
        "Les enregistrements {first} à {last} ont été élagués, et leurs condensés manquent aussi : {reason}.",
    ),
    "pruned.undeclared": (
        "Records {first} to {last} are gone, and no record says that they were pruned.",
        "Les enregistrements {first} à {last} ont disparu, et aucun enregistrement ne dit qu'ils ont été élagués.",
    ),
    "pruned.changed": (
        "What was kept of the pruned records {first} to {last} is not what record {index} says was kept.",
        (
            "Ce qui a été conservé des enregistrements élagués {first} à {last} n'est pas ce que dit "
            "l'enregistrement {index}."
        ),
    ),
    "sealed.early": (
        "Record {index} seals a file to be kept until {until}, but a record in it must be kept until {latest}.",
        (
            "L'enregistrement {index} scelle un fichier à conserver jusqu'au {until}, mais un enregistrement qu'il "
            "contient doit l'être jusqu'au {latest}."
        ),
    ),
    "pruned.seal": (
        "Records {first} to {last} were pruned, but nothing shows until when they had to be kept.",
        (
            "Les enregistrements {first} à {last} ont été élagués, mais rien ne montre jusqu'à quand ils devaient "
            "être conservés."
        ),
    ),
    "pruned.early": (
        "Records {first} to {last} had to be kept until {until}, but record {index} pruned them on {time}.",
        (
            "Les enregistrements {first} à {last} devaient être conservés jusqu'au {until}, mais l'enregistrement "
            "{index} les a élagués le {time}."
        ),
    ),
    "pruned.held": (
        "Records {first} to {last} were under a hold when record {index} pruned them.",
        "Les enregistrements {first} à {last} étaient gelés quand l'enregistrement {index} les a élagués.",
    ),
    "origin.closed": (
        "The log {origin}, which this one follows, ended at {size} records, all of them here and whole.",
        "Le journal {origin}, que celui-ci prolonge, s'est terminé à {size} enregistrements, tous présents et entiers.",
    ),
    "origin.lost": (
        (
            "The log {origin}, which this one follows, ended at {size} records; {sound} of them are here and whole, "
            "{lost} are lost. The root key declared it."
        ),
        (
            "Le journal {origin}, que celui-ci prolonge, s'est terminé à {size} enregistrements ; {sound} sont "
            "présents et entiers, {lost} sont perdus. La clé racine l'a déclaré."
        ),
    ),
    "origin.absent": (
        "The log {origin}, which this one follows and which ended at {size} records, is not shown here.",
        (
            "Le journal {origin}, que celui-ci prolonge et qui s'est terminé à {size} enregistrements, n'est pas "
            "montré ici."
        ),
    ),
    "origin.damaged": (
        "Of the closed log {origin} {sound} records were declared whole, but only {found} are.",
        "Du journal clos {origin}, {sound} enregistrements ont été déclarés entiers, mais {found} seulement le sont.",
    ),
    "origin.rewritten": (
        "The first {sound} records of the closed log {origin} are not those that the root key vouched for.",
        "Les {sound} premiers enregistrements du journal clos {origin} ne sont pas ceux dont la clé racine répond.",
    ),
    "origin.beyond": (
        "The closed log {origin} was declared to end at {size} records, but a checkpoint over {found} was signed.",
        (
            "Le journal clos {origin} a été déclaré terminé à {size} enregistrements, mais un point de contrôle sur "
            "{found} a été signé."
        ),
    ),
    "gap.pruned": (
        (
            "Records {first} to {last} were pruned on {time}, after the date until which they had to be kept "
            "({until}). Their hashes are still here."
        ),
        (
            "Les enregistrements {first} à {last} ont été élagués le {time}, après la date jusqu'à laquelle ils "
            "devaient être conservés ({until}). Leurs condensés sont toujours là."
        ),
    ),
    "anchor.form": (
        "{source}, a checkpoint that a witness or somebody else kept, cannot be taken as one: {reason}.",
        "{source}, un point de contrôle gardé par un témoin ou par un tiers, n'est pas recevable : {reason}.",
    ),
    "witness.vouched": (
        "The witness {witness} vouched for the first {size} records.",
        "Le témoin {witness} se porte garant des {size} premiers enregistrements.",
    ),
    "witness.absent": (
        "Nothing here shows that the witness {witness} vouched for this log.",
        "Rien ici ne montre que le témoin {witness} se soit porté garant de ce journal.",
    ),
    "witness.quorum": (
        "{quorum} witnesses must have vouched for this log; {found} did.",
        "{quorum} témoins doivent s'être portés garants de ce journal ; {found} l'ont fait.",
    ),
    "witness.behind": (
        "The last {count} records are vouched for by too few witnesses yet; enough of them saw the first {size}.",
        (
            "Trop peu de témoins se portent garants, pour l'instant, des {count} derniers enregistrements ; assez ont "
            "vu les {size} premiers."
        ),
    ),
}
