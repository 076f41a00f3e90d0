"""The way out: model text -> masker -> restorer -> guard -> the caller's socket (step 6 of a turn).

A stream passes piece by piece; only the undecided tail is held back, and the guard reads each piece together with the
end of what is out already: a pattern that spans pieces is caught, though its first piece may be gone (LIMITATIONS.md).
An answer that is not streamed passes whole, at its end.
"""

from __future__ import annotations

from collections.abc import Callable

from policies.model import Decision, Effect
from runtime.exchange import Release
from runtime.redaction.stream import StreamMasker, StreamRestorer

_GUARD_WINDOW = 200  # characters of released text that the guard reads again with each piece


class Outward:
    """One answer on its way to the caller.

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
        stream: bool,
    ) -> None:
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
        self.fed += len(text)
        if self._whole is not None:
            self._whole.append(text)
            return
        await self._hand_over(self._restorer.feed(self._masker.feed(text)))

    async def flush(self) -> None:
        masked = self._masker.feed("".join(self._whole or ())) + self._masker.flush()
        await self._hand_over(self._restorer.feed(masked) + self._restorer.flush())

    async def _hand_over(self, text: str) -> None:
        if not text:
            return
        decision = self._screen(self._tail + text)
        if decision.effect is not Effect.ALLOW:
            self._refuse(decision)
        self._tail = (self._tail + text)[-_GUARD_WINDOW:]
        self._pieces.append(text)  # before the socket takes it: what was handed over is committed to, arrived or not
        await self._release(text)
