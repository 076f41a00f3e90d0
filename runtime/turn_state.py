"""What one turn knows while it runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from memory.recall import Message, Recalled
from memory.repository import Refused
from policies.model import Effect
from runtime.asked import Asked
from runtime.audit.record import Appended
from runtime.backends.base import ChatBackend, Finished, ToolCall
from runtime.exchange import Extras, TurnRequest
from runtime.ledger import LiveTurn
from runtime.masking import Route
from runtime.outward import Outward
from runtime.recorder import TurnRecorder
from runtime.redaction.spans import Span
from runtime.redaction.tokens import TokenMap
from runtime.spending import Reservation
from runtime.telemetry import Telemetry

T = TypeVar("T")


@dataclass(slots=True)
class Turn:
    """What one turn knows while it runs; each step of `runtime/turn.py` fills its part.

    Attributes:
        refused: the row of a turn that memory did not open (limits, idempotency, a foreign conversation).
        brought: what the caller's request brings, as it came.
        asked: the same in its strictest view.
        named: kinds of personal data that the names of tools say.
        supplied: whether the caller supplied a value himself.
        system: the operator's words, in the strictest view.
        length: how many characters it brings.
        prompt: what the model is asked, in the strictest view; a backend's view is derived from it.
        model: the model that the request names, under its name of today.
        gate_failure: why the gate closed, unchanged by what a backend's client library made of it.
        found: the personal data in this request, by entity, whatever becomes of it.
        read: its texts as they were read, and what was found in each.
        sent: (backend, SHA-256 of the bytes) that an intent covers.
        reservations: what was set aside for its requests, until it is settled.
        reasoning: what the model said to itself; `reasoning_chars` counts all of it, kept or not.
        calls: what it asks the caller to call, as it asked.
        masked_beside, passed_beside: what was masked, or counted, beside the answer's text, by its place.
        extras: what is released beside the answer's text.
        counted: what was masked on the way out is in record and metrics.
        stored: the answer is durable and this process has won the closing.
    """

    request: TurnRequest
    record: TurnRecorder
    live: LiveTurn | None = None
    refused: Refused | None = None
    backend: ChatBackend | None = None
    model: str | None = None
    route: Route = field(default_factory=lambda: Route("local", ""))
    tokens: TokenMap = field(default_factory=lambda: TokenMap(()))
    named: frozenset[str] = frozenset()
    supplied: Callable[[str], bool] = lambda _value: False
    system: Message | None = None
    brought: Asked = field(default_factory=Asked)
    asked: Asked = field(default_factory=Asked)
    length: int = 0
    recalled: Recalled | None = None
    prompt: tuple[Message, ...] = ()
    outward: Outward | None = None
    finished: Finished | None = None
    gate_failure: Exception | None = None
    found: Counter[str] = field(default_factory=Counter)
    read: list[tuple[str, list[Span]]] = field(default_factory=list, repr=False)
    sent: set[tuple[str, bytes]] = field(default_factory=set)
    transmissions: int = 0
    reservations: list[Reservation] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    reasoning_chars: int = 0
    calls: list[ToolCall] = field(default_factory=list)
    masked_beside: dict[str, Counter[str]] = field(default_factory=dict)
    passed_beside: dict[str, Counter[str]] = field(default_factory=dict)
    extras: Extras = field(default_factory=Extras)
    counted: bool = False
    stored: bool = False
    effect: Effect = Effect.ERROR
    appended: Appended | None = None

    def shorten(self) -> bool:
        """Leave out the older half of the turns that were recalled; false where there is none to leave out."""
        recalled = sure(self.recalled)
        if recalled.turns == 0:
            return False
        self.recalled = recalled.newest(recalled.turns // 2)
        self.trimmed()
        return True

    def trimmed(self) -> None:
        """Record and answer say that earlier turns were left out, and how many the model was given."""
        self.record.detail |= {"history_trimmed": True, "history_turns": sure(self.recalled).turns}

    def masked_outward(self, telemetry: Telemetry) -> None:
        """Record and metrics learn what was masked on the way out, once, however the turn ends."""
        if self.outward is None or self.counted:
            return
        self.counted = True
        # Copies: where a turn was cut, a thread that nobody waits for may still be counting.
        self.record.answered(
            {"answer": Counter(self.outward.masked)} | {at: Counter(one) for at, one in self.masked_beside.items()},
            {"answer": Counter(self.outward.passed)} | {at: Counter(one) for at, one in self.passed_beside.items()},
        )
        places = {"answer", *self.masked_beside}
        out = {place: found for place, found in self.record.redactions_at.items() if place in places}
        telemetry.count_redactions(out, "out")

    def learn(self, telemetry: Telemetry) -> None:
        """Record and metrics learn what the model reported, and what was masked on the way out."""
        self.masked_outward(telemetry)
        self.record.learn(self.finished)
        self.record.learn_extras(self.extras, self.reasoning_chars)
        telemetry.count_tokens(self.route.backend, self.record.usage)

    def hear(self, reasoning: str, *, keep: int) -> None:
        """Count a piece of reasoning, and keep it while less than `keep` characters were heard."""
        if self.reasoning_chars < keep:
            self.reasoning.append(reasoning)
        self.reasoning_chars += len(reasoning)


class Unfinished:
    """The tasks that run or close turns now: log and database may not close before they have ended."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def keep(self, task: asyncio.Task[T]) -> asyncio.Task[T]:
        """Remember `task` until it has ended."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def drain(self, seconds: float = 3.0) -> None:
        """Wait until every turn that was cut off has its record, at most this long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)


def sure(value: T | None) -> T:
    """A value that an earlier step has set."""
    if value is None:
        raise AssertionError("a step of the turn ran out of order")
    return value
