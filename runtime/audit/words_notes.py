"""The sentence for every code that a verification can note, in English and French.

Each code is used somewhere, and each that is used is here (a test compares).
"""

from __future__ import annotations

from collections.abc import Mapping

from runtime.audit.words_gaps import GAPS

NOTES: Mapping[str, tuple[str, str]] = {
    # Keys
    "keys.missing": ("There is no {file}.", "Il n'y a pas de {file}."),
    "keys.manifest": (
        "{file} is not a key manifest signed by the root key you gave: {reason}.",
        "{file} n'est pas un manifeste de clés signé par la clé racine indiquée : {reason}.",
    ),
    "keys.version": (
        "{file} holds version {version} of the key manifest.",
        "{file} contient la version {version} du manifeste de clés.",
    ),
    "keys.two": (
        "There are two different key manifests of version {version}.",
        "Il existe deux manifestes de clés différents de version {version}.",
    ),
    "keys.gap": (
        "The key manifest before version {version} is missing.",
        "Le manifeste de clés qui précède la version {version} manque.",
    ),
    "keys.previous": (
        "Version {version} of the key manifest does not continue the one before it.",
        "La version {version} du manifeste de clés ne prolonge pas la précédente.",
    ),
    "keys.not_carried": (
        "The first record does not carry the first key manifest.",
        "Le premier enregistrement ne porte pas le premier manifeste de clés.",
    ),
    "keys.unknown": (
        "Record {index} puts a key manifest into force that is not here.",
        "L'enregistrement {index} met en vigueur un manifeste de clés qui n'est pas ici.",
    ),
    "keys.order": (
        "Record {index} goes back to version {version} of the key manifest.",
        "L'enregistrement {index} revient à la version {version} du manifeste de clés.",
    ),
    "keys.waiting": (
        "Version {version} of the key manifest is not in the log yet; version {current} is in force.",
        (
            "La version {version} du manifeste de clés n'est pas encore dans le journal ; la version {current} est en "
            "vigueur."
        ),
    ),
    "keys.origins": (
        "The same root key vouches for {count} logs: {names}. This is one of them.",
        "La même clé racine répond de {count} journaux : {names}. Celui-ci en est un.",
    ),
    "key.unknown": (
        (
            "From record {index} on, {lines} in a row are signed by a key ({key}…) that the manifest in force does "
            "not list."
        ),
        (
            "À partir de l'enregistrement {index}, {lines} de suite sont signés par une clé ({key}…) absente du "
            "manifeste en vigueur."
        ),
    ),
    "key.role": (
        "At record {index} a key ({key}…) signs that is listed as a {role} key or for another log.",
        "À l'enregistrement {index} signe une clé ({key}…) inscrite au rôle {role} ou pour un autre journal.",
    ),
    "key.validity": (
        "From record {index} on, {lines} in a row are signed by a key ({key}…) outside the time it was valid for.",
        "À partir de l'enregistrement {index}, {lines} de suite sont signés par une clé ({key}…) hors de sa validité.",
    ),
    # Checkpoints and the tree
    "checkpoint.none": (
        "There is no signed checkpoint: nothing says how many records there must be.",
        "Il n'y a aucun point de contrôle signé : rien ne dit combien d'enregistrements il doit y avoir.",
    ),
    "checkpoint.absent": (
        "{source} is missing or empty; the next start of the log makes it again.",
        "{source} manque ou est vide ; le prochain démarrage du journal le refera.",
    ),
    "checkpoint.form": (
        "{source} is not a checkpoint: {reason}.",
        "{source} n'est pas un point de contrôle : {reason}.",
    ),
    "checkpoint.origin": (
        "{source} is the checkpoint of a log that the key manifest does not list.",
        "{source} est le point de contrôle d'un journal absent du manifeste de clés.",
    ),
    "checkpoint.other_log": (
        "The checkpoint in {source} is one of another log: {origin}.",
        "Le point de contrôle de {source} est celui d'un autre journal : {origin}.",
    ),
    "checkpoint.signature": (
        "{source} is not signed by a log key of the manifest.",
        "{source} n'est pas signé par une clé de journal du manifeste.",
    ),
    "checkpoint.name": (
        "{source} is a checkpoint over {size} records.",
        "{source} est un point de contrôle sur {size} enregistrements.",
    ),
    "tree.root": (
        (
            "The first {size} records do not lead to the root that {source} signs: something in them was changed, or "
            "another history was signed."
        ),
        (
            "Les {size} premiers enregistrements ne mènent pas à la racine que signe {source} : quelque chose y a été "
            "changé, ou une autre histoire a été signée."
        ),
    ),
    "lines.missing": (
        "The end was cut off: {source} covers {size} records, but only {lines} are there.",
        "La fin a été coupée : {source} couvre {size} enregistrements, mais il n'y en a que {lines}.",
    ),
    "lines.uncovered": (
        (
            "Records from {first} on not yet covered by a checkpoint: {count}. They were just written, or the writer "
            "was stopped in between."
        ),
        (
            "Enregistrements à partir de {first} non encore couverts par un point de contrôle : {count}. Ils viennent "
            "d'être écrits, ou l'écriture s'est arrêtée entre-temps."
        ),
    ),
    "lines.torn": (
        (
            "{file} ends with {bytes} bytes of a line that was never finished; the next start sets it aside and "
            "records that."
        ),
        (
            "{file} se termine par {bytes} octets d'une ligne inachevée ; le prochain démarrage la mettra de côté et "
            "l'enregistrera."
        ),
    ),
    # Segments and files
    "segment.missing": (
        "Records {first} to {last} are missing before {file}.",
        "Les enregistrements {first} à {last} manquent avant {file}.",
    ),
    "segment.overlap": (
        "{file} begins at record {index}, which stands in another file already.",
        "{file} commence à l'enregistrement {index}, qui figure déjà dans un autre fichier.",
    ),
    "segment.torn": (
        "{file} ends in the middle of record {index}, though it is not the last file.",
        "{file} s'arrête au milieu de l'enregistrement {index} sans être le dernier fichier.",
    ),
    "segment.empty": ("{file} is empty.", "{file} est vide."),
    "file.stray": ("{file} does not belong here; it was not looked at.", "{file} n'a rien à faire ici ; non examiné."),
    "file.unreadable": ("{file} cannot be read: {reason}.", "{file} ne peut pas être lu : {reason}."),
    "file.changed": (
        "The lines from record {index} on changed while they were read.",
        "Les lignes à partir de l'enregistrement {index} ont changé pendant la lecture.",
    ),
    "line.endless": (
        "{file} has no line end where record {index} should end.",
        "{file} n'a pas de fin de ligne là où l'enregistrement {index} devrait finir.",
    ),
    # Lines
    "line.form": (
        "Record {index} is not an envelope in its one spelling: {reason}.",
        "L'enregistrement {index} n'est pas une enveloppe dans sa seule écriture admise : {reason}.",
    ),
    "line.signature": (
        "Record {index} was changed: its signature is wrong.",
        "L'enregistrement {index} a été modifié : sa signature est fausse.",
    ),
    "line.statement": (
        "Record {index} cannot be read in one way only: {reason}.",
        "L'enregistrement {index} ne se lit pas d'une seule façon : {reason}.",
    ),
    "line.seq": (
        "Where record {index} should be stands one numbered {found}.",
        "À la place de l'enregistrement {index} se trouve le numéro {found}.",
    ),
    "line.prev": (
        "Record {index} does not follow the record before it.",
        "L'enregistrement {index} ne suit pas celui qui le précède.",
    ),
    "line.time": (
        "Record {index} ({found}) is older than the record before it ({before}).",
        "L'enregistrement {index} ({found}) est plus ancien que le précédent ({before}).",
    ),
    "line.time_form": ("Record {index} has no readable time.", "L'enregistrement {index} n'a pas d'heure lisible."),
    # Tiles
    "tile.wrong": (
        "{file} does not hold the hashes of these records ({reason}).",
        "{file} ne contient pas les empreintes de ces enregistrements ({reason}).",
    ),
    "tile.ahead": (
        "{file} was made for more records than the {lines} that are there: the end was cut off.",
        "{file} a été fait pour plus d'enregistrements que les {lines} présents : la fin a été coupée.",
    ),
    "tile.missing": (
        "{file} is missing or empty; it can be made again from the records.",
        "{file} manque ou est vide ; on peut le refaire à partir des enregistrements.",
    ),
    # What the log declares
    "gap.restarts": ("Restarts of the log: {count}.", "Redémarrages du journal : {count}."),
    "gap.recovered": (
        (
            "Record {index}, {time}: after a crash, {bytes} bytes of an unfinished line were set aside. It was never "
            "acknowledged."
        ),
        (
            "Enregistrement {index}, {time} : après un arrêt brutal, {bytes} octets d'une ligne inachevée ont été mis "
            "de côté. Elle n'avait jamais été confirmée."
        ),
    ),
    "turns.open": (
        (
            "Turns with an intent but no decision record: {count}, the first at record {index}. In progress, or "
            "interrupted and to be closed at the next start."
        ),
        (
            "Tours avec une intention mais sans enregistrement de décision : {count}, le premier à l'enregistrement "
            "{index}. En cours, ou interrompus et à clore au prochain démarrage."
        ),
    ),
    # What this verifier does not know; integrity does not depend on it
    "schema.payload_type": (
        "Record {index} is of a kind that this verifier does not know: {value}.",
        "L'enregistrement {index} est d'un genre inconnu de ce vérificateur : {value}.",
    ),
    "schema.version": (
        "Record {index} is of a version that this verifier does not know: {value}.",
        "L'enregistrement {index} est d'une version inconnue de ce vérificateur : {value}.",
    ),
    "schema.event": (
        "Record {index} tells of an event that this verifier does not know: {value}.",
        "L'enregistrement {index} relate un événement inconnu de ce vérificateur : {value}.",
    ),
    "schema.field": (
        "Record {index} has a field that this verifier does not know: {value}.",
        "L'enregistrement {index} a un champ inconnu de ce vérificateur : {value}.",
    ),
    # Receipts
    "receipt.keys": (
        "The receipt carries no key manifest and none was given (--keys).",
        "Le reçu ne porte pas de manifeste de clés et aucun n'a été indiqué (--keys).",
    ),
    "receipt.index": ("The receipt names no log index.", "Le reçu n'indique pas de numéro d'entrée."),
    "receipt.inclusion": (
        "Record {index} is not shown to be in the log: {reason}.",
        "Rien ne montre que l'enregistrement {index} est dans le journal : {reason}.",
    ),
    "receipt.record": ("The record cannot be read: {reason}.", "L'enregistrement ne peut pas être lu : {reason}."),
    "receipt.seq": (
        "The receipt is for entry {index}, the record says that it is {found}.",
        "Le reçu porte sur l'entrée {index}, l'enregistrement dit être la {found}.",
    ),
    "receipt.id": (
        "The answer names {claimed}, the record is {found}.",
        "La réponse nomme {claimed}, l'enregistrement est {found}.",
    ),
    "question.not_given": (
        "The question was not compared: give the request as sent (--request).",
        "La question n'a pas été comparée : donnez la requête telle qu'envoyée (--request).",
    ),
    "question.same": (
        "The question is this one: the record commits to exactly these bytes of the request.",
        "La question est bien celle-ci : l'enregistrement engage exactement ces octets de la requête.",
    ),
    "question.same_stripped": (
        "The question is this one: the record commits to the request without its line ends, as curl -d sends a file.",
        (
            "La question est bien celle-ci : l'enregistrement engage la requête sans ses fins de ligne, comme curl -d "
            "envoie un fichier."
        ),
    ),
    "question.other": (
        "The question is another one: the record does not commit to this request.",
        "La question est une autre : l'enregistrement n'engage pas cette requête.",
    ),
    "question.no_commitment": (
        "The question cannot be compared: the record or the receipt lacks what that takes.",
        "La question ne peut pas être comparée : l'enregistrement ou le reçu n'a pas ce qu'il faut.",
    ),
    "answer.none": (
        "There is no answer text to compare: this was a refusal, a failure or an act without one.",
        "Il n'y a pas de texte de réponse à comparer : un refus, un échec ou un acte qui n'en a pas.",
    ),
    "answer.same": (
        "The answer is this one: the record commits to exactly this text.",
        "La réponse est bien celle-ci : l'enregistrement engage exactement ce texte.",
    ),
    "answer.other": (
        "The answer is another one: the record does not commit to this text.",
        "La réponse est une autre : l'enregistrement n'engage pas ce texte.",
    ),
    "answer.no_commitment": (
        "The answer cannot be compared: the record or the receipt lacks what that takes.",
        "La réponse ne peut pas être comparée : l'enregistrement ou le reçu n'a pas ce qu'il faut.",
    ),
    "answer.two_texts": ("The answer holds two different texts.", "La réponse contient deux textes différents."),
    "beside.same": (
        "What came beside the answer ({part}) is what the record commits to.",
        "Ce qui accompagne la réponse ({part}) est ce que l'enregistrement engage.",
    ),
    "beside.other": (
        "What came beside the answer ({part}) is not what the record commits to, or it cannot be compared.",
        "Ce qui accompagne la réponse ({part}) n'est pas ce que l'enregistrement engage, ou n'est pas comparable.",
    ),
    # Bundles
    "bundle.unreadable": ("This is not a bundle: {reason}.", "Ce n'est pas un lot : {reason}."),
    "bundle.index": ("bundle.json is not what it should be: {reason}.", "bundle.json n'est pas conforme : {reason}."),
    "bundle.twice": ("{file} is in the archive twice.", "{file} figure deux fois dans l'archive."),
    "bundle.lengths": (
        "Lines and proofs end at different places, after {number}.",
        "Les lignes et les preuves ne s'arrêtent pas au même endroit, après {number}.",
    ),
    "bundle.proof": ("Proof {number} cannot be read: {reason}.", "La preuve {number} ne peut pas être lue : {reason}."),
    "bundle.order": ("Record {index} is out of order.", "L'enregistrement {index} n'est pas à sa place."),
    "bundle.incomplete": (
        "Not all records from {first} to {last} are there, as bundle.json claims.",
        "Les enregistrements {first} à {last} ne sont pas tous là, contrairement à ce que dit bundle.json.",
    ),
    "bundle.selection": (
        "Selected by {selection}. That the log has no others of these cannot be shown by a bundle.",
        "Choisis par {selection}. Un lot ne peut pas montrer que le journal n'en a pas d'autres.",
    ),
    **GAPS,
}
