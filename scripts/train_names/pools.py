"""Names to fill templates with: the lists of the Faker package (MIT), our own, and those of the engine's lexicon.

Every name belongs to an origin, so that given and family names of one person mostly fit together. One name in eight is
held out by its hash: nothing is trained on it, and validation uses nothing else.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from random import Random
from typing import NamedTuple
from zlib import crc32

from faker.providers import person

from runtime.redaction.lexicon import GIVEN_NAMES, SURNAMES

DATA = Path(__file__).parent / "data"
_NO_NAMES = {"es", "zh_TW", "is_IS", "ga_IE"}  # placeholders, capitals, and two lists that would outweigh the rest
_WEIGHTS = {"quebec": 16, "fr_CA": 10, "lexicon": 14, "fr_FR": 8, "france": 8, "en_US": 8, "en_GB": 5, "en": 5, "arab": 6,
            "haiti": 4, "viet": 4, "china": 4, "africa": 5, "india": 4, "inuit": 3, "first": 4, "particle": 4, "fr_BE": 3,
            "en_IE": 3, "slav": 3, "latin": 4, "persian": 2, "korea": 3, "fr_DZ": 3, "en_IN": 2}  # fmt: skip


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
            given, family = (
                [name for name in part if held is None or held_out(name) == held] for part in names
            )
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
                    kind.update(part for part in name.lower().replace("'", " ").replace("-", " ").split() if len(part) > 1)
        return parts


def _everything() -> dict[str, Names]:
    found: dict[str, Names] = defaultdict(lambda: Names([], []))
    for folder in sorted(Path(person.__file__).parent.iterdir()):
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
    found["lexicon"] = Names(sorted(map(_titled, GIVEN_NAMES)), sorted(map(_titled, SURNAMES)))
    return dict(found)


def latin(name: object) -> bool:
    """Whether it is written in Latin letters."""
    return isinstance(name, str) and len(name) > 1 and all(c in " -'’." or unicodedata.name(c, "").startswith("LATIN") for c in name)


def _titled(name: str) -> str:
    return "-".join(part[:1].upper() + part[1:] for part in name.split("-"))
