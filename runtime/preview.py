"""What would happen: a question put to policy, guards and masking as a turn puts it, and no turn is made.

The order, and the questions, are those of steps 1 to 3 of `runtime/turn.py`; a test asks both and compares. What a
preview leaves out: budgets and counters (they depend on who asks and when), earlier turns of a conversation, and what
guards and masking say of an answer, which does not exist. Nothing of the text is kept.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from policies.egress import Leaving
from policies.engine import PolicyEngine
from policies.model import Decision, Effect, Passage, Principal, Query
from runtime.asking import Asking
from runtime.backends.base import ChatBackend
from runtime.choice import Backends
from runtime.exchange import Caller, Message, TurnRequest
from runtime.json_leaves import Leaf
from runtime.masking import Masking, Route
from runtime.redaction.tokens import TokenMap

ASK = "chat.create"
_NOBODY = "preview"


@dataclass(frozen=True, slots=True)
class Supposed:
    """Who would do what. All but the first two belong to `chat.create`."""

    role: str
    action: str
    backend: str | None = None
    model: str | None = None
    purpose: str | None = None
    classification: str | None = None
    text: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One question that was put, and its answer. `name`: permission, backend, limits, guards, masking, egress."""

    name: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would happen.

    Attributes:
        steps: in order; the last one may be a refusal.
        backend: that would be asked.
        masked: what would be masked in the backend's view, by entity.
        counted: what would go on and be counted, by entity.
        found: what is personal in the text, by entity.
    """

    steps: tuple[Step, ...]
    backend: ChatBackend | None = None
    masked: Mapping[str, int] = field(default_factory=dict)
    counted: Mapping[str, int] = field(default_factory=dict)
    found: Mapping[str, int] = field(default_factory=dict)

    @property
    def effect(self) -> Effect:
        """As the turn's record would say it."""
        if not self.steps[-1].decision.allowed:
            return Effect.DENY
        return Effect.REDACT if self.masked else Effect.ALLOW

    @property
    def rules(self) -> list[str]:
        """Every rule that had a say, each once, in order."""
        return list(dict.fromkeys(rule for step in self.steps for rule in step.decision.rules))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it would be refused."""
        return self.steps[-1].decision.reasons


class Preview:
    """Answers such questions with the pipeline's own parts."""

    def __init__(self, policy: PolicyEngine, masking: Masking, backends: Backends, asking: Asking) -> None:
        self._policy = policy
        self._masking = masking
        self._backends = backends
        self._asking = asking

    async def of(self, supposed: Supposed) -> Outcome:
        """What would happen.

        Raises:
            Invalid: an unknown purpose, classification, backend or model, as a turn is refused for it.
            PiiUnavailable, TextTooLong, TimeoutError: the text cannot be analysed.
        """
        principal = Principal(_NOBODY, supposed.role, _NOBODY, _NOBODY)
        if supposed.action != ASK:
            return Outcome((Step("permission", self._policy.authorize(Query(principal, supposed.action, {}))),))
        return await self._turn(principal, supposed)

    async def _turn(self, principal: Principal, supposed: Supposed) -> Outcome:
        messages = (Message("user", supposed.text),) if supposed.text is not None else ()
        request = TurnRequest(
            caller=Caller(principal, _NOBODY, _NOBODY),
            door=_NOBODY,
            body=b"",
            messages=messages,
            backend=supposed.backend,
            model=supposed.model,
            purpose=supposed.purpose,
            classification=supposed.classification,
        )
        backend = self._backends.choose(request.backend)
        self._asking.check(request, backend, self._backends.check_model(backend, request.model))
        route, steps = Route(backend.kind, backend.name), []
        passages = [Passage(message.role, message.content) for message in messages]
        steps.append(Step("permission", self._policy.authorize(Query(principal, ASK, {"backend": backend.name}))))
        if steps[-1].decision.allowed:
            steps.append(Step("backend", self._policy.may_use_backend(principal, backend.name, backend.kind)))
        if steps[-1].decision.allowed:
            steps.append(Step("limits", self._policy.fits(principal, passages)))
        if steps[-1].decision.allowed:
            steps.append(Step("guards", await asyncio.to_thread(self._policy.screen, "in", passages)))
        if not steps[-1].decision.allowed:
            return Outcome(tuple(steps), backend)
        tokens = TokenMap()
        texts = [Leaf(message.content) for message in messages]
        masked = await self._masking.mask(texts, tokens)
        hidden, counted = self._masking.shares(masked.found, route, "in")
        steps.append(Step("masking", self._unblocked(masked.found, route)))
        if steps[-1].decision.allowed and route.kind == "remote":
            leaving = Leaving(
                role=principal.role,
                backend=backend.name,
                purpose=str(self._asking.legal(request.purpose)["purpose"]),
                classification=request.classification or self._policy.egress.default,
                masked=Counter(entry.entity for entry in tokens.mentioned(masked.texts)),
            )
            steps.append(Step("egress", self._policy.may_leave(leaving)))
        return Outcome(tuple(steps), backend, hidden, counted, dict(masked.found))

    def _unblocked(self, found: Mapping[str, int], route: Route) -> Decision:
        if self._masking.blocks(found, route, "in"):
            return Decision(Effect.DENY, (), ("policy.entity_blocked",))
        return Decision(Effect.ALLOW, (), ())
