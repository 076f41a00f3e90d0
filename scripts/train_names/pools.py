"""Names to fill templates with: the lists of the Faker package (MIT) and our own.

Every name belongs to an origin, so that given and family names of one person mostly fit together. One name in eight can
be held out by its hash.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from random import Random
from typing import NamedTuple
from zlib import crc32

DATA = Path(__file__).parent / "data"
_SUFFIXES = (" Jr.", " Sr.", " III", " fils", " père", " Jr", " II", " IV", ", Jr.")
_NUMERALS = (
    "I",
    "I",
    "Ier",
    "II",
    "III",
    "IV",
    "V",
    "VI",
    "VII",
    "VIII",
    "IX",
    "X",
    "XI",
    "XII",
    "XIII",
    "XIV",
    "XV",
    "XVI",
    "XXIII",
)
_PARTICLES = ("de", "de", "de", "du", "de la", "des", "le", "La", "von", "van", "di", "da")
_KIN = (
    "bin",
    "binti",
    "bint",
    "ibn",
    "ben",
    "wa",
    "oğlu",
    "ould",
    "ap",
    "dit",
    "dite",
    "Te",
    "Abu",
    "Ter",
)  # patronymics
_LINKS = ("le", "de", "du", "des", "la")  # Viollet-le-Duc
_VOWELS = "aeiouhyàâéèêëîïôûAEIOUHYÀÂÉÈÊÎÔÛ"
_NO_NAMES = {"es", "zh_TW", "is_IS", "ga_IE"}  # placeholders, capitals, and two lists that would outweigh the rest
_WEIGHTS = {
    "quebec": 16, "fr_CA": 10, "lexicon": 14, "fr_FR": 8, "france": 8, "en_US": 8, "en_GB": 5, "en": 5, "arab": 8,
    "haiti": 5, "viet": 4, "china": 4, "africa": 8, "india": 6, "inuit": 3, "first": 4, "particle": 4, "fr_BE": 3,
    "en_IE": 3, "slav": 3, "latin": 4, "persian": 2, "korea": 3, "fr_DZ": 3, "en_IN": 2,
    "caribbean": 5, "gael": 5, "old": 6, "ancien": 7, "greece": 3, "armenia": 3, "new": 6, "crown": 2,
    "nick": 4, "malay": 2, "steppe": 2, "eastafrica": 3,
}  # fmt: skip


class Names(NamedTuple):
    """The names of one origin."""

    given: list[str]
    family: list[str]


def held_out(name: str) -> bool:
    """Whether a name is kept for validation."""
    return crc32(name.casefold().encode()) % 8 == 0


class Pool:
    """Draws persons.

    Args:
        held: from the names held out, instead of the others; None for all.
    """

    def __init__(self, *, held: bool | None) -> None:
        everything = _everything()
        self.origins: dict[str, Names] = {}
        for origin, names in everything.items():
            given, family = ([name for name in part if held is None or held_out(name) == held] for part in names)
            if given or family:
                self.origins[origin] = Names(given, family)
        self._keys = sorted(self.origins)
        self._weights = [_WEIGHTS.get(key, 1) for key in self._keys]

    def given(self, random: Random, origin: str) -> str:
        return random.choice(self.origins[origin].given or self.origins["lexicon"].given)

    def family(self, random: Random, origin: str) -> str:
        return random.choice(self.origins[origin].family or self.origins["lexicon"].family)

    def origin(self, random: Random) -> str:
        return random.choices(self._keys, self._weights)[0]

    def words(self) -> tuple[set[str], set[str]]:
        """All given and all family names, in parts, lower case."""
        parts: tuple[set[str], set[str]] = set(), set()
        for names in self.origins.values():
            for kind, of in zip(parts, names, strict=True):
                for name in of:
                    kind.update(
                        part for part in name.lower().replace("'", " ").replace("-", " ").split() if len(part) > 1
                    )
        return parts


class Person:
    """One person of a text: always called by the same names."""

    def __init__(self, pool: Pool, random: Random) -> None:
        self.random = random
        origin = pool.origin(random)
        other = origin if random.random() < 0.8 else pool.origin(random)
        self.given = pool.given(random, origin)
        self.family = pool.family(random, other)
        if random.random() < 0.06:
            self.family += ("-" if random.random() < 0.8 else " ") + pool.family(random, other)
        self.middle = ""
        if (chance := random.random()) < 0.06:
            self.middle = pool.given(random, origin) + " "
        elif chance < 0.12:
            self.middle = pool.given(random, origin)[0] + ". "
        self.suffix = random.choice(_SUFFIXES)
        self.numeral = random.choice(_NUMERALS)
        self.noble = noble(random.choice(_PARTICLES), self.family)
        if (chance := random.random()) < 0.03:
            self.family = self.noble
        elif chance < 0.04:
            self.family += f"-{random.choice(_LINKS)}-{pool.family(random, other)}"
        elif chance < 0.055:
            self.family = f"{random.choice(_KIN)} {pool.given(random, origin) if chance < 0.048 else self.family}"
        self.style = random.random()
        self.called = random.random()

    def full(self) -> str:
        given, family = self.given, self.family
        if self.style < 0.04:
            given = "-".join(part[0] + "." for part in re.split(r"[- ]", given) if part)
        elif self.style < 0.10:
            family = family.upper()
        elif self.style < 0.12:
            return f"{family.upper()} {given}"
        elif self.style < 0.135:
            return f"{family} {given}"
        elif self.style < 0.16:
            family += self.suffix
        elif self.style < 0.17:
            return (
                f"{given} « {self.given[:4]} » {family}"
                if self.random.random() < 0.5
                else f'{given} "{self.given[:4]}" {family}'
            )
        return f"{given} {self.middle}{family}"

    def reversed(self) -> str:
        family = self.family.upper() if self.called < 0.5 else self.family
        return f"{family}{', ' if self.style < 0.75 else ' '}{self.given}"

    def some(self) -> str:
        if self.called < 0.45:
            return self.family
        if self.called < 0.62:
            return self.given
        if self.called < 0.66:
            return f"{self.given[0]}. {self.family}"
        return self.full()

    def initialled(self) -> str:
        """The name as lists and references have it: "M. G. Vassel", "M.-A. Vassel", or whole."""
        if self.called > 0.75:
            return self.full()
        second = self.middle[:1] or (self.numeral[0] if self.called < 0.15 else "AEGLMPRS"[len(self.family) % 8])
        if self.called > 0.4 and not self.middle:
            return f"{self.given[0]}. {self.family}"
        gap = "" if self.style < 0.2 else "-" if self.style < 0.3 else " "
        return f"{self.given[0]}.{gap}{second}.{'' if gap == '' and self.style < 0.05 else ' '}{self.family}"

    def form(self, how: str) -> str:
        forms: dict[str, Callable[[], str]] = {
            "": self.full, "x": self.some, "r": self.reversed, "f": lambda: self.given, "s": lambda: self.family,
            "u": f"{self.given} {self.family}".upper, "us": self.family.upper,
            "uf": self.given.upper, "f1": lambda: self.given[0], "g": lambda: f"{self.given} {self.numeral}",
            "d": lambda: f"{self.given} {self.noble}", "a": self.initialled,
        }  # fmt: skip
        return forms[how]()


def noble(particle: str, family: str) -> str:
    """A family name behind a particle, as one writes it: "de Lassalle", "d'Iberville"."""
    if particle == "de" and family[0] in _VOWELS:
        return f"d'{family}"
    return f"{particle} {family}"


def _everything() -> dict[str, Names]:
    found: dict[str, Names] = defaultdict(lambda: Names([], []))
    for folder in sorted(Path(import_module("faker.providers.person").__path__[0]).iterdir()):
        if folder.is_dir() and not folder.name.startswith("_") and folder.name not in _NO_NAMES:
            provider = import_module(f"faker.providers.person.{folder.name}").Provider
            kinds: tuple[set[str], set[str]] = set(), set()
            for key in dir(provider):
                values = getattr(provider, key)
                if key.startswith(("first_", "last_")) and isinstance(values, (tuple, list, dict)):
                    kinds[key.startswith("last_")].update(filter(latin, values))
            if any(kinds):
                found[folder.name] = Names(sorted(kinds[0]), sorted(kinds[1]))
    for line in (DATA / "names.words").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            key, _, entries = line.partition(" = ")
            origin, _, kind = key.partition(".")
            names = entries.split(" | ")
            (found[origin].given if kind == "given" else found[origin].family).extend(names)
    found["quebec"].given.extend(found["fr_CA"].given)
    found["france"].given.extend(found["fr_FR"].given)
    return dict(found)


def latin(name: object) -> bool:
    """Whether it is written in Latin letters."""
    return (
        isinstance(name, str)
        and len(name) > 1
        and all(c in " -'’." or unicodedata.name(c, "").startswith("LATIN") for c in name)
    )
