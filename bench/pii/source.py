"""The data of one split, and random draws from it. Nothing here knows what a value means.

`data/<split>/*.words` hold lists, `key = entry | entry`; a key may go on over several lines, and `key.fr` is preferred
to `key` in a French text. An entry may be a pattern: `<d6>` is six digits, `<2-9>` one digit of a range, `<city>` an
entry of that list (the same one throughout the pattern), `⏎` a line end.
"""

from __future__ import annotations

import re
import string
from functools import cache
from pathlib import Path
from random import Random

DATA = Path(__file__).parent / "data"
SPLITS = ("dev", "held")
_ALPHABETS = {
    "d": string.digits,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "l": string.ascii_lowercase,
    "L": string.ascii_uppercase,
    "a": string.ascii_lowercase + string.digits,
    "A": string.ascii_letters + string.digits,
    "U": string.ascii_uppercase + string.digits,
    "b": string.ascii_letters + string.digits + "-_",
    "B": string.ascii_letters + string.digits + "+/",
    "P": "ABCDEFGHJKLMNPQRSTVWXYZ",
    "C": "ABCEGHJKLMNPRSTVXY",
    "T": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
}
_TOKEN = re.compile(r"<(?:([A-Za-z])(\d+)|(\d)-(\d)|([a-z_]+))>")


class Source:
    """The lists of one split.

    Raises:
        ValueError: a line is not of the form above.
    """

    def __init__(self, split: str) -> None:
        self.split = split
        self.lists: dict[str, list[str]] = {}
        for path in sorted((DATA / split).glob("*.words")):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                if not line or line.startswith("#"):
                    continue
                key, equals, entries = line.partition(" = ")
                if not equals:
                    raise ValueError(f"{path.name}:{number}: no list")
                self.lists.setdefault(key, []).extend(entry.replace("⏎", "\n") for entry in entries.split(" | "))


@cache
def source(split: str) -> Source:
    """The lists of a split, read once."""
    return Source(split)


class Draw:
    """Random values for one text; the same seed gives the same values."""

    def __init__(self, lists: Source, random: Random, language: str) -> None:
        self.lists = lists
        self.random = random
        self.language = language

    def entries(self, key: str) -> list[str]:
        """The list `key`, in the text's language if there is one.

        Raises:
            KeyError: there is no such list.
        """
        lists = self.lists.lists
        return lists.get(f"{key}.{self.language}") or lists[key]

    def pick(self, key: str) -> str:
        """An entry, as it stands."""
        return self.random.choice(self.entries(key))

    def some(self, key: str) -> str:
        """An entry with its pattern filled in."""
        return self.expand(self.pick(key))

    def digits(self, count: int) -> str:
        return self.chars("d", count)

    def chars(self, alphabet: str, count: int) -> str:
        return "".join(self.random.choices(_ALPHABETS[alphabet], k=count))

    def expand(self, pattern: str, known: dict[str, str] | None = None) -> str:
        """`pattern` with its tokens filled in, from `known` first."""
        seen = dict(known or {})

        def replace(match: re.Match[str]) -> str:
            alphabet, count, low, high, name = match.groups()
            if alphabet:
                return self.chars(alphabet, int(count))
            if low:
                return str(self.random.randint(int(low), int(high)))
            if name not in seen:
                seen[name] = self.expand(self.pick(name), seen)
            return seen[name]

        return _TOKEN.sub(replace, pattern)

    def written(self, key: str, characters: str) -> str:
        """The characters of a value in one of the ways that the list `key` shows, `#` for each.

        Raises:
            ValueError: no way of that length.
        """
        ways = [way for way in self.entries(key) if way.count("#") == len(characters)]
        if not ways:
            raise ValueError(f"{self.lists.split}: {key}: nothing for {len(characters)} characters")
        following = iter(characters)
        return "".join(next(following) if c == "#" else c for c in self.random.choice(ways))
