"""Separates what a model says to itself from its answer, while it is being written. Pure: text in, parts out.

Models mark their reasoning by a block at the beginning of the answer (`<think>…</think>` and its kin). Only there, and
directly after such a block, does a mark count: in the middle of an answer it is text like any other, because answers
speak about marks too. A block that never ends is reasoning to its end. Servers that separate the two themselves need
none of this (`streamed_answer`). What is done with either part is the pipeline's business.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

_MOST_SPACE: Final = 1000  # before a block; more of it begins an answer
_MARKS: Final = (("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]"))


class _State(Enum):
    START = 1
    INSIDE = 2
    AFTER = 3  # a block has ended: white space before the answer belongs to neither
    ANSWER = 4


class ReasoningSplitter:
    """One answer; gives the same parts for every way of cutting its text into chunks.

    Args:
        opened: the server's chat template has opened the block already, so that only its end will be seen.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self._state = _State.INSIDE if opened else _State.START
        self._end = _MARKS[0][1]
        self._held = ""

    def feed(self, text: str) -> tuple[str, str]:
        """(reasoning, answer) that are decided now; either may be empty."""
        self._held += text
        return self._decide(last=False)

    def flush(self) -> tuple[str, str]:
        """The rest, at the end of the text."""
        return self._decide(last=True)

    def _decide(self, *, last: bool) -> tuple[str, str]:
        reasoning = ""
        while True:
            if self._state is _State.ANSWER:
                answer, self._held = self._held, ""
                return reasoning, answer
            if self._state is _State.INSIDE:
                before, found, after = self._held.partition(self._end)
                if found:
                    reasoning += before
                    self._held, self._state = after, _State.AFTER
                    continue
                keep = 0 if last else _overlap(self._held, self._end)
                cut = len(self._held) - keep
                reasoning, self._held = reasoning + self._held[:cut], self._held[cut:]
                return reasoning, ""
            stripped = self._held.lstrip()
            if self._state is _State.AFTER:
                self._held = stripped
            elif len(self._held) - len(stripped) > _MOST_SPACE:
                self._state = _State.ANSWER
                continue
            opening = next((pair for pair in _MARKS if stripped.startswith(pair[0])), None)
            if opening is not None:
                self._end, self._state, self._held = opening[1], _State.INSIDE, stripped[len(opening[0]) :]
                continue
            if not last and any(start.startswith(stripped) for start, _ in _MARKS):
                return reasoning, ""
            self._state = _State.ANSWER


def _overlap(text: str, mark: str) -> int:
    """How much of the end of `text` could be the beginning of `mark`."""
    return next((size for size in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:size])), 0)
