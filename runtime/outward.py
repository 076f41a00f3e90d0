"""The way out: model text -> masker -> restorer -> guard -> the caller's socket (step 6 of a turn).

A stream passes piece by piece; only the undecided tail is held back, and the guard reads each piece together with the
end of what is out already: a pattern that spans pieces is caught, though its first piece may be gone (LIMITATIONS.md).
An answer that is not streamed passes whole, at its end. What is long is read in a thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from policies.model import Decision, Effect
from runtime.exchange import Release
from runtime.redaction.errors import TextTooLong
from runtime.redaction.stream import StreamMasker, StreamRestorer

_GUARD_WINDOW = 200  # characters of released text that the guard reads again with each piece
T = TypeVar("T")


class Runner(Protocol):
    """Does something with so many characters, off the event loop where that takes long (`Masking.run`)."""

    def __call__(self, work: Callable[[], T], size: int, /) -> Awaitable[T]:
        """What `work` returns."""


class Outward:
    """One answer on its way to the caller.

    Args:
        most: characters that an answer may have.

    Attributes:
        fed: characters that the model has written.
        released: exactly what was handed over.
    """

    def __init__(
        self,
        masker: StreamMasker,
        restorer: StreamRestorer,
        screen: Callable[[str], Decision],
        release: Release,
        refuse: Callable[[Decision], None],
        *,
        run: Runner,
        most: int,
        stream: bool,
    ) -> None:
        self._run = run
        self._most = most
        self._masker = masker
        self._restorer = restorer
        self._screen = screen
        self._release = release
        self._refuse = refuse
        self._pieces: list[str] = []
        self._tail = ""
        self.fed = 0
        self._whole: list[str] | None = None if stream else []

    @property
    def masked(self) -> dict[str, int]:
        """What was masked on the way out (entity: count)."""
        return dict(self._masker.counts)

    @property
    def passed(self) -> dict[str, int]:
        """What was let through and counted (entity: count)."""
        return dict(self._masker.passed)

    @property
    def released(self) -> str:
        return "".join(self._pieces)

    async def feed(self, text: str) -> None:
        """More of the answer.

        Raises:
            TextTooLong: it is longer than what can be checked.
        """
        self.fed += len(text)
        if self.fed > self._most:
            raise TextTooLong("the answer is too long")
        if self._whole is not None:
            self._whole.append(text)
            return
        await self._hand_over(await self._run(lambda: self._restorer.feed(self._masker.feed(text)), len(text)))

    async def flush(self) -> None:
        """The end of the answer."""
        whole = "".join(self._whole or ())

        def rest() -> str:
            masked = self._masker.feed(whole) + self._masker.flush()
            return self._restorer.feed(masked) + self._restorer.flush()

        await self._hand_over(await self._run(rest, len(whole)))

    async def _hand_over(self, text: str) -> None:
        if not text:
            return
        tail = self._tail + text
        decision = await self._run(lambda: self._screen(tail), len(text))
        if decision.effect is not Effect.ALLOW:
            self._refuse(decision)
        self._tail = tail[-_GUARD_WINDOW:]
        self._pieces.append(text)  # before the socket takes it: what was handed over is committed to, arrived or not
        await self._release(text)
