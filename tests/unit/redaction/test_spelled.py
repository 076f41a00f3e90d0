"""Letters that are said: what is read, that it leads back to what was written, and what is found behind a label."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.normalise import view
from runtime.redaction.spans import Span
from runtime.redaction.spelled import spelled

FOUND = """
my dossier number is [[K as in kilo, 88 04 17]], does that help
my medicare card [[F O R C, fifty-five ten, one seven one three]], is that ok?
ma carte soleil [[S U M T huit huit zéro neuf deux un un zéro]], merci
member number [[Kilo four seven Delta nine nine two one]]
permis [[G comme Gaston, 1234 151278 02]]
plaque du gars : [[Q - 4 - 4 - T - R - B]] , noire
"""
INNOCENT = """
use it as in 2023 version 4
plan B comme Bernard
The Delta variant of 2021
Charlie took 3 of 500
Hotel Quebec, 120 rooms
option A comme avant, 250 pages
"""


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("K as in kilo, 88 04 17", "K880417"),
        ("QN comme Quentin Noël, 4471", "QN4471"),
        ("Kilo four seven Delta 9", "K47D9"),
        ("a F O R C, ten 55", "a FORC1055"),
    ],
)
def test_letters_are_put_together(text: str, reading: str) -> None:
    said = spelled(view(text).text)
    assert said is not None
    assert said.text == reading or said.text.endswith(reading.removeprefix("a "))


@pytest.mark.parametrize("text", ["K as in kilo", "A comme Bernard 1234", "the delta of 2021", "a b c 1"])
def test_what_is_not_spelled_is_not_read(text: str) -> None:
    assert spelled(view(text).text) is None


def test_a_reading_leads_back_to_what_was_written() -> None:
    text = "no K as in kilo, 88 04 17 yes"
    said = spelled(text)
    assert said is not None
    low = said.text.index("K88")
    assert text[slice(*said.back(low, low + 7))] == "K as in kilo, 88 04 17"


@pytest.mark.parametrize("case", cases(FOUND), ids=repr)
def test_a_spelled_value_is_found(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    assert [text[s.start : s.end] for s in spans_in(text)] == [text[low:high] for low, high in expected]


@pytest.mark.parametrize("case", cases(INNOCENT), ids=repr)
def test_words_of_the_alphabet_stay(case: Case, spans_in: Callable[[str], list[Span]]) -> None:
    text, _ = case
    assert spans_in(text) == []
