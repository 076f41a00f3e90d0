"""Which backend a turn may ask, and who steps in when it fails (step 5 of a turn). Decides; sends nothing.

Everything that leaves for a remote backend passes `leave`, the first choice and every substitute alike: role, egress
rules and blocked entities are judged for that backend, and its view is masked for its kind. A turn whose caller named
backend or model is never answered by another one.
"""

from __future__ import annotations

from collections import Counter

from policies.egress import LAST_RESORT, Leaving
from policies.engine import PolicyEngine
from policies.model import Decision, Effect, Query
from runtime.backends.base import BackendError, ChatBackend
from runtime.choice import Backends
from runtime.masking import Masking, Route
from runtime.telemetry import Telemetry
from runtime.turn_state import Turn, sure

#: What another backend would refuse as well: the request itself is at fault.
_REQUEST_AT_FAULT = frozenset({"upstream.context_overflow"})


class Substitutes:
    """Judges backends for turns, from policy and what was masked."""

    def __init__(self, policy: PolicyEngine, backends: Backends, masking: Masking, telemetry: Telemetry) -> None:
        self._policy = policy
        self._backends = backends
        self._masking = masking
        self._telemetry = telemetry

    def leave(self, turn: Turn) -> Decision:
        """May this turn's prompt go to its backend? Notes where that is in the turn's record."""
        decision = self._judge(turn, sure(turn.backend))
        if decision.allowed:
            self._place(turn)
        return decision

    def step_in(self, turn: Turn, failure: BackendError) -> bool:
        """Put the next backend of the chain in the place of the one that failed; false where there is none.

        The turn's record names the first one that failed and why; its answer will say `degraded`.
        """
        named = turn.request.backend is not None or turn.request.model is not None
        released = turn.outward is not None and turn.outward.released
        if named or released or failure.code in _REQUEST_AT_FAULT:
            return False
        failed = sure(turn.backend).name
        first = str(turn.record.detail.get("fallback_from", failed))
        chain = self._policy.egress.fallbacks.get(first, ())
        for name in chain[chain.index(failed) + 1 if failed in chain else 0 :]:
            backend = self._backends.last_resort if name == LAST_RESORT else self._backends.get(name)
            if backend is None or (turn.asked.tools and not getattr(backend, "takes_tools", False)):
                continue
            if not self._judge(turn, backend).allowed:
                continue
            turn.record.note((f"fallback.{name}",), (failure.code,))
            turn.record.detail |= {"degraded": True, "fallback_from": first}
            self._put(turn, backend)
            self._telemetry.fallbacks.labels(failed, name).inc()
            return True
        return False

    def _judge(self, turn: Turn, backend: ChatBackend) -> Decision:
        principal = turn.request.caller.principal
        for decision in (
            self._policy.authorize(Query(principal, "chat.create", {"backend": backend.name})),
            self._policy.may_use_backend(principal, backend.name, backend.kind),
            self._unblocked(turn, backend),
        ):
            if not decision.allowed:
                return decision
        if backend.kind == "local":
            return Decision(Effect.ALLOW, (), ())
        return self._policy.may_leave(
            Leaving(
                role=principal.role,
                backend=backend.name,
                purpose=str(turn.record.legal["purpose"]),
                classification=sure(turn.live).opened.classification,
                masked=self._values(turn),
            )
        )

    def _place(self, turn: Turn) -> None:
        """The next intent of this turn says where its bytes go."""
        remote = self._policy.egress.remotes.get(turn.route.backend) if turn.route.kind == "remote" else None
        turn.record.detail.pop("jurisdiction", None)
        if remote is not None and remote.jurisdiction is not None:
            turn.record.detail["jurisdiction"] = remote.jurisdiction

    def _values(self, turn: Turn) -> Counter[str]:
        """How many different personal values go out, by entity: with the prompt, the texts of a schema and of tools.

        The operator's own words do not count.
        """
        said = [message for message in turn.prompt if message is not turn.system]
        texts = [text for message in said for text in (message.content, message.tools)]
        texts += [leaf.text for leaf in turn.asked.form()]
        return Counter(entry.entity for entry in turn.tokens.mentioned(texts))

    def _unblocked(self, turn: Turn, backend: ChatBackend) -> Decision:
        """What this request holds, under the actions for this backend; names of tools are not masked for it."""
        route = Route(backend.kind, backend.name)
        if self._masking.blocks(turn.found, route, "in") or not all(map(self._masking.shown(route), turn.named)):
            return Decision(Effect.DENY, ("masking.in.block",), ("policy.entity_blocked",))
        return Decision(Effect.ALLOW, (), ())

    def _put(self, turn: Turn, backend: ChatBackend) -> None:
        turn.backend, turn.route = backend, Route(backend.kind, backend.name)
        self._place(turn)
        turn.record.asked(*self._masking.shares(turn.found, turn.route, "in"))
