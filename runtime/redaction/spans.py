"""Where personal data stands in a text, and how overlapping findings become one list.

Positions are code points of the original text, end exclusive. What a span means for a reader of the text
(token, `[ENTITY]`, nothing) is decided by others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Span:
    """One finding.

    Attributes:
        start: first code point.
        end: one past the last code point.
        entity: upper-case name such as `EMAIL_ADDRESS`.
        score: 0 to 1; 1 is a number whose checksum holds.
        rule: the recognizer and its pattern, such as `ca_sin.grouped`; never content.
    """

    start: int
    end: int
    entity: str
    score: float
    rule: str


def resolve(candidates: Iterable[Span], text: str, kept: Sequence[Span] = ()) -> list[Span]:
    """Turn overlapping candidates into sorted spans that do not overlap, beside `kept`, which stay as they are.

    The surer finding wins (score, then length). What a loser covers beyond the winners stays masked as the loser's,
    unless too little is left to say anything: no character that some rule found personal becomes clear because
    another rule was surer of its neighbour.
    """
    ranked = sorted(candidates, key=lambda span: (-span.score, span.start - span.end, span.start, span.entity))
    taken = bytearray(len(text))
    chosen: list[Span] = list(kept)
    for span in kept:
        taken[span.start : span.end] = b"\1" * (span.end - span.start)
    for span in ranked:
        free = taken.find(0, span.start, span.end)
        while free >= 0:
            stop = taken.find(1, free, span.end)
            stop = span.end if stop < 0 else stop
            whole = (free, stop) == (span.start, span.end)
            part = trimmed(span if whole else replace(span, start=free, end=stop), text, least=1 if whole else 3)
            if part is not None:
                chosen.append(part)
                taken[part.start : part.end] = b"\1" * (part.end - part.start)
            free = taken.find(0, stop, span.end)
    return sorted(chosen, key=lambda span: span.start)


def trimmed(span: Span, text: str, least: int = 1) -> Span | None:
    """The span without spaces at its edges, or None if fewer than `least` letters and digits are left."""
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if sum(1 for character in text[start:end] if character.isalnum()) < least:
        return None
    return span if (start, end) == (span.start, span.end) else replace(span, start=start, end=end)
