"""Masks found again in what a stream gave, and the product's own stream on a few texts."""

from __future__ import annotations

import pytest

from bench.pii.corpus import corpus
from bench.pii.footprint import footprint
from bench.pii.maskers import Found
from bench.pii.measure import leak, misses, ratio
from bench.pii.streaming import at_once, laid_over, streamed
from runtime.redaction.engine import PiiEngine


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("write to a@b.ca or c@d.ca", []),
        ("write to [EMAIL] or c@d.ca", [Found(9, 15, "EMAIL")]),
        ("write to [EMAIL] or [EMAIL]", [Found(9, 15, "EMAIL"), Found(19, 25, "EMAIL")]),
        ("[EMAIL]", [Found(0, 25, "EMAIL")]),
    ],
)
def test_masks_are_laid_over_the_original(output: str, found: list[Found]) -> None:
    assert laid_over("write to a@b.ca or c@d.ca", output, {"EMAIL": 1}) == found


def test_what_looks_like_a_mask_in_the_original_is_none() -> None:
    assert laid_over("press [ENTER]", "press [ENTER]", {}) == []


def test_a_stream_that_changes_more_than_it_masks_is_an_error() -> None:
    with pytest.raises(ValueError, match="did not mask"):
        laid_over("write to a@b.ca", "Write to [EMAIL]", {"EMAIL": 1})


def test_a_stream_hides_what_the_rules_hide_in_the_whole_text() -> None:
    engine = PiiEngine(ner=False)
    texts = [text for text in corpus("dev") if text.section in {"structured", "mixed"}][::15]
    ratios = [ratio(leak(misses(texts, find(engine, texts)))).value for find in (streamed, at_once)]
    assert ratios[0] == pytest.approx(ratios[1], abs=0.005)
    assert ratios[0] < 0.9


def test_a_footprint_is_taken_in_a_fresh_process() -> None:
    measured = footprint("rules")
    assert measured["megabytes"] > 10
    assert measured["seconds"] > 0
    assert measured["network"] == 0
