"""The policy and the masking, to read and to try out: `GET /policy`, `POST /policy/evaluate`, `POST /mask`.

What is tried out makes no turn, leaves nothing behind and is not logged. It is answered by the parts that answer turns,
a few at a time: trying out may not keep turns waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import StringConstraints

from policies.actions import in_words
from policies.describe import policy_json
from policies.model import Decision
from policies.reasons import sentence
from runtime.api import wire
from runtime.api.access import permitted, services
from runtime.api.chat import Code
from runtime.api.language import Language, language_of
from runtime.api.turns import Name, StrictModel, Text, schema
from runtime.errors import Invalid
from runtime.failures import translate
from runtime.masking import Route
from runtime.preview import ASK, Outcome, Supposed
from runtime.redaction.errors import RedactionError
from runtime.redaction.tokens import TokenMap
from runtime.reports.tongue import Tongue
from runtime.reports.vocabulary import rule_words

if TYPE_CHECKING:
    from runtime.server import Services

router = APIRouter(tags=["policy"])

_Role = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
_Action = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]


class Question(StrictModel):
    """What `POST /policy/evaluate` takes. All but role and action belong to `chat.create`."""

    role: _Role
    action: _Action = ASK
    backend: Name | None = None
    model: Name | None = None
    purpose: Code | None = None
    classification: Code | None = None
    text: Text | None = None


class MaskBody(StrictModel):
    """What `POST /mask` takes. With a `backend` its kind counts, else `kind`."""

    text: Text
    backend: Name | None = None
    kind: Literal["local", "remote"] = "remote"
    direction: Literal["in", "out"] = "in"


@router.get("/policy", summary="The policy in force: who may do what, masking, guards, what may leave")
async def policy(request: Request) -> dict[str, Any]:
    """`offered` are the backends that are configured, whoever may use them.

    `since.exact` is false while the log has not been read far enough back: ask again.
    """
    await permitted(request, "admin.policy")
    parts, lang = services(request), language_of(request)
    since = await parts.digests.policy_since(parts.policy.revision)
    found = {"time": since.time, "log_index": since.log_index, "exact": since.exact}
    offered = [{"name": backend.name, "kind": backend.kind} for backend in parts.backends.all()]
    return {
        "lang": lang,
        "since": found,
        "masker": parts.masking.revision,
        "offered": offered,
        **policy_json(parts.policy.bundle, lang),
    }


@router.post("/policy/evaluate", summary="What would happen", openapi_extra=schema(Question, replays=False))
async def evaluate(request: Request) -> dict[str, Any]:
    """The decision, the rules that had a say, and why; for `chat.create` also what would be masked."""
    await permitted(request, "admin.policy")
    parts, lang = services(request), language_of(request)
    body = await wire.read_body(request, parts.settings.server.request_bytes)
    wanted = wire.validate(Question, wire.parse_json(body))
    given = wanted.model_fields_set - {"role", "action"}
    if wanted.action != ASK and given:
        raise Invalid("request.invalid", f"{', '.join(sorted(given))}: for {ASK} only")
    async with _trying(parts):
        outcome = await parts.preview.of(Supposed(**wanted.model_dump()))
    return {"lang": lang, "policy": {"revision": parts.policy.revision}, **_told(outcome, wanted, lang)}


@router.post("/mask", summary="What would be masked in a text", openapi_extra=schema(MaskBody, replays=False))
async def mask(request: Request) -> dict[str, Any]:
    """Spans in code points, each with its entity, score, rule and what the policy does with it; and the masked text.

    `masked` is the strictest view, which is what is stored. `view` is what a backend of that kind would read or,
    with `direction` out, what a caller would read of an answer of such a backend.
    """
    await permitted(request, "mask.try")
    parts = services(request)
    body = await wire.read_body(request, parts.settings.server.request_bytes)
    wanted = wire.validate(MaskBody, wire.parse_json(body))
    kind, backend = wanted.kind, wanted.backend or ""
    if wanted.backend is not None:
        chosen = parts.backends.choose(wanted.backend)
        kind, backend = chosen.kind, chosen.name
    route = Route(kind, backend)
    async with _trying(parts):
        [spans] = await parts.masking.find([wanted.text])
        tokens = TokenMap()
        strict = await asyncio.to_thread(tokens.mask, wanted.text, spans)
        view = await asyncio.to_thread(parts.masking.view, strict, tokens, route, wanted.direction)
    told = [
        {
            "start": span.start,
            "end": span.end,
            "entity": span.entity,
            "score": round(span.score, 4),
            "rule": span.rule,
            "action": parts.policy.masking(span.entity, route.kind, route.backend, wanted.direction),
        }
        for span in spans
    ]
    return {
        "masker": parts.masking.revision,
        "kind": kind,
        "backend": wanted.backend,
        "direction": wanted.direction,
        "spans": told,
        "masked": strict,
        "view": view,
        "refused": any(span["action"] == "block" for span in told),
    }


@asynccontextmanager
async def _trying(parts: Services) -> AsyncIterator[None]:
    """One at a time; what fails in masking is an error of ours."""
    async with parts.previews:
        try:
            yield
        except (RedactionError, TimeoutError) as failure:
            raise translate(failure) from failure


def _told(outcome: Outcome, wanted: Question, lang: Language) -> dict[str, Any]:
    backend = outcome.backend
    return {
        "role": wanted.role,
        "action": {"code": wanted.action, "text": in_words(wanted.action, lang)},
        "decision": outcome.effect.value,
        "text": _verdict(outcome, lang),
        "rules": outcome.rules,
        "rule_texts": {rule: rule_words(rule, Tongue(lang)) for rule in outcome.rules},
        "reasons": [{"code": code, "text": sentence(code, lang)} for code in outcome.reasons],
        "steps": [
            {
                "step": step.name,
                "text": _STEPS[step.name][lang],
                "allowed": step.decision.allowed,
                "rules": list(step.decision.rules),
                "reasons": list(step.decision.reasons),
            }
            for step in outcome.steps
        ],
        "guards": _guards(outcome),
        "backend": None if backend is None else {"name": backend.name, "kind": backend.kind},
        "masked": dict(outcome.masked),
        "counted": dict(outcome.counted),
        "found": dict(outcome.found),
    }


def _guards(outcome: Outcome) -> dict[str, list[str]]:
    """Which guards were asked, and which of their rules refused."""
    asked: Decision | None = next((step.decision for step in outcome.steps if step.name == "guards"), None)
    if asked is None:
        return {"asked": [], "fired": []}
    return {"asked": [], "fired": list(asked.rules)} if not asked.allowed else {"asked": list(asked.rules), "fired": []}


def _verdict(outcome: Outcome, lang: Language) -> str:
    if not outcome.steps[-1].decision.allowed:
        said = " ".join(sentence(code, lang) for code in outcome.reasons)
        return f"{_VERDICTS['deny'][lang]} {said}"
    return _VERDICTS["redact" if outcome.masked else "allow"][lang]


_VERDICTS: dict[str, dict[Language, str]] = {
    "deny": {"en": "This would be refused.", "fr": "Ceci serait refusé."},
    "allow": {"en": "This would be allowed.", "fr": "Ceci serait permis."},
    "redact": {"en": "This would be allowed, with parts masked.", "fr": "Ceci serait permis, avec masquage."},
}
_STEPS: dict[str, dict[Language, str]] = {
    "permission": {"en": "May this role do this?", "fr": "Ce rôle peut-il faire cela ?"},
    "backend": {"en": "May this role use this model?", "fr": "Ce rôle peut-il utiliser ce modèle ?"},
    "limits": {"en": "Is it within what one request may hold?", "fr": "Est-ce dans les limites d'une demande ?"},
    "guards": {"en": "Do the guards let the text pass?", "fr": "Les gardes laissent-ils passer le texte ?"},
    "masking": {"en": "Is there anything that may not be sent at all?", "fr": "Y a-t-il des données exclues ?"},
    "egress": {"en": "May it leave this machine?", "fr": "Cela peut-il quitter cette machine ?"},
}
