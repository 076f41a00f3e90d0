"""Charts as HTML and SVG of our own: nothing is loaded, nothing runs, and every letter is text. Pure.

The drawing stretches to the width there is, so its letters stand beside it as HTML and stay readable on a phone.
Colours are classes (`s0` to `s7`) that the style sheet fills for light and dark; order and legend tell series apart
without them, and a line that is not the first is dashed. Hovering a bucket says its numbers. The numbers as a table are
another's business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 1000, 100
_TICKS = 3  # labels under the drawing: the first, the middle, the last


@dataclass(frozen=True, slots=True)
class Series:
    """One thing that is counted in every bucket; `None` where nothing was measured. `colour`: 0 to 7."""

    name: str
    values: tuple[float | None, ...]
    colour: int


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn.

    Attributes:
        title: above it.
        said: the chart in a sentence, for those who do not see it.
        ticks: the start of each bucket, short.
        series: bars are stacked in this order, from the ground up.
        write: a value with its unit, in the reader's language.
        empty: what is said instead where there is nothing to draw.
    """

    title: str
    said: str
    ticks: tuple[str, ...]
    series: tuple[Series, ...]
    write: Callable[[float], str]
    empty: str


def bars(chart: Chart) -> str:
    """Stacked bars, a bucket each."""
    sums = [sum(values) for values in zip(*_filled(chart), strict=True)] if chart.series else []
    top = nice(max(sums, default=0))
    return _figure(chart, top, "".join(_bar(chart, index, top) for index, total in enumerate(sums) if total))


def lines(chart: Chart) -> str:
    """A line for each series, broken where nothing was measured."""
    known = [value for series in chart.series for value in series.values if value is not None]
    top = nice(max(known, default=0))
    drawn = "".join(_line(series, top, dashed=number > 0) for number, series in enumerate(chart.series))
    hints = "".join(_hint(chart, index) for index in range(len(chart.ticks)) if _measured(chart, index))
    return _figure(chart, top if known else 0, drawn + hints)


def nice(most: float) -> float:
    """The end of an axis: a round number, not less than `most`, whose half is round too; 0 for nothing."""
    if most <= 0:
        return 0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= most * (1 - 1e-9))


def _figure(chart: Chart, top: float, drawn: str) -> str:
    title = f"<figcaption>{escape(chart.title)}</figcaption>"
    if not top:
        return f'<figure class="ops-chart">{title}<p class="ops-empty">{escape(chart.empty)}</p></figure>'
    legend = "".join(
        f'<li><span class="ops-key s{series.colour}"></span>{escape(series.name)}</li>' for series in chart.series
    )
    scale = "".join(f"<span>{escape(chart.write(value))}</span>" for value in _scale(top))
    grid = "".join(f'<path class="ops-grid" d="M0 {y}H{_WIDTH}"/>' for y in (0, _HEIGHT / 2, _HEIGHT))
    return (
        f'<figure class="ops-chart">{title}<ul class="ops-legend">{legend}</ul>'
        f'<div class="ops-plot"><div class="ops-scale" aria-hidden="true">{scale}</div>'
        f'<svg role="img" aria-label="{escape(chart.said)}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio="none">{grid}{drawn}</svg>'
        f'<div class="ops-ticks" aria-hidden="true">{_ticks(chart.ticks)}</div></div></figure>'
    )


def _scale(top: float) -> Sequence[float]:
    """Labels from the top down; no half of a single one."""
    return (top, 0) if top == 1 else (top, top / 2, 0)


def _ticks(ticks: Sequence[str]) -> str:
    last = len(ticks) - 1
    chosen = sorted({round(last * step / (_TICKS - 1)) for step in range(_TICKS)})
    return "".join(f"<span>{escape(ticks[index])}</span>" for index in chosen)


def _bar(chart: Chart, index: int, top: float) -> str:
    width = _WIDTH / len(chart.ticks)
    left, wide = index * width + width * 0.1, width * 0.8
    pieces, ground = [], 0.0
    for series in chart.series:
        value = series.values[index] or 0
        if value:
            high = value / top * _HEIGHT
            pieces.append(
                f'<rect class="s{series.colour}" x="{left:.2f}" y="{_HEIGHT - ground - high:.3f}" '
                f'width="{wide:.2f}" height="{high:.3f}"/>'
            )
            ground += high
    return f"<g>{''.join(pieces)}{_hint(chart, index)}</g>"


def _line(series: Series, top: float, *, dashed: bool) -> str:
    width = _WIDTH / max(1, len(series.values))
    path, dots, drawing = [], [], False
    for index, value in enumerate(series.values):
        if value is None:
            drawing = False
            continue
        x, y = (index + 0.5) * width, _HEIGHT - (value / top * _HEIGHT if top else 0)
        path.append(f"{'L' if drawing else 'M'}{x:.2f} {y:.3f}")
        dots.append(f"M{x:.2f} {y:.3f}h0.01")
        drawing = True
    if not path:
        return ""
    style = f"ops-line s{series.colour}{' ops-dashed' if dashed else ''}"
    return f'<path class="{style}" d="{"".join(path)}"/><path class="ops-dot s{series.colour}" d="{"".join(dots)}"/>'


def _hint(chart: Chart, index: int) -> str:
    """A bucket in words, over its whole height."""
    width = _WIDTH / len(chart.ticks)
    told = [
        f"{series.name}: {chart.write(value)}" for series in chart.series if (value := series.values[index]) is not None
    ]
    words = escape("\n".join([chart.ticks[index], *told]))
    return (
        f'<rect class="ops-hint" x="{index * width:.2f}" y="0" width="{width:.2f}" height="{_HEIGHT}">'
        f"<title>{words}</title></rect>"
    )


def _measured(chart: Chart, index: int) -> bool:
    return any(series.values[index] is not None for series in chart.series)


def _filled(chart: Chart) -> list[list[float]]:
    return [[value or 0 for value in series.values] for series in chart.series]
