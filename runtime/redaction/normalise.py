"""Undo what hides a number or an address from a pattern, and keep the way back.

A view is the text as patterns read it: invisible characters gone, full-width and other digits, dashes, dots, quotes and
spaces as in ASCII, Latin look-alikes as Latin letters. Each character of the view stands for exactly one code point
of the original, so that spans map back exactly. Nothing here decides what is personal.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_DASHES = "‐‑‒–—―−⁃﹘﹣－⸺"
_DOTS = "․‧∙·•．｡。﹒"
_QUOTES = "‘’‚‛′´`＇"
_DOUBLE_QUOTES = "“”„‟″＂"
# Cyrillic and Greek letters that are drawn like Latin ones: the usual way to hide an address from a filter.
_LOOK_ALIKES = dict(
    zip(
        "аеорсухіѕјһԁԛԝАВЕКМНОРСТХІЅЈαοενρτυικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aeopcyxisjhdqwABEKMHOPCTXISJaoevptuikABEZHIKMNOPTYX",
        strict=True,
    )
)
_LINES = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


class _Table(dict[int, str | None]):
    """`str.translate` table filled on demand: one character, or None for a character that is not seen."""

    def __missing__(self, code: int) -> str | None:
        value = self[code] = _fold(chr(code))
        return value


def _fold(character: str) -> str | None:
    if character in _LINES:
        return "\n"
    if character in _DASHES:
        return "-"
    if character in _DOTS:
        return "."
    if character in _QUOTES:
        return "'"
    if character in _DOUBLE_QUOTES:
        return '"'
    if character in _LOOK_ALIKES:
        return _LOOK_ALIKES[character]
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category in {"Cf", "Cc", "Mn", "Me", "Cn", "Co"} or character in "\u115f\u1160\u3164\uffa0":
        return None
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


_TABLE = _Table({code: chr(code) for code in range(0x20, 0x7F)})
_TABLE[ord("`")] = "'"
# What is already as patterns want it: plain ASCII, and the accented letters of French.
_PLAIN = re.compile(r"[\n -_a-~À-ÖØ-öø-ÿŒœ]*")


@dataclass(frozen=True, slots=True)
class View:
    """A text as patterns read it.

    Attributes:
        text: the folded text.
        origin: for each character of `text` its index in the original; None when nothing was removed.
    """

    text: str
    origin: list[int] | None

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Positions in the original for a non-empty slice of the view."""
        if self.origin is None:
            return start, end
        return self.origin[start], self.origin[end - 1] + 1


def view(text: str) -> View:
    """Fold one text. Linear; a plain text comes back as it is."""
    if _PLAIN.fullmatch(text):
        return View(text, None)
    folded = text.translate(_TABLE)
    if len(folded) == len(text):
        return View(folded, None)
    origin = [index for index, character in enumerate(text) if _TABLE[ord(character)] is not None]
    return View(folded, origin)


def fold(text: str) -> str:
    """The folded text alone."""
    return text if _PLAIN.fullmatch(text) else text.translate(_TABLE)
