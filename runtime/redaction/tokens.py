"""Stable tokens for personal values, one map for each conversation; the way there and the exact way back. Pure.

A token is `<ENTITY_N>`: N counts the distinct values of that entity in the conversation. Another spelling of the same value
(capitals, spaces, separators) is `<ENTITY_N_M>`, so that a model sees that they are one, and each spelling comes back as
it was written. Values are kept by whoever owns the map (the vault); this file only pairs them.

**Look-alikes.** Anything that `restore` could take for a token is a look-alike, and `mask` gives every look-alike that
stands in a text a token of its own (`<LITERAL_N>`, whose value is what was typed). So a token in masked text is always
ours: nothing that somebody types, or plants in a document, can be restored to another's value, and
`restore(mask(text)) == text` for every text and every spans. What a model invents is not in the map and stays as it is.
`restore` reads tokens as models rewrite them: any case, spaces or hyphens for underscores, other angle brackets, or,
in capitals, no brackets at all.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from runtime.redaction.errors import TokenMapCorrupt
from runtime.redaction.spans import Span

LITERAL = "LITERAL"
# Entities whose tokens are read without brackets and in any case. The list only grows by entities that never had a
# token before: a stored text was escaped against the list of its day.
READ_LOOSELY = (
    "EMAIL_ADDRESS", "PHONE_NUMBER", "CA_SIN", "CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS", "MAC_ADDRESS", "US_SSN", "US_ITIN", "CA_RAMQ",
    "CA_POSTAL_CODE", "FR_NIR", "SECRET", "STREET_ADDRESS", "DATE_OF_BIRTH", "CA_NEQ", "CA_DRIVER_LICENSE", "CA_TAX_NUMBER", "PASSPORT",
    "BANK_ACCOUNT", "FR_ID_CARD", "FR_SIREN", "FR_SIRET", "LICENSE_PLATE", "ID_NUMBER", "PERSON", "LOCATION", "ORGANIZATION", LITERAL,
)  # fmt: skip
LONGEST = 66
"""No look-alike is longer, brackets included (code points)."""

_OPEN, _CLOSE = "<＜‹⟨〈", ">＞›⟩〉"
_NUMBER = r"[0-9]{1,9}(?:_[0-9]{1,9})?"
_BARE = r"(?:" + "|".join(sorted(READ_LOOSELY, key=len, reverse=True)) + rf")_{_NUMBER}"
_LOOK_ALIKE = re.compile(
    rf"[{_OPEN}]([^{_OPEN}{_CLOSE}\n]{{3,{LONGEST - 2}}})[{_CLOSE}]|(?<![A-Za-z0-9_])({_BARE})(?![A-Za-z0-9_])"
)
_EXACT = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*?)_([0-9]{1,9})(?:_([0-9]{1,9}))?")
_TOKEN = re.compile(r"<([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*?)_([1-9][0-9]{0,8})(?:_([1-9][0-9]{0,8}))?>")
_BETWEEN = re.compile(r"[\s_\\-]+")
# A tail that could become a token without brackets.
_BARE_TAIL = re.compile(rf"(?<![A-Za-z0-9_])[A-Z][A-Z0-9_]{{0,{LONGEST}}}\Z")
_BARE_TAIL_NUMBER = re.compile(r"([A-Z][A-Z_]*[A-Z])_(?:[0-9]{1,9}(?:_[0-9]{0,9})?)?")
_SEPARATORS = re.compile(r"[\s.\-()/_]+")
_NAMES = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})
_EXACT_ONLY = frozenset({"SECRET", LITERAL})


class TokenEntry(NamedTuple):
    """One pair. `token` is `<ENTITY_N>` or `<ENTITY_N_M>`; `value` is the text it stands for, exactly as written."""

    token: str
    entity: str
    value: str


class _Key(NamedTuple):
    entity: str
    number: int
    spelling: int


class TokenMap:
    """The tokens of one conversation.

    Args:
        entries: what the conversation has so far, in any order.
        reserved: tokens whose value was destroyed (erasure): never given to another value, restored to nothing.

    Raises:
        TokenMapCorrupt: an entry that `mask` cannot have made.
    """

    def __init__(self, entries: Iterable[TokenEntry] = (), *, reserved: Iterable[str] = ()) -> None:
        self._entries: dict[_Key, TokenEntry] = {}
        self._keys: dict[tuple[str, str], _Key] = {}  # by entity and exact value
        self._numbers: dict[tuple[str, str], int] = {}  # by entity and canonical value
        self._spellings: dict[tuple[str, int], int] = {}  # how many, by entity and number
        self._last: dict[str, int] = {}
        self._new: list[TokenEntry] = []
        for entry in entries:
            match = _TOKEN.fullmatch(entry.token)
            if match is None or match.group(1) != entry.entity:
                raise TokenMapCorrupt("a stored token is malformed")
            key = _Key(entry.entity, int(match.group(2)), int(match.group(3) or 1))
            if key in self._entries or (entry.entity, entry.value) in self._keys:
                raise TokenMapCorrupt("two stored tokens contradict each other")
            self._keep(key, entry)
        for token in reserved:
            match = _TOKEN.fullmatch(token)
            if match is None:
                raise TokenMapCorrupt("a reserved token is malformed")
            entity, number, spelling = match.group(1), int(match.group(2)), int(match.group(3) or 1)
            self._spellings[entity, number] = max(spelling, self._spellings.get((entity, number), 0))
            self._last[entity] = max(number, self._last.get(entity, 0))

    def new_entries(self) -> tuple[TokenEntry, ...]:
        """What `mask` added since construction, in order."""
        return tuple(self._new)

    def entries(self) -> tuple[TokenEntry, ...]:
        """All of it."""
        return tuple(self._entries.values())

    def mentioned(self, texts: Iterable[str]) -> tuple[TokenEntry, ...]:
        """The entries whose tokens stand in masked texts, each once."""
        found = {key: self._entries[key] for text in texts for _, _, key in _look_alikes(text) if key in self._entries}
        return tuple(found.values())

    def has_value(self, value: str, entity: str | None = None) -> bool:
        """Whether a value, in any spelling, is in the map (under that entity, or under any)."""
        entities = (entity,) if entity is not None else tuple(self._last)
        return any((one, _canonical(one, value)) in self._numbers for one in entities)

    def mask(self, text: str, spans: Iterable[Span]) -> str:
        """Replace spans, look-alikes and values the map knows already by tokens.

        Spans may overlap or be out of order; what any of them covers is masked. A span that a look-alike only partly
        covers is masked together with it.
        """
        regions = self._plan(text, spans)
        pieces, at = [], 0
        for start, end, entity in regions:
            pieces += (text[at:start], self._token(entity, text[start:end]))
            at = end
        return "".join((*pieces, text[at:]))

    def restore(self, text: str, *, entities: Callable[[str], bool] = lambda _: True) -> str:
        """Put values back for the tokens of these entities; everything else stays."""
        return self.restore_part(text, 0, entities=entities)

    def restore_part(self, text: str, start: int, *, entities: Callable[[str], bool] = lambda _: True) -> str:
        """The same from `start` on; what stands before only tells whether a token begins there."""
        pieces, at = [], start
        for low, high, key in _look_alikes(text, start):
            entry = self._entries.get(key)
            if entry is not None and entities(entry.entity):
                pieces += (text[at:low], entry.value)
                at = high
        return "".join((*pieces, text[at:]))

    def view(self, strict: str, allow: Callable[[str], bool]) -> str:
        """A masked text with the values of allowed entities put back, for a reader who may see them.

        Literals always stay tokens, and so does a value that would bring a look-alike into the text: `restore` gives
        the same for every view.
        """

        def harmless(entity: str) -> bool:
            return entity != LITERAL and allow(entity)

        kept: set[_Key] = set()
        while True:
            pieces, at, tokens, length = [], 0, [], 0
            for low, high, key in _look_alikes(strict):
                entry = self._entries.get(key)
                shown = entry is not None and key not in kept and harmless(entry.entity)
                if entry is not None and shown and next(_look_alikes(entry.value), None) is not None:
                    kept.add(key)
                    shown = False
                part = entry.value if entry is not None and shown else strict[low:high]
                pieces += (strict[at:low], part)
                length += low - at
                tokens.append((length, length + len(part), shown, key))
                length += len(part)
                at = high
            text = "".join((*pieces, strict[at:]))
            expected = {(low, high) for low, high, shown, _ in tokens if not shown}
            strays = [(low, high) for low, high, _ in _look_alikes(text) if (low, high) not in expected]
            if not strays:
                return text
            # a value and its surroundings read as a token: leave that value masked
            touching = {
                key for low, high, shown, key in tokens if shown and any(a <= high and low <= b for a, b in strays)
            }
            if not touching - kept:
                return strict
            kept |= touching

    def _plan(self, text: str, spans: Iterable[Span]) -> list[tuple[int, int, str]]:
        """What is to be replaced, in order, without overlaps, such that no look-alike is left beside our tokens."""
        regions = _disjoint((max(0, span.start), min(len(text), span.end), span.entity) for span in spans)
        for low, high, _ in _look_alikes(text):
            _cover(regions, low, high)
        _fill(regions, self._known(text))
        while True:
            # every token reads alike to its neighbours: it starts with < and ends with >
            pieces, origins, at, length = [], [], 0, 0
            for start, end, _ in (*regions, (len(text), len(text), "")):
                pieces += (text[at:start], "<>")
                origins.append((length, at))
                length += start - at + 2
                at = end
            trial = "".join(pieces)
            stray = next(_look_alikes(trial), None)
            if stray is None:
                return regions
            while stray is not None:
                low, high, _ = stray
                shown, original = origins[bisect_right(origins, (low, len(text))) - 1]
                _cover(regions, original + low - shown, original + high - shown)
                stray = next(_look_alikes(trial, high), None)

    def _known(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where values of the map stand in a text, whatever was found there: a name once masked stays masked."""
        for entry in self._entries.values():
            value = entry.value
            if entry.entity == LITERAL or len(value) < 4 or (entry.entity in _NAMES and not value[0].isupper()):
                continue
            low = text.find(value)
            while low >= 0:
                high = low + len(value)
                if not (value[0].isalnum() and text[low - 1 : low].isalnum()) and not (
                    value[-1].isalnum() and text[high : high + 1].isalnum()
                ):
                    yield low, high, entry.entity
                low = text.find(value, high)

    def _token(self, entity: str, value: str) -> str:
        key = self._keys.get((entity, value))
        if key is None:
            number = self._numbers.get((entity, _canonical(entity, value))) or self._last.get(entity, 0) + 1
            key = _Key(entity, number, self._spellings.get((entity, number), 0) + 1)
            suffix = f"_{key.spelling}" if key.spelling > 1 else ""
            entry = TokenEntry(f"<{entity}_{number}{suffix}>", entity, value)
            self._keep(key, entry)
            self._new.append(entry)
        return self._entries[key].token

    def _keep(self, key: _Key, entry: TokenEntry) -> None:
        self._entries[key] = entry
        self._keys[entry.entity, entry.value] = key
        self._numbers.setdefault((entry.entity, _canonical(entry.entity, entry.value)), key.number)
        self._spellings[key.entity, key.number] = max(key.spelling, self._spellings.get((key.entity, key.number), 0))
        self._last[entry.entity] = max(key.number, self._last.get(entry.entity, 0))


