"""Codes of the records in words: events, decisions, rules, reasons, places where a model runs. Pure.

A code that is not known here is shown as it stands: records outlive this software.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from runtime.audit.words_kinds import kind_text
from runtime.audit.words_records import DECISION_WORDS, EVENT_WORDS
from runtime.reason_words import reason_text
from runtime.reports.tongue import Tongue

Place = Literal["here", "outside", "unknown"]

#: Where a backend runs, as far as its name alone tells. Servers that speak somebody's protocol may run anywhere.
_PLACES: Mapping[str, Place] = {"llama.cpp": "here", "llama_cpp": "here", "scripted": "here", "perplexity": "outside"}


def entity_words(entity: str, say: Tongue) -> str:
    """A type of personal data in words, with its code."""
    said = kind_text(entity, say.language)
    return f"`{entity}`" if said == entity else f"{said} (`{entity}`)"


def place(provider: object, rules: Iterable[str] = ()) -> Place:
    """Where a provider's model runs, as far as the record tells: by a rule of a decision, else by its name.

    `backend.local` permits only what the configuration may call local: a server on this machine's loopback. Where
    another backend stepped in, the rules are of several, and the name alone tells.
    """
    named = list(rules)
    if any(rule.startswith("backend.local.") for rule in named) and not any(
        rule.startswith(("backend.remote.", "fallback.", "egress.")) for rule in named
    ):
        return "here"
    return _PLACES.get(str(provider), "unknown")


def event_words(event: str, say: Tongue) -> str:
    pair = EVENT_WORDS.get(event)
    return say(*pair) if pair else event


def decision_words(decision: object, say: Tongue) -> str:
    pair = DECISION_WORDS.get(str(decision))
    return say(*pair) if pair else str(decision)


def reason_words(code: str, say: Tongue) -> str:
    """A sentence for a reason code, and the code."""
    said = reason_text(code, say.language)
    return f"`{code}`" if said == code else f"{said} (`{code}`)"


def rule_words(rule: str, say: Tongue) -> str:
    """What a rule of the policy says, as far as its name tells."""
    kind, _, rest = rule.partition(".")
    first, _, then = rest.partition(".")
    if kind == "role" and then:
        return say(
            "The role `{role}` has the permission `{permission}` (rule `{rule}`).",
            "Le rôle `{role}` a la permission `{permission}` (règle `{rule}`).",
            role=first, permission=then, rule=rule,
        )  # fmt: skip
    if kind == "forbid":
        return say(
            "A rule that overrides every permission forbids it (rule `{rule}`).",
            "Une règle qui l'emporte sur toute permission l'interdit (règle `{rule}`).",
            rule=rule,
        )
    if kind == "backend" and first == "local":
        return say(
            "The role `{role}` may use models on this machine (rule `{rule}`).",
            "Le rôle `{role}` peut utiliser les modèles de cette machine (règle `{rule}`).",
            role=then, rule=rule,
        )  # fmt: skip
    if kind == "backend":
        return say(
            "The role may send masked texts to the remote model server that the rule names (rule `{rule}`).",
            "Le rôle peut envoyer des textes masqués au serveur de modèle distant que nomme la règle (règle `{rule}`).",
            rule=rule,
        )
    if kind == "fallback":
        return say(
            "The backend that was asked first failed; `{name}` stepped in (rule `{rule}`).",
            "Le moteur interrogé d'abord a échoué ; `{name}` a pris le relais (règle `{rule}`).",
            name=rest, rule=rule,
        )  # fmt: skip
    if kind == "egress":
        return say(
            "The rules about what may leave this machine were asked: `{name}` (rule `{rule}`).",
            "Les règles sur ce qui peut quitter cette machine ont été consultées : `{name}` (règle `{rule}`).",
            name=rest, rule=rule,
        )  # fmt: skip
    if kind == "limit":
        return say(
            "The request was held against the limits of the role `{role}` (rule `{rule}`).",
            "La demande a été comparée aux limites du rôle `{role}` (règle `{rule}`).",
            role=first, rule=rule,
        )  # fmt: skip
    if kind == "guard" and then:
        return say(
            "The guard `{guard}` read the text and objected: `{sign}` (rule `{rule}`).",
            "La garde `{guard}` a lu le texte et s'y est opposée : `{sign}` (règle `{rule}`).",
            guard=first, sign=then, rule=rule,
        )  # fmt: skip
    if kind == "guard":
        return say(
            "The guard `{guard}` read the text (rule `{rule}`).",
            "La garde `{guard}` a lu le texte (règle `{rule}`).",
            guard=first, rule=rule,
        )  # fmt: skip
    return say("Rule `{rule}`.", "Règle `{rule}`.", rule=rule)
