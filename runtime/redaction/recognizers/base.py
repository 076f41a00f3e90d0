"""What a recognizer of identifiers is: one entity, one `find` over a folded run of text.

The interface is Presidio's (`LocalRecognizer`, `RecognizerResult`), so that each recognizer also works in any Presidio
registry; the engine calls `find` directly, because building Presidio's explanations costs more than finding.
A run is a stretch of text that may hold one identifier (see `segments.py`), already folded (see `normalise.py`).
Resolving overlaps and mapping positions back are left to the caller.

Rules for a `find`: linear time (bounded or possessive quantifiers, nothing nested), no state, no clock, no network.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from presidio_analyzer import LocalRecognizer, RecognizerResult

from runtime.redaction.normalise import view

_DIGITS = re.compile(r"[0-9]+")
# What people put between the digits of one number, a line break included.
SEPARATORS = " .-\n/_"
SEP = r"[ .\-\n/_]{0,3}"
_UNIT = re.compile(
    r" ?(?:[$€£¥%°]|(?:cad|usd|eur|dollars?|euros?|livres?|habitants?|inhabitants|people|personnes|residents|voters|"
    r"km|kg|mm|cm|ms|px|kwh|mwh|ko|mo|go|kb|mb|gb|tb|octets|bytes|tonnes?|tons?|hectares|acres|m[23²³]|millions?|"
    r"times|fois|units?|unités?)\b)"
)
_MONEY_BEFORE = re.compile(r"(?:[$€£¥]|cad|usd|eur) ?$")
_NUMBERED = (
    r"(?:order|commande|invoice|facture|isbn|issn|ean|upc|gtin|sku|asin|doi|pmid|rfc|ticket|billet|tracking|suivi|"
    r"colis|"
    r"parcel|lot|batch|serial|série|référence|reference|réf|ref|version|build|commit|revision|révision|article|product|"
    r"produit|part|pièce|model|modèle|item|issue|bug|pr|port|pid|timestamp|epoch|checksum|hash)"
)
_NOT_PERSONAL = re.compile(
    r"\b"
    + _NUMBERED
    + r"s?(?: ?(?:no|nos|number|numéro|num|nr|id|code)\b)?(?: ?n[°º])? ?(?:is|est|was|of|de)?[ .:#=°()\-]{0,4}$"
)


class Hit(NamedTuple):
    """One finding in a run: positions in `Run.text`, score, name of the pattern, the entity if not the usual one."""

    start: int
    end: int
    score: float
    pattern: str
    entity: str | None = None


class Window(NamedTuple):
    """Neighbouring groups of digits that could be one number: positions, the digits alone, the sizes of the groups."""

    start: int
    end: int
    digits: str
    shape: tuple[int, ...]
    inside: bool  # other digits stand right before it, or right behind, a space apart


@dataclass(slots=True)
class Run:
    """A stretch of folded text and what stood before it.

    Attributes:
        text: folded text of the run.
        left: folded text right before it, at most `segments.LEFT` characters.
    """

    text: str
    left: str = ""
    lower: str = field(init=False)
    digits: int = field(init=False)
    _groups: list[tuple[int, int]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.lower = self.text.lower()
        if len(self.lower) != len(self.text):  # a few capitals (İ) grow when lowered: keep positions
            self.lower = "".join(low if len(low := c.lower()) == 1 else c for c in self.text)
        self.digits = sum(map(len, _DIGITS.findall(self.text)))

    def before(self, start: int, width: int = 48) -> str:
        """Lower-cased text right before a position, across the start of the run."""
        if start >= width:
            return self.lower[start - width : start]
        return (self.left[-width:].lower() + self.lower[:start])[-width:]

    def after(self, end: int, width: int = 12) -> str:
        """Lower-cased text right after a position, within the run."""
        return self.lower[end : end + width]

    def is_amount(self, start: int, end: int) -> bool:
        """Whether a number there is money, a measure or a count."""
        return bool(_UNIT.match(self.after(end)) or _MONEY_BEFORE.search(self.before(start, 8)))

    def is_labelled_otherwise(self, start: int) -> bool:
        """Whether the words before say that this is an order number, a version, an ISBN or the like."""
        return bool(_NOT_PERSONAL.search(self.before(start, 32)))

    def windows(self, least: int, most: int) -> Iterator[Window]:
        """Every sequence of whole digit groups with `least` to `most` digits that could stand alone."""
        text = self.text
        if self._groups is None:
            self._groups = [match.span() for match in _DIGITS.finditer(text)]
        groups = self._groups
        single = [end - start == 1 for start, end in groups]
        for first, (start, _) in enumerate(groups):
            if start and (text[start - 1].isalpha() or text[start - 1] == "_"):
                continue
            gap = text[groups[first - 1][1] : start] if first else ""
            linked = first > 0 and _linked(gap)
            if linked and (gap[-1:] not in {" ", "\n"} or (single[first - 1] and single[first])):
                continue  # in the middle of a number; one written digit by digit begins where its digits do
            inside = linked and "\n" not in gap
            digits, shape = "", []
            for index in range(first, len(groups)):
                low, high = groups[index]
                if index > first and not _linked(text[groups[index - 1][1] : low]):
                    break
                digits += text[low:high]
                if len(digits) > most:
                    break
                shape.append(high - low)
                if len(shape) > 6 and len(digits) > len(shape):
                    break  # nobody writes a number in so many groups, unless digit by digit
                if len(digits) >= least and _ends(text, high):
                    behind = text[high : groups[index + 1][0]] if index + 1 < len(groups) else "\n"
                    more = "\n" not in behind and _linked(behind)
                    yield Window(start, high, digits, tuple(shape), inside or more)


def _linked(gap: str) -> bool:
    return len(gap) <= 3 and not gap.strip(SEPARATORS)


def _ends(text: str, end: int) -> bool:
    following = text[end : end + 2]
    if not following:
        return True
    if following[0].isalpha() or following[0] == "_":
        return False
    return not (len(following) == 2 and following[0] in ".-/" and following[1].isdigit())


def words(*alternatives: str) -> re.Pattern[str]:
    """A pattern that finds one of these (already lower-case) words or phrases."""
    return re.compile(r"(?<!\w)(?:" + "|".join(alternatives) + r")(?!\w)")


class Identifier(LocalRecognizer):
    """One kind of identifier that can be told by its form, its checksum and the words before it."""

    ENTITY: ClassVar[str]
    LEAST_DIGITS: ClassVar[int] = 0
    NEEDS: ClassVar[tuple[str, ...]] = ()
    """At least one of these (lower-case) must be in the run, if any are given."""

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(
            supported_entities=[self.ENTITY], supported_language=supported_language, name=type(self).__name__
        )

    def load(self) -> None:
        """Nothing: the patterns are compiled with the module."""

    @abstractmethod
    def find(self, run: Run) -> Iterator[Hit]:
        """Everything of this kind in one run, overlaps allowed."""

    def applies(self, run: Run) -> bool:
        """Cheap test before `find`."""
        return run.digits >= self.LEAST_DIGITS and (not self.NEEDS or any(need in run.lower for need in self.NEEDS))

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:  # noqa: ARG002
        """Presidio's interface: the whole text as one run."""
        folded = view(text)
        run = Run(folded.text)
        if not self.applies(run):
            return []
        results = []
        for hit in self.find(run):
            entity = hit.entity or self.ENTITY
            if entities and entity not in entities:
                continue
            start, end = folded.back(hit.start, hit.end)
            metadata = {
                RecognizerResult.RECOGNIZER_NAME_KEY: type(self).__name__,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
            }
            results.append(RecognizerResult(entity, start, end, hit.score, recognition_metadata=metadata))
        return results
