"""Digits written as words, in French and English, read as digits: "cinq un quatre …", "oh six, twelve, thirty-four".

Only runs of number words with little between them are read, and only as a reading of its own (`disguise.py`): what
they amount to is for the recognizers to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from runtime.redaction.lexicon import word_set
from runtime.redaction.normalise import View, lowered, replaced

_UNITS = {
    word: str(value)
    for value, words in enumerate(
        (
            "zero oh nought naught",
            "un une one", "deux two", "trois three", "quatre four", "cinq five", "six", "sept seven",
            "huit eight", "neuf nine", "dix ten", "onze eleven", "douze twelve", "treize thirteen",
            "quatorze fourteen", "quinze fifteen", "seize sixteen", "dix-sept seventeen", "dix-huit eighteen",
            "dix-neuf nineteen",
        )
    )
    for word in words.split()
}  # fmt: skip
_TENS = {
    "vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "septante": 70, "quatre-vingt": 80,
    "quatre-vingts": 80, "huitante": 80, "octante": 80, "nonante": 90, "twenty": 20, "thirty": 30, "forty": 40,
    "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_HUNDREDS = frozenset({"cent", "cents", "hundred"})
_REPEATED = {"double": 2, "triple": 3}
_ALONE = frozenset({"nought", "naught", "un", "une", "one", "oh", "cent", "cents", "double", "triple", "hundred"})
ORDINALS = word_set(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth thirtieth premier twenty-first twenty-second twenty-third "
    "twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirty-first"
)
"""Days of a month in English; of French ones the first alone has such a name."""
NUMBER_WORDS = frozenset(_UNITS) | frozenset(_TENS) | _HUNDREDS | frozenset(_REPEATED)
"""Words of numbers, lower case, without accents."""
TELLING = (NUMBER_WORDS - _ALONE) | {"zéro"}
"""Those of them that are no common words otherwise."""

# What is said between the groups of a number.
_SAID_MARK = re.compile(
    r"(?<=[0-9A-Za-z]) (?:(dash|tiret|hyphen|minus|moins)|(dot|point|period)|(slash|barre oblique)|(?:space|espace)) "
    r"(?=[0-9A-Za-z])"
)
# The number of a house, where a street follows.
_CIVIC = re.compile(
    r"(?<![\w-])((?i:[a-z]{4,9}(?:-[a-z]{2,9}){1,2}))(?=,? (?:(?:rue|avenue|boulevard|boul\.|chemin|rang|place|impasse|"
    r"allée|route|quai|cours)(?!\w)|(?:[A-Z][\w'-]{1,24} ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Drive|Dr|Lane|"
    r"Crescent|Court|"
    r"Place|Way|Boulevard|Blvd|Terrace|Close|Gardens)(?!\w)))"
)
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*|[0-9]+")
_ONE = re.compile(r"[a-z]+")
_GAP = re.compile(r"[\s,.\-/()]{1,4}(?:et |and )?")
_MARK = re.compile(r" ?([.:/-]) ?| (dot|point) ")
LEAST_WORDS = 3
SAID_MARKS = frozenset(
    {"dash", "tiret", "hyphen", "minus", "moins", "dot", "point", "period", "slash", "space", "espace"}
)


def spoken(text: str, words_of_text: Sequence[str]) -> Iterator[View]:
    """The text with its number words as digits, nothing if there are fewer than `LEAST_WORDS` of them.

    Numbers beside each other are read as one; where marks stand between them, also as apart: "ten . zero . zero . one".

    Args:
        text: folded text.
        words_of_text: its words, in lower case, without accents.
    """
    if sum([word in NUMBER_WORDS for word in words_of_text]) < LEAST_WORDS:
        return
    lower = lowered(text)
    words = [part for word in _WORD.finditer(lower) for part in _parts(word)]
    pieces: list[tuple[int, int, str]] = []
    at, last = 0, -1  # where the number before ended
    while at < len(words):
        taken, digits = number_at(words, at, lower)
        if (
            not taken
            and words[at].group().isdigit()
            and (
                (last == at - 1 >= 0 and _near(words, at - 1, lower))
                or (
                    at + 1 < len(words)
                    and _near(words, at, lower)
                    and _below_hundred(words[at + 1].group()) is not None
                )
            )
        ):  # written digits beside a number word: "six, 41, vingt-deux"
            taken, digits = 1, words[at].group()
        if taken:
            pieces.append((words[at].start(), words[at + taken - 1].end(), digits))
        at += taken or 1
        last = at - 1 if taken else last
    if len(pieces) < 2:
        return
    yield _replaced(text, pieces)
    if any(_MARK.fullmatch(text, first[1], second[0]) for first, second in pairwise(pieces)):
        yield _replaced(text, pieces, marks=True)


def marked(text: str) -> View | None:
    """The text with marks for those that are said between digits ("177 dash 88 dash 3950"), None if there are none."""
    pieces = [
        (*match.span(), "-" if match[1] else "." if match[2] else "/" if match[3] else " ")
        for match in _SAID_MARK.finditer(text)
        if text[match.start() - 1].isdigit() or text[match.end()].isdigit()
    ]
    return replaced(text, pieces) if pieces else None


def civic(text: str) -> View | None:
    """The text with the number of a house in digits, None if none is in words: "twenty-nine Sycamore Road"."""
    pieces: list[tuple[int, int, str]] = []
    for match in _CIVIC.finditer(text):
        value = _below_hundred(lowered(match[1]))
        if value is not None:
            pieces.append((*match.span(1), str(value)))
    return _replaced(text, pieces) if pieces else None


def _parts(word: re.Match[str]) -> list[re.Match[str]]:
    """A hyphenated word that is no number, but numbers: "cinq-un-quatre"."""
    if "-" not in word.group() or _below_hundred(word.group()) is not None:
        return [word]
    return list(_ONE.finditer(word.string, *word.span()))


def _replaced(text: str, pieces: list[tuple[int, int, str]], *, marks: bool = False) -> View:
    """Digits for words; those of neighbouring numbers stand together, as the digits of one, or with their marks."""
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for low, high, digits in [*pieces, (len(text), len(text), "")]:
        if marks and at and digits and (mark := _MARK.fullmatch(text, at, low)):
            out.append(mark[1] or ".")
            starts.append(at)
            ends.append(low)
        elif not (at and digits and _GAP.fullmatch(text[at:low])):
            out.append(text[at:low])
            starts += range(at, low)
            ends += range(at + 1, low + 1)
        for _ in digits:
            starts.append(low)
            ends.append(high)
        out.append(digits)
        at = high
    return View("".join(out), starts, ends)


def number_at(words: list[re.Match[str]], at: int, lower: str) -> tuple[int, str]:
    """How many words from `at` on are one number, and its digits."""
    word = words[at].group()
    following = words[at + 1].group() if at + 1 < len(words) and _near(words, at, lower) else ""
    if word in _REPEATED:
        unit = _UNITS.get(following, "")
        return (2, unit * _REPEATED[word]) if len(unit) == 1 else (0, "")
    value = _below_hundred(word)
    if value is None and word in _HUNDREDS and word != "hundred":
        value, used = 100, 1
        more = _below_hundred(following)
        return (2, str(value + more)) if more is not None and word == "cent" else (used, str(value))
    if value is None:
        return 0, ""
    used = 1
    if following in _HUNDREDS and (value > 1 or following == "hundred") and value < 10:
        value, used = value * 100, 2
        third = words[at + 2].group() if at + 2 < len(words) and _near(words, at + 1, lower) else ""
        more = _below_hundred(third)
        if more is not None and more > 9:
            value, used = value + more, 3
        return used, str(value)
    if value in {20, 30, 40, 50, 60, 70, 80, 90}:
        both = following == "et" and at + 2 < len(words)  # soixante et onze
        more = _below_hundred(words[at + 2].group() if both else following)
        reach = 20 if value in {60, 80} and not word.endswith("y") else 10
        if more is not None and 0 < more < reach and lower[words[at].end() : words[at + 1].start()] in {" ", "-"}:
            return (3 if both else 2), str(value + more)
    return used, str(value)


def _near(words: list[re.Match[str]], at: int, lower: str) -> bool:
    return len(lower[words[at].end() : words[at + 1].start()].strip(" ,.-\n")) == 0


def _below_hundred(word: str) -> int | None:
    """The value of one word, hyphens included: "quarante-deux", "soixante-et-onze", "quatre-vingt-dix-sept"."""
    if word in _UNITS:
        return int(_UNITS[word])
    if word in _TENS:
        return _TENS[word]
    if "-" not in word:
        return None
    for tens in ("quatre-vingts", "quatre-vingt"):
        if word.startswith(tens + "-"):
            rest = _UNITS.get(word[len(tens) + 1 :])
            return None if rest is None else 80 + int(rest)
    head, _, tail = word.partition("-")
    unit = _UNITS.get(tail.removeprefix("et-"))
    if head not in _TENS or unit is None:
        return None
    return _TENS[head] + int(unit)
