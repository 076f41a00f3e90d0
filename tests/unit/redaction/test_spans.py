"""Overlapping findings: the surer wins, nothing personal becomes clear."""

from __future__ import annotations

import pytest

from runtime.redaction.spans import Span, resolve

TEXT = "Jean Roy 514 555-0123 ici"


def span(start: int, end: int, entity: str, score: float) -> Span:
    return Span(start, end, entity, score, "test")


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([], []),
        ([span(0, 8, "PERSON", 0.6)], [(0, 8, "PERSON")]),
        ([span(9, 21, "PHONE_NUMBER", 0.8), span(9, 12, "CA_SIN", 0.7)], [(9, 21, "PHONE_NUMBER")]),
        ([span(0, 21, "PERSON", 0.6), span(9, 21, "PHONE_NUMBER", 0.8)], [(0, 8, "PERSON"), (9, 21, "PHONE_NUMBER")]),
        ([span(0, 12, "PERSON", 0.6), span(9, 21, "PHONE_NUMBER", 0.8)], [(0, 8, "PERSON"), (9, 21, "PHONE_NUMBER")]),
        ([span(9, 21, "A", 0.8), span(9, 25, "B", 0.8)], [(9, 25, "B")]),
        ([span(8, 9, "A", 0.9)], []),
        ([span(4, 10, "A", 0.9), span(0, 25, "B", 0.5)], [(0, 4, "B"), (5, 10, "A"), (10, 25, "B")]),
    ],
)
def test_resolved(candidates: list[Span], chosen: list[tuple[int, int, str]]) -> None:
    assert [(one.start, one.end, one.entity) for one in resolve(candidates, TEXT)] == chosen


def test_kept_spans_stay_as_they_are() -> None:
    kept = [span(9, 21, "PHONE_NUMBER", 0.5)]
    assert resolve([span(0, 25, "PERSON", 1.0)], TEXT, kept)[1] == kept[0]
