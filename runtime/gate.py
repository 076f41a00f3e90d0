"""The gate of step 5: bytes leave for a model only after their `model.intent` is durable (promise 1)."""

from __future__ import annotations

import hashlib

from runtime.asking import Asking
from runtime.audit.client import LogClient
from runtime.backends.base import ChatRequest, Gate
from runtime.crashpoints import reach
from runtime.errors import UpstreamFailed
from runtime.ledger import Ledger
from runtime.turn_state import Turn, sure


class Gatekeeper:
    """Makes the gate of each request of a turn.

    Args:
        most: how often the bytes of one turn may leave, retries and substitutes included.
    """

    def __init__(self, asking: Asking, ledger: Ledger, log: LogClient, *, most: int) -> None:
        self._asking = asking
        self._ledger = ledger
        self._log = log
        self._most = most

    def gate(self, turn: Turn, request: ChatRequest) -> Gate:
        """What a backend awaits with exactly the bytes that it is about to hand to its transport."""

        async def gate(exact: bytes) -> None:
            try:
                self._ledger.confirm(sure(turn.live))
                turn.transmissions += 1
                if turn.transmissions > self._most:
                    raise UpstreamFailed("agent.too_many_requests", "One turn may not ask the model this often.")
                if (sent := (turn.route.backend, hashlib.sha256(exact).digest())) in turn.sent:
                    return  # the same bytes to the same backend again: a retry, covered by the intent before
                turn.record.model = self._asking.model_facts(turn, request)
                reach("turn.before_intent")
                intent = turn.record.intent(exact)
                await self._log.append(intent)
                turn.record.last_intent = intent.record_id
                turn.sent.add(sent)
                reach("turn.after_intent")
            except Exception as failure:
                turn.gate_failure = failure
                raise

        return gate
