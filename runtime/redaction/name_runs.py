"""From chosen tokens to names: runs of neighbours without marks and titles at their edges, and where each stands.

Initials right before a name are part of it ("M. G. Vassel"), and so is what tells a father from a son behind it
("Roy, Jr."). Which tokens are chosen is for `names.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runtime.redaction.lexicon import word_set
from runtime.redaction.name_features import Token

PARTICLES = word_set("de la le du des d l van der den von ben bin ibn al el da dos di mac st y e und zu ten ter")
# Between a name and whom it is called after; more than particles they are words as well.
LINKS = word_set("bint binti dit dite oğlu ould wa")
_BORN_LATER = {"Jr", "Sr"}
_APOSTROPHES = {"'", "’"}
_BEFORE_APOSTROPHES = {"M", "N", "K", "O"}
_BEHIND_APOSTROPHES = {"h", "o", "i", "a", "u"}
_ABBREVIATED = {("U", "S"), ("U", "K"), ("U", "N")}  # "the U.S. Thompson saw"
TITLES = word_set("m mr mrs ms mme mlle dr dre me prof monsieur madame")


class Found(NamedTuple):
    """A name or a place; code points, end exclusive."""

    start: int
    end: int
    entity: str
    score: float
    rule: str


def joined(one: Token, other: Token) -> bool:
    """Whether two tokens stand side by side."""
    return other.start - one.end <= 1 and not one.text.isspace() and not other.text.isspace()


def runs(tokens: Sequence[Token], chosen: Sequence[bool], starts: Sequence[bool]) -> Iterator[list[int]]:
    """Runs of chosen tokens without marks at their edges, cut where another name begins."""
    run: list[int] = []
    for index, token in enumerate(tokens):
        goes_on = (
            chosen[index]
            and run
            and joined(tokens[run[-1]], token)
            and not (starts[index] and tokens[run[-1]].text in {",", ";", "&"})
        )
        if run and not goes_on:
            yield from (_whole(tokens, one) for one in _trimmed(tokens, run))
            run = []
        if chosen[index]:
            run.append(index)
    yield from (_whole(tokens, one) for one in _trimmed(tokens, run))


def _trimmed(tokens: Sequence[Token], run: list[int]) -> Iterator[list[int]]:
    while run and (not tokens[run[0]].text[0].isalnum() or tokens[run[0]].text.lower() in TITLES):
        run = run[1:]
    while run and not tokens[run[-1]].text[0].isalnum() and not _ends_initial(tokens, run):
        run = run[:-1]
    while run and tokens[run[-1]].text in PARTICLES:
        run = run[:-1]
    if len(run) > 2 and tokens[run[-1]].text == "s" and tokens[run[-2]].text in {"'", "’"}:
        run = run[:-2]
    if run and not all(tokens[index].text in PARTICLES for index in run):
        yield run


def _whole(tokens: Sequence[Token], run: list[int]) -> list[int]:
    """The run with what is part of its first and last word, the initials right before it and "Jr." right behind it."""
    first, last = _apostrophes(tokens, run[0], run[-1])
    before = _initials(tokens, first)
    inside = [tokens[first].text] if _is_initial(tokens, first) else []
    letters = [tokens[index].text for index in before if tokens[index].text.isalpha()] + inside
    # One "M." is a title; "M. G." and "M.-A." are none.
    if before and letters != ["M"] and tuple(letters[-2:]) not in _ABBREVIATED and tokens[last].text[0].isupper():
        first = before[0]
    if last + 1 < len(tokens) and tokens[last + 1].start == tokens[last].end + 1 and _is_initial(tokens, last + 1):
        last += 2 * (not _is_judge(tokens, last + 1))
    behind = last + 1
    if _adjoins(tokens, behind) and tokens[behind].text == ",":
        behind += 1
    if behind < len(tokens) and tokens[behind].text in _BORN_LATER and joined(tokens[behind - 1], tokens[behind]):
        last = behind
    if tokens[last].text in _BORN_LATER and _adjoins(tokens, last + 1) and tokens[last + 1].text == ".":
        last += 1
    return list(range(first, last + 1))


def _adjoins(tokens: Sequence[Token], index: int) -> bool:
    return 0 < index < len(tokens) and tokens[index].start == tokens[index - 1].end


def _apostrophes(tokens: Sequence[Token], first: int, last: int) -> tuple[int, int]:
    """Where a name begins and ends of which an apostrophe is part: "N'Golo", "Floc'h"."""
    before = first > 1 and tokens[first - 1].text in _APOSTROPHES and tokens[first - 2].text in _BEFORE_APOSTROPHES
    if before and [_adjoins(tokens, first - back) for back in range(3)] == [True, True, False]:
        first -= 2
    if _adjoins(tokens, last + 1) and tokens[last + 1].text in _APOSTROPHES and _adjoins(tokens, last + 2):
        last += 2 * (tokens[last + 2].text in _BEHIND_APOSTROPHES)
    return first, last


def _is_initial(tokens: Sequence[Token], index: int) -> bool:
    one = tokens[index]
    dotted = _adjoins(tokens, index + 1) and tokens[index + 1].text == "."
    return dotted and len(one.text) == 1 and one.text.isupper()


def _is_judge(tokens: Sequence[Token], index: int) -> bool:
    """Whether "J." or "C.J." stands there, as behind the name of a judge."""
    return "J" in {token.text for token in tokens[index : index + 3 : 2]}


def _initials(tokens: Sequence[Token], first: int) -> list[int]:
    """The tokens of the initials that end right before a token: "M", ".", "-", "A", "."."""
    at = first
    while True:
        hyphen = at > 2 and tokens[at - 1].text == "-" and _is_initial(tokens, at)
        begin = at - (3 if hyphen else 2)
        if begin < 0 or not _is_initial(tokens, begin) or tokens[at].start - tokens[at - 1].end > 1:
            break
        if _adjoins(tokens, begin) and tokens[begin - 1].text not in {".", "-", "("}:
            break
        at = begin
    return list(range(at, first))


def _ends_initial(tokens: Sequence[Token], run: Sequence[int]) -> bool:
    """Whether a run ends with the dot of "Anoush P."."""
    return len(run) > 2 and tokens[run[-1]].text == "." and len(tokens[run[-2]].text) == 1


def found(tokens: Sequence[Token], run: Sequence[int], entity: str, scores: Sequence[float], rule: str) -> Found:
    """The finding that a run is, with the best of its scores."""
    best = max(scores[index] for index in run)
    return Found(tokens[run[0]].start, tokens[run[-1]].end, entity, max(0.5, round(best, 2)), rule)