def undecided(text: str) -> int:
    """From where on a text that goes on could still become a token: `len(text)` if nowhere."""
    hold = len(text)
    for at in range(len(text) - 1, max(-1, len(text) - LONGEST), -1):
        if text[at] in _CLOSE or text[at] == "\n":
            break
        if text[at] in _OPEN:
            hold = at
            break
    if (tail := _BARE_TAIL.search(text, max(0, len(text) - LONGEST))) and _may_become_token(tail.group()):
        hold = min(hold, tail.start())
    return hold


def _may_become_token(tail: str) -> bool:
    if any(name.startswith(tail) for name in READ_LOOSELY):
        return True
    numbered = _BARE_TAIL_NUMBER.fullmatch(tail)
    return numbered is not None and numbered.group(1) in READ_LOOSELY


def _look_alikes(text: str, start: int = 0) -> Iterator[tuple[int, int, _Key]]:
    """Everything in a text that reads as a token, from left to right."""
    match = _LOOK_ALIKE.search(text, start)
    while match is not None:
        key = _read(match.group(1)) if match.group(1) is not None else _read(match.group(2))
        if key is None:
            match = _LOOK_ALIKE.search(text, match.start() + 1)
        else:
            yield match.start(), match.end(), key
            match = _LOOK_ALIKE.search(text, match.end())


