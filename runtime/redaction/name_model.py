"""The network for names: reads its weights, evaluates them with numpy, gives each word its probabilities.

Three convolutional taggers of one shape, whose readings are averaged: features of `name_features.py` → one dense layer
→ residual convolutions of width three → scores of four tags (nothing, first word of a name, further word of a name,
place where somebody lives). They are made by `scripts/train_names` and kept beside this file, without pickled objects;
which words are believed, and what rules add, is for `names.py`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.redaction.errors import PiiUnavailable
from runtime.redaction.name_features import Features, Token, Words, features, listed, tokens
from runtime.redaction.name_words import Floats, Likeness, key

WEIGHTS = Path(__file__).parent / "names.npz"
SHA256 = "c5575817a88add8d130a9bece673e139c99c1d62241c36d55d5b18d2f46db6d5"
_PAD = 1  # a row of zeros between texts
_BATCH = 4_000  # tokens
# Rows of one matrix product: of the width used here, fewer numbers than OpenBLAS hands to several threads, which cost
# more than they give as soon as two processes share the cores.
_ROWS = 28


class Tagged(NamedTuple):
    """The tokens of a text and their probabilities: nothing, begins a name, continues one, place."""

    tokens: list[Token]
    tags: Floats


class Network(NamedTuple):
    """The weights of several networks of one shape, the network first in each array."""

    words: Floats
    shapes: Floats
    endings: Floats
    first: Floats
    first_bias: Floats
    layers: tuple[tuple[Floats, Floats], ...]
    last: Floats
    last_bias: Floats

    def scores(self, given: Features, sizes: Sequence[int]) -> Floats:
        """Log odds of the tags: for each network one row a token."""
        numbers = np.broadcast_to(given.numbers, (len(self.words), *given.numbers.shape))
        looked_up = (self.words[:, given.words], self.shapes[:, given.shapes], self.endings[:, given.endings])
        inputs = np.concatenate((*looked_up, numbers), axis=2)
        single = np.maximum(_product(inputs, self.first) + self.first_bias[:, None], 0)
        starts = np.cumsum([_PAD, *(size + _PAD for size in sizes)])
        where = np.concatenate([np.arange(low, high - _PAD) for low, high in pairwise(starts)])
        width = single.shape[2]
        rows = np.zeros((len(single), int(starts[-1]), width), dtype=np.float32)
        rows[:, where] = single
        inside = np.zeros((rows.shape[1], 1), dtype=np.float32)
        inside[where] = 1
        for weight, bias in self.layers:
            added = _product(rows, weight[:, width : 2 * width]) + bias[:, None]
            added[:, 1:] += _product(rows[:, :-1], weight[:, :width])
            added[:, :-1] += _product(rows[:, 1:], weight[:, 2 * width :])
            rows += np.maximum(added, 0) * inside
        return _product(rows[:, where], self.last) + self.last_bias[:, None]


def _product(rows: Floats, weight: Floats) -> Floats:
    if rows.shape[1] <= _ROWS:
        return rows @ weight
    return np.concatenate([rows[:, low : low + _ROWS] @ weight for low in range(0, rows.shape[1], _ROWS)], axis=1)


class NameModel:
    """The network with its word lists. Holds nothing of the texts; may be used by several threads at once.

    Args:
        french: which of some lower-case words are in a French dictionary.
        english: the same in English.
        path: the weights.
        sha256: of the weights.

    Raises:
        PiiUnavailable: the weights are missing, damaged, or not those that were expected.
    """

    def __init__(
        self,
        french: Callable[[Sequence[str]], npt.NDArray[np.bool_]],
        english: Callable[[Sequence[str]], npt.NDArray[np.bool_]],
        path: Path = WEIGHTS,
        sha256: str = SHA256,
    ) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise PiiUnavailable("the weights for names cannot be read") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PiiUnavailable("the weights for names are not those of this release")
        try:
            weights = _arrays(content)
            vocabulary = weights["vocabulary"].astype(np.uint8).tobytes().decode().split("\0")
            self._network = Network(
                weights["words"], weights["shapes"], weights["endings"], weights["first"], weights["first_bias"],
                tuple(
                    (weights[f"layer{index}"], weights[f"layer{index}_bias"])
                    for index in range(sum(name.startswith("layer") and name.endswith("_bias") for name in weights))
                ),
                weights["last"], weights["last_bias"],
            )  # fmt: skip
            likeness = Likeness(
                weights["rows"], weights["inner"], weights["inner_bias"], weights["outer"], weights["outer_bias"]
            )
            self.words = Words(
                {word: index + 1 for index, word in enumerate(vocabulary)},
                weights["given"], weights["family"], weights["proper"], french, english, likeness,
            )  # fmt: skip
        except (KeyError, ValueError, OSError) as error:
            raise PiiUnavailable("the weights for names cannot be read") from error

    def is_common(self, word: str) -> bool:
        """Whether a lower-case word is in a dictionary and is not a name alone."""
        return bool(self.words.french([word])[0] or (self.words.english([word])[0] and not self._in(word, "proper")))

    def is_given(self, word: str) -> bool:
        """Whether a lower-case word is on the list of given names."""
        return self._in(word, "given")

    def is_name(self, word: str) -> bool:
        """Whether a lower-case word is on a list of given or family names."""
        return self._in(word, "given") or self._in(word, "family")

    def tag(self, texts: Sequence[str], check: Callable[[], None] = lambda: None) -> list[Tagged]:
        """The tag probabilities of every token of every text.

        Args:
            texts: any.
            check: called between batches; may raise.
        """
        tagged: list[Tagged] = []
        batch: list[list[Token]] = []
        size = 0
        for text in texts:
            batch.append(tokens(text))
            size += len(batch[-1])
            if size > _BATCH:
                check()
                tagged += self._tagged(batch)
                batch, size = [], 0
        check()
        return tagged + self._tagged(batch)

    def _in(self, word: str, name: str) -> bool:
        return bool(listed(getattr(self.words, name), np.array([key(word)], dtype=np.uint32))[0])

    def _tagged(self, cut: list[list[Token]]) -> list[Tagged]:
        filled = [text for text in cut if text]
        if not filled:
            return [Tagged(text, np.zeros((0, 4), dtype=np.float32)) for text in cut]
        scores = self._network.scores(features(filled, self.words), [len(text) for text in filled])
        scores -= scores.max(axis=2, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=2, keepdims=True)
        scores = scores.mean(axis=0)
        tagged, at = [], 0
        for text in cut:
            tagged.append(Tagged(text, scores[at : at + len(text)]))
            at += len(text)
        return tagged


def _arrays(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """The stored arrays in full: those of single bytes times their scale, lists of hashes as they are."""
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        found = {name: stored[name] for name in stored.files}
    return {
        name: values.astype(np.float32) * found[f"{name}_scale"] if f"{name}_scale" in found
        else values.astype(np.float32) if values.dtype == np.float16 else values
        for name, values in found.items()
        if not name.endswith("_scale")
    }  # fmt: skip
