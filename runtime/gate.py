"""The gate of step 5: bytes leave for a model only after their `model.intent` is durable (promise 1).

1. the turn is still this process's own, and it may ask once more;
2. the same bytes to the same backend were let out before: a repetition, covered by the intent before;
3. what the request may cost is set aside from the backend's daily budget (`spending`);
4. `model.intent`, with the commitment to the exact bytes, is durable.

When a request has ended, what was set aside for it is settled here too.
"""

from __future__ import annotations

import contextlib
import hashlib

from memory.errors import StorageError
from runtime.asking import Asking
from runtime.audit.client import LogClient
from runtime.backends.base import ChatRequest, Gate
from runtime.crashpoints import reach
from runtime.errors import UpstreamFailed
from runtime.ledger import Ledger
from runtime.spending import Spending
from runtime.telemetry import Telemetry
from runtime.turn_state import Turn, sure


class Gatekeeper:
    """Makes the gate of each request of a turn.

    Args:
        most: how often the bytes of one turn may leave, retries and substitutes included.
    """

    def __init__(
        self, asking: Asking, ledger: Ledger, log: LogClient, spending: Spending, telemetry: Telemetry, *, most: int
    ) -> None:
        self._asking = asking
        self._ledger = ledger
        self._log = log
        self._spending = spending
        self._telemetry = telemetry
        self._most = most

    def gate(self, turn: Turn, request: ChatRequest) -> Gate:
        """What a backend awaits with exactly the bytes that it is about to hand to its transport."""

        async def gate(exact: bytes) -> None:
            try:
                await self._let_out(turn, request, exact)
            except Exception as failure:
                turn.gate_failure = failure
                raise

        return gate

    async def _let_out(self, turn: Turn, request: ChatRequest, exact: bytes) -> None:
        # 1
        self._ledger.confirm(sure(turn.live))
        turn.transmissions += 1
        if turn.transmissions > self._most:
            raise UpstreamFailed("agent.too_many_requests", "One turn may not ask the model this often.")
        # 2
        if (sent := (turn.route.backend, hashlib.sha256(exact).digest())) in turn.sent:
            return
        turn.record.model = self._asking.model_facts(turn, request)
        # 3
        model, tokens = turn.record.model["request_model"], request.options.max_tokens
        kept = await self._spending.reserve(turn.route.backend, model, len(exact), tokens)
        # 4
        try:
            reach("turn.before_intent")
            intent = turn.record.intent(exact)
            await self._log.append(intent)
        except BaseException:
            if kept is not None:  # nothing leaves
                with contextlib.suppress(StorageError):
                    await self._spending.settle([kept], None)
            raise
        turn.record.last_intent = intent.record_id
        turn.sent.add(sent)
        if kept is not None:
            turn.reservations.append(kept)
        reach("turn.after_intent")

    async def settle(self, turn: Turn, failure: BaseException | None = None) -> None:
        """Put what was spent in the place of what was set aside; record and metrics learn of it.

        A failing database does not stop the turn: what was set aside then stays spent.
        """
        turn.record.refer(getattr(failure, "provider_request_id", None))
        reservations, turn.reservations = turn.reservations, []
        cost = self._spending.cost(reservations, turn.finished, failure)
        if cost is None:
            return
        with contextlib.suppress(StorageError):
            await self._spending.settle(reservations, cost)
        turn.record.learn_cost(cost, self._spending.prices_date)
        self._telemetry.count_cost(turn.route.backend, cost)
