"""The network for names: reads its weights, evaluates them with numpy, gives spans.

A convolutional tagger: features of `name_features.py` → one dense layer → residual convolutions of width three → scores
of four tags (nothing, first word of a name, further word of a name, place where somebody lives). It is made by
`scripts/train_names` and kept beside this file; which spans are believed, and what rules add, is for `names.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.redaction.errors import PiiUnavailable
from runtime.redaction.name_features import Features, Token, Words, features, tokens
from runtime.redaction.name_words import Floats, Likeness

WEIGHTS = Path(__file__).parent / "names.npz"
_PAD = 1  # a row of zeros between texts


class Tagged(NamedTuple):
    """The tokens of a text and their probabilities: nothing, begins a name, continues one, place."""

    tokens: list[Token]
    tags: Floats


class Network(NamedTuple):
    """The weights."""

    words: Floats
    shapes: Floats
    endings: Floats
    first: Floats
    first_bias: Floats
    layers: tuple[tuple[Floats, Floats], ...]
    last: Floats
    last_bias: Floats

    def scores(self, given: Features, sizes: Sequence[int]) -> Floats:
        """Log odds of the tags, one row a token."""
        inputs = np.concatenate(
            (self.words[given.words], self.shapes[given.shapes], self.endings[given.endings], given.numbers), axis=1
        )
        single = np.maximum(inputs @ self.first + self.first_bias, 0)
        starts = np.cumsum([_PAD, *(size + _PAD for size in sizes)])
        where = np.concatenate([np.arange(low, high - _PAD) for low, high in pairwise(starts)])
        width = single.shape[1]
        rows = np.zeros((int(starts[-1]), width), dtype=np.float32)
        rows[where] = single
        inside = np.zeros((len(rows), 1), dtype=np.float32)
        inside[where] = 1
        around = np.zeros((len(rows), 3 * width), dtype=np.float32)
        for weight, bias in self.layers:
            around[1:, :width] = rows[:-1]
            around[:, width : 2 * width] = rows
            around[:-1, 2 * width :] = rows[1:]
            rows = rows + np.maximum(around @ weight + bias, 0) * inside
        scores: Floats = rows[where] @ self.last + self.last_bias
        return scores


class NameModel:
    """The network with its word lists. Holds nothing of the texts; may be used by several threads at once."""

    def __init__(self, french: Callable[[str], bool], english: Callable[[str], bool], path: Path = WEIGHTS) -> None:
        """Read the weights.

        Raises:
            PiiUnavailable: they are missing or damaged.
        """
        try:
            with np.load(path) as stored:
                weights = {name: _full(stored, name) for name in stored.files if not name.endswith("_scale")}
            vocabulary = bytes(weights["vocabulary"].astype(np.uint8)).decode().split("\0")
            self.network = Network(
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
        except Exception as error:
            raise PiiUnavailable("the weights for names cannot be read") from error

    def tag(self, texts: Sequence[str]) -> list[Tagged]:
        """The tag probabilities of every token of every text: one batch."""
        cut = [tokens(text) for text in texts]
        filled = [text for text in cut if text]
        if not filled:
            return [Tagged(text, np.zeros((0, 4), dtype=np.float32)) for text in cut]
        scores = self.network.scores(features(filled, self.words), [len(text) for text in filled])
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        tagged, at = [], 0
        for text in cut:
            tagged.append(Tagged(text, scores[at : at + len(text)]))
            at += len(text)
        return tagged


def _full(stored: npt.NDArray[np.float32] | object, name: str) -> npt.NDArray[np.float32]:
    """A stored array; those of single bytes are multiplied by their scale."""
    values = stored[name]  # type: ignore[index]
    scale = f"{name}_scale"
    return values.astype(np.float32) * stored[scale] if scale in stored.files else values  # type: ignore
