"""Milliseconds for one short text, texts one after the other in one process that has nothing else to do."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from time import perf_counter

from bench.pii.labels import LabelledText
from bench.pii.maskers import Masker

SHORT = 120  # characters
_TEXTS = 400
_WARM = 20


def short_texts(texts: Sequence[LabelledText]) -> list[LabelledText]:
    """Short texts from all over the corpus."""
    short = [text for text in texts if len(text.text) <= SHORT]
    return short[:: max(1, len(short) // _TEXTS)][:_TEXTS]


def median_ms(masker: Masker, texts: Sequence[LabelledText]) -> float:
    """Median over the texts, each sent alone."""
    times = []
    for number, text in enumerate([*texts[:_WARM], *texts]):
        begun = perf_counter()
        masker.find([text])
        if number >= min(_WARM, len(texts)):
            times.append(perf_counter() - begun)
    return median(times) * 1000
