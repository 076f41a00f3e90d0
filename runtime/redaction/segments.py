"""Cut a text into segments that no identifier crosses, from left to right, whole or as it arrives.

Detection in a stream must equal detection in the whole text. So there is one procedure, an automaton that eats text,
and the whole text is the case of a single bite: where it cuts depends on the text alone, never on how it arrived.

1. A text is words and what stands between them. Two neighbours stay together (`kinds.joined`) if they could belong to
   one identifier: groups of digits, "arobase", a label and its password, a civic number and its street. Elsewhere it
   is cut. The question needs the second word whole, so that what is held back is one word and the one being written.
2. A segment is read by the recognizers together with the `LEFT` code points before it, in which labels stand ("NAS :").
3. A segment that reaches `WINDOW` code points is cut where no finding is crossed: that is the bound of the hold-back.
4. A finding that fills the window, and a private key, stay open: what follows belongs to them up to the next separator,
   or to the END line of the key.

What is personal is decided by the recognizers; what becomes of it, by `stream.py` and `engine.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from runtime.redaction.kinds import (
    ADDRESS,
    AS,
    CIVIC,
    DIGITS,
    NAME,
    NUMBER,
    OF,
    PHRASES,
    READ,
    SECRET,
    SINGLE,
    STREET,
    TELLS,
    joined,
    kind,
)
from runtime.redaction.recognizers.secret import PEM
from runtime.redaction.spans import Span, resolve
from runtime.redaction.tables import Columns

LEFT = 96
WINDOW = 512
_HEAD = 64  # a word is judged by its first code points
_GAP = 12  # more than that between two words separates whatever they are
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,48}-----")
_KEY_BLOCK, _KEY_MARGIN = 64, 80  # a private key is followed block by block; the margin holds any END line
_SEPARATORS = r'\s"<>|'
_WORD = re.compile(rf"[^{_SEPARATORS}]++")
_GAPS = re.compile(rf"[{_SEPARATORS}]")
# How many words stay together after a label of secrets, a word for living somewhere, a civic number, a street.
_KEPT_AFTER_LABEL, _KEPT_AFTER_ADDRESS, _KEPT_AFTER_CIVIC, _KEPT_AFTER_STREET = 7, 8, 7, 12
_KEPT_AFTER_NUMBER = 4
KEPT = 24
"""How many words of one segment are kept for such a reason, renewed or not. Words that nothing else joins, all prose,
are held in a stream no longer than that, with one word before and the two that the next cut needs."""


class Piece(NamedTuple):
    """A decided part of the text.

    Attributes:
        text: the part itself; the pieces of a text, joined, are the text.
        spans: findings, positions within the piece, sorted, not overlapping.
        continues: the piece is more of the last finding of the piece before.
    """

    text: str
    spans: list[Span]
    continues: bool = False


class Scanner:
    """The automaton.

    Args:
        find: `find(segment, left)` gives the findings of one segment, sorted, not overlapping.
        left: what stood before the text.
        awaited: how many words must be seen together from this one on, 0 for none: texts that are listed as such.
    """

    def __init__(
        self, find: Callable[[str, str], list[Span]], left: str = "", awaited: Callable[[str], int] | None = None
    ) -> None:
        self._find = find
        self._awaited = awaited
        self._left = left[-LEFT:]
        self._held = ""
        self._columns = Columns()
        self._passed = ""  # what went by since the tables were last followed
        self._open: Span | None = None  # the finding that goes on
        self._in_key = False

    def feed(self, chunk: str) -> list[Piece]:
        """Add text; what is decided by it comes out in order. At most `WINDOW` code points stay held."""
        text = self._held + chunk
        if (
            self._open is None
            and len(text) < WINDOW
            and len(chunk) < _HEAD
            and not _GAPS.search(chunk)
            and _GAPS.search(text, max(0, len(text) - _HEAD + 1))
        ):
            self._held = text  # no word has ended, none is long enough to be judged: nothing new can be decided
            return []
        return self._decide(text, final=False)

    @property
    def held(self) -> int:
        """How many code points are held."""
        return len(self._held)

    def flush(self) -> list[Piece]:
        """The end of the text: all that is held comes out."""
        return self._decide(self._held, final=True)

    def _decide(self, text: str, *, final: bool) -> list[Piece]:
        pieces: list[Piece] = []
        out = at = 0  # what is in `pieces`; what is decided
        while at < len(text):
            if self._open is not None:
                at, closed = self._go_on(self._open, text, at, pieces, final=final)
                out = at
                if not closed:
                    break
                self._open, self._in_key = None, False
                continue
            begin = at
            for start, end in _segments(text, at, self._awaited, final=final):
                at = end
                if start == end:
                    continue  # nothing to read up to here
                left = (self._left + text[max(0, start - LEFT) : start])[-LEFT:]
                if out < start:
                    self._passed += text[out:start]
                piece = (self._window if end - start >= WINDOW else self._segment)(text[start:end], left)
                if out < start:
                    pieces.append(Piece(text[out:start], []))
                pieces.append(piece)
                self._passed += piece.text
                at = out = start + len(piece.text)
                if at != end or self._open is not None:
                    break  # the next segment does not begin where `_segments` would go on
            if at == begin:
                break
        if out < at:
            pieces.append(Piece(text[out:at], []))
            self._passed += text[out:at]
        if len(self._passed) > WINDOW:
            self._catch_up()
        self._left = (self._left + text[max(0, at - LEFT) : at])[-LEFT:]
        self._held = text[at:]
        return pieces

    def _go_on(self, span: Span, text: str, at: int, pieces: list[Piece], *, final: bool) -> tuple[int, bool]:
        """Follow the open finding as far as the text allows: how far that is, and whether it ends there."""
        closed = False
        while not closed:
            end, closed = (_key_end if self._in_key else _word_end)(text, at, final=final)
            if end == at:
                break
            pieces.append(Piece(text[at:end], [replace(span, start=0, end=end - at)], continues=True))
            self._passed += text[at:end]
            at = end
        return at, closed

    def _catch_up(self) -> None:
        """Follow the tables through what went by; it waits until a segment asks for them."""
        if self._passed:
            self._columns.advance(self._passed)
            self._passed = ""

    def _found(self, segment: str, left: str) -> list[Span]:
        """What is found in a segment, and in its cells behind the headers of their columns."""
        spans = self._find(segment, left)
        self._catch_up()
        if not (cells := self._columns.cells(segment)):
            return spans
        found = [
            replace(span, start=cell.start + span.start, end=cell.start + span.end)
            for cell in cells
            for span in self._find(segment[cell.start : cell.end], cell.before)
        ]
        return resolve([*spans, *found], segment) if found else spans

    def _segment(self, segment: str, left: str) -> Piece:
        spans = self._found(segment, left)
        return self._key(segment, spans) or Piece(segment, spans)

    def _key(self, segment: str, spans: list[Span]) -> Piece | None:
        """The segment up to the first line of a private key, if one begins in it."""
        for index, span in enumerate(spans):
            if span.rule.endswith("." + PEM):
                self._open, self._in_key = span, True
                return Piece(segment[: span.end], spans[: index + 1])
        return None

    def _window(self, window: str, left: str) -> Piece:
        """As much of a too long segment as no finding crosses the end of."""
        spans = self._found(window, left)
        if key := self._key(window, spans):
            return key
        end = WINDOW - _HEAD
        over = next((span for span in spans if span.start < end < span.end), None)
        if over is not None:
            end = over.end
            if end == WINDOW:
                self._open = over
        else:
            gaps = (match.end() for match in _GAPS.finditer(window, end - _HEAD, end))
            end = max((gap for gap in gaps if not any(span.start < gap < span.end for span in spans)), default=end)
        return Piece(window[:end], [span for span in spans if span.end <= end])


def scan(
    text: str,
    find: Callable[[str, str], list[Span]],
    left: str = "",
    awaited: Callable[[str], int] | None = None,
) -> list[Span]:
    """The findings of a whole text, positions in the text."""
    scanner = Scanner(find, left, awaited)
    spans: list[Span] = []
    at = 0
    for piece in [*scanner.feed(text), *scanner.flush()]:
        if piece.continues:
            spans[-1] = replace(spans[-1], end=at + len(piece.text))
        else:
            spans += [Span(at + one.start, at + one.end, one.entity, one.score, one.rule) for one in piece.spans]
        at += len(piece.text)
    return spans


def _word_end(text: str, at: int, *, final: bool) -> tuple[int, bool]:
    """Where the open word ends in what is there, and whether that is its end."""
    word = _WORD.match(text, at)
    end = word.end() if word else at
    return end, final or end < len(text)


def _key_end(text: str, at: int, *, final: bool) -> tuple[int, bool]:
    """Follow a private key for one block: to its END line, or on, or not at all if this is prose."""
    if len(text) - at < _KEY_BLOCK + _KEY_MARGIN and not final:
        return at, False
    if (end := _KEY_END.search(text, at, at + _KEY_BLOCK + _KEY_MARGIN)) and end.start() < at + _KEY_BLOCK:
        return end.end(), True
    block = text[at : at + _KEY_BLOCK]
    if sum(map(str.isspace, block)) > 4:
        return at, True
    return at + len(block), at + len(block) == len(text) and final


def _segments(
    text: str, start: int, awaited: Callable[[str], int] | None = None, *, final: bool
) -> Iterator[tuple[int, int]]:
    """The segments from `start` on that are decided and worth reading: where each begins and ends.

    One of `WINDOW` code points is the beginning of a longer one, and the last. An empty one says how far all is
    decided.
    """
    before, left, last, decided = "", 0, start, start
    keep, kept, street, notable, numbered = 0, 0, False, False, 0
    due = 0  # words that a listed text may still take
    full = len(text) - start >= WINDOW
    for match in _WORD.finditer(text, start):
        low, high = match.span()
        if low - start > WINDOW - _HEAD and (full or not final):
            break
        if high == len(text) and high - low < _HEAD and not final:
            break
        word = match.group() if high - low <= _HEAD else text[low : low + _HEAD]
        right = kind(word)
        if before:
            if (
                (keep or left or right or due)
                and _near(gap := text[last:low])
                and ((keep and kept < KEPT) or due or joined(before, left, gap, word, right))
            ):
                if keep:
                    keep, kept = keep - 1, kept + 1
                if (left & CIVIC or (left & DIGITS and "-" in before)) and (right & (NAME | STREET) or word in OF):
                    street, keep = True, max(keep, _KEPT_AFTER_CIVIC)
                if (right & STREET and (street or numbered)) or (left & STREET and right & NUMBER):
                    keep = max(keep, _KEPT_AFTER_STREET)
            else:
                if notable:
                    yield start, low
                start = decided = low
                keep, kept, street, notable, numbered, due = 0, 0, False, False, 0, 0
                full = len(text) - start >= WINDOW
        if (left & NUMBER and (word in TELLS or word[0] == "(")) or (left & (READ | SINGLE) and word in AS):
            keep = max(keep, _KEPT_AFTER_NUMBER)
        if awaited is not None:
            due = max(due - 1, 0)
            if more := awaited(word):
                due, notable = max(due, more - 1), True
        if right & SECRET:
            keep = max(keep, KEPT if word.rstrip(":").lower() in PHRASES else _KEPT_AFTER_LABEL)
        if right & ADDRESS:
            notable |= bool(right & STREET and keep)  # a street where somebody lives
            keep = max(keep, _KEPT_AFTER_ADDRESS)
        elif right & STREET and keep:
            notable = True
        notable = notable or right >= READ
        numbered |= right & NUMBER
        before, left, last = word, right, high
    if full:
        yield start, start + WINDOW
    elif final and notable:
        yield start, len(text)
    else:
        end = len(text) if final else decided
        yield end, end


def _near(gap: str) -> bool:
    return len(gap) <= _GAP and gap.count("\n") <= 1
