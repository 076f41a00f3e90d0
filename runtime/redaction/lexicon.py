"""Lists of words, written as text."""

from __future__ import annotations


def word_set(words: str) -> frozenset[str]:
    """A list of words, written as text, as a set."""
    return frozenset(words.split())
