"""Statements that the dossier and the page for the person concerned share. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.reports.decision import Decision
from runtime.reports.document import Fact, Facts, Points, Reference, Section, Step, Steps, Text
from runtime.reports.standing import Standing
from runtime.reports.tongue import Tongue
from runtime.reports.vocabulary import decision_words, entity_words, event_words, place, reason_words, rule_words
from runtime.reports.walk import Entry, part


def codes(entry: Entry, name: str) -> list[str]:
    """A list of codes of a record."""
    values = entry.record.get(name)
    return [str(value) for value in values] if isinstance(values, list) else []


def outcome(found: Decision, say: Tongue) -> Fact:
    decision = found.turn.record.get("decision")
    return Fact(say("Decision", "Décision"), f"{decision_words(decision, say)} (`{decision}`)", (found.turn.index,))


def released(found: Decision, say: Tongue) -> Fact:
    """What was handed to the caller, by the record's word."""
    status = str(found.turn.part("effect").get("status", ""))
    said = {
        "complete": say("a whole answer was handed over", "une réponse entière a été remise"),
        "partial": say("part of an answer was handed over", "une partie de réponse a été remise"),
        "none": say("no answer was handed over", "aucune réponse n'a été remise"),
    }.get(status, say("evidence insufficient", "preuve insuffisante"))
    return Fact(say("Outcome", "Issue"), f"{said} (`{status or '-'}`)", (found.turn.index,))


def why(found: Decision, say: Tongue) -> Points:
    """Rules and reasons in words."""
    turn = found.turn
    said = [Text(rule_words(rule, say), (turn.index,)) for rule in codes(turn, "rules")]
    said += [Text(reason_words(code, say), (turn.index,)) for code in codes(turn, "reasons")]
    if not said:
        said = [
            Text(
                say(
                    "The record names no rule and no reason: evidence insufficient.",
                    "L'enregistrement ne nomme ni règle ni motif : preuve insuffisante.",
                ),
                (turn.index,),
            )
        ]
    revision = turn.part("policy").get("revision")
    if revision:
        said.append(
            Text(
                say(
                    "Decided under the policy with the digest `{revision}`.",
                    "Décidé selon la politique dont l'empreinte est `{revision}`.",
                    revision=revision,
                ),
                (turn.index,),
            )
        )
    return Points(tuple(said))


def what_left(found: Decision, say: Tongue) -> Points:
    """What was handed to whom, as far as records tell."""
    said: list[Text] = []
    for entry in found.intents:
        provider = entry.part("model").get("provider", "?")
        view = next((item for item in contents(entry) if str(item.get("name", "")).startswith("view")), {})
        bytes_of = say(
            "exact bytes bound by the commitment `{commit}`",
            "octets exacts liés par l'engagement `{commit}`",
            commit=view.get("commit", "-"),
        )
        if "jurisdiction" in entry.part("detail"):
            bytes_of += say(
                "; in the jurisdiction that the policy states for it, `{where}`",
                " ; dans le ressort que la politique indique pour lui, `{where}`",
                where=entry.part("detail")["jurisdiction"],
            )
        where = {
            "here": say(
                "Handed to the model of this installation (`{provider}`), which runs on the organisation's own "
                "machine; {what}.",
                "Remis au modèle de cette installation (`{provider}`), qui tourne sur la machine de l'organisation ; "
                "{what}.",
                provider=provider, what=bytes_of,
            ),
            "outside": say(
                "Left the organisation: the masked view was handed to the provider `{provider}`; {what}.",
                "A quitté l'organisation : la vue masquée a été remise au fournisseur `{provider}` ; {what}.",
                provider=provider, what=bytes_of,
            ),
            "unknown": say(
                "The masked view was handed to a model server that is called `{provider}`; {what}. The record does not "
                "say where it runs: evidence insufficient; that stays with the organisation to show.",
                "La vue masquée a été remise à un serveur de modèle nommé `{provider}` ; {what}. L'enregistrement ne "
                "dit pas où il tourne : preuve insuffisante ; à l'organisation de le montrer.",
                provider=provider, what=bytes_of,
            ),
        }[place(provider, codes(found.turn, "rules"))]  # fmt: skip
        said.append(Text(where, (entry.index,)))
    if len(found.intents) < found.steps:
        said.append(
            Text(
                say(
                    "The decision counts {steps} transmissions, {found} of them were found: evidence insufficient for "
                    "the others.",
                    "La décision compte {steps} transmissions, dont {found} ont été retrouvées : preuve insuffisante "
                    "pour les autres.",
                    steps=found.steps, found=len(found.intents),
                ),
                (found.turn.index,),
            )
        )  # fmt: skip
    if not found.intents and not found.steps:
        said.append(
            Text(
                say(
                    "Nothing: the decision record counts no transmission to a model.",
                    "Rien : l'enregistrement de décision ne compte aucune transmission à un modèle.",
                ),
                (found.turn.index,),
            )
        )
    said += [
        Text(
            say("Tool `{name}`: {event}.", "Outil `{name}` : {event}.",
                name=entry.part("tool").get("name", "?"), event=event_words(entry.event, say)),
            (entry.index,),
        )
        for entry in found.tools
    ]  # fmt: skip
    return Points(tuple(said))


