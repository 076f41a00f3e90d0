"""Exact texts that an operator names: never masked (allow), always masked (deny). Who names them is policy.

A text is compared as people see it: without regard to capitals and accents, with any stretch of spaces, or one line
end, between its words, and not inside a longer word. An allowed text takes away what lies wholly in it: a number that
only begins like an allowed one stays masked. What is denied is masked whatever the allowed texts say.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

from runtime.redaction.normalise import View, fold, lowered, view
from runtime.redaction.spans import Span

RULE = "deny-list"
LONGEST = 64
"""Code points of a listed text: less than a cut in a long text looks ahead (`segments.py`)."""
_SPLIT = re.compile(r"[\s\"<>|]+")
_GAP = r"[\s\"<>|]{1,12}"


class Lists:
    """Both lists, ready to be asked.

    Args:
        allow: texts, each with the entity that it is never masked as, None for any.
        deny: texts, each with the entity that it counts as.

    Raises:
        ValueError: a text is empty, too long, or without a letter or digit.
    """

    def __init__(self, allow: Iterable[tuple[str, str | None]] = (), deny: Iterable[tuple[str, str]] = ()) -> None:
        allowed, denied = tuple(allow), tuple(deny)
        self._allow = [(_pattern(text), entity) for text, entity in allowed]
        self._deny = [(_pattern(text), entity) for text, entity in denied]
        self.entities = frozenset(entity for _, entity in denied)
        words = [_words(text) for text, _ in (*allowed, *denied)]
        # What may be the first word of a listed text, with the marks around it, and how many words the text has.
        self._first = re.compile("|".join(sorted({_bounded([parts[0]]) for parts in words}))) if words else None
        self._most = max((len(parts) for parts in words), default=0)
        self.digest = hashlib.sha256(repr((sorted(allowed, key=repr), sorted(denied))).encode()).hexdigest()

    def __bool__(self) -> bool:
        return self._first is not None

    def awaited(self, word: str) -> int:
        """How many words must be seen together from this one on, at most: 0 if it begins no listed text."""
        return self._most if self._first and self._first.search(lowered(fold(word))) else 0

    def denied(self, folded: View) -> Iterator[Span]:
        """Where denied texts stand in what a view is a view of."""
        if self._deny:
            lower = lowered(folded.text)
            for pattern, entity in self._deny:
                for match in pattern.finditer(lower):
                    yield Span(*folded.back(*match.span()), entity, 1.0, RULE)

    def without_allowed(self, spans: list[Span], text: str, left: str = "") -> list[Span]:
        """The spans that do not lie in an allowed text.

        Args:
            spans: findings, positions in `text`.
            text: one segment, or a whole text.
            left: what stands before the text; an allowed text may begin there.
        """
        if not self._allow or not spans:
            return spans
        before = left[-LONGEST:]
        folded = view(before + text)
        lower, shift = lowered(folded.text), len(before)
        for pattern, entity in self._allow:
            for match in pattern.finditer(lower):
                start, end = folded.back(*match.span())
                spans = [
                    span
                    for span in spans
                    if span.rule == RULE
                    or entity not in {None, span.entity}
                    or not (start <= span.start + shift and span.end + shift <= end)
                ]
        return spans


def _words(text: str) -> list[str]:
    if not 0 < len(text) <= LONGEST or not any(map(str.isalnum, text)):
        raise ValueError(f"a listed text has 1 to {LONGEST} characters, a letter or a digit among them")
    return [word for word in _SPLIT.split(lowered(fold(text))) if word]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(_bounded(_words(text)))


def _bounded(words: list[str]) -> str:
    """These words one after the other, not inside a longer word or number."""
    before = r"(?<!\w)" if words[0][0].isalnum() else ""
    after = r"(?!\w)" if words[-1][-1].isalnum() else ""
    return before + _GAP.join(map(re.escape, words)) + after


NO_LISTS = Lists()
