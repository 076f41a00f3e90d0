"""What a recognizer of identifiers is: one entity, one `find` over a folded run of text.

The engine calls `find` directly, because building Presidio's explanations costs more than finding; as a Presidio
`LocalRecognizer` each one works through `presidio.py`.
A run is a stretch of text that may hold one identifier (see `segments.py`), already folded (see `normalise.py`).
Resolving overlaps and mapping positions back are left to the caller.

Rules for a `find`: linear time (bounded or possessive quantifiers, nothing nested), no state, no clock, no network.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from runtime.redaction.normalise import lowered
from runtime.redaction.recognizers.label_words import CODE, OTHER
from runtime.redaction.recognizers.labels import REACH, WORDS, Label, about, label

_DIGITS = re.compile(r"[0-9]+")
_LETTERS = re.compile(r"[a-z]+")
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-Z][a-z])")
_IN_ONE_WORD = re.compile(r"[a-z][A-Z][a-z]")
_ANY_LETTERS = re.compile(r"[^\W\d_]+")
# What people put between the digits of one number, a line break included.
SEPARATORS = " .-\n/_"
SEP = r"[ .\-\n/_]{0,3}"
LEAST, MOST = 7, 19  # digits of the numbers that `Run.numbers` lists
DATE = re.compile(
    r"(?:(?:19|20)[0-9]{2}[-/. ][01]?[0-9][-/. ][0-3]?[0-9]|[0-3]?[0-9][-/. ][01]?[0-9][-/. ](?:19|20)[0-9]{2}|"
    r"[0-3]?[0-9]/[01]?[0-9]/[0-9]{2}|(?:19|20)[0-9]{2}-(?:19|20)[0-9]{2})(?![0-9\-])"
)
"""A date in digits, or two years."""
_UNIT = re.compile(
    r" ?(?:[$€£¥%°]|(?:cad|usd|eur|dollars?|euros?|livres?|habitants?|inhabitants|people|personnes|residents|voters|"
    r"km|kg|mm|cm|ms|px|kwh|mwh|ko|mo|go|kb|mb|gb|tb|octets|bytes|tonnes?|tons?|hectares|acres|m[23]|millions?|"
    r"milliards?|billions?|times|fois|units?|unites?|pages?|mots|words|lignes|lines|rows|vues|views|pas|steps|"
    r"exemplaires|copies|ans|years|heures|hours|minutes|secondes|seconds|jours|days)\b)"
)
# Where a value may begin: at a digit, or at a few letters that belong to the digits behind them.
_VALUE = re.compile(
    r"(?<![A-Za-z0-9\\])(?<![A-Za-z_]\.)(?<![0-9] )(?<![A-Z0-9][\-/.])(?=(?:([A-Z]{1,6})[ .#]|"
    r"[A-Z]{1,6} ?[\-/_] ?|[A-Za-z]{1,8}[\-/.#_]?)?[0-9])[A-Za-z0-9]"
)
_NO_PART = frozenset({"ID", "NO", "NR"})  # "ID 817378": the word is no part of the value
_MONEY_BEFORE = re.compile(r"(?:[$€£¥]|(?<![a-z])(?:cad|usd|eur)) ?$")


class Hit(NamedTuple):
    """One finding in a run: positions in `Run.text`, score, name of the pattern, the entity if not the usual one."""

    start: int
    end: int
    score: float
    pattern: str
    entity: str | None = None


class Value(NamedTuple):
    """Where something with digits begins, and what the words before it announce."""

    start: int
    label: Label


class Window(NamedTuple):
    """Neighbouring groups of digits that could be one number: positions, the digits alone, the sizes of the groups."""

    start: int
    end: int
    digits: str
    shape: tuple[int, ...]
    inside: bool  # other digits stand right before it, or right behind, a space apart


def spread(text: str) -> str:
    """With the words of programs apart: policyNumber becomes policy Number."""
    return _CAMEL.sub(" ", text)


class Run:
    """A stretch of folded text and what stood before it.

    Attributes:
        text: folded text of the run.
        left: folded text right before it, at most `segments.LEFT` characters.
        lower: the text in lower case, without accents; same positions.
        words: its words, in lower case, without accents.
        digits: how many there are.
        topics: what its words and those before it are about: bits of `labels.Kind`.
    """

    __slots__ = (
        "_groups",
        "_labels",
        "_left",
        "_numbers",
        "_values",
        "digits",
        "left",
        "lower",
        "text",
        "topics",
        "words",
    )

    def __init__(self, text: str, left: str = "") -> None:
        self.text = text
        self.left = left
        self.lower = lowered(text)
        self.words = _LETTERS.findall(self.lower)
        self.topics = about(self.words) | about(_ANY_LETTERS.findall(left.lower()))
        if _IN_ONE_WORD.search(left, max(0, len(left) - 48)) or _IN_ONE_WORD.search(text):
            self.topics |= about(_ANY_LETTERS.findall(spread(left + text).lower()))
        self._groups = [match.span() for match in _DIGITS.finditer(text)]
        self.digits = sum([end - start for start, end in self._groups])
        self._numbers: dict[int, list[Window]] | None = None
        self._left: str | None = None
        self._labels: dict[int, Label] = {}
        self._values: list[Value] | None = None

    def before(self, start: int, width: int = 48) -> str:
        """Lower-cased text right before a position, across the start of the run."""
        if start >= width:
            return self.lower[start - width : start]
        if self._left is None:
            self._left = lowered(spread(self.left))
        return (self._left + self.lower[:start])[-width:]

    def after(self, end: int, width: int = 12) -> str:
        """Lower-cased text right after a position, within the run."""
        return self.lower[end : end + width]

    def label(self, start: int) -> Label:
        """What the words before a position announce."""
        known = self._labels.get(start)
        if known is None:
            before = self.before(start, REACH)
            if start and _IN_ONE_WORD.search(self.text, 0, start):
                before = (self.before(0, REACH) + lowered(spread(self.text[:start])))[-REACH:]
            known = self._labels[start] = label(before)
        return known

    def says(self, start: int, kinds: int, far: int = 5) -> bool:
        """Whether the nearest label before a position is of these kinds."""
        if not self.topics & kinds:
            return False
        found = self.label(start)
        return bool(found.bits & kinds) and found.far <= far

    def is_amount(self, start: int, end: int) -> bool:
        """Whether a number there is money, a measure or a count."""
        return bool(_UNIT.match(self.lower, end) or _MONEY_BEFORE.search(self.before(start, 8)))

    def is_labelled_otherwise(self, start: int, far: int = 0) -> bool:
        """Whether the words before say that this is an order number, a version, an ISBN or the like."""
        if not self.topics & (OTHER | CODE):
            return False
        found = self.label(start)
        return found.far <= far and (bool(found.bits & OTHER) or found.bits == CODE)

    @property
    def values(self) -> list[Value]:
        """Every group of letters and digits that words announce."""
        if self._values is None:
            self._values = []
            for match in _VALUE.finditer(self.text):
                word = match[1]
                if not word or word.lower() not in WORDS or len(word) == 1 or (len(word) == 2 and word not in _NO_PART):
                    found = self.label(match.start())
                    if found.bits:
                        self._values.append(Value(match.start(), found))
        return self._values

    def labelled(self, kinds: int, value: re.Pattern[str], *, far: int = 5) -> Iterator[tuple[re.Match[str], Label]]:
        """What has the form of a value where words of these kinds announce it and nothing speaks against it."""
        if not self.topics & kinds:
            return
        for start, found in self.values:
            if (
                found.bits & kinds
                and not found.bits & OTHER
                and found.far <= far
                and (match := value.match(self.text, start))
                and not self.is_amount(*match.span())
            ):
                yield match, found

    def numbers(self, digits: int) -> list[Window]:
        """The windows of exactly so many digits (`LEAST` to `MOST`)."""
        if self._numbers is None:
            self._numbers = {}
            for window in self._windows():
                self._numbers.setdefault(len(window.digits), []).append(window)
        return self._numbers.get(digits, [])

    def _windows(self) -> Iterator[Window]:
        """Every sequence of whole digit groups that could stand alone."""
        text, groups = self.text, self._groups
        count = len(groups)
        gaps = [text[groups[index][1] : groups[index + 1][0]] for index in range(count - 1)]
        links = [_linked(gap) for gap in gaps]
        for first, (start, begin) in enumerate(groups):
            if start and ((before := text[start - 1]).isalpha() or before == "_"):
                continue
            linked = first > 0 and links[first - 1]
            single = begin - start == 1
            if linked and (
                (gaps[first - 1][-1:] not in {" ", "\n"} and not _stands_alone(groups[first - 1]))
                or (single and groups[first - 1][1] - groups[first - 1][0] == 1)
            ):
                continue  # in the middle of a number; one written digit by digit begins where its digits do
            inside = linked and "\n" not in gaps[first - 1] and not _is_date(text, groups, first - 1)
            digits, shape = "", []
            for index in range(first, count):
                if index > first and not links[index - 1]:
                    break
                low, high = groups[index]
                digits += text[low:high]
                if len(digits) > MOST:
                    break
                shape.append(high - low)
                if len(shape) > 8 and len(digits) > len(shape):
                    break  # nobody writes a number in so many groups, unless digit by digit
                alone = index == first and _stands_alone(groups[first])
                if len(digits) >= LEAST and _ends(text, high, alone=alone):
                    more = index + 1 < count and links[index] and "\n" not in gaps[index]
                    more = more and not DATE.match(text, groups[index + 1][0])
                    yield Window(start, high, digits, tuple(shape), inside or more)


def _linked(gap: str) -> bool:
    return len(gap) <= 3 and not gap.strip(SEPARATORS)


def _is_date(text: str, groups: list[tuple[int, int]], last: int) -> bool:
    """Whether the three groups that end with `last` are a date."""
    found = DATE.match(text, groups[last - 2][0]) if last > 1 else None
    return found is not None and found.end() == groups[last][1]


def _stands_alone(group: tuple[int, int]) -> bool:
    """Whether a row of digits is long enough to be a number by itself, beside another: 5145550123/5145550199."""
    return group[1] - group[0] >= 9


def _ends(text: str, end: int, *, alone: bool) -> bool:
    following = text[end : end + 2]
    if not following:
        return True
    if following[0].isalpha() or following[0] == "_":
        return False
    if alone and following[0] == "/":
        return True
    return not (len(following) == 2 and following[0] in ".-/" and following[1].isdigit())


class Identifier(ABC):
    """One kind of identifier that can be told by its form, its checksum and the words before it."""

    ENTITY: ClassVar[str]
    LEAST_DIGITS: ClassVar[int] = 0
    ALSO: ClassVar[tuple[str, ...]] = ()
    """Other entities that `find` names in its hits."""

    @property
    def entities(self) -> tuple[str, ...]:
        """All that `find` may name."""
        return (self.ENTITY, *self.ALSO)

    @abstractmethod
    def find(self, run: Run) -> Iterator[Hit]:
        """Everything of this kind in one run, overlaps allowed."""

    def applies(self, run: Run) -> bool:  # noqa: ARG002
        """Cheap test before `find`, for a run with at least `LEAST_DIGITS` digits."""
        return True
