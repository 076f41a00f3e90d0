"""The way out: model text -> masker -> guard -> restorer -> the caller's socket (step 6 of a turn).

Works on any chunking and holds back only the undecided tail. The guard reads what is about to be released together
with the end of what was: a pattern that spans pieces is caught, though its first piece may already be out (see
LIMITATIONS.md).
"""

from __future__ import annotations

from collections.abc import Callable

from policies.model import Decision, Effect
from runtime.exchange import Release
from runtime.redaction.stream import StreamMasker, StreamRestorer

_GUARD_WINDOW = 500  # characters of released text that the guard reads again


class Outward:
    """One answer on its way to the caller; `released` is exactly what was handed over."""

    def __init__(
        self,
        masker: StreamMasker,
        restorer: StreamRestorer,
        screen: Callable[[str], Decision],
        release: Release,
        refuse: Callable[[Decision], None],
    ) -> None:
        self._masker = masker
        self._restorer = restorer
        self._screen = screen
        self._release = release
        self._refuse = refuse
        self._pieces: list[str] = []
        self._tail = ""

    @property
    def masked(self) -> dict[str, int]:
        """What was masked on the way out (entity: count)."""
        return dict(self._masker.counts)

    @property
    def released(self) -> str:
        return "".join(self._pieces)

    async def feed(self, text: str) -> None:
        await self._hand_over(self._restorer.feed(self._masker.feed(text)))

    async def flush(self) -> None:
        await self._hand_over(self._restorer.feed(self._masker.flush()) + self._restorer.flush())

    async def _hand_over(self, text: str) -> None:
        if not text:
            return
        decision = self._screen(self._tail + text)
        if decision.effect is not Effect.ALLOW:
            self._refuse(decision)
        self._tail = (self._tail + text)[-_GUARD_WINDOW:]
        self._pieces.append(text)  # before the socket takes it: what was handed over is committed to, arrived or not
        await self._release(text)
