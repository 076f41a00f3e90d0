"""Stable tokens for personal values, one map for each conversation; the way there and the exact way back. Pure.

A token is `<ENTITY_N>`: N counts the distinct values of that entity in the conversation. Another spelling of the same
value (capitals, spaces, separators) is `<ENTITY_N_M>`, so that a model sees that they are one, and each spelling comes
back as it was written. Values are kept by whoever owns the map (the vault); this file only pairs them.

**Look-alikes.** Anything that `restore` could take for a token is a look-alike (`lookalikes.py`), and `mask` gives
every look-alike that stands in a text a token of its own (`<LITERAL_N>`, whose value is what was typed). So a token in
masked text is always ours: nothing that somebody types, or plants in a document, can be restored to another's value,
and `restore(mask(text)) == text` for every text and every spans. What a model invents is not in the map and stays as
it is.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import NamedTuple

from runtime.redaction.errors import TokenMapCorrupt
from runtime.redaction.lookalikes import LITERAL, Key, exact, is_entity, look_alikes
from runtime.redaction.spans import Span
from runtime.redaction.values import NAMES, Values

_SEPARATORS = re.compile(r"[\s.\-()/_]+")
_EXACT_ONLY = frozenset({"SECRET", LITERAL})


class TokenEntry(NamedTuple):
    """One pair. `token` is `<ENTITY_N>` or `<ENTITY_N_M>`; `value` is the text it stands for, exactly as written."""

    token: str
    entity: str
    value: str


class TokenMap:
    """The tokens of one conversation.

    Args:
        entries: what the conversation has so far, in any order.
        reserved: tokens whose value was destroyed (erasure): never given to another value, restored to nothing.

    Raises:
        TokenMapCorrupt: an entry that `mask` cannot have made.
    """

    def __init__(self, entries: Iterable[TokenEntry] = (), *, reserved: Iterable[str] = ()) -> None:
        self._entries: dict[Key, TokenEntry] = {}
        self._keys: dict[tuple[str, str], Key] = {}  # by entity and exact value
        self._numbers: dict[tuple[str, str], int] = {}  # by entity and canonical value
        self._spellings: dict[tuple[str, int], int] = {}  # how many, by entity and number
        self._last: dict[str, int] = {}
        self._new: list[TokenEntry] = []
        self._values = Values()
        self._masking = Lock()  # one text at a time: who gave up on one may still be at it
        for entry in entries:
            key = exact(entry.token)
            if key is None or key.entity != entry.entity or key.token() != entry.token:
                raise TokenMapCorrupt("a stored token is malformed")
            if key in self._entries or (entry.entity, entry.value) in self._keys:
                raise TokenMapCorrupt("two stored tokens contradict each other")
            self._keep(key, entry)
        for token in reserved:
            key = exact(token)
            if key is None:
                raise TokenMapCorrupt("a reserved token is malformed")
            self._count(key)

    def new_entries(self) -> tuple[TokenEntry, ...]:
        """What `mask` added since construction, in order."""
        return tuple(self._new)

    def entries(self) -> tuple[TokenEntry, ...]:
        """All of it."""
        return tuple(self._entries.values())

    def mentioned(self, texts: Iterable[str]) -> tuple[TokenEntry, ...]:
        """The entries whose tokens stand in masked texts, each once."""
        found = {key: self._entries[key] for text in texts for _, _, key in look_alikes(text) if key in self._entries}
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
        with self._masking:
            regions = self._plan(text, spans)
            pieces: list[str] = []
            at = 0
            for start, end, entity in regions:
                pieces += (text[at:start], self._token(entity, text[start:end]))
                at = end
            return "".join((*pieces, text[at:]))

    def restore(self, text: str, *, entities: Callable[[str], bool] = lambda _: True) -> str:
        """Put values back for the tokens of these entities; everything else stays."""
        return self.restore_part(text, 0, entities=entities)

    def restore_part(
        self,
        text: str,
        start: int,
        *,
        entities: Callable[[str], bool] = lambda _: True,
        spelled: Callable[[str], str] = str,
    ) -> str:
        """The same from `start` on; what stands before only tells whether a token begins there.

        `spelled` says how a value is written where it is put, inside a string of JSON for example.
        """
        pieces: list[str] = []
        at = start
        for low, high, key in look_alikes(text, start):
            entry = self._entries.get(key)
            if entry is not None and entities(entry.entity):
                pieces += (text[at:low], spelled(entry.value))
                at = high
        return "".join((*pieces, text[at:]))

    def view(self, strict: str, allow: Callable[[str], bool]) -> str:
        """A masked text with the values of allowed entities put back, for a reader who may see them.

        Literals always stay tokens, and so does a value that would bring a look-alike into the text: `restore` gives
        the same for every view.
        """

        def harmless(entity: str) -> bool:
            return entity != LITERAL and allow(entity)

        kept: set[Key] = set()
        while True:
            pieces: list[str] = []
            tokens: list[tuple[int, int, bool, Key]] = []
            at = length = 0
            for low, high, key in look_alikes(strict):
                entry = self._entries.get(key)
                shown = entry is not None and key not in kept and harmless(entry.entity)
                if entry is not None and shown and next(look_alikes(entry.value), None) is not None:
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
            strays = [(low, high) for low, high, _ in look_alikes(text) if (low, high) not in expected]
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
        for low, high, _ in look_alikes(text):
            _cover(regions, low, high)
        _fill(
            regions,
            self._known(text, {(text[start:end], entity) for start, end, entity in regions if entity in NAMES}),
        )
        while True:
            # every token reads alike to its neighbours: it starts with < and ends with >
            pieces: list[str] = []
            origins: list[tuple[int, int]] = []
            at = length = 0
            for start, end, _ in (*regions, (len(text), len(text), "")):
                pieces += (text[at:start], "<>")
                origins.append((length, at))
                length += start - at + 2
                at = end
            trial = "".join(pieces)
            stray = next(look_alikes(trial), None)
            if stray is None:
                return regions
            while stray is not None:
                low, high, _ = stray
                shown, original = origins[bisect_right(origins, (low, len(text))) - 1]
                _cover(regions, original + low - shown, original + high - shown)
                stray = next(look_alikes(trial, high), None)

    def _known(self, text: str, named: Iterable[tuple[str, str]]) -> Iterator[tuple[int, int, str]]:
        """Where values of the map, and names found in this text, stand in it unfound: a name is masked everywhere.

        One pass over the text, however many values there are.
        """
        found = Values()
        for value, entity in named:
            found.add(value, entity)
        yield from self._values.within(text)
        yield from found.within(text)

    def _token(self, entity: str, value: str) -> str:
        key = self._keys.get((entity, value))
        if key is None:
            if not is_entity(entity):
                raise ValueError("an entity's name is capitals, digits and underscores")
            number = self._numbers.get((entity, _canonical(entity, value))) or self._last.get(entity, 0) + 1
            key = Key(entity, number, self._spellings.get((entity, number), 0) + 1)
            entry = TokenEntry(key.token(), entity, value)
            self._keep(key, entry)
            self._new.append(entry)
        return self._entries[key].token

    def _keep(self, key: Key, entry: TokenEntry) -> None:
        self._entries[key] = entry
        self._keys[entry.entity, entry.value] = key
        self._values.add(entry.value, entry.entity)
        self._numbers.setdefault((entry.entity, _canonical(entry.entity, entry.value)), key.number)
        self._count(key)

    def _count(self, key: Key) -> None:
        """A number or spelling that is taken."""
        numbered = (key.entity, key.number)
        self._spellings[numbered] = max(key.spelling, self._spellings.get(numbered, 0))
        self._last[key.entity] = max(key.number, self._last.get(key.entity, 0))


def _canonical(entity: str, value: str) -> str:
    """What two spellings of one value have in common."""
    if entity in _EXACT_ONLY:
        return value
    folded = unicodedata.normalize("NFKC", value).casefold()
    folded = "".join(c for c in folded if unicodedata.category(c) != "Cf")
    return " ".join(folded.split()) if entity in NAMES else _SEPARATORS.sub("", folded) or folded


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
    for low, high, entity in sorted(more, key=lambda region: (region[0] - region[1], region)):
        at = bisect_right(regions, low, key=lambda region: region[1])
        if at == len(regions) or regions[at][0] >= high:
            regions.insert(at, (low, high, entity))
