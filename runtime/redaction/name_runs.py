"""From chosen tokens to names: runs of neighbours without marks and titles at their edges, and where each stands.

Which tokens are chosen is for `names.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runtime.redaction.lexicon import word_set
from runtime.redaction.name_features import Token

PARTICLES = word_set("de la le du des d l van der den von ben bin ibn al el da dos di mac st y e und zu ten ter")
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
            yield from _trimmed(tokens, run)
            run = []
        if chosen[index]:
            run.append(index)
    yield from _trimmed(tokens, run)


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


def _ends_initial(tokens: Sequence[Token], run: Sequence[int]) -> bool:
    """Whether a run ends with the dot of "Anoush P."."""
    return len(run) > 2 and tokens[run[-1]].text == "." and len(tokens[run[-2]].text) == 1


def found(tokens: Sequence[Token], run: Sequence[int], entity: str, scores: Sequence[float], rule: str) -> Found:
    """The finding that a run is, with the best of its scores."""
    best = max(scores[index] for index in run)
    return Found(tokens[run[0]].start, tokens[run[-1]].end, entity, max(0.5, round(best, 2)), rule)
