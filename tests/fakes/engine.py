"""A model that says what a test decides, for the model host's service: the same interface as the real engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from runtime.models.engine import EngineFacts, Outcome
from runtime.models.faults import EngineFault
from runtime.models.wire import ChatOrder

WEIGHTS = "ab" * 32


@dataclass
class FakeEngine:
    """Answers with the last message, word by word.

    A message that is exactly `hold` waits for `release` after its first word, as long as nobody stops it; `fault`, `crash`
    and `overflow` fail in their ways.
    """

    facts: EngineFacts = field(default_factory=lambda: EngineFacts(WEIGHTS, "fake-build-1", 2048))
    runs: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    forgotten: int = 0
    stopped: int = 0
    closed: bool = False

    def run(self, order: ChatOrder, emit: Callable[[str], None], stopped: Callable[[], bool]) -> Outcome:
        text = order.messages[-1].content
        self.runs.append(f"{order.owner}:{text}")
        match text:
            case "fault":
                raise EngineFault("upstream.context_overflow", "too long")
            case "crash":
                raise RuntimeError(f"secret of {text}")
            case "hold":
                emit("held ")
                while not self.release.wait(0.002):
                    if stopped():
                        self.stopped += 1
                        return Outcome("cancelled", 3, 1, 0)
                emit("released")
                return Outcome("stop", 3, 2, 0)
        words = text.split()
        for word in words:
            emit(word + " ")
        return Outcome("stop", 3, len(words), 1)

    def forget(self) -> None:
        self.forgotten += 1

    def close(self) -> None:
        self.closed = True
