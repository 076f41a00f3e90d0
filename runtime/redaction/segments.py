"""Cut a text into segments that no identifier crosses, from left to right, whole or as it arrives.

Detection in a stream must equal detection in the whole text. So there is one procedure, an automaton that eats text, and
the whole text is the case of a single bite: where it cuts depends on the text alone, never on how it arrived.

1. A text is words and what stands between them. Two neighbours stay together (`_joined`) if they could belong to one
   identifier: groups of digits, "arobase", a label and its password, a civic number and its street. Elsewhere it is cut.
   The question needs the second word whole, so that what is held back is one word and the one being written.
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

from runtime.redaction.recognizers.date_of_birth import MONTHS
from runtime.redaction.recognizers.secret import PEM
from runtime.redaction.recognizers.street_address import BOX_WORDS, ENGLISH_TYPES, FRENCH_TYPES
from runtime.redaction.spans import Span

LEFT = 96
WINDOW = 512
_HEAD = 64  # a word is judged by its first code points
_GAP = 12  # more than that between two words separates whatever they are
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,48}-----")
_KEY_BLOCK, _KEY_MARGIN = 64, 80  # a private key is followed block by block; the margin holds any END line
_SEPARATORS = r'\s"<>|'
_WORD = re.compile(rf"[^{_SEPARATORS}]++")
_GAPS = re.compile(rf"[{_SEPARATORS}]")
_DIGIT = re.compile(r"\d")
_CIVIC = re.compile(r"[(]?\d{1,6}(?:-\d{1,6})?[A-Za-z]?,?")

_NUMBER, _CAPITALS, _MARK, _LINK, _AROUND, _SECRET, _STREET, _NAME, _CIVIC_NUMBER, _READ = (
    1 << bit for bit in range(10)
)
_LINKS = frozenset(
    "at arobase arobas dot point (at) (dot) (arobase) (point) [at] [dot] [arobase] [point] {at} {dot} @ ＠ . (@) [@] (.) [.] commercial".split()
)
# What may stand between, before or after the digits of one number: extensions, units (money is no number), months.
_BESIDE_NUMBERS = MONTHS | frozenset(
    "ext extension poste x p no n° num numéro number "
    "$ € £ % cad usd eur dollars dollar euros euro habitants inhabitants people personnes residents km kg mm cm ms px ko mo go kb mb gb "
    "octets bytes tonnes tons hectares acres million millions fois times units unités kwh bis ter".split()
)
_SECRETS = frozenset(
    "password passwords passphrase passwd passcode pwd passe mdp motdepasse mot-de-passe pass secret secrets secrète token tokens jeton "
    "jetons key keys clé clés apikey pin nip cvv cvc cryptogramme bearer authorization code otp -----begin --password --token --secret -p "
    "wifi wi-fi".split()
)
_SECRET_ENDS = ("_key", "_token", "_secret", "password", "_pass", "_pwd")
_STREETS = FRENCH_TYPES | ENGLISH_TYPES | BOX_WORDS
_STRIP = ".,;:!?()[]{}*'’«»=“”"
_KINDS = {
    **dict.fromkeys(_BESIDE_NUMBERS, _AROUND),
    **dict.fromkeys(_SECRETS, _SECRET | _READ),
    **{word: _STREET | (_AROUND if word in _BESIDE_NUMBERS else 0) for word in _STREETS},
    **{word: _LINK | (0 if word in {"at", "point", ".", "commercial"} else _READ) for word in _LINKS},
}
_SECRET_WORDS, _UNTYPED_STREET_WORDS, _TYPED_STREET_WORDS = (
    5,
    4,
    12,
)  # how many words a label, a civic number, a street keep together
# A word that holds one of these is read; so is one with a digit, and one that is a label or a link.
_NOTABLE = re.compile(r"[@＠﹫=_]|://|%40|&#|&commat|:[0-9A-Fa-f]{2}:|.{20}", re.DOTALL)


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
    """The automaton. `find(segment, left)` gives the findings of one segment, sorted, not overlapping."""

    def __init__(self, find: Callable[[str, str], list[Span]], left: str = "") -> None:
        self._find = find
        self._left = left[-LEFT:]
        self._held = ""
        self._open: Span | None = None  # the finding that goes on
        self._in_key = False

    def feed(self, chunk: str) -> list[Piece]:
        """Add text; what is decided by it comes out in order. At most `WINDOW` code points stay held."""
        text = self._held + chunk
        if self._open is None and len(text) < WINDOW and len(chunk) < _HEAD and not _GAPS.search(chunk) and _GAPS.search(text, max(0, len(text) - _HEAD + 1)):
            self._held = text  # no word has ended, none is long enough to be judged: nothing new can be decided
            return []
        return self._decide(text, final=False)

    def flush(self) -> list[Piece]:
        """The end of the text: all that is held comes out."""
        return self._decide(self._held, final=True)

    def _decide(self, text: str, *, final: bool) -> list[Piece]:
        pieces: list[Piece] = []
        out = at = 0  # what is in `pieces`; what is decided
        while at < len(text):
            if self._open is not None:
                at, out = self._go_on(text, at, pieces, final=final)
                if self._open is not None:
                    break
                continue
            begin = at
            for start, end in _segments(text, at, final=final):
                at = end
                if start == end:
                    continue  # nothing to read up to here
                left = (self._left + text[max(0, start - LEFT) : start])[-LEFT:]
                piece = (self._window if end - start >= WINDOW else self._segment)(text[start:end], left)
                if out < start:
                    pieces.append(Piece(text[out:start], []))
                pieces.append(piece)
                at = out = start + len(piece.text)
                if at != end or self._open is not None:
                    break  # the next segment does not begin where `_segments` would go on
            if at == begin:
                break
        if out < at:
            pieces.append(Piece(text[out:at], []))
        self._left = (self._left + text[max(0, at - LEFT) : at])[-LEFT:]
        self._held = text[at:]
        return pieces

    def _go_on(self, text: str, at: int, pieces: list[Piece], *, final: bool) -> tuple[int, int]:
        """Follow the open finding as far as the text allows."""
        closed = False
        while not closed and self._open is not None:
            end, closed = (_key_end if self._in_key else _word_end)(text, at, final=final)
            if end == at:
                break
            pieces.append(Piece(text[at:end], [replace(self._open, start=0, end=end - at)], continues=True))
            at = end
        if closed:
            self._open, self._in_key = None, False
        return at, at

    def _segment(self, segment: str, left: str) -> Piece:
        spans = self._find(segment, left)
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
        spans = self._find(window, left)
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


def scan(text: str, find: Callable[[str, str], list[Span]], left: str = "") -> list[Span]:
    """The findings of a whole text, positions in the text."""
    scanner = Scanner(find, left)
    spans: list[Span] = []
    at = 0
    for piece in [*scanner.feed(text), *scanner.flush()]:
        if piece.continues:
            spans[-1] = replace(spans[-1], end=at + len(piece.text))
        else:
            spans.extend(replace(span, start=at + span.start, end=at + span.end) for span in piece.spans)
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


def _segments(text: str, start: int, *, final: bool) -> Iterator[tuple[int, int]]:
    """The segments from `start` on that are decided and worth reading: where each begins and ends.

    One of `WINDOW` code points is the beginning of a longer one, and the last. An empty one says how far all is decided.
    """
    before, kind, last, decided = "", 0, start, start
    keep, street, notable = 0, False, False
    full = len(text) - start >= WINDOW
    for match in _WORD.finditer(text, start):
        low, high = match.span()
        if low - start > WINDOW - _HEAD and (full or not final):
            break
        if high == len(text) and high - low < _HEAD and not final:
            break
        word = match.group() if high - low <= _HEAD else text[low : low + _HEAD]
        new = _kind(word)
        if before:
            if (
                (keep or kind or new)
                and _near(gap := text[last:low])
                and (keep or _joined(before, kind, gap, word, new))
            ):
                keep = max(0, keep - 1)
                if kind & _CIVIC_NUMBER and new & _NAME:
                    street, keep = True, max(keep, _UNTYPED_STREET_WORDS)
                if (new & _STREET and (street or kind & (_NUMBER | _AROUND))) or (kind & _STREET and new & _NUMBER):
                    keep = max(keep, _TYPED_STREET_WORDS)
            else:
                if notable:
                    yield start, low
                start = decided = low
                keep, street, notable = 0, False, False
                full = len(text) - start >= WINDOW
        if new & _SECRET:
            keep = max(keep, _SECRET_WORDS)
        notable = notable or new >= _READ
        before, kind, last = word, new, high
    if full:
        yield start, start + WINDOW
    elif final and notable:
        yield start, len(text)
    else:
        end = len(text) if final else decided
        yield end, end


def _near(gap: str) -> bool:
    return len(gap) <= _GAP and gap.count("\n") <= 1


def _kind(word: str) -> int:
    """What a word says about its neighbours, and whether it is to be read."""
    if word.isalpha() and len(word) < 20:
        if word.islower():
            return _KINDS.get(word, 0)
        if word.istitle():
            return _KINDS.get(word.lower(), 0) | _NAME
    elif word[-1] in ",." and word[:-1].isalpha() and word.islower() and len(word) < 20:
        return _KINDS.get(word[:-1], 0)
    plain = word.strip(_STRIP)
    lowered = plain.lower()
    kind = _KINDS.get(lowered, 0) | _KINDS.get(word.lower(), 0)
    if _DIGIT.search(word):
        kind |= _NUMBER | _READ
        if _CIVIC.fullmatch(word):
            kind |= _CIVIC_NUMBER
    elif plain.isupper() and len(plain) <= 5:
        kind |= _CAPITALS
    if not plain and len(word) <= 3:
        kind |= _MARK
    if word[0] in "@＠" or word[-1] in "@＠":
        kind |= _LINK
    if plain[:1].isupper():
        kind |= _NAME
    if lowered.endswith(_SECRET_ENDS):
        kind |= _SECRET
    if kind & _SECRET or _NOTABLE.search(word):
        kind |= _READ
    return kind


def _joined(before: str, kind: int, gap: str, word: str, new: int) -> bool:
    """Whether two neighbouring words could belong to one identifier."""
    if (kind | new) & _LINK:
        return True
    if not gap.isspace():
        return False
    if kind & _NUMBER:
        return (
            bool(new & (_NUMBER | _CAPITALS | _MARK | _AROUND | _STREET) or (kind & _CIVIC_NUMBER and new & _NAME))
            or "@" in before
        )
    if new & _NUMBER:
        return bool(kind & (_CAPITALS | _MARK | _AROUND | _STREET))
    if kind & _AROUND and new & _STREET:  # 15 bis avenue
        return True
    return "@" in before and (before[-1] == "." or word[0] == ".")
