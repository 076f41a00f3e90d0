"""Every action in words, for people who read who may do what. What the actions are for is the doors' business."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from policies.reasons import Language

ACTION_WORDS: Mapping[str, Mapping[Language, str]] = MappingProxyType(
    {
        "chat.create": {"en": "Ask a model", "fr": "Interroger un modèle"},
        "tool.offer": {"en": "Offer a model tools of one's own", "fr": "Proposer ses propres outils à un modèle"},
        "conversation.list": {"en": "List one's own conversations", "fr": "Voir la liste de ses conversations"},
        "conversation.read": {"en": "Read one's own conversations", "fr": "Lire ses conversations"},
        "conversation.rename": {"en": "Rename one's own conversations", "fr": "Renommer ses conversations"},
        "conversation.delete": {"en": "Delete one's own conversations", "fr": "Supprimer ses conversations"},
        "turn.read": {"en": "Fetch one's own answer again", "fr": "Retrouver une réponse reçue"},
        "decision.list": {"en": "List decisions", "fr": "Voir la liste des décisions"},
        "decision.read_own": {"en": "Read decisions about oneself", "fr": "Lire les décisions qui nous concernent"},
        "decision.read_any": {"en": "Read anybody's decisions", "fr": "Lire toutes les décisions"},
        "log.checkpoint": {
            "en": "Read the log's signed checkpoint",
            "fr": "Lire le point de contrôle du journal",
        },
        "log.tile": {"en": "Read the log's hash tiles", "fr": "Lire les tuiles d'empreintes du journal"},
        "log.entries": {"en": "Read the log's entries", "fr": "Lire les entrées du journal"},
        "metrics.read": {"en": "Read metrics and statistics", "fr": "Lire les mesures et les statistiques"},
        "privacy.erase": {"en": "Erase a person's data", "fr": "Effacer les données d'une personne"},
        "privacy.export": {"en": "Export what is kept about a person", "fr": "Exporter les données d'une personne"},
        "privacy.reveal": {"en": "See a masked value, with a reason", "fr": "Voir une valeur masquée, avec un motif"},
        "admin.keys": {"en": "Make and revoke API keys", "fr": "Créer et révoquer des clés d'API"},
        "admin.users": {
            "en": "See accounts, close and reopen them",
            "fr": "Voir les comptes, les fermer et les rouvrir",
        },
        "admin.policy": {"en": "Read and try out the policy", "fr": "Lire et essayer la politique"},
        "admin.system": {"en": "See how the machine stands", "fr": "Voir l'état de la machine"},
        "audit.export": {"en": "Export evidence", "fr": "Exporter des preuves"},
        "audit.verify": {"en": "Verify evidence", "fr": "Vérifier des preuves"},
        "report.own": {"en": "Read reports about one's own decisions", "fr": "Lire les rapports sur ses décisions"},
        "report.any": {"en": "Read any dossier, review or register", "fr": "Lire tout dossier, examen ou registre"},
        "incident.record": {"en": "State an incident", "fr": "Déclarer un incident"},
        "mask.try": {"en": "See what would be masked in a text", "fr": "Voir ce qui serait masqué dans un texte"},
        "model.list": {"en": "List models", "fr": "Voir la liste des modèles"},
    }
)


def in_words(action: str, language: Language = "en") -> str:
    """The action in words, or its code where there are none."""
    known = ACTION_WORDS.get(action)
    return known[language] if known else action
