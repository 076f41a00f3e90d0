r"""The texts inside a JSON value, so that they can be read and replaced one by one. Pure.

Personal data in JSON cannot be masked in its text: an escape before a name would be taken for its first letter, and
`\u00e9` hides an accent. Here the value is parsed, and each key, string and number is a text of its own, with the key
that it stands under as its label: `{"sin": "046 454 286"}` says what the number is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Container, Iterator
from typing import Any, NamedTuple

MAX_DEPTH = 64
_WORDS = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-ZÀ-Þ])|[_\-.]+")


class Leaf(NamedTuple):
    """A text, and in which words it is announced (may be empty)."""

    text: str
    label: str = ""


def parse(text: str) -> Any:
    """A JSON value, read strictly.

    Raises:
        ValueError: no JSON, a key that stands twice, a number that is none, more than `MAX_DEPTH` levels.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    level, depth = [value], 0
    while level := [
        item
        for above in level
        if isinstance(above, list | dict)
        for item in (above.values() if isinstance(above, dict) else above)
    ]:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
    return value


def compact(value: Any) -> str:
    """The one way in which we write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def leaves(value: Any) -> list[Leaf]:
    """Every key, string and number, in a fixed order; `replaced` takes them back in it."""
    found: list[Leaf] = []

    def keep(leaf: Leaf, _number: bool) -> str:
        found.append(leaf)
        return leaf.text

    _walk(value, "", keep)
    return found


def replaced(value: Any, new: Iterator[str], *, numbers: Callable[[int], bool] = lambda _: False) -> Any:
    """The same value with its texts replaced, in the order of `leaves`.

    A number whose text is another now becomes a string. Where `numbers` says so of a leaf (by its place, from 0), its
    new text is a number's again.
    """
    places = iter(range(2**31))

    def change(leaf: Leaf, number: bool) -> Any:
        text, place = next(new), next(places)
        return json.loads(text) if numbers(place) or (number and text == leaf.text) else text

    return _walk(value, "", change)


def numbers_hidden(value: Any, new: list[str]) -> list[int]:
    """The places of those leaves that are numbers in `value` and would no longer be with these texts."""
    hidden: list[int] = []
    places = iter(range(2**31))

    def look(leaf: Leaf, number: bool) -> str:
        place = next(places)
        if number and new[place] != leaf.text:
            hidden.append(place)
        return leaf.text

    _walk(value, "", look)
    return hidden


def _walk(value: Any, label: str, change: Callable[[Leaf, bool], Any]) -> Any:
    if isinstance(value, str):
        return change(Leaf(value, label), False)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return change(Leaf(json.dumps(value), label), True)
    if isinstance(value, list):
        return [_walk(item, label, change) for item in value]
    made: dict[str, Any] = {}
    for key, item in value.items():
        name = free_name(str(change(Leaf(key), False)), made)
        made[name] = _walk(item, words(key), change)
    return made


def free_name(name: str, taken: Container[str]) -> str:
    """A key that is not taken: two that were masked alike stay two."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free


def words(key: str) -> str:
    """What a key says, as words: `dateOfBirth` becomes "date Of Birth"."""
    return " ".join(_WORDS.sub(" ", key).split())


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("too large")
    return number
