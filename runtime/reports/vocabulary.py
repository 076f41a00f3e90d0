"""Codes of the records in words: events, decisions, rules, reasons, places where a model runs. Pure.

A code that is not known here is shown as it stands: records outlive this software.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from policies.reasons import REASONS, sentence
from runtime.audit.words_records import DECISION_WORDS, EVENT_WORDS
from runtime.reports.tongue import Tongue

Place = Literal["here", "outside", "unknown"]

#: Where a backend runs, as far as its name alone tells. Servers that speak somebody's protocol may run anywhere.
_PLACES: Mapping[str, Place] = {"llama.cpp": "here", "llama_cpp": "here", "scripted": "here", "perplexity": "outside"}

_FAMILIES: Mapping[str, tuple[str, str]] = {
    "limit.requests": ("Too many requests were made in a minute.", "Trop de requêtes ont été faites en une minute."),
    "limit.tokens": ("The daily budget of tokens was used up.", "Le budget quotidien de jetons était épuisé."),
    "limit.concurrent": ("Too many turns ran at the same time.", "Trop d'échanges étaient en cours à la fois."),
    "turn.interrupted": (
        "The process that was answering died; the turn was closed afterwards.",
        "Le processus qui répondait s'est arrêté ; l'échange a été clos ensuite.",
    ),
    "content.lost": (
        "A power loss took the content; the record of the intent remained.",
        "Une panne de courant a emporté le contenu ; l'enregistrement de l'intention est resté.",
    ),
    "client.gone": (
        "The caller left before the answer was complete.",
        "L'appelant est parti avant la fin de la réponse.",
    ),
    "idempotency": ("The request repeated an earlier one.", "La demande en répétait une antérieure."),
    "pii": (
        "Personal data could not be masked, so nothing was sent to a model.",
        "Les données personnelles n'ont pas pu être masquées ; rien n'a donc été transmis à un modèle.",
    ),
    "upstream": (
        "The model did not answer, or not as it should.",
        "Le modèle n'a pas répondu, ou pas comme il le devait.",
    ),
    "evidence": (
        "The log could not take records, so nothing was released.",
        "Le journal ne pouvait pas recevoir d'enregistrements ; rien n'a donc été remis.",
    ),
    "storage": ("The database was not available.", "La base de données n'était pas disponible."),
    "agent": (
        "The exchange with the model did not come to an end.",
        "L'échange avec le modèle n'a pas abouti.",
    ),
    "server": ("The server was stopping.", "Le serveur s'arrêtait."),
    "request": ("The request was not well formed.", "La demande n'était pas bien formée."),
    "conversation": ("The conversation was not available.", "La conversation n'était pas disponible."),
    "auth": ("The account was closed.", "Le compte était fermé."),
    "internal": ("Something failed that should not.", "Une panne imprévue est survenue."),
}


_ENTITIES: Mapping[str, tuple[str, str]] = {
    "PERSON": ("names of persons", "noms de personnes"),
    "LOCATION": ("places", "lieux"),
    "ORGANIZATION": ("names of organisations", "noms d'organisations"),
    "NRP": ("origins, beliefs", "origines, convictions"),
    "EMAIL_ADDRESS": ("e-mail addresses", "adresses de courriel"),
    "PHONE_NUMBER": ("telephone numbers", "numéros de téléphone"),
    "CA_SIN": ("social insurance numbers", "numéros d'assurance sociale"),
    "CA_RAMQ": ("health insurance numbers", "numéros d'assurance maladie"),
    "CA_POSTAL_CODE": ("postal codes", "codes postaux"),
    "CREDIT_CARD": ("card numbers", "numéros de carte"),
    "IBAN_CODE": ("bank account numbers (IBAN)", "numéros de compte (IBAN)"),
    "BANK_ACCOUNT": ("bank account numbers", "numéros de compte"),
    "IP_ADDRESS": ("network addresses", "adresses réseau"),
    "STREET_ADDRESS": ("street addresses", "adresses postales"),
    "DATE_OF_BIRTH": ("dates of birth", "dates de naissance"),
    "SECRET": ("passwords and keys", "mots de passe et clés"),
    "PASSPORT": ("passport numbers", "numéros de passeport"),
    "ID_NUMBER": ("other identifying numbers", "autres numéros d'identification"),
    "LITERAL": ("text that imitates our marks", "texte imitant nos marques"),
}


def entity_words(entity: str, say: Tongue) -> str:
    """A type of personal data in words, with its code."""
    pair = _ENTITIES.get(entity)
    return f"{say(*pair)} (`{entity}`)" if pair else f"`{entity}`"


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
    pair = _FAMILIES.get(code) or _FAMILIES.get(code.partition(".")[0])
    said = sentence(code, say.language) if code in REASONS else say(*pair) if pair else ""
    return f"{said} (`{code}`)" if said else f"`{code}`"


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