def _read(inner: str) -> _Key | None:
    """The key that the inside of a look-alike names."""
    exact = _EXACT.fullmatch(inner)
    if exact is None:
        plain = "".join(c for c in unicodedata.normalize("NFKC", inner) if unicodedata.category(c) not in {"Cf", "Mn"})
        exact = _EXACT.fullmatch(_BETWEEN.sub("_", plain.strip(" \\_-")).upper())
        if exact is None or exact.group(1) not in READ_LOOSELY:
            return None
    return _Key(exact.group(1), int(exact.group(2)), int(exact.group(3) or 1))


def _canonical(entity: str, value: str) -> str:
    """What two spellings of one value have in common."""
    if entity in _EXACT_ONLY:
        return value
    folded = unicodedata.normalize("NFKC", value).casefold()
    folded = "".join(c for c in folded if unicodedata.category(c) != "Cf")
    return " ".join(folded.split()) if entity in _NAMES else _SEPARATORS.sub("", folded) or folded


def _disjoint(regions: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Sorted; of two that overlap the second keeps what the first leaves."""
    result: list[tuple[int, int, str]] = []
    at = 0
    for start, end, entity in sorted(regions, key=lambda region: (region[0], -region[1])):
        if max(start, at) < end:
            result.append((max(start, at), end, entity))
            at = end
    return result


def _cover(regions: list[tuple[int, int, str]], low: int, high: int) -> None:
    """Make a stretch a literal, with the regions that it cuts; nothing if one region holds it whole."""
    first = bisect_right(regions, low, key=lambda region: region[1])
    last = first
    while last < len(regions) and regions[last][0] < high:
        last += 1
    touched = regions[first:last]
    if len(touched) == 1 and touched[0][0] <= low and high <= touched[0][1]:
        return
    low, high = min([low, *(start for start, _, _ in touched)]), max([high, *(end for _, end, _ in touched)])
    regions[first:last] = [(low, high, LITERAL)]


def _fill(regions: list[tuple[int, int, str]], more: Iterable[tuple[int, int, str]]) -> None:
    """Add regions where nothing is yet, the longest first."""
    for low, high, entity in sorted(more, key=lambda region: region[0] - region[1]):
        at = bisect_right(regions, low, key=lambda region: region[1])
        if at == len(regions) or regions[at][0] >= high:
            regions.insert(at, (low, high, entity))
