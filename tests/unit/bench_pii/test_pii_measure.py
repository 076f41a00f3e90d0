"""Figures from masked ranges, on texts small enough to count by hand, and what may be shown of them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import pytest

from bench.pii import measure, report
from bench.pii.__main__ import tables
from bench.pii.corpus import corpus
from bench.pii.figures import Run, judged, leak_figures, texts_of
from bench.pii.labels import Label, LabelledText
from bench.pii.maskers import Found, SixPatterns


def text(
    content: str, *labels: Label, section: str = "structured", neutral: tuple[tuple[int, int], ...] = ()
) -> LabelledText:
    return LabelledText("dev", section, "en", "t", content, labels, neutral)


class Perfect:
    """Masks what is labelled."""

    name = "perfect"

    def find(self, texts: Sequence[LabelledText]) -> list[list[Found]]:
        return [[Found(label.start, label.end, label.kind) for label in one.labels] for one in texts]


class Blind:
    """Masks nothing."""

    name = "blind"

    def find(self, texts: Sequence[LabelledText]) -> list[list[Found]]:
        return [[] for _ in texts]


class Blanket:
    """Masks everything."""

    name = "blanket"

    def find(self, texts: Sequence[LabelledText]) -> list[list[Found]]:
        return [[Found(0, len(one.text), "ALL")] for one in texts]


CALL = text("call 514-555-0199 now", Label(5, 17, "PHONE", "phone"))


@pytest.mark.parametrize(
    ("found", "clear", "says"),
    [
        ([], 12, 10),
        ([Found(5, 17, "")], 0, 0),
        ([Found(0, 21, "")], 0, 0),
        ([Found(5, 8, ""), Found(9, 17, "")], 1, 0),
        ([Found(5, 10, ""), Found(8, 13, "")], 4, 4),
    ],
    ids=["nothing masked", "exactly masked", "all masked", "in two pieces", "overlapping, in part"],
)  # fmt: skip
def test_what_is_left_of_a_label(found: list[Found], clear: int, says: int) -> None:
    [miss] = measure.misses([CALL], [found])
    assert (miss.clear, miss.says, miss.size, miss.category) == (clear, says, 12, "structured")


def test_what_is_masked_for_nothing_leaves_out_labels_neutral_ranges_and_spaces() -> None:
    one = text("Ann in Rome now", Label(0, 3, "PERSON", "person.first"), neutral=((7, 11),))
    [alarm] = measure.alarms([one], [[Found(0, 15, "all")]])
    assert (alarm.masked, alarm.size) == (5, 5)
    [alarm] = measure.alarms([one], [[Found(0, 3, "name"), Found(7, 11, "place")]])
    assert (alarm.masked, alarm.found) == (0, ())


def test_kinds_belong_to_categories_and_whole_sections_to_their_own() -> None:
    person = Label(0, 1, "PERSON", "person.first")
    assert text("A", person, section="mixed").category(person) == "names"
    assert text("A", person, section="prose").category(person) == "prose"
    assert text("A", person, section="obfuscated").category(person) == "obfuscated"
    address = Label(0, 1, "POSTAL_CODE", "postal")
    assert text("A", address, section="mixed").category(address) == "addresses"


def test_a_ratio_and_its_bounds() -> None:
    ratio = measure.ratio([("a", 1, 10), ("b", 3, 10), ("a", 0, 10), ("c", 0, 10)])
    assert ratio.value == pytest.approx(0.1)
    assert ratio.total == 40
    assert ratio.low < 0.1 < ratio.high


def test_texts_of_one_template_are_no_independent_evidence() -> None:
    parts = [(f"{number % 4}", int(number % 4 == 0), 1) for number in range(400)]
    apart = [(f"{number}", part, whole) for number, (_, part, whole) in enumerate(parts)]
    together, independent = measure.ratio(parts), measure.ratio(apart)
    assert together.value == independent.value
    assert together.high - together.low > 3 * (independent.high - independent.low)


def test_certainty_has_no_bounds_and_nothing_no_value() -> None:
    assert measure.ratio([("a", 0, 5), ("b", 0, 5)]).percent() == "0.00% [0.00%; 0.00%]"
    assert math.isnan(measure.ratio([]).value)


def test_a_difference_between_two_sets_of_texts() -> None:
    better = [(f"{n}", int(n % 10 == 0), 1) for n in range(500)]
    worse = [(f"{n}", int(n % 2 == 0), 1) for n in range(500)]
    more = measure.difference(worse, better)
    assert more.value == pytest.approx(0.4)
    assert 0.3 < more.low < more.high < 0.5


def test_the_whole_corpus_judged_at_the_extremes() -> None:
    texts = corpus("dev")
    perfect, blind, blanket = (judged(masker, texts, None) for masker in (Perfect(), Blind(), Blanket()))
    assert perfect.leaks["overall", "all"].value == 0
    assert perfect.touched["all"].value == perfect.overmasked.value == 0
    assert blind.leaks["overall", "all"].value == blind.entities["names", "fr"].value == 1
    assert blanket.leaks["overall", "all"].value == 0
    assert blanket.touched["all"].value == blanket.overmasked.value == 1
    assert all(figure.reached in {True, None} for figure in leak_figures(perfect, []))
    assert {figure.reached for figure in leak_figures(blind, [])} >= {False}


@pytest.mark.parametrize("only", ["names", "obfuscated", "innocent"])
def test_one_category_alone(only: str) -> None:
    texts = texts_of("dev", only)
    result = judged(Blind(), texts, only)
    if only == "innocent":
        assert result.leaks == {}
        assert result.touched["all"].total == len(texts)
    else:
        assert {category for category, _ in result.leaks} == {"overall", only}


def run_of(split: str, masker: Blind | Perfect | Blanket) -> Run:
    texts = texts_of(split, None)
    results = [judged(masker, texts, None), judged(SixPatterns(), texts, None)]
    return Run(split, texts, results, leak_figures(results[0], results[1:]))


def test_the_held_texts_are_not_shown_unless_asked_for() -> None:
    run = run_of("held", Blind())
    totals = "\n".join(line for part in tables(run, misses=500, show_held=False) for line in part)
    everything = "\n".join(line for part in tables(run, misses=500, show_held=True) for line in part)
    shown = {text.text[label.start : label.end] for text in run.texts for label in text.labels if label.kind == "EMAIL"}
    assert not any(value in totals for value in shown)
    assert "By kind" not in totals
    assert any(value in everything for value in shown)


def test_the_tables_say_what_is_reached() -> None:
    lines = "\n".join(report.summary(run_of("dev", Perfect())))
    assert "NOT REACHED" not in lines
    assert "reached" in lines
    assert "NOT REACHED" in "\n".join(report.summary(run_of("dev", Blanket())))


def test_the_document_holds_figures_and_no_text() -> None:
    run = run_of("dev", Blind())
    document = json.dumps(report.document(run))
    assert json.loads(document)["maskers"][0]["leak_characters"]["overall all"]["value"] == 1
    assert not any(one.text in document for one in run.texts if len(one.text) > 30)