def masked(found: Decision, say: Tongue) -> list[Text]:
    """What was masked, by type, in each direction."""
    lines = []
    for way, english, french in (
        ("in", "Masked in the request", "Masqué dans la demande"),
        ("out", "Masked in the answer", "Masqué dans la réponse"),
    ):
        counts = part(found.turn.record.get("redactions"), way)
        if not isinstance(found.turn.record.get("redactions"), dict):
            missing = say("not recorded: evidence insufficient", "non consigné : preuve insuffisante")
            lines.append(Text(f"{say(english, french)}{say(': ', ' : ')}{missing}.", (found.turn.index,)))
            continue
        shown = ", ".join(
            f"{entity_words(str(name), say)} {say.number(int(count))}" for name, count in sorted(counts.items())
        )
        nothing = say("nothing that a recognizer found", "rien qu'un détecteur ait trouvé")
        lines.append(Text(say(english, french) + say(": ", " : ") + (shown or nothing) + ".", (found.turn.index,)))
    return lines


def human_steps(found: Decision, say: Tongue) -> list[Text]:
    """Which human step there was."""
    said = []
    for entry in found.human:
        oversight = entry.part("oversight")
        listed = ", ".join(f"{name} `{value}`" for name, value in oversight.items())
        said.append(Text(f"{event_words(entry.event, say)}. {listed}".strip(), (entry.index,)))
    if not said:
        said.append(
            Text(
                say(
                    "No human step is recorded for this decision.",
                    "Aucune intervention humaine n'est consignée pour cette décision.",
                ),
                (found.turn.index,),
            )
        )
    if not found.searched:
        said.append(
            Text(
                say(
                    "Records made after the decision were not looked for on this page.",
                    "Les enregistrements postérieurs à la décision n'ont pas été recherchés pour cette page.",
                )
            )
        )
    return said


def contents(entry: Entry) -> list[dict[str, object]]:
    listed = entry.record.get("content")
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def verification(standing: Standing, say: Tongue) -> Section:
    """What the page was computed from."""
    custody = {
        "logging-host": say("on the logging host (evaluation)", "sur la machine du journal (évaluation)"),
        "offline": say(
            "away from the logging host, by the operator's word", "hors de la machine du journal, selon l'exploitant"
        ),
    }.get(standing.custody, "?")
    verdict = say("whole", "intact") if standing.whole else say("NOT VERIFIED", "NON VÉRIFIÉ")
    rows = (
        Fact(say("Log", "Journal"), f"`{standing.origin}`"),
        Fact(say("Verdict", "Verdict"), verdict),
        Fact(say("Entries", "Entrées"), say.number(standing.size)),
        Fact(say("Root of the tree", "Racine de l'arbre"), f"`{standing.root or '-'}`"),
        Fact(say("Root key (fingerprint)", "Clé racine (empreinte)"), f"`{standing.root_key or '-'}`"),
        Fact(say("Root key kept", "Clé racine conservée"), custody),
    )
    return Section(say("What this page was computed from", "D'où cette page est calculée"), (Facts(rows),))


def how_to_check(standing: Standing, say: Tongue, *, index: int | None, again: str) -> Section:
    """Three commands that need nobody's word but the root key's."""
    start = index if index is not None else max(0, standing.size - 1)
    steps = Steps(
        (
            Step(
                say(
                    "Compare your copy of the root key with the fingerprint above (get the key on a way you trust).",
                    "Comparez votre copie de la clé racine avec l'empreinte ci-dessus (obtenez-la par une voie sûre).",
                ),
                "openssl pkey -pubin -in root.pub.pem -outform DER | sha256sum",
            ),
            Step(
                say(
                    "Verify the log, or a bundle of it, on a machine of your own: only Python and its package "
                    "`cryptography` are needed.",
                    "Vérifiez le journal, ou un lot qui en est tiré, sur une machine à vous : il ne faut que Python "
                    "et son paquet `cryptography`.",
                ),
                f"python -m runtime.audit.verify LOGS --root-key root.pub.pem --lang {say.language}",
            ),
            Step(
                say(
                    "Read the records themselves, and compare.",
                    "Lisez les enregistrements eux-mêmes, et comparez.",
                ),
                f"python -m runtime.audit.logtool cat --logs LOGS --start {start} --end {start + 1}"
                f" --lang {say.language}",
            ),
        )
    )
    recorded = say(
        "The SHA-256 of this file stands in the log, in the `access.export` record that was made when it was handed "
        "out: `filagent log cat --event access.export`.",
        "Le SHA-256 de ce fichier figure dans le journal, dans l'enregistrement `access.export` fait à sa remise : "
        "`filagent log cat --event access.export`.",
    )
    said = say(
        "The same log and configuration give the same bytes again with `{remake}`.",
        "Le même journal et la même configuration redonnent les mêmes octets avec `{remake}`.",
        remake=again,
    )
    if standing.scope == "records":
        said = say(
            "Whoever runs this log makes the same page over the log verified as a whole with `{remake}`.",
            "L'exploitant du journal fait la même page sur le journal vérifié en entier avec `{remake}`.",
            remake=again,
        )
    return Section(
        say("How to check it without us", "Comment le vérifier sans nous"), (steps, Text(said), Text(recorded))
    )


def remake(what: str, standing: Standing, say: Tongue) -> str:
    """The command that makes a page again."""
    return f"filagent report {what} --size {standing.size} --language {say.language} --out FILE"


def references(entries: Sequence[Entry], say: Tongue) -> tuple[Reference, ...]:
    return tuple(
        Reference(entry.index, entry.record_id, entry.time, event_words(entry.event, say), entry.leaf)
        for entry in entries
    )


def footer(standing: Standing, say: Tongue) -> str:
    return say(
        "Log {origin}, {size} entries, root {root}",
        "Journal {origin}, {size} entrées, racine {root}",
        origin=standing.origin,
        size=standing.size,
        root=(standing.root or "-")[:16],
    )
