"""Trains what judges a word by its letters (`Likeness`): on the lists of names and the words of two dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from spacy.strings import get_string_id

from runtime.redaction.dictionary import PACKAGES, tables
from runtime.redaction.lexicon import word_set
from runtime.redaction.name_words import BUCKETS, Floats, Likeness, ngrams

from . import network
from .texts import lists

FOLDS = 3
_WIDTH, _HIDDEN, _BATCH, _EPOCHS, _RATE = 12, 24, 2048, 6, 0.02
_FRENCH_ENDINGS = {
    "er": word_set("e es ons ez ent ais ait ions iez aient ai as a eront era erait é ée és ées ant"),
    "ir": word_set("is it issons issez issent issait ira irait i ie ies issant"),
}
_ENGLISH_ENDINGS = ("s", "ed", "ing", "d")


def common_words() -> dict[str, set[str]]:
    """The lower-case words of the language models' lemma tables, with regular forms."""
    found = {}
    for language in PACKAGES:
        lemmas = tables(language)["lemma_index"]
        verbs = {word for word in lemmas[get_string_id("verb")] if _plain(word)}
        words = {word for of in lemmas.values() for word in of if _plain(word)}
        if language == "fr":
            forms = {
                word[:-2] + ending for word in verbs for end, endings in _FRENCH_ENDINGS.items() if word.endswith(end)
                for ending in endings
            }  # fmt: skip
            plurals = {word + "s" for word in words - verbs if word[-1] not in "sxz"}
        else:
            forms = {word.removesuffix("e") + ending for word in verbs for ending in _ENGLISH_ENDINGS}
            plurals = {word + "s" for word in words - verbs if word[-1] not in "sxz"}
        found[language] = words | forms | plurals
    return found


def proper_nouns(names: set[str]) -> set[str]:
    """English nouns of the table that are names and nothing else."""
    lemmas: dict[int, list[str]] = tables("en")["lemma_index"]
    others = {word for kind in ("adj", "adv", "verb") for word in lemmas[get_string_id(kind)]}
    return (set(lemmas[get_string_id("noun")]) & names) - others - set(lists()["both.en"])


def _plain(word: str) -> bool:
    return word.isalpha() and word.islower() and len(word) > 1


def train(
    given: set[str], family: set[str], common: dict[str, set[str]], *, without: int | None, seed: int
) -> Likeness:
    """The network for all words but those of one fold.

    Words of a dictionary that are names too count as both: "rose" is not evidence against "Rose".
    """
    names = given | family
    words = sorted(names) * 3 + sorted(common["fr"]) + sorted(common["en"] - names)
    if without is not None:
        words = [word for word in words if fold(word) != without]
    labels = np.array(
        [(word in given, word in family, word in common["fr"], word in common["en"]) for word in words], np.float32
    )
    buckets, starts = ngrams(words)
    ends = np.append(starts[1:], len(buckets)).astype(np.int64)
    random = np.random.default_rng(seed)
    rows = random.normal(0, 0.5, (BUCKETS, _WIDTH)).astype(np.float32)
    inner, inner_bias = network.weights(random, _WIDTH, _HIDDEN)
    outer, outer_bias = network.weights(random, _HIDDEN, labels.shape[1])
    parameters = {"rows": rows, "inner": inner, "inner_bias": inner_bias, "outer": outer, "outer_bias": outer_bias}
    optimizer = network.Adam(parameters)
    steps = _EPOCHS * (len(words) // _BATCH + 1)
    step = 0
    for _ in range(_EPOCHS):
        order = random.permutation(len(words))
        for low in range(0, len(order), _BATCH):
            chosen = order[low : low + _BATCH]
            lengths = ends[chosen] - starts[chosen]
            first = np.cumsum(lengths) - lengths
            flat = buckets[np.repeat(starts[chosen] - first, lengths) + np.arange(lengths.sum())].astype(np.int64)
            mean = np.add.reduceat(rows[flat], first, axis=0) / lengths[:, None].astype(np.float32)
            kept = network.dropped(random, mean.shape, 0.1)
            given_in = mean * kept
            hidden = np.maximum(given_in @ inner + inner_bias, 0)
            scores = hidden @ outer + outer_bias
            error = (1 / (1 + np.exp(-scores)) - labels[chosen]) / np.float32(scores.size)
            back = (error @ outer.T) * (hidden > 0)
            to_mean = (back @ inner.T) * kept / lengths[:, None].astype(np.float32)
            gradients = {
                "rows": network.table_gradient(np.repeat(to_mean, lengths, axis=0), flat, BUCKETS),
                "inner": given_in.T @ back, "inner_bias": back.sum(axis=0),
                "outer": hidden.T @ error, "outer_bias": error.sum(axis=0),
            }  # fmt: skip
            optimizer.step(gradients, _RATE * max(0.02, 1 - step / steps))
            step += 1
    return Likeness(rows, inner, inner_bias, outer, outer_bias)


def fold(word: str) -> int:
    """Which part a word belongs to when scores for training are made by networks that do not know it."""
    return crc32(b"fold" + word.encode()) % FOLDS


class Crossed:
    """Scores each word by the network that was trained without it: as unknown words will be scored."""

    def __init__(self, parts: list[Likeness]) -> None:
        self._parts = parts

    def scores(self, words: Sequence[str]) -> Floats:
        """Log odds, one row a word."""
        result = np.zeros((len(words), 4), dtype=np.float32)
        for number, part in enumerate(self._parts):
            chosen = [index for index, word in enumerate(words) if fold(word) == number]
            if chosen:
                result[chosen] = part.scores([words[index] for index in chosen])
        return result
