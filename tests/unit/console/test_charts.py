"""Charts: what is drawn has the size of what was counted, nothing is loaded, and every text is escaped."""

from __future__ import annotations

import re

import pytest

from console.views.charts import Chart, Series, bars, lines, nice
from tests.unit.console.reading import read

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


def chart(*series: Series, ticks: int = 4, title: str = "T") -> Chart:
    return Chart(title, "said", tuple(f"t{n}" for n in range(ticks)), series, lambda value: f"{value:g}", "nothing")


def rects(svg: str, colour: int) -> list[tuple[float, float]]:
    """Top and height of each bar of a colour."""
    found = re.findall(rf'<rect class="s{colour}" x="[^"]*" y="([^"]*)" width="[^"]*" height="([^"]*)"', svg)
    return [(float(top), float(high)) for top, high in found]


def test_bars_are_stacked_from_the_ground_in_the_order_of_the_series() -> None:
    drawn = bars(chart(Series("a", (1, 0, 3, None), 0), Series("b", (1, 2, 0, None), 1)))
    assert rects(drawn, 0) == [(75, 25), (25, 75)]  # the axis ends at 4
    assert rects(drawn, 1) == [(50, 25), (50, 50)]
    assert read(drawn).tags.count("title") == 3  # an empty bucket has no bar and says nothing


def test_a_line_breaks_where_nothing_was_measured() -> None:
    drawn = lines(chart(Series("a", (10, None, 0, 10), 0), Series("b", (10, 10, 10, 10), 2)))
    paths = re.findall(r'class="ops-line s0" d="([^"]*)"', drawn)
    assert paths == ["M125.00 0.000M625.00 100.000L875.00 0.000"]
    assert 'class="ops-line s2 ops-dashed"' in drawn


@pytest.mark.parametrize("draw", [bars, lines])
@pytest.mark.parametrize("series", [(), (Series("a", (0, 0, 0, 0), 0),), (Series("a", (None, None, None, None), 0),)])
def test_nothing_is_said_in_words(draw: object, series: tuple[Series, ...]) -> None:
    drawn = draw(chart(*series))  # type: ignore[operator]
    assert "nothing" in read(drawn).text
    assert "<svg" not in drawn


def test_hovering_says_a_bucket_and_its_numbers() -> None:
    drawn = bars(chart(Series("a", (1, 0, 3, 0), 0), Series("b", (1, 2, 0, 0), 1)))
    assert "<title>t0\na: 1\nb: 1</title>" in drawn


def test_texts_are_escaped() -> None:
    hostile = Chart(HOSTILE, HOSTILE, (HOSTILE,) * 2, (Series(HOSTILE, (1, 2), 0),), lambda _: HOSTILE, HOSTILE)
    for drawn in (bars(hostile), lines(hostile), bars(Chart(HOSTILE, HOSTILE, (), (), str, HOSTILE))):
        assert HOSTILE in read(drawn).text


@pytest.mark.parametrize(
    ("most", "end"),
    [
        (0, 0),
        (1, 1),
        (2, 2),
        (3, 4),
        (5, 6),
        (7, 8),
        (9, 10),
        (11, 20),
        (100, 100),
        (101, 200),
        (0.3, 0.4),
        (0.0002, 0.0002),
    ],
)
def test_an_axis_ends_at_a_round_number(most: float, end: float) -> None:
    assert nice(most) == pytest.approx(end)


def test_counts_have_no_half_of_one() -> None:
    assert ">0.5<" not in bars(chart(Series("a", (1, 0, 0, 0), 0)))


def test_many_buckets_keep_three_ticks() -> None:
    drawn = bars(chart(Series("a", (1,) * 700, 0), ticks=700))
    ticks = drawn.partition('class="ops-ticks"')[2]
    assert re.findall(r"<span>(t\d+)</span>", ticks) == ["t0", "t350", "t699"]
