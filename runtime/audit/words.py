"""All sentences of verification and of records, in English and French: the one place for texts.

Codes and facts come from `report`, `scan` and the records; nothing is judged here. A sentence may use any fact by name;
integers get the separators of their language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from runtime.audit.report import Fact, Note, Report
from runtime.audit.words_notes import NOTES
from runtime.audit.words_records import explain

__all__ = ["LANGUAGES", "Language", "explain_record", "note_text", "render", "to_json", "verdict"]

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")

_VERDICTS: Mapping[str, tuple[str, str]] = {
    "log.whole": (
        "WHOLE. All {records} records of the log {origin} are there, unchanged and in order.",
        "INTACT. Les {records} enregistrements du journal {origin} sont tous là, inchangés et dans l'ordre.",
    ),
    "log.not": (
        "NOT WHOLE. This log is not what its keys signed.",
        "PAS INTACT. Ce journal n'est pas ce que ses clés ont signé.",
    ),
    "bundle.whole": (
        "WHOLE. All {records} records of this bundle stand in the log {origin}, unchanged.",
        "INTACT. Les {records} enregistrements de ce lot figurent dans le journal {origin}, inchangés.",
    ),
    "bundle.not": (
        "NOT WHOLE. This bundle is not what its keys signed.",
        "PAS INTACT. Ce lot n'est pas ce que ses clés ont signé.",
    ),
    "receipt.whole": (
        "PROVEN. Record {record_id} is entry {log_index} of the log {origin}.",
        "PROUVÉ. L'enregistrement {record_id} est l'entrée {log_index} du journal {origin}.",
    ),
    "receipt.not": (
        "NOT PROVEN. This receipt does not prove what it should.",
        "PAS PROUVÉ. Ce reçu ne prouve pas ce qu'il devrait.",
    ),
}

# Shown under the verdict, where all their facts are known.
_LINES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "log": (
        ("From {first_time} to {last_time}.", "Du {first_time} au {last_time}."),
        (
            (
                "The newest signed checkpoint covers {size} records; {checkpoints} signed roots and {tiles} hash "
                "tiles agree."
            ),
            (
                "Le dernier point de contrôle signé couvre {size} enregistrements ; {checkpoints} racines signées et "
                "{tiles} tuiles concordent."
            ),
        ),
        ("Decision records of turns: {turns}.", "Enregistrements de décision (tours) : {turns}."),
        ("Root key: {root}.", "Clé racine : {root}."),
    ),
    "bundle": (
        ("Entries {first} to {last}.", "Entrées {first} à {last}."),
        ("From {first_time} to {last_time}.", "Du {first_time} au {last_time}."),
        (
            "Proved against a signed checkpoint over {size} records.",
            "Prouvés par un point de contrôle signé sur {size} enregistrements.",
        ),
        ("Root key: {root}.", "Clé racine : {root}."),
    ),
    "receipt": (
        ("Written at {time} (event {event}).", "Écrit le {time} (événement {event})."),
        ("Decision: {decision}.", "Décision : {decision}."),
        ("Reasons: {reasons}.", "Motifs : {reasons}."),
        ("Policy revision: {policy}.", "Révision de la politique : {policy}."),
        ("Model: {model}.", "Modèle : {model}."),
        (
            "Proved against a signed checkpoint over {size} records.",
            "Prouvé par un point de contrôle signé sur {size} enregistrements.",
        ),
        ("Root key: {root}.", "Clé racine : {root}."),
    ),
}
_CUSTODY: Mapping[str, tuple[str, str]] = {
    "logging-host": (
        (
            "Evaluation mode: the root key is held on the logging host. Whoever controls that machine could have made "
            "another log that verifies as well."
        ),
        (
            "Mode d'évaluation : la clé racine est conservée sur la machine du journal. Qui contrôle cette machine "
            "aurait pu faire un autre journal tout aussi vérifiable."
        ),
    ),
    "offline": (
        "The root key is kept away from the logging host, by the operator's own word.",
        "La clé racine est conservée hors de la machine du journal, selon l'exploitant lui-même.",
    ),
}
_LIMITS: Mapping[str, tuple[str, str]] = {
    "log": (
        (
            "Not shown by this: that the log as a whole was never set back to an earlier state. A receipt or a "
            "checkpoint that somebody else kept shows that (--receipt)."
        ),
        (
            "Ce que cela ne montre pas : que le journal entier n'a jamais été ramené à un état antérieur. Un reçu ou "
            "un point de contrôle gardé par quelqu'un d'autre le montre (--receipt)."
        ),
    ),
    "bundle": (
        "Not shown by this: what else is in the log.",
        "Ce que cela ne montre pas : ce que le journal contient d'autre.",
    ),
    "receipt": (
        (
            "Not shown by this: that the answer is right, that it arrived, or that the log still stands as it was "
            "then (give the log's path too for that)."
        ),
        (
            "Ce que cela ne montre pas : que la réponse est juste, qu'elle est arrivée, ou que le journal est resté "
            "tel quel (indiquez aussi le chemin du journal pour cela)."
        ),
    ),
}
_HEADINGS: Mapping[str, tuple[str, str]] = {
    "problems": ("What is wrong:", "Ce qui ne va pas :"),
    "remarks": ("Worth knowing:", "À savoir :"),
    "more": ("... and {count} more of this kind.", "… et {count} autres de ce genre."),
}


def render(report: Report, language: Language) -> str:
    """The whole report as text, the verdict first."""
    lines = [verdict(report, language)]
    facts = report.facts
    known = [pair for pair in _LINES[report.subject] if facts.keys() >= set(_names(pair[0]))]
    lines += ["  " + _say(pair, language, facts) for pair in known if report.whole]
    if report.problems:
        lines.append(_say(_HEADINGS["problems"], language, {}))
        lines += _bullets(report, report.problems, language)
    custody = _CUSTODY.get(str(facts.get("custody")))
    if report.remarks or custody:
        lines.append(_say(_HEADINGS["remarks"], language, {}))
        lines += _bullets(report, report.remarks, language)
        if custody:
            lines.append("  - " + _say(custody, language, {}))
    if report.whole:
        lines.append(_say(_LIMITS[report.subject], language, {}))
    return "\n".join(lines)


def verdict(report: Report, language: Language) -> str:
    """The one sentence that counts."""
    pair = _VERDICTS[f"{report.subject}.{'whole' if report.whole else 'not'}"]
    unknown: dict[str, Fact] = {"origin": "?", "record_id": "?", "records": 0}
    return _say(pair, language, unknown | report.facts)


def note_text(note: Note, language: Language) -> str:
    """One finding as a sentence."""
    return _say(NOTES[note.code], language, note.facts)


def to_json(report: Report, language: Language) -> dict[str, Any]:
    """The report for machines: stable codes and facts, with the sentences beside them."""

    def notes(found: list[Note]) -> list[dict[str, Any]]:
        return [{"code": note.code, "facts": note.facts, "text": note_text(note, language)} for note in found]

    return {
        "whole": report.whole,
        "subject": report.subject,
        "verdict": verdict(report, language),
        "facts": report.facts,
        "problems": notes(report.problems),
        "remarks": notes(report.remarks),
        "counts": dict(report.counts),
    }


def explain_record(record: Mapping[str, Any], language: Language) -> str:
    """A record in plain words, a few lines."""
    return "\n".join(_typeset(line, language) for line in explain(record, language))


def _bullets(report: Report, notes: list[Note], language: Language) -> list[str]:
    lines: list[str] = []
    for number, note in enumerate(notes):
        lines.append("  - " + note_text(note, language))
        last_of_kind = all(later.code != note.code for later in notes[number + 1 :])
        if last_of_kind and (more := report.left_out(note.code)):
            lines.append("    " + _say(_HEADINGS["more"], language, {"count": more}))
    return lines


def _say(pair: tuple[str, str], language: Language, facts: Mapping[str, Fact]) -> str:
    shown = {name: _number(value, language) if type(value) is int else value for name, value in facts.items()}
    return _typeset(pair[LANGUAGES.index(language)].format_map(shown), language)


def _names(template: str) -> list[str]:
    return [part.partition("}")[0] for part in template.split("{")[1:]]


def _number(value: int, language: Language) -> str:
    return f"{value:,}" if language == "en" else f"{value:,}".replace(",", "\u202f")


def _typeset(text: str, language: Language) -> str:
    """French puts a no-break space before these signs."""
    if language == "fr":
        for sign in ";:?!»":
            text = text.replace(f" {sign}", f"\u00a0{sign}")
        text = text.replace("« ", "«\u00a0")
    return text
