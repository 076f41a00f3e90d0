"""From masked ranges to figures: what was left in clear, what was masked for nothing, and how sure that is.

A figure is a ratio of sums over texts. Its bounds are a bootstrap over templates (2.5 % and 97.5 % of the ratio over
resampled templates): texts of one template succeed or fail together, so that resampling texts would claim too much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.pii.labels import Label, LabelledText
from bench.pii.maskers import Found

_ROUNDS = 1000
Part = tuple[str, int, int]  # template, part, whole
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Miss:
    """One label and what of it was left in clear.

    Attributes:
        clear: characters in clear, all of them; may be 0.
        says: letters and digits among them: a space between two masked words says nothing.
    """

    text: LabelledText
    label: Label
    category: str
    clear: int
    says: int

    @property
    def size(self) -> int:
        return self.label.end - self.label.start


@dataclass(frozen=True, slots=True)
class Alarm:
    """One text and how much of it was masked though nobody's; `masked` may be 0."""

    text: LabelledText
    masked: int
    size: int
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share with its 95 % bounds; nan where there is nothing."""

    value: float
    low: float
    high: float
    total: int

    def percent(self) -> str:
        return f"{self.value:.2%} [{self.low:.2%}; {self.high:.2%}]"


def misses(texts: Sequence[LabelledText], found: Sequence[Sequence[Found]]) -> list[Miss]:
    """What each label has left in clear, in characters."""
    result = []
    for text, ranges in zip(texts, found, strict=True):
        masked = covered(len(text.text), ((one.start, one.end) for one in ranges))
        for label in text.labels:
            clear = [text.text[place] for place in range(label.start, label.end) if not masked[place]]
            says = sum(map(str.isalnum, clear))
            result.append(Miss(text, label, text.category(label), len(clear), says))
    return result


def alarms(texts: Sequence[LabelledText], found: Sequence[Sequence[Found]]) -> list[Alarm]:
    """What was masked outside labels and neutral ranges, spaces and punctuation not counted."""
    result = []
    for text, ranges in zip(texts, found, strict=True):
        known = covered(len(text.text), ((label.start, label.end) for label in text.labels))
        for start, end in text.neutral:
            known[start:end] = b"\1" * (end - start)
        free = [place for place, c in enumerate(text.text) if not known[place] and c.isalnum()]
        masked = covered(len(text.text), ((one.start, one.end) for one in ranges))
        wrong = tuple(one for one in ranges if any(text.text[i].isalnum() and not known[i] for i in range(*one[:2])))
        result.append(Alarm(text, sum(masked[place] for place in free), len(free), wrong))
    return result


def covered(size: int, ranges: Iterable[tuple[int, int]]) -> bytearray:
    """One byte for each character, 1 where a range covers it."""
    marks = bytearray(size)
    for start, end in ranges:
        marks[start:end] = b"\1" * (end - start)
    return marks


def ratio(parts: Iterable[Part]) -> Ratio:
    """Sum of the second over sum of the third, bounds by resampling what the first names."""
    values = _by_template(parts)
    part, whole = values.sum(axis=0)
    if not whole:
        return Ratio(float("nan"), float("nan"), float("nan"), 0)
    low, high = np.quantile(_resampled(values), (0.025, 0.975))
    return Ratio(float(part / whole), float(low), float(high), int(whole))


def difference(one: Iterable[Part], other: Iterable[Part]) -> Ratio:
    """The ratio of `one` less the ratio of `other`, of different texts."""
    first, second = _by_template(one), _by_template(other)
    if not first[:, 1].sum() or not second[:, 1].sum():
        return Ratio(float("nan"), float("nan"), float("nan"), 0)
    value = first[:, 0].sum() / first[:, 1].sum() - second[:, 0].sum() / second[:, 1].sum()
    low, high = np.quantile(_resampled(first) - _resampled(second, seed=1), (0.025, 0.975))
    return Ratio(float(value), float(low), float(high), int(first[:, 1].sum() + second[:, 1].sum()))


def leak(found: Iterable[Miss]) -> list[Part]:
    """The parts of a leak by characters."""
    return [(miss.text.template, miss.clear, miss.size) for miss in found]


def leaked_entities(found: Iterable[Miss]) -> list[Part]:
    """The parts of a leak by entities: one counts when a letter or digit of it is in clear."""
    return [(miss.text.template, int(miss.says > 0), 1) for miss in found]


def touched(found: Iterable[Alarm]) -> list[Part]:
    """The parts of the share of texts in which something was masked for nothing."""
    return [(alarm.text.template, int(alarm.masked > 0), 1) for alarm in found]


def overmasked(found: Iterable[Alarm]) -> list[Part]:
    """The parts of the share of nobody's letters and digits that were masked."""
    return [(alarm.text.template, alarm.masked, alarm.size) for alarm in found]


def _by_template(parts: Iterable[Part]) -> Values:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for template, part, whole in parts:
        sums[template][0] += part
        sums[template][1] += whole
    return np.array(list(sums.values()), dtype=float).reshape(-1, 2)


def _resampled(values: Values, seed: int = 0) -> Values:
    """The ratio in each of many resamples of the rows; a resample without any whole counts as 0."""
    size = len(values)
    weights = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=_ROUNDS)
    sums = weights @ values
    return np.divide(sums[:, 0], sums[:, 1], out=np.zeros(_ROUNDS), where=sums[:, 1] > 0)
