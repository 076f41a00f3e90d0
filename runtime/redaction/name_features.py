"""Cut a text into words and marks, and say of each what the network for names is told.

Words end at every change of kind: "Jean-François" is three, "d'Amours" three. What is told of each: which word of a
closed vocabulary it is, its shape, its ending, how much it looks like a name (`name_words.py`), how it is joined to
its neighbours, and something of the text as a whole. Nothing is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from runtime.redaction.name_words import Floats, key

Indices = npt.NDArray[np.int64]
UNKNOWN = 0
SHAPES = 24
ENDINGS = 2048
NUMBERS = 20  # numeric features a word
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\S\n]*\n\s*|\t|[^\w\s]|_")
_MARKS = {".": 14, ",": 15, ":": 16, ";": 16, "-": 17, "'": 18, "(": 19, ")": 20, '"': 21, "@": 22, "_": 22, "/": 22}


class Token(NamedTuple):
    """A word, a number, a mark, or a line end; code points."""

    text: str
    start: int
    end: int


class Judge(Protocol):
    """Says how much words look like names and words: see `name_words.Likeness`."""

    def scores(self, words: Sequence[str]) -> Floats:
        """Log odds, one row a word."""


class Words(NamedTuple):
    """What the features of a word are taken from."""

    vocabulary: dict[str, int]
    given: npt.NDArray[np.uint32]
    family: npt.NDArray[np.uint32]
    proper: npt.NDArray[np.uint32]
    french: Callable[[Sequence[str]], npt.NDArray[np.bool_]]
    english: Callable[[Sequence[str]], npt.NDArray[np.bool_]]
    likeness: Judge


class Features(NamedTuple):
    """One row a token: vocabulary index, shape, ending, numbers."""

    words: Indices
    shapes: Indices
    endings: Indices
    numbers: Floats


def tokens(text: str) -> list[Token]:
    """The words and marks of a text. Line ends count, other white space does not (tabs do)."""
    return [Token(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text)]


def shape(text: str) -> int:
    """0-8 words, 9-12 numbers, 13 line ends and tabs, from 14 on marks."""
    if text.isalpha():
        if text.islower():
            return 0 if len(text) > 1 else 1
        if text.isupper():
            return 2 if len(text) == 1 else 3 if len(text) < 4 else 4
        if text.istitle() or (text[0].isupper() and text[1:].islower()):
            return 5 if len(text) > 2 else 6
        return 7 if text[0].isupper() else 8
    if text[0].isdigit():
        return 9 if len(text) == 1 else 10 if len(text) == 2 else 11 if len(text) == 4 else 12
    return 13 if text.isspace() else _MARKS.get(text, 23)


def features(texts: Sequence[Sequence[Token]], words: Words) -> Features:
    """Features of all tokens of all texts, one text after another.

    Args:
        texts: the tokens of each text.
        words: the lists.
    """
    lowered = [[_folded(token.text) for token in text] for text in texts]
    unique = sorted({word for text in lowered for word in text})
    place = {word: index for index, word in enumerate(unique)}
    table, vocabulary, endings = _of_words(unique, words)
    shapes = [shape(token.text) for text in texts for token in text]
    which = np.fromiter((place[word] for text in lowered for word in text), dtype=np.int64, count=len(shapes))
    numbers = np.zeros((len(shapes), NUMBERS), dtype=np.float32)
    numbers[:, :9] = table[which]
    at = 0
    for text, folded in zip(texts, lowered, strict=True):
        if text:
            _of_places(text, folded, shapes[at : at + len(text)], numbers[at : at + len(text)])
        at += len(text)
    return Features(vocabulary[which], np.array(shapes, dtype=np.int64), endings[which], numbers)


def _folded(text: str) -> str:
    if text.isspace():
        return "\t" if text == "\t" else "\n\n" if text.count("\n") > 1 else "\n"
    return "'" if text == "’" else text.lower() if not text[0].isdigit() else str(min(len(text), 5))


def _of_words(unique: list[str], words: Words) -> tuple[Floats, Indices, Indices]:
    table = np.zeros((len(unique), 9), dtype=np.float32)
    vocabulary = np.array([words.vocabulary.get(word, UNKNOWN) for word in unique], dtype=np.int64)
    endings = np.zeros(len(unique), dtype=np.int64)
    rows = [index for index, word in enumerate(unique) if word.isalpha()]
    if rows:
        alphabetic = [unique[index] for index in rows]
        keys = np.fromiter((key(word) for word in alphabetic), dtype=np.uint32, count=len(rows))
        table[rows, 0] = listed(words.given, keys)
        table[rows, 1] = listed(words.family, keys)
        table[rows, 2] = words.french(alphabetic)
        table[rows, 3] = words.english(alphabetic)
        table[rows, 3] *= ~listed(words.proper, keys)
        table[rows, 4:8] = np.clip(words.likeness.scores(alphabetic), -8, 8) / 4
        table[rows, 8] = [min(len(word), 12) / 12 for word in alphabetic]
        endings[rows] = [1 + key(word[-3:]) % (ENDINGS - 1) for word in alphabetic]
    return table, vocabulary, endings


def listed(sorted_keys: npt.NDArray[np.uint32], keys: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Which hashes are in a sorted list of hashes."""
    at = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.equal(sorted_keys[at], keys)


def _of_places(text: Sequence[Token], folded: list[str], shapes: list[int], numbers: Floats) -> None:
    """How tokens stand to each other, and what their text is like."""
    small = {word for word, kind in zip(folded, shapes, strict=True) if kind == 0}
    alphabetic = [kind for kind in shapes if kind < 9]
    count = max(1, len(alphabetic))
    upper = sum(kind in {3, 4} for kind in alphabetic) / count
    title = sum(kind in {5, 6, 7} for kind in alphabetic) / count
    numbers[:, 9] = upper
    numbers[:, 10] = title
    numbers[:, 11] = upper + title == 0
    numbers[:, 12] = min(len(text), 40) / 40
    numbers[0, 13] = 1
    end, line_start = -1, True
    for index, token in enumerate(text):
        row = numbers[index]
        row[14] = token.start == end
        row[15] = line_start
        row[16] = token.start > end + 1
        row[17] = shapes[index] in {5, 6, 7} and folded[index] in small
        line_start = shapes[index] == 13 and token.text != "\t"
        end = token.end
    numbers[:-1, 18] = numbers[1:, 14]
    numbers[:-1, 19] = [kind == 13 for kind in shapes[1:]]
    numbers[-1, 19] = 1
