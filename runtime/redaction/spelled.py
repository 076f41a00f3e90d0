"""Letters that are said, read as letters: "K as in kilo", "G comme Gaston", "Kilo four seven Delta", "F O R C, ten".

A reading of its own (`disguise.py`), in which the letters and the numbers beside them, in digits or in words
(`spoken.py`), stand together as one value; what it is, is for the recognizers to say.
"""

from __future__ import annotations

import re

from runtime.redaction.lexicon import word_set
from runtime.redaction.normalise import View, lowered, replaced
from runtime.redaction.spoken import number_at

ALPHABET = word_set(
    """
    alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike oscar papa
    quebec romeo sierra tango uniform victor whiskey whisky yankee zulu
    """
)
"""The words of the spelling alphabet of telephones and radio, without accents; November is a month."""
SPELLS = ALPHABET | {"as", "comme"}
"""A text with none of these, and no row of single letters, has nothing spelled in it."""
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*|[0-9]+")
_AS_IN = re.compile(r"(?:,? (?:as in|comme dans|comme)) ([a-z'-]{2,16})(?: ([a-z'-]{2,16}))?")
_GAP = re.compile(r"[\s,.\-/]{0,3}")
_MOST_LETTERS = 2
_LEAST_LETTERS = 4  # in a row, where no word says that they are spelled
_LEAST_DIGITS = 3


def spelled(text: str) -> View | None:
    """The text with what is spelled in it put together, None if nothing is.

    Args:
        text: folded text.
    """
    lower = lowered(text)
    words = list(_WORD.finditer(lower))
    runs: list[list[tuple[int, int, str, bool]]] = [[]]
    at = 0
    while at < len(words):
        start = words[at].start()
        taken, value, sure = _piece(words, at, lower)
        run = runs[-1]
        if run and (not taken or not _GAP.fullmatch(lower[run[-1][1] : start])):
            runs.append([])
        if taken:
            end = words[at + taken - 1].end()
            runs[-1].append((start, end, text[start:end] if value is None else value, sure))
        at += taken or 1
    found = [(run[0][0], run[-1][1], "".join(value for _, _, value, _ in run)) for run in runs if _counts(run)]
    return replaced(text, found) if found else None


def _piece(words: list[re.Match[str]], at: int, lower: str) -> tuple[int, str | None, bool]:
    """How many words from `at` on are one piece of a value, what it says, and whether it is said to be spelled."""
    word = words[at].group()
    if word.isdigit():
        return 1, word, False
    if len(word) <= _MOST_LETTERS and (said := _AS_IN.match(lower, words[at].end())):
        initials = "".join(name[0] for name in said.groups()[: len(word)] if name)
        if initials == word:
            end = said.end(len(word))
            taken = sum(1 for later in words[at : at + 8] if later.start() < end)
            return taken, word.upper(), True
    if len(word) == 1:
        return 1, word.upper(), False
    if word in ALPHABET:
        return 1, word[0].upper(), True
    taken, digits = number_at(words, at, lower)
    return taken, digits, False


def _counts(run: list[tuple[int, int, str, bool]]) -> bool:
    """Whether pieces beside each other are a value: letters that are spelled, and digits."""
    letters = [value for _, _, value, _ in run if value.isalpha()]
    digits = sum(len(value) for _, _, value, _ in run if value.isdigit())
    told = any(sure for _, _, _, sure in run)
    return digits >= _LEAST_DIGITS and (told or len(letters) >= _LEAST_LETTERS) and len(run) > 1
