"""Folding: what patterns read, and the way back to what was written."""

from __future__ import annotations

import pytest

from runtime.redaction.normalise import View, fold, lowered, view


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("simple, déjà vu: 123\n", "simple, déjà vu: 123\n"),
        ("０４６\u202f４５４\u00a0２８６", "046 454 286"),
        ("0\u200b46\u00ad-\u206045", "046-45"),
        ("a＠b．ca", "a@b.ca"),
        ("514‑555–0123", "514-555-0123"),
        ("l’ami “X”", 'l\'ami "X"'),
        ("аdmіn", "admin"),
        ("Ηοtmаil", "Hotmail"),
        ("e\u0301te\u0301 e\u0323\u0301", "été é"),
        ("1\u03382\u0301", "12"),
        ("J\u0301", "J"),
        ("١٢٣ 𝟒𝟓 ①②", "123 45 12"),
        ("5️⃣1️⃣4️⃣", "514"),
        ("ﬁn oﬃce", "fin office"),
        ("nº 5", "no 5"),
        ("1\u28002", "1 2"),
        ("a\r\nb\u2028c\td", "a\n\nb\nc d"),
        ("a\x00b\ud800c", "ab\ud800c"),
        ("…", "."),
    ],
)
def test_folded(text: str, folded: str) -> None:
    assert fold(text) == view(text).text == folded


@pytest.mark.parametrize(
    "text", ["0\u200b46 454", "\u200b\u200bx\u200b", "abc", "é\u0301\u0301é", "１\u200b２", "ﬁ\u00adn", "l’é\u0301t"]
)
def test_each_character_of_a_view_reads_what_it_covers(text: str) -> None:
    folded = view(text)
    for at, character in enumerate(folded.text):
        start, end = folded.back(at, at + 1)
        assert start < end
        assert character in fold(text[start:end])


def test_a_span_covers_what_was_removed_inside_it() -> None:
    folded = view("x 0\u200b4\u200b6 y")
    start = folded.text.index("046")
    assert folded.back(start, start + 3) == (2, 7)


def test_a_span_covers_the_marks_on_its_last_letter() -> None:
    folded = view("x0\u03384\u0338 y")
    assert folded.text == "x04 y"
    assert folded.back(1, 3) == (1, 5)


def test_a_view_of_a_view_leads_back_to_the_first_text() -> None:
    first = view("a\u200bb\u200bc")
    assert View("bc", [1, 2], [2, 3]).over(first).back(0, 2) == (2, 5)
    assert View("abc").over(first).back(1, 2) == (2, 4)  # what is not seen goes with what stands before it
    assert View("x", [0], [3]).over(View("abc")).back(0, 1) == (0, 3)


@pytest.mark.parametrize(("text", "lower"), [("Né À L'ÉTÉ", "ne a l'ete"), ("ŒUF", "œuf"), ("12 ABC", "12 abc")])
def test_labels_are_compared_without_case_and_accents(text: str, lower: str) -> None:
    assert lowered(text) == lower


@pytest.mark.parametrize("text", ["İstanbul", "ß", "ŉ", "ﬀ", "\ud800É"])
def test_lowering_keeps_positions(text: str) -> None:
    assert len(lowered(text)) == len(text)
