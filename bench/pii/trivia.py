"""Values that are nobody's: dates, book numbers, hashes, long numbers that are no cards. What has no rule is a list."""

from __future__ import annotations

from collections.abc import Callable

from bench.pii.checks import isbn10, isbn13, luhn
from bench.pii.people import day, written_date
from bench.pii.source import Draw


def _date(draw: Draw) -> str:
    return written_date(draw, day(draw.random, 1996, 2026), "date")


def _isbn13(draw: Draw) -> str:
    number = isbn13(f"978{draw.random.choice(('2', '0', '1', '3'))}{draw.digits(8)}")
    return draw.random.choice((number, f"{number[:3]}-{number[3]}-{number[4:7]}-{number[7:12]}-{number[12]}"))


def _isbn10(draw: Draw) -> str:
    number = isbn10(f"2{draw.digits(8)}")
    return draw.random.choice((number, f"{number[0]}-{number[1:4]}-{number[4:9]}-{number[9]}"))


def _gtin(draw: Draw) -> str:
    return isbn13(f"{draw.random.choice(('0', '3', '5', '7'))}{draw.digits(11)}")


def _no_card(draw: Draw) -> str:
    """16 digits whose Luhn check fails."""
    number = luhn(f"{draw.random.choice('1789')}{draw.digits(14)}")
    return number[:-1] + str((int(number[-1]) + draw.random.randint(1, 9)) % 10)


TRIVIA: dict[str, Callable[[Draw], str]] = {
    "date": _date,
    "isbn": _isbn13,
    "isbn10": _isbn10,
    "gtin": _gtin,
    "long16": _no_card,
}
