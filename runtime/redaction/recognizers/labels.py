"""What the words before a value say it is: "NAS :", "employee no.", "passport number is", `"policyNumber":`.

One dictionary for both languages, without accents, and one walk backwards from the value: over small words and over
"no", "number", "#", to the nearest word of the dictionary. What is made of the answer is for each recognizer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from runtime.redaction.normalise import lowered
from runtime.redaction.recognizers.label_words import (
    BANK,
    BANKING,
    BIRTH,
    CARD,
    CODE,
    HEALTH,
    IBAN,
    LICENCE,
    MARK,
    NEQ,
    NIR,
    OTHER,
    PASSPORT,
    PHONE,
    PLATE,
    POSTAL,
    RECORD,
    SECRET,
    SIN,
    SIREN,
    SMALL,
    SSN,
    WORDS_OF,
)

# Written in one word in forms and programs: policyNumber, employee_id, noDossier.
_COMPOUND = (PHONE, SIN, HEALTH, NEQ, LICENCE, PASSPORT, BANK, CARD, IBAN, PLATE, SSN, SIREN, NIR, RECORD, OTHER)


def _dictionary() -> dict[str, int]:
    words: dict[str, int] = {}
    for bits, text in WORDS_OF.items():
        for word in text.split():
            words[word] = words.get(word, 0) | bits
    for word, bits in list(words.items()):
        if any(bits & kind for kind in _COMPOUND):
            for mark in ("number", "no", "num", "id", "nbr", "code"):
                words.setdefault(word + mark, bits | MARK)
            for mark in ("numero", "no", "num", "id", "code"):
                words.setdefault(mark + word, bits | MARK)
    return words


WORDS = _dictionary()
LABELS = (1 << 24) - 1 & ~(SMALL | MARK)
"""Everything that announces a value; the other bits are small words and what a text is about."""
PERSONAL = LABELS & ~(OTHER | CODE | BANKING | POSTAL) | BIRTH
"""Words that announce a number of somebody's."""
_ENDINGS = ("password", "passwd", "token", "secret", "apikey", "key")
_TOKEN = re.compile(r"[a-z]+|[0-9]+|\n|[^\sa-z0-9]")
_WITH_ATTRIBUTES = re.compile(r"<([a-z]{1,10})\s(?:class|style|id|align|width|scope|data)\b[^<>]{0,80}>")
_BETWEEN = ([","], ["et"], ["and"], ["ou"], ["or"], ["&"], ["/"])  # two values after one label
_OF = (["de"], ["d"], ["du"], ["°"])
REACH = 80  # how far back a label is looked for, in characters
_STRANGERS = 5  # words outside the dictionary between label and value


def about(words: Iterable[str]) -> int:
    """The bits of all these lower-case words together."""
    bits = 0
    for word in words:
        kind = WORDS.get(word)
        if kind is not None:
            bits |= kind
        elif not word.isascii():
            bits |= WORDS.get(lowered(word), 0)
        elif len(word) > 8 and word.endswith(_ENDINGS):
            bits |= SECRET
    return bits


def _goes_on(parts: list[str], index: int) -> bool:
    """Whether digits are a part of a number that another of the same kind follows: "hers is 12 34, his is 45 67"."""
    behind = parts[index + 1 : index + 5]
    if behind and (behind[0].isdigit() or (behind[0] in "-." and behind[1:2] and behind[1].isdigit())):
        return True
    return behind[:1] in _BETWEEN and all(WORDS.get(part, 0) & SMALL for part in behind[1:] if part.isalpha())


class Label(NamedTuple):
    """What stands before a value.

    Attributes:
        bits: the nearest words' kinds, 0 if there are none; `MARK` if a word outside the dictionary and "number", "no"
            or "id" are all there is: "CPSO no. 104471", "numero de pensionne 44718".
        explicit: "no", "number", ":", "=" or "#" stands between.
        far: how many words outside the dictionary stand between.
    """

    bits: int
    explicit: bool
    far: int


NOTHING = Label(0, explicit=False, far=0)


def label(before: str) -> Label:
    """The label at the end of a lower-case text without accents."""
    if before.rstrip()[-1:].isdigit():
        return NOTHING  # in the middle of a number
    if "<" in before and "=" in before:
        before = _WITH_ATTRIBUTES.sub(r"<\1>", before)
    bits = far = lines = 0
    explicit = pointed = signed = named = False
    parts = _TOKEN.findall(before)
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        if part.isalpha():
            kind = WORDS.get(part, 0)
            if kind & LABELS:
                bits |= kind & LABELS
                explicit = explicit or bool(kind & MARK)
            elif kind & MARK:
                explicit = True
                named = named or (0 < far <= 2 and (part == "identifiant" or parts[index + 1 : index + 2] in _OF))
            elif not kind & SMALL:
                if bits or far == _STRANGERS:
                    break
                named = named or (explicit and not far)
                far += 1
        elif part in ":#=°":
            pointed = pointed or (part == ":" and not bits)
            signed = signed or (part != ":" and not bits)
            if (bits and part != "°") or (far and part == "="):
                break
        elif part == "\n":
            asked = index > 0 and parts[index - 1] in {"?", ":"} and far <= 2
            lines += 1
            if bits or lines > 2 or not (asked or (far == 0 and lines == 1)):
                break
            far = 0  # the answer to a question, after who gives it
        elif part == "?" and not bits and (lines or not far):
            pointed = pointed or not lines
        elif part in "!?;":
            break
        elif part == ".":
            previous = parts[index - 1] if index else ""
            if bits or (len(previous) > 4 and previous not in WORDS):
                break
        elif part in '<>|["':
            pointed = pointed or not bits
            if bits:
                break
        elif part.isdigit() and index > 1 and parts[index - 1] == "-" and parts[index - 2].isalpha() and not bits:
            continue  # ISBN-10, SHA-256
        elif part.isdigit() and (bits or not _goes_on(parts, index)):
            break
    return Label(bits or (MARK if named else 0), explicit or (pointed and far <= 1) or (signed and not far), far)
