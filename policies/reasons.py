"""Every reason code that a decision can carry, with a sentence for people in English and French.

Codes are stable: records hold them for years. Sentences are not, and never hold anything a caller wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Language = Literal["en", "fr"]

REASONS: Mapping[str, Mapping[Language, str]] = MappingProxyType(
    {
        "policy.unknown_role": {
            "en": "The caller's role does not exist in this policy.",
            "fr": "Le rôle de l'appelant n'existe pas dans cette politique.",
        },
        "policy.unknown_action": {
            "en": "This action is not known to the policy.",
            "fr": "Cette action est inconnue de la politique.",
        },
        "policy.role_lacks_permission": {
            "en": "The caller's role does not have this permission.",
            "fr": "Le rôle de l'appelant n'a pas cette permission.",
        },
        "policy.forbidden": {
            "en": "A rule of the policy forbids this, whatever the role's permissions.",
            "fr": "Une règle de la politique l'interdit, quelles que soient les permissions du rôle.",
        },
        "policy.backend_not_allowed": {
            "en": "The caller's role may not use this model backend.",
            "fr": "Le rôle de l'appelant ne peut pas utiliser ce moteur.",
        },
        "policy.egress_forbidden": {
            "en": "A rule of the policy keeps this on this machine: it may not go to that remote model.",
            "fr": "Une règle de la politique garde ceci sur cette machine : rien ne va vers ce modèle distant.",
        },
        "policy.too_many_messages": {
            "en": "The request holds more messages than this role may send at once.",
            "fr": "La demande contient plus de messages que ce rôle ne peut en envoyer.",
        },
        "policy.too_many_characters": {
            "en": "The request is longer than this role may send.",
            "fr": "La demande est plus longue que ce que ce rôle peut envoyer.",
        },
        "policy.entity_blocked": {
            "en": "The text holds a kind of personal data that the policy does not let through.",
            "fr": "Le texte contient un type de donnée personnelle que la politique ne laisse pas passer.",
        },
        "policy.error": {
            "en": "The policy could not be evaluated, which counts as a refusal.",
            "fr": "La politique n'a pas pu être évaluée, ce qui vaut refus.",
        },
        "guard.too_many_messages": {
            "en": "The request holds more messages than anyone may send at once.",
            "fr": "La demande contient plus de messages que quiconque ne peut en envoyer.",
        },
        "guard.too_long": {
            "en": "The text is longer than the guards accept to read.",
            "fr": "Le texte est plus long que ce que les gardes acceptent de lire.",
        },
        "guard.lone_surrogate": {
            "en": "The text is not valid Unicode.",
            "fr": "Le texte n'est pas de l'Unicode valide.",
        },
        "guard.control_character": {
            "en": "The text holds control characters that no message needs.",
            "fr": "Le texte contient des caractères de contrôle dont aucun message n'a besoin.",
        },
        "guard.blocked_pattern": {
            "en": "The text holds a phrase that the policy blocks.",
            "fr": "Le texte contient une formule que la politique bloque.",
        },
        "guard.control_token": {
            "en": "The text imitates the control tokens of a chat template.",
            "fr": "Le texte imite les jetons de contrôle d'un gabarit de conversation.",
        },
        "guard.injection": {
            "en": "The text shows several signs of an attempt to take over the model.",
            "fr": "Le texte présente plusieurs signes d'une tentative de détournement du modèle.",
        },
        "guard.error": {
            "en": "A guard failed, which counts as a refusal.",
            "fr": "Une garde a échoué, ce qui vaut refus.",
        },
    }
)


def sentence(code: str, language: Language = "en") -> str:
    """The sentence for `code`, or the code itself when it is not one of ours."""
    known = REASONS.get(code)
    return known[language] if known else code
