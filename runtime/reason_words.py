"""Every reason that a record of a turn can carry as a sentence for people, and a decision in one sentence.

Reasons of policy and guards have theirs in `policies.reasons`; here are those of the runtime. Sentences only: what the
codes mean to machines stands in docs/errors.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policies.reasons import REASONS, Language

_SENTENCES: Mapping[str, tuple[str, str]] = {
    "auth.invalid": ("The account was closed.", "Le compte a été fermé."),
    "auth.no_role": (
        "The account at the sign-in provider has been given no role here.",
        "Le compte chez le fournisseur d'identité n'a reçu aucun rôle ici.",
    ),
    "auth.provider_unavailable": (
        "The sign-in provider could not be reached, so the token could not be checked.",
        "Le fournisseur d'identité était injoignable : le jeton ne pouvait être vérifié.",
    ),
    "limit.requests": ("Too many requests in one minute.", "Trop de demandes en une minute."),
    "limit.tokens": ("The daily budget of tokens was used up.", "Le budget quotidien de jetons était épuisé."),
    "limit.concurrent": ("Too many turns at the same time.", "Trop d'échanges en même temps."),
    "conversation.not_found": (
        "There was no such conversation for the caller.",
        "Cette conversation n'existait pas pour l'appelant.",
    ),
    "idempotency.in_progress": (
        "The same request was still running.",
        "La même demande était encore en cours.",
    ),
    "idempotency.mismatch": (
        "The key of the request had been used with another one.",
        "La clé de la demande avait servi pour une autre.",
    ),
    "request.backend_unknown": ("No such backend is configured.", "Ce moteur n'est pas configuré."),
    "request.model_unknown": ("The backend offers no such model.", "Le moteur n'offre pas ce modèle."),
    "request.purpose_unknown": ("The policy knows no such purpose.", "La politique ne connaît pas cette finalité."),
    "request.classification_unknown": (
        "The policy knows no such classification.",
        "La politique ne connaît pas cette classification.",
    ),
    "request.thinking_unsupported": (
        "Whether that model thinks first could not be chosen.",
        "On ne pouvait choisir si ce modèle réfléchit d'abord.",
    ),
    "request.greedy_refused": (
        "That model may not be asked with a temperature of 0.",
        "Ce modèle ne peut être interrogé avec une température de 0.",
    ),
    "request.tools_unsupported": ("The backend takes no tools.", "Le moteur n'accepte pas d'outils."),
    "request.tool_name": (
        "The name of a tool held personal data.",
        "Le nom d'un outil contenait des données personnelles.",
    ),
    "request.tool_call_unknown": (
        "A tool's result answered no known call.",
        "Le résultat d'un outil ne répondait à aucun appel connu.",
    ),
    "request.schema_unsupported": (
        "The backend could not be held to that form of answer.",
        "Le moteur ne pouvait être tenu à cette forme de réponse.",
    ),
    "budget.exhausted": (
        "The daily budget for that backend was used up.",
        "Le budget quotidien de ce moteur était épuisé.",
    ),
    "budget.unpriced": (
        "The price of that model was not known, so its budget could not be kept.",
        "Le prix de ce modèle n'était pas connu : son budget ne pouvait être tenu.",
    ),
    "policy.unavailable": ("There was no policy to decide by.", "Il n'y avait pas de politique pour décider."),
    "evidence.unavailable": ("The log accepted no records.", "Le journal n'acceptait pas d'enregistrement."),
    "evidence.damaged": (
        "The log on the disk was not what had been signed.",
        "Le journal sur le disque n'était pas ce qui avait été signé.",
    ),
    "evidence.unwitnessed": (
        "Too few witnesses vouched for the log.",
        "Trop peu de témoins se portaient garants du journal.",
    ),
    "storage.unavailable": ("The database did not answer.", "La base de données ne répondait pas."),
    "pii.unavailable": (
        "Personal data could not be masked, so nothing was sent.",
        "Les données personnelles ne pouvaient être masquées : rien n'a été envoyé.",
    ),
    "pii.timeout": ("Masking took too long.", "Le masquage a pris trop de temps."),
    "pii.too_long": ("The text was too long to be masked.", "Le texte était trop long pour être masqué."),
    "upstream.timeout": ("The model did not answer in time.", "Le modèle n'a pas répondu à temps."),
    "upstream.unreachable": ("The model's server could not be reached.", "Le serveur du modèle était injoignable."),
    "upstream.bad_response": ("The model answered nonsense.", "La réponse du modèle était inutilisable."),
    "upstream.rejected": ("The model's server refused the request.", "Le serveur du modèle a refusé la demande."),
    "upstream.rate_limited": ("The provider limited our requests.", "Le fournisseur a limité nos demandes."),
    "upstream.busy": ("The local model was busy.", "Le modèle local était occupé."),
    "upstream.unavailable": ("The model was not there.", "Le modèle n'était pas disponible."),
    "upstream.context_overflow": (
        "The conversation did not fit into the model's context.",
        "La conversation dépassait le contexte du modèle.",
    ),
    "upstream.circuit_open": (
        "The model had failed again and again, so it was left alone for a while.",
        "Le modèle avait échoué à répétition : il a été laissé de côté quelque temps.",
    ),
    "upstream.model_unclear": (
        "Which model that server serves was not clear.",
        "Le modèle servi par ce serveur n'était pas clair.",
    ),
    "agent.filtered": (
        "The provider's own filter ended the answer.",
        "Le filtre du fournisseur a mis fin à la réponse.",
    ),
    "agent.not_json": (
        "The answer did not keep to the form that was asked for.",
        "La réponse ne respectait pas la forme demandée.",
    ),
    "agent.masked_form": (
        "Personal data in the answer was masked, and what was left did not keep to the form that was asked for.",
        "Des données personnelles de la réponse ont été masquées, et le reste n'avait plus la forme demandée.",
    ),
    "agent.no_ending": ("The model stopped without an ending.", "Le modèle s'est arrêté sans conclure."),
    "agent.tool_missing": (
        "The model did not make the tool call that it had to make.",
        "Le modèle n'a pas fait l'appel d'outil exigé.",
    ),
    "agent.tool_arguments": (
        "The model's tool call was not of the form that the tool takes.",
        "L'appel d'outil du modèle n'avait pas la forme attendue.",
    ),
    "agent.tool_too_many": ("The model asked for too many tool calls.", "Le modèle a demandé trop d'appels d'outils."),
    "agent.tool_unknown": ("The model asked for an unknown tool.", "Le modèle a demandé un outil inconnu."),
    "agent.too_many_requests": ("The turn asked the model too often.", "L'échange a trop sollicité le modèle."),
    "client.gone": (
        "The caller left before the answer was complete.",
        "L'appelant est parti avant la fin de la réponse.",
    ),
    "server.stopping": ("The server was stopping.", "Le serveur s'arrêtait."),
    "turn.interrupted": ("The process that ran the turn died.", "Le processus de l'échange s'est arrêté brutalement."),
    "content.lost": ("A power loss took the content.", "Une coupure de courant a emporté le contenu."),
    "internal.error": ("Something failed that should not have.", "Une erreur imprévue est survenue."),
}
_DECISIONS: Mapping[str, tuple[str, str]] = {
    "allow": ("The request was answered.", "La demande a reçu une réponse."),
    "redact": (
        "The request was answered; personal data were masked.",
        "La demande a reçu une réponse ; des données personnelles ont été masquées.",
    ),
    "deny": ("The request was refused.", "La demande a été refusée."),
    "error": ("The request failed.", "La demande a échoué."),
    "require_approval": ("The request waits for a person's approval.", "La demande attend l'accord d'une personne."),
}


def reason_text(code: str, language: Language) -> str:
    """The sentence for a reason, or the code itself where it is not one of ours."""
    if code in REASONS:
        return REASONS[code][language]
    known = _SENTENCES.get(code)
    return code if known is None else known[language == "fr"]


def summary(record: Mapping[str, Any], language: Language) -> str | None:
    """A decision in plain words: what came of it, and why; None for a record that decides nothing."""
    known = _DECISIONS.get(str(record.get("decision")))
    if known is None:
        return None
    return " ".join([known[language == "fr"], *(reason_text(code, language) for code in codes_of(record))])


def codes_of(record: Mapping[str, Any]) -> Sequence[str]:
    """The reasons that a record names."""
    reasons = record.get("reasons")
    return [str(code) for code in reasons] if isinstance(reasons, list) else []
