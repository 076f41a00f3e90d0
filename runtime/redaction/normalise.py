"""Undo what hides a number or an address from a pattern, and keep the way back.

A view is the text as patterns read it: invisible characters gone, combining marks joined to their letter, full-width
and other digits, dashes, dots, quotes and spaces as in ASCII, Latin look-alikes as Latin letters. Each character of a
view knows the stretch of the original that it stands for, so that spans map back exactly.

Encodings (percent, HTML, base64 …) and digits written as words are undone in `disguise.py`. Nothing here decides what
is personal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

_DASHES = "‐‑‒–—―−⁃﹘﹣－⸺⸻➖"
_DOTS = "․‧∙·•．｡。﹒⸱…"
_QUOTES = "‘’‚‛′´`＇ʼʹ"
_DOUBLE_QUOTES = "“”„‟″＂"
_SLASHES = "⁄∕╱"
_BLANKS = "\u2800\u115f\u1160\u3164\uffa0"  # drawn as nothing, but not spaces to Unicode
# Letters of other scripts that are drawn like Latin ones: the usual way to hide an address from a filter.
_LOOK_ALIKES = dict(
    zip(
        "аеорсухіѕјһԁԛԝкмтѵѡԍӏαοενρτυικωΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТХІЅЈԌҮƖɡɑıոօհսցքԱՕՍՏᎪᏴᏟᎬᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ",
        "aeopcyxisjhdqwkmtvwglaoevptuikwABEZHIKMNOPTYXABEKMHOPCTXISJGYIgainohugpUOUSABCEHJKLMPRSTVWZ",
        strict=True,
    )
)
_LINES = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_INVISIBLE = frozenset({"Cf", "Cc", "Mn", "Me", "Cn", "Co"})


class _Table(dict[int, str]):
    """`str.translate` table filled on demand: what a character is read as, empty if it is not seen."""

    def __missing__(self, code: int) -> str:
        value = self[code] = _fold(chr(code))
        return value


def _fold(character: str) -> str:
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
    if character in _SLASHES:
        return "/"
    if character in _LOOK_ALIKES:
        return _LOOK_ALIKES[character]
    if character.isspace() or character in _BLANKS:
        return " "
    if unicodedata.category(character) in _INVISIBLE:
        return ""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", character)
    if folded.isalnum() or len(folded) == 1:
        return folded  # a ligature is read as its letters
    return character


_TABLE = _Table({code: chr(code) for code in range(0x20, 0x7F)})
_TABLE[ord("`")] = "'"
# What is already as patterns want it: plain ASCII, and the accented letters of French.
_PLAIN = re.compile(r"[\n -_a-~À-ÖØ-öø-ÿŒœ]*")
# What becomes one character each: typography, full width, Cyrillic and Greek.
_ONE_FOR_ONE = re.compile(
    "[\n -~À-ÖØ-öø-ÿŒœ\u00a0°«»€£\u2000-\u200a\u202f\u2010-\u2015\u2018-\u201f\u2022\u2026\u2032\u2033\uff01-\uff5e"
    "\u0391-\u03a1\u03a3-\u03a9\u03b1-\u03c9\u0410-\u044f]*"
)


@dataclass(frozen=True, slots=True)
class View:
    """A text as patterns read it.

    Attributes:
        text: the folded text.
        starts: for each character of `text` where it begins in the original; None when both are alike throughout.
        ends: the same for where it ends, exclusive.
    """

    text: str
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Positions in the original for a non-empty slice of the view."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]

    def without(self, dropped: Container[int]) -> View:
        """The same without some of its characters, by their places."""
        kept = [at for at in range(len(self.text)) if at not in dropped]
        return View("".join([self.text[at] for at in kept]), kept, [at + 1 for at in kept]).over(self)

    def over(self, under: View) -> View:
        """This view of `under.text`, as a view of what `under` is a view of."""
        if under.starts is None or under.ends is None:
            return self
        if self.starts is None or self.ends is None:
            return View(self.text, under.starts, under.ends)
        return View(
            self.text,
            [under.starts[start] for start in self.starts],
            [under.ends[end - 1] for end in self.ends],
        )


def replaced(text: str, pieces: Iterable[tuple[int, int, str]]) -> View:
    """A text with stretches of it replaced, in order; each character put there stands for its whole stretch."""
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for low, high, value in (*pieces, (len(text), len(text), "")):
        out += (text[at:low], value)
        starts += [*range(at, low), *[low] * len(value)]
        ends += [*range(at + 1, low + 1), *[high] * len(value)]
        at = high
    return View("".join(out), starts, ends)


def view(text: str) -> View:
    """Fold one text. Linear; a plain text comes back as it is."""
    if _PLAIN.fullmatch(text):
        return View(text)
    if _ONE_FOR_ONE.fullmatch(text):
        return View(text.translate(_TABLE))
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for index, character in enumerate(text):
        read = _TABLE[ord(character)]
        for one in read:
            folded.append(one)
            starts.append(index)
            ends.append(index + 1)
        if not read and ends and ends[-1] == index:
            if unicodedata.combining(character):
                composed = unicodedata.normalize("NFC", folded[-1] + character)
                if len(composed) == 1 and _PLAIN.fullmatch(composed):  # a letter of French; others stay bare
                    folded[-1] = composed
            ends[-1] = index + 1  # what is not seen goes with what stands before it
    return View("".join(folded), starts, ends)


def fold(text: str) -> str:
    """The folded text alone."""
    return text if _PLAIN.fullmatch(text) else view(text).text


class _Unaccented(dict[int, str | int]):
    """`str.translate` table filled on demand: a letter without its accent, anything else as it is."""

    def __missing__(self, code: int) -> str | int:
        base = unicodedata.normalize("NFD", chr(code))[0]
        value = self[code] = base if base.isascii() else code
        return value


_UNACCENTED = _Unaccented()


def lowered(text: str) -> str:
    """Lower case without accents, as labels are compared: one character for one."""
    lower = text.lower()
    if len(lower) != len(text):  # a few capitals (İ) grow when lowered: keep positions
        lower = "".join(low if len(low := character.lower()) == 1 else character for character in text)
    return lower if lower.isascii() else lower.translate(_UNACCENTED)
