"""What both networks are trained with: Adam, dropout, and gradients of tables, in numpy and with fixed seeds.

One thread and one order of additions: the same machine and the same numpy give the same weights, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Parameters = dict[str, Floats]
_FIRST, _SECOND, _SMALL = np.float32(0.9), np.float32(0.999), np.float32(1e-8)


class Adam:
    """Adam (Kingma and Ba, 2015) with decoupled weight decay (Loshchilov and Hutter, 2019).

    Args:
        parameters: changed in place.
        decay: of every weight, times the rate, in each step.
        clip: the longest gradient, over all parameters; None for any.
    """

    def __init__(self, parameters: Parameters, *, decay: float = 0.0, clip: float | None = None) -> None:
        self._parameters = parameters
        self._mean = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._square = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._decay, self._clip, self._step = decay, clip, 0

    def step(self, gradients: Mapping[str, Floats], rate: float) -> None:
        """One step against the gradients."""
        self._step += 1
        scale = 1.0
        if self._clip is not None:
            length = float(np.sqrt(sum(float(np.vdot(one, one)) for one in gradients.values())))
            scale = min(1.0, self._clip / (length + 1e-6))
        even = np.float32(np.sqrt(1 - 0.999**self._step))
        step = np.float32(rate / (1 - 0.9**self._step)) * even
        for name, gradient in gradients.items():
            value, mean, square = self._parameters[name], self._mean[name], self._square[name]
            scaled = gradient * np.float32(scale)
            mean *= _FIRST
            mean += scaled * (1 - _FIRST)
            square *= _SECOND
            square += np.square(scaled) * (1 - _SECOND)
            value *= np.float32(1 - rate * self._decay)
            value -= step * mean / (np.sqrt(square) + _SMALL * even)


def weights(random: np.random.Generator, inputs: int, outputs: int) -> tuple[Floats, Floats]:
    """A dense layer to begin with: uniform, as wide as its inputs allow."""
    bound = 1 / np.sqrt(inputs)
    weight = random.uniform(-bound, bound, (inputs, outputs)).astype(np.float32)
    return weight, random.uniform(-bound, bound, outputs).astype(np.float32)


def dropped(random: np.random.Generator, shape: tuple[int, ...], share: float) -> Floats:
    """Factors that leave a share of the values out and raise the others to make up for it."""
    kept = random.random(shape, dtype=np.float32) >= share
    return kept.astype(np.float32) / np.float32(1 - share)


def table_gradient(gradient: Floats, rows: Indices, size: int) -> Floats:
    """The gradient of a table of which `rows` were looked up, each row's summed."""
    columns = [np.bincount(rows, weights=column, minlength=size) for column in gradient.T]
    return np.stack(columns, axis=1).astype(np.float32)
