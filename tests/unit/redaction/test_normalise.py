"""Folding: what patterns read, and the way back to what was written."""

from __future__ import annotations

import pytest

from runtime.redaction.normalise import fold, view


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
        ("e\u0301te\u0301", "ete"),
        ("١٢٣ 𝟒𝟓", "123 45"),
        ("a\r\nb\u2028c\td", "a\n\nb\nc d"),
        ("a\x00b\ud800c", "ab\ud800c"),
    ],
)
def test_folded(text: str, folded: str) -> None:
    assert fold(text) == view(text).text == folded


@pytest.mark.parametrize("text", ["0\u200b46 454", "\u200b\u200bx\u200b", "abc", "é\u0301\u0301é", "１\u200b２"])
def test_each_character_of_a_view_comes_from_one_of_the_text(text: str) -> None:
    folded = view(text)
    for at, character in enumerate(folded.text):
        start, end = folded.back(at, at + 1)
        assert end == start + 1
        assert fold(text[start:end]) == character


def test_a_span_covers_what_was_removed_inside_it() -> None:
    folded = view("x 0\u200b4\u200b6 y")
    start = folded.text.index("046")
    assert folded.back(start, start + 3) == (2, 7)
