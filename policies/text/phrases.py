"""Phrases: word sequences from the policy file, found in canonical text however it was spaced.

A phrase is a line of words. `a|b` is a choice, a trailing `?` makes a word optional, and `_` joins several words into
one choice: `ignore|disregard all|all_of? previous|prior instructions`. There are no other operators, so that every
phrase matches texts of a bounded length, and a search costs a bounded number of steps for each letter.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from policies.text.canonical import letters

MAX_SLOTS, MAX_CHOICES, MAX_LETTERS = 14, 60, 40
_FREE_FROM = 16  # letters from which on a phrase is found inside a longer run of letters, too
_LOOK_BACK = 64  # canonical characters before a match in which an exception may stand
_LONG_RUN = re.compile(rf"[a-z]{{{_FREE_FROM},}}")


class PhraseError(ValueError):
    """A phrase that is not well formed, or that would match nearly everything."""


@dataclass(frozen=True, slots=True)
class PhraseSet:
    """Phrases under one identifier, with the words after which they are talked about and not said.

    Attributes:
        pattern: the phrases; matched at a place, never searched.
        unless_after: phrases too: where one of them ends right before a match, that match does not count.
        starts: the first two letters of everything that `pattern` can match.
    """

    id: str
    pattern: re.Pattern[str]
    unless_after: re.Pattern[str] | None
    starts: frozenset[str]

    def stands_at(self, text: str, place: int) -> bool:
        """Whether a phrase of the set starts at that place of `text`, which must be canonical."""
        if self.pattern.match(text, place) is None:
            return False
        return self.unless_after is None or not self.unless_after.search(text, max(0, place - _LOOK_BACK), place)


class PhraseBook:
    """Several sets, searched in one pass over the places where one of them could start."""

    def __init__(self, sets: Sequence[PhraseSet]) -> None:
        """Index `sets`."""
        self.sets = tuple(sets)
        starts = sorted(set().union(*(phrases.starts for phrases in sets))) if sets else []
        self._starting = {start: tuple(p for p in self.sets if start in p.starts) for start in starts}
        firsts = "".join(sorted({start[0] for start in starts})) or "0"
        # The first letter stands before the look-behind: a pattern that begins with letters is searched much faster.
        self._word_start = re.compile(rf"[{firsts}](?<![a-z].)(?= ?([a-z]))")

    def found_in(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The identifiers of the sets that have a phrase in any of the canonical `texts`, in their order."""
        found: set[str] = set()
        for text in texts:
            for place, start in self._places(text):
                for phrases in self._starting.get(start, ()):
                    if phrases.id not in found and phrases.stands_at(text, place):
                        found.add(phrases.id)
        return tuple(phrases.id for phrases in self.sets if phrases.id in found)

    def _places(self, text: str) -> Iterator[tuple[int, str]]:
        """Where a phrase may start, with two letters: at every word, and inside runs that are too long for a word."""
        for word in self._word_start.finditer(text):
            yield word.start(), word[0] + word[1]
        for run in _LONG_RUN.finditer(text):
            for place in range(run.start() + 1, run.end() - 1):
                yield place, text[place : place + 2]


def compile_set(identifier: str, phrases: Sequence[str], unless_after: Sequence[str] = ()) -> PhraseSet:
    """Build a set.

    Raises:
        PhraseError: a phrase is empty, too large, shorter than three letters, or starts with a single letter.
    """
    wanted = {phrase: _parse(phrase) for phrase in phrases}
    before = "|".join(_sequence(_parse(phrase, fewest=1)) for phrase in unless_after)
    return PhraseSet(
        identifier,
        re.compile("|".join(map(_bounded, wanted.values()))),
        re.compile(rf"(?<![a-z])(?:{before}) ?\Z") if before else None,
        frozenset(start for phrase, slots in wanted.items() for start in _starts(phrase, slots)),
    )


@dataclass(frozen=True, slots=True)
class _Slot:
    choices: tuple[str, ...]  # canonical letters, no spaces
    optional: bool


def _parse(phrase: str, *, fewest: int = 3) -> tuple[_Slot, ...]:
    slots = []
    for word in phrase.split():
        choices = tuple(dict.fromkeys(letters(choice) for choice in word.removesuffix("?").split("|")))
        if "" in choices:
            raise PhraseError(f"{phrase!r}: {word!r} has a choice without letters")
        slots.append(_Slot(choices, word.endswith("?")))
    if not slots or slots[0].optional:
        raise PhraseError(f"{phrase!r}: a phrase starts with a word that is not optional")
    if len(slots) > MAX_SLOTS or any(len(slot.choices) > MAX_CHOICES for slot in slots):
        raise PhraseError(f"{phrase!r}: more than {MAX_SLOTS} words, or more than {MAX_CHOICES} choices for one")
    if any(len(choice) > MAX_LETTERS for slot in slots for choice in slot.choices):
        raise PhraseError(f"{phrase!r}: a word of more than {MAX_LETTERS} letters")
    if _shortest(slots) < fewest:
        raise PhraseError(f"{phrase!r}: could match fewer than {fewest} letters")
    return tuple(slots)


def _shortest(slots: Iterable[_Slot]) -> int:
    return sum(min(map(len, slot.choices)) for slot in slots if not slot.optional)


def _starts(phrase: str, slots: Sequence[_Slot]) -> Iterator[str]:
    """Every pair of first letters; a doubled letter may stand there once or twice."""
    for choice in slots[0].choices:
        head, *others = (letter for letter, _ in itertools.groupby(choice))
        if not others:
            raise PhraseError(f"{phrase!r}: the first word needs two different letters; join it to the next with _")
        yield head + others[0]
        yield choice[:2]


def _bounded(slots: Sequence[_Slot]) -> str:
    """Short phrases must stand as words of their own."""
    pattern = _sequence(slots)
    return pattern if _shortest(slots) >= _FREE_FROM else rf"(?<![a-z]){pattern}(?![a-z])"


def _sequence(slots: Sequence[_Slot]) -> str:
    parts: list[str] = []
    last_letters: set[str] = set()
    for slot in slots:
        choices = "|".join(_word(choice, last_letters, first=not parts) for choice in slot.choices)
        parts.append(f"(?:{choices})" + ("?" if slot.optional else ""))
        endings = {choice[-1] for choice in slot.choices}
        last_letters = last_letters | endings if slot.optional else endings
    return "".join(parts)


def _word(spelling: str, last_letters: set[str], *, first: bool) -> str:
    """One word, its letters apart or together.

    Canonical text has no doubled letters, except where a space stands between the two: so the second of a pair may be
    there or not, and so may a first letter that is also the last one of the word before.
    """
    runs = [(letter, sum(1 for _ in run)) for letter, run in itertools.groupby(spelling)]
    spelled = [f" ?{letter}" + (f"(?: ?{letter})?" if count > 1 else "") for letter, count in runs]
    head = runs[0][0]
    if first:
        spelled[0] = spelled[0].removeprefix(" ?")
    elif head in last_letters and len(spelled) > 1:
        spelled[0] = f"(?:{spelled[0]}|(?<={head}))"
    return "".join(spelled)
