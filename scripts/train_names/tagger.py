"""Trains the tagger (`runtime/redaction/name_model.py`) on generated texts."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.redaction.name_features import ENDINGS, NUMBERS, SHAPES, UNKNOWN, Features, Token, Words, features, tokens
from runtime.redaction.normalise import view

from . import network
from .network import Floats, Indices, Parameters
from .texts import Labelled

TAGS = ("O", "B", "I", "L")
_WORD, _SHAPE, _ENDING, _WIDTH, _LAYERS = 24, 6, 8, 96, 4
_FEATURE_BATCH = 256  # texts
_INPUT_DROPPED, _LAYER_DROPPED = 0.05, 0.1


class Data(NamedTuple):
    """Tokens of many texts, one after another, a row of padding before each text and after the last."""

    features: Features
    tags: Indices
    inside: Floats
    starts: npt.NDArray[np.int64]


def data(texts: Iterable[Labelled], words: Words, *, forget: float, seed: int) -> Data:
    """Features and tags.

    Args:
        texts: what to read.
        words: the lists; its likeness should not know the texts' names.
        forget: the share of words whose place in a list of names is not told, so that the lists are no crutch.
        seed: of what is forgotten.
    """
    random = Random(seed)
    parts: list[tuple[Features, Indices]] = []
    batch: list[tuple[list[Token], Indices]] = []
    for text in texts:
        cut = tokens(_shown(text.text))
        if cut:
            batch.append((cut, _tags(cut, text.spans)))
            if len(batch) == _FEATURE_BATCH:
                parts += _read(batch, words, forget, random)
                batch = []
    parts += _read(batch, words, forget, random)
    sizes = np.array([len(tags) for _, tags in parts])
    ends = np.cumsum(sizes + 1)
    starts = np.concatenate(([1], ends + 1))
    where = np.concatenate([np.arange(low, low + size) for low, size in zip(starts, sizes, strict=False)])
    inside = np.zeros((int(starts[-1]), 1), dtype=np.float32)
    inside[where] = 1

    def padded(rows: list[npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
        full = np.zeros((len(inside), *rows[0].shape[1:]), dtype=rows[0].dtype)
        full[where] = np.concatenate(rows)
        return full

    columns = [padded([getattr(part, name) for part, _ in parts]) for name in Features._fields]
    return Data(Features(*columns), padded([tags for _, tags in parts]), inside, starts)  # type: ignore[arg-type]


def _shown(text: str) -> str:
    """The text as the engine shows it to the network, where that keeps positions."""
    folded = view(text)
    return folded.text if folded.starts is None else text


def _read(
    batch: list[tuple[list[Token], Indices]], words: Words, forget: float, random: Random
) -> list[tuple[Features, Indices]]:
    if not batch:
        return []
    read = features([cut for cut, _ in batch], words)
    parts, low = [], 0
    for cut, tags in batch:
        part = Features(*(column[low : low + len(cut)] for column in read))  # type: ignore[arg-type]
        forgotten: dict[str, bool] = {}
        for token, numbers in zip(cut, part.numbers, strict=True):
            if numbers[:2].any() and forgotten.setdefault(token.text.lower(), random.random() < forget):
                numbers[:2] = 0
        parts.append((part, tags))
        low += len(cut)
    return parts


def _tags(cut: list[Token], spans: list[tuple[int, int, str]]) -> Indices:
    tags = np.zeros(len(cut), dtype=np.int64)
    following = iter(sorted(spans))
    span = next(following, None)
    for index, token in enumerate(cut):
        while span is not None and token.start >= span[1]:
            span = next(following, None)
        if span is not None and token.start >= span[0]:
            first = index == 0 or cut[index - 1].start < span[0]
            tags[index] = TAGS.index("L" if span[2] == "LOCATION" else "B" if first else "I")
    return tags


def new(vocabulary: int, seed: int) -> Parameters:
    """The weights to begin with, by the names that `name_model.NameModel` reads."""
    random = np.random.default_rng(seed)
    sizes = {"words": (vocabulary + 1, _WORD), "shapes": (SHAPES, _SHAPE), "endings": (ENDINGS, _ENDING)}
    made: Parameters = {name: random.normal(0, 0.3, size).astype(np.float32) for name, size in sizes.items()}
    made["first"], made["first_bias"] = network.weights(random, _WORD + _SHAPE + _ENDING + NUMBERS, _WIDTH)
    for index in range(_LAYERS):
        made[f"layer{index}"], made[f"layer{index}_bias"] = network.weights(random, 3 * _WIDTH, _WIDTH)
    made["last"], made["last_bias"] = network.weights(random, _WIDTH, len(TAGS))
    return made


def train(model: Parameters, given: Data, *, epochs: int, batch: int, rate: float, forget: float, seed: int) -> None:
    """Adam with a falling rate; `forget` of the words of each batch are unknown words."""
    random = np.random.default_rng(seed)
    optimizer = network.Adam(model, decay=0.01, clip=1.0)
    texts = len(given.starts) - 1
    steps, step = epochs * (texts // batch + 1), 0
    for epoch in range(epochs):
        order = random.permutation(texts)
        total = 0.0
        for low in range(0, texts, batch):
            chosen = np.sort(order[low : low + batch])
            rows = np.concatenate([np.arange(given.starts[i] - 1, given.starts[i + 1]) for i in chosen])
            read = Features(*(column[rows] for column in given.features))
            known = random.random((2, len(rows)), dtype=np.float32) >= np.array([[forget], [forget / 2]])
            read = read._replace(
                words=np.where(known[0], read.words, UNKNOWN), endings=np.where(known[1], read.endings, UNKNOWN)
            )
            loss, gradients = gradient(model, read, given.tags[rows], given.inside[rows], random)
            optimizer.step(gradients, rate * min(1, step / 100) * max(0.01, 1 - step / steps))
            total += loss
            step += 1
        print(f"epoch {epoch + 1}: loss {total * batch / texts:.4f}", flush=True)


def gradient(
    model: Parameters, given: Features, tags: Indices, inside: Floats, random: np.random.Generator | None
) -> tuple[float, Parameters]:
    """The mean cross entropy of some rows, and its gradient; without a generator nothing is dropped."""

    def kept(shape: tuple[int, ...], share: float) -> Floats | np.float32:
        return np.float32(1) if random is None else network.dropped(random, shape, share)

    looked_up = (model["words"][given.words], model["shapes"][given.shapes], model["endings"][given.endings])
    inputs = np.concatenate((*looked_up, given.numbers), axis=1)
    mask = kept(inputs.shape, _INPUT_DROPPED)
    inputs *= mask
    rows = np.maximum(inputs @ model["first"] + model["first_bias"], 0) * inside
    opened = rows > 0
    arounds, gates = [], []
    for index in range(_LAYERS):
        around = np.zeros((len(rows), 3 * _WIDTH), dtype=np.float32)
        around[1:, :_WIDTH] = rows[:-1]
        around[:, _WIDTH : 2 * _WIDTH] = rows
        around[:-1, 2 * _WIDTH :] = rows[1:]
        added = around @ model[f"layer{index}"] + model[f"layer{index}_bias"]
        gate = (added > 0) * inside * kept(added.shape, _LAYER_DROPPED)
        rows = rows + added * gate
        arounds.append(around)
        gates.append(gate)
    scores = rows @ model["last"] + model["last_bias"]
    scores -= scores.max(axis=1, keepdims=True)
    chances = np.exp(scores)
    chances /= chances.sum(axis=1, keepdims=True)
    share = inside / inside.sum()
    every = np.arange(len(tags))
    loss = float(-(np.log(np.maximum(chances[every, tags], 1e-9)) * share[:, 0]).sum())

    gradients: Parameters = {}
    error = chances * share
    error[every, tags] -= share[:, 0]
    gradients["last"], gradients["last_bias"] = rows.T @ error, error.sum(axis=0)
    back = error @ model["last"].T
    for index in reversed(range(_LAYERS)):
        gated = back * gates[index]
        gradients[f"layer{index}"], gradients[f"layer{index}_bias"] = arounds[index].T @ gated, gated.sum(axis=0)
        spread = gated @ model[f"layer{index}"].T
        back[:-1] += spread[1:, :_WIDTH]
        back += spread[:, _WIDTH : 2 * _WIDTH]
        back[1:] += spread[:-1, 2 * _WIDTH :]
    back *= opened
    gradients["first"], gradients["first_bias"] = inputs.T @ back, back.sum(axis=0)
    to_inputs = (back @ model["first"].T) * mask
    at = 0
    for name, which in (("words", given.words), ("shapes", given.shapes), ("endings", given.endings)):
        size, width = model[name].shape
        gradients[name] = network.table_gradient(to_inputs[:, at : at + width], which, size)
        at += width
    return loss, gradients
