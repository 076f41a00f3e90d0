"""Invented people: names by origin, and what is derived from a name (e-mail, RAMQ, licence, social security number).

Given names and surnames are drawn from one origin, so that a person is plausible; any likeness to a real one is chance.
"""

from __future__ import annotations

import calendar
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from random import Random

from bench.pii.checks import nir
from bench.pii.source import DATA, Draw

_UNDECOMPOSED = str.maketrans({"œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Names that go together."""

    name: str
    weight: int
    female: tuple[str, ...]
    male: tuple[str, ...]
    surnames: tuple[str, ...]


@cache
def origins(split: str) -> tuple[Origin, ...]:
    """The name lists of a split: `[origin weight]`, then lines `f:`, `m:`, `s:`."""
    found: list[Origin] = []
    text = (DATA / split / "people.names").read_text("utf-8")
    for block in text.split("[")[1:]:
        head, *lines = block.strip().splitlines()
        name, weight = head.rstrip("]").split()
        lists = {line[0]: tuple(line[2:].strip().split(", ")) for line in lines if line[1:2] == ":"}
        found.append(Origin(name, int(weight), lists["f"], lists["m"], lists["s"]))
    return tuple(found)


def plain(text: str) -> str:
    """Without accents."""
    decomposed = unicodedata.normalize("NFD", text.translate(_UNDECOMPOSED))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def letters(text: str) -> str:
    """Its ASCII letters, in lower case."""
    return "".join(c for c in plain(text).lower() if "a" <= c <= "z")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody."""

    given: str
    surname: str
    middle: str
    female: bool
    born: date

    def named(self, form: str) -> str:
        """The name in one of the ways it is written.

        Raises:
            KeyError: no such form.
        """
        initial = "-".join(part[0] + "." for part in self.given.split("-"))
        return {
            "full": f"{self.given} {self.surname}",
            "first": self.given,
            "last": self.surname,
            "mid": f"{self.given} {self.middle}. {self.surname}",
            "init": f"{initial} {self.surname}",
            "lastinit": f"{self.surname} {initial}",
            "firstinit": f"{self.given} {self.surname[0]}.",
            "rev": f"{self.surname}, {self.given}",
            "revcaps": f"{self.surname.upper()}, {self.given}",
            "capsrev": f"{self.surname.upper()} {self.given}",
            "caplast": f"{self.given} {self.surname.upper()}",
            "sur": f"{self.surname} {self.given}",
        }[form]

    def email(self, draw: Draw) -> str:
        known = {"first": letters(self.given), "last": letters(self.surname), "f": letters(self.given)[:1]}
        return draw.expand(draw.pick("mailbox"), known) + "@" + draw.some("mail_domain")

    def ramq(self, draw: Draw) -> str:
        """Three letters of the surname, one of the given name, yymmdd with 50 added to a woman's month, two more."""
        head = (letters(self.surname) + "xx")[:3] + letters(self.given)[0]
        month = self.born.month + (50 if self.female else 0)
        number = f"{head.upper()}{self.born:%y}{month:02d}{self.born:%d}{draw.digits(2)}"
        return draw.written("ramq", number)

    def licence(self, draw: Draw) -> str:
        """Quebec: the surname's first letter, four digits, ddmmyy, two digits."""
        return draw.written(
            "licence", f"{letters(self.surname)[0].upper()}{draw.digits(4)}{self.born:%d%m%y}{draw.digits(2)}"
        )

    def nir(self, draw: Draw) -> str:
        place = draw.random.choice(draw.entries("nir_department"))
        body = f"{2 if self.female else 1}{self.born:%y%m}{place}{draw.random.randint(1, 560):03d}"
        return draw.written("nir", nir(f"{body}{draw.random.randint(1, 799):03d}"))

    def birth(self, draw: Draw) -> str:
        return written_date(draw, self.born, "birth_date")


class Cast:
    """The people of one text, by number; who is asked for first decides the sex."""

    def __init__(self, split: str, random: Random) -> None:
        self._origins = origins(split)
        self._random = random
        self._people: dict[str, Person] = {}
        self._used: set[str] = set()

    def person(self, number: str, sex: str = "") -> Person:
        if number not in self._people:
            self._people[number] = self._invented(sex)
        return self._people[number]

    def _invented(self, sex: str) -> Person:
        random = self._random
        female = sex == "f" if sex else random.random() < 0.5
        while True:
            [origin] = random.choices(self._origins, weights=[one.weight for one in self._origins])
            given, surname = random.choice(origin.female if female else origin.male), random.choice(origin.surnames)
            if not self._used & {given, surname}:
                break
        self._used |= {given, surname}
        return Person(given, surname, random.choice("ABCDEFGHJKLMNPRSTVW"), female, day(random, 1938, 2006))


def day(random: Random, first: int, last: int) -> date:
    """A day of the years `first` to `last`."""
    year, month = random.randint(first, last), random.randint(1, 12)
    return date(year, month, random.randint(1, calendar.monthrange(year, month)[1]))


def written_date(draw: Draw, when: date, key: str) -> str:
    """A date in one of the ways of the list `key`, such as `<day> <month> <year>`."""
    names = draw.entries("months")
    known = {
        "day": str(when.day),
        "dd": f"{when.day:02d}",
        "month": names[when.month - 1],
        "short": names[when.month - 1][:3],
        "mm": f"{when.month:02d}",
        "m": str(when.month),
        "yyyy": str(when.year),
        "yy": f"{when.year % 100:02d}",
        "first": "1er" if when.day == 1 else str(when.day),
    }
    return draw.expand(draw.pick(key), known)
