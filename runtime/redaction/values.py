"""Values that are masked wherever they stand in a text, whether the engine finds them there or not. Pure.

A name that was found once is one everywhere in its conversation, and so is an account's number behind no label. Looking
for thousands of values costs one pass over the text: they are kept by their first characters and their lengths.
"""

from __future__ import annotations

from collections.abc import Iterator

from runtime.redaction.lookalikes import LITERAL

NAMES = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})
_HEAD = 4  # a shorter value is masked where it is found only


class Values:
    """Texts to look for, each with its entity."""

    def __init__(self) -> None:
        self._entities: dict[str, list[str]] = {}
        self._lengths: dict[str, set[int]] = {}  # by the first characters

    def add(self, value: str, entity: str) -> None:
        """Look for a value from now on, unless it is too short, or a name in small letters."""
        if entity == LITERAL or len(value) < _HEAD or (entity in NAMES and not value[0].isupper()):
            return
        self._lengths.setdefault(value[:_HEAD], set()).add(len(value))
        entities = self._entities.setdefault(value, [])
        if entity not in entities:
            entities.append(entity)

    def within(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where they stand as words of their own: start, end, entity."""
        if not self._lengths:
            return
        for low in range(len(text) - _HEAD + 1):
            for length in self._lengths.get(text[low : low + _HEAD], ()):
                high = low + length
                value = text[low:high]
                for entity in self._entities.get(value, ()):
                    if not (value[0].isalnum() and text[low - 1 : low].isalnum()) and not (
                        value[-1].isalnum() and text[high : high + 1].isalnum()
                    ):
                        yield low, high, entity
