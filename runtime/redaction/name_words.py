"""How much a word by itself looks like a given name, a family name, a French or an English word.

Two sources: the letters (a small network over n-grams, which also judges names nobody listed) and lists (hashes of
names, and the dictionaries of the language models). Words are looked at in lower case. Nothing is remembered; the
weights are made by `scripts/train_names` and read by `name_model.py`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.uint32]
BUCKETS = 1 << 15
LONGEST = 24  # letters that are looked at: no name needs more
_SIZES = (2, 3, 4)
_BEGIN, _END = 1, 2


class _Bare(dict[int, str | int]):
    """`str.translate` table that takes accents off, filled on demand."""

    def __missing__(self, code: int) -> str | int:
        value = unicodedata.normalize("NFD", chr(code))[0]
        self[code] = value
        return value


_BARE = _Bare(
    {ord("ø"): "o", ord("ł"): "l", ord("đ"): "d", ord("ı"): "i", ord("œ"): "oe", ord("ß"): "ss", ord("æ"): "ae"}
)


def bare(word: str) -> str:
    """The word without accents."""
    return word if word.isascii() else word.translate(_BARE)


def key(word: str) -> int:
    """What stands for a word in a list of hashes: lower case, without accents."""
    return crc32(bare(word).encode())


def ngrams(words: Sequence[str]) -> tuple[Integers, Integers]:
    """Buckets of the n-grams of each word, one word after another, and where each word's begin.

    Args:
        words: lower-case words, not empty.
    """
    letters = "".join(f"\1{bare(word)[:LONGEST]}\2" for word in words)
    codes = np.frombuffer(letters.encode("utf-32-le", "replace"), dtype=np.uint32)
    ends = np.flatnonzero(codes == _END)
    word_of = np.cumsum(codes == _BEGIN)
    hashes, owners = [], []
    rolling = codes.astype(np.uint32)
    for size in range(2, max(_SIZES) + 1):
        rolling = rolling[:-1] * np.uint32(0x01000193) ^ codes[size - 1 :]
        inside = word_of[: len(rolling)] == word_of[size - 1 :]
        mixed = rolling[inside]
        mixed ^= mixed >> np.uint32(15)
        hashes.append((mixed * np.uint32(0x85EBCA6B) + np.uint32(size)) >> np.uint32(17))
        owners.append(word_of[: len(inside)][inside])
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(1, len(ends) + 1)).astype(np.uint32)
    return np.concatenate(hashes)[order], starts


class Likeness(NamedTuple):
    """The network: mean of n-gram rows → hidden layer → four scores (given, family, French, English)."""

    rows: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    outer_bias: Floats

    def scores(self, words: Sequence[str]) -> Floats:
        """Log odds, one row a word."""
        buckets, starts = ngrams(words)
        counts = np.diff(starts, append=np.uint32(len(buckets))).astype(np.float32)
        mean = np.add.reduceat(self.rows[buckets], starts, axis=0) / counts[:, None]
        hidden = np.maximum(mean @ self.inner + self.inner_bias, 0)
        return hidden @ self.outer + self.outer_bias
