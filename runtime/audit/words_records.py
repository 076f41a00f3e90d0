"""A record in plain words: who asked, what was decided and why, which model saw what. Pure.

Reads leniently: what is missing or of another form is left out; nothing is verified here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

EVENT_WORDS: Mapping[str, tuple[str, str]] = {
    "model.intent": ("A model was about to be asked", "Un modèle allait être interrogé"),
    "turn": ("A turn of conversation was decided and closed", "Un tour de conversation a été décidé et clos"),
    "tool.intent": ("A tool was about to be used", "Un outil allait être utilisé"),
    "tool.effect": ("A tool was used", "Un outil a été utilisé"),
    "action.blocked": ("An action was blocked", "Une action a été bloquée"),
    "approval": ("A person decided on a request for approval", "Une personne a statué sur une demande d'approbation"),
    "override": ("A person overrode a decision", "Une personne a écarté une décision"),
    "stop": ("A person stopped the system or part of it", "Une personne a arrêté le système ou une partie"),
    "denials.counted": (
        "Requests without valid credentials were counted",
        "Des requêtes non authentifiées ont été comptées",
    ),
    "policy.loaded": ("A policy was put into force", "Une politique a été mise en vigueur"),
    "config.changed": ("The configuration was changed", "La configuration a été modifiée"),
    "model.changed": ("The model was changed", "Le modèle a été changé"),
    "key.added": ("A key was added", "Une clé a été ajoutée"),
    "key.retired": ("A key was retired", "Une clé a été retirée"),
    "segment.sealed": ("A file of the log was sealed", "Un fichier du journal a été scellé"),
    "segment.pruned": ("A file of the log was removed at its term", "Un fichier du journal a été supprimé à son terme"),
    "erasure.intent": ("The erasure of a person was begun", "L'effacement d'une personne a commencé"),
    "erasure.completed": ("The erasure of a person was completed", "L'effacement d'une personne est achevé"),
    "rectification": ("Data of a person were corrected", "Des données d'une personne ont été rectifiées"),
    "access.export": (
        "Evidence or a person's data were handed out",
        "Des preuves ou les données d'une personne ont été remises",
    ),
    "reveal": ("Masked values were shown to somebody", "Des valeurs masquées ont été montrées à quelqu'un"),
    "incident": ("An incident was recorded", "Un incident a été consigné"),
    "admin": ("An administrator acted", "Un administrateur a agi"),
    "log.recovered": ("The log was recovered after a crash", "Le journal a été rétabli après un arrêt brutal"),
    "log.started": ("The log was started", "Le journal a été démarré"),
    "anchor": ("The standing of a witness changed", "La position d'un témoin a changé"),
}
DECISION_WORDS: Mapping[str, tuple[str, str]] = {
    "allow": ("allowed", "permis"),
    "deny": ("refused", "refusé"),
    "redact": ("allowed with parts masked", "permis avec masquage"),
    "require_approval": ("held until a person approves", "suspendu jusqu'à l'approbation d'une personne"),
    "error": ("failed", "échoué"),
}
_QUESTIONS = frozenset({"model.intent", "turn"})
_YES_NO: tuple[tuple[str, str], ...] = (("no", "non"), ("yes", "oui"))


def explain(record: Mapping[str, Any], language: Literal["en", "fr"]) -> Iterator[str]:
    """Sentences about one predicate, most important first."""
    number = 0 if language == "en" else 1
    event = record.get("event")
    what = EVENT_WORDS.get(event, (f"Event {event}", f"Événement {event}")) if isinstance(event, str) else ("?", "?")
    yield _either(number, f"{what[0]}, at {record.get('time')}.", f"{what[1]}, le {record.get('time')}.")
    decision = record.get("decision")
    if isinstance(decision, str):
        said = DECISION_WORDS.get(decision, (decision, decision))[number]
        yield _either(number, f"Decision: {said} ({decision}).", f"Décision : {said} ({decision}).")
    yield from _lists(record, number)
    yield from _who(record, number)
    yield from _model(record, number)
    yield from _masked(record, number)
    yield from _effect(record, number)
    yield from _detail(record, number)
    yield from _legal(record, number)
    yield from _content(record, number)
    yield _either(
        number,
        f"Record {record.get('record_id')}, entry {record.get('seq')} of the log.",
        f"Enregistrement {record.get('record_id')}, entrée {record.get('seq')} du journal.",
    )


def _either(number: int, english: str, french: str) -> str:
    return french if number else english


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def _lists(record: Mapping[str, Any], number: int) -> Iterator[str]:
    for name, label in (("reasons", ("Reasons", "Motifs")), ("rules", ("Rules", "Règles"))):
        values = record.get(name)
        if isinstance(values, list) and values:
            yield _either(number, f"{label[0]}: ", f"{label[1]} : ") + ", ".join(map(str, values)) + "."
    if revision := _part(record, "policy").get("revision"):
        yield _either(number, f"Under the policy {revision}.", f"Selon la politique {revision}.")


def _who(record: Mapping[str, Any], number: int) -> Iterator[str]:
    actor = _part(record, "actor")
    if actor:
        role, ref, way = (actor.get(name, "?") for name in ("role", "ref", "auth_method"))
        door = record.get("door")
        through = _either(number, f", through {door}", f", par {door}") if door else ""
        did = ("Asked", "Demandé") if str(record.get("event")) in _QUESTIONS else ("Done", "Fait")
        yield _either(
            number,
            f"{did[0]} by {ref} in the role {role}, authenticated by {way}{through}.",
            f"{did[1]} par {ref} au rôle {role}, authentifié par {way}{through}.",
        )
    subjects = record.get("data_subject_refs")
    if isinstance(subjects, list) and subjects:
        yield _either(number, "Persons concerned: ", "Personnes concernées : ") + ", ".join(map(str, subjects)) + "."


def _model(record: Mapping[str, Any], number: int) -> Iterator[str]:
    model = _part(record, "model")
    if model:
        name = model.get("response_model") or model.get("request_model") or "?"
        weights = model.get("weights_sha256")
        tail = _either(number, f", weights sha256 {weights}", f", poids sha256 {weights}") if weights else ""
        yield _either(
            number,
            f"Model: {name} by {model.get('provider')}{tail}.",
            f"Modèle : {name}, {model.get('provider')}{tail}.",
        )
    usage = _part(record, "usage")
    if "prompt_tokens" in usage or "completion_tokens" in usage:
        read, written = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
        yield _either(
            number, f"It read {read} tokens and wrote {written}.", f"Il a lu {read} jetons et en a écrit {written}."
        )


def _masked(record: Mapping[str, Any], number: int) -> Iterator[str]:
    for way, label in (("in", ("before the model", "avant le modèle")), ("out", ("in the answer", "dans la réponse"))):
        counts = _part(_part(record, "redactions"), way)
        if counts:
            listed = ", ".join(f"{entity} {count}" for entity, count in counts.items())
            yield _either(number, f"Masked {label[0]}: {listed}.", f"Masqué {label[1]} : {listed}.")


def _effect(record: Mapping[str, Any], number: int) -> Iterator[str]:
    tool, effect = _part(record, "tool"), _part(record, "effect")
    if "name" in tool:
        yield _either(number, f"Tool: {tool['name']}.", f"Outil : {tool['name']}.")
    if "status" in effect:
        yield _either(number, f"Outcome: {effect['status']}.", f"Issue : {effect['status']}.")
    oversight = _part(record, "oversight")
    if oversight:
        listed = ", ".join(f"{name} {value}" for name, value in oversight.items())
        yield _either(number, f"Human oversight: {listed}.", f"Contrôle humain : {listed}.")


def _detail(record: Mapping[str, Any], number: int) -> Iterator[str]:
    total = _part(record, "timings_ms").get("total")
    if total is not None:
        yield _either(number, f"It took {total} ms.", f"Durée : {total} ms.")
    detail = _part(record, "detail")
    if detail:
        listed = ", ".join(
            f"{name} {_YES_NO[value][number] if isinstance(value, bool) else value}" for name, value in detail.items()
        )
        yield _either(number, f"Details: {listed}.", f"Détails : {listed}.")


def _legal(record: Mapping[str, Any], number: int) -> Iterator[str]:
    legal = _part(record, "legal")
    if not legal:
        return
    parts = [
        _either(number, f"{english} {legal[name]}", f"{french} {legal[name]}")
        for name, english, french in (
            ("purpose", "purpose", "finalité"),
            ("basis", "basis", "fondement"),
            ("risk_class", "risk class", "classe de risque"),
            ("retain_until", "kept until", "conservé jusqu'au"),
        )
        if name in legal
    ]
    if "automated_decision" in legal:
        answer = _YES_NO[bool(legal["automated_decision"])][number]
        parts.append(_either(number, f"decided by machine alone: {answer}", f"décidé par la machine seule : {answer}"))
    yield _either(number, "Legal: ", "Cadre légal : ") + ", ".join(parts) + "."


def _content(record: Mapping[str, Any], number: int) -> Iterator[str]:
    entries = record.get("content")
    names = (
        [str(entry.get("name")) for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
    )
    if names:
        listed = ", ".join(names)
        yield _either(
            number,
            f"It holds no content, only commitments and digests of: {listed}.",
            f"Il ne contient aucun contenu, seulement des engagements et empreintes de : {listed}.",
        )
