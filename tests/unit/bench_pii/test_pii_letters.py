"""Texts written one by one: read as they were marked, and kept apart."""

from __future__ import annotations

import pytest

from bench.pii.corpus import corpus
from bench.pii.letters import SPLITS, labelled


def test_a_line_is_read_as_it_was_marked() -> None:
    text = labelled("Dear ⟦PERSON|Ana Roy⟧,⏎key ⟦SECRET|sk-␟abc⟧ in ⟦~|Laval⟧.", "letters", "en")
    assert text.text == "Dear Ana Roy,\nkey sk-abc in Laval."
    assert [(text.text[one.start : one.end], one.kind) for one in text.labels] == [
        ("Ana Roy", "PERSON"),
        ("sk-abc", "SECRET"),
    ]
    assert [text.text[low:high] for low, high in text.neutral] == ["Laval"]
    assert text.section == "mixed"


@pytest.mark.parametrize(
    ("line", "section"), [("o|⟦PHONE|5 1 4⟧", "obfuscated"), ("p|⟦PERSON|Roy⟧ left", "prose"), ("i|rm -r", "innocent")]
)
def test_the_beginning_says_what_it_is(line: str, section: str) -> None:
    text = labelled(line, "letters", "en")
    assert text.section == section
    assert not text.text.startswith(line[:2])


@pytest.mark.parametrize("line", ["⟦PERSON|Roy", "Roy⟧", "i|⟦PERSON|Roy⟧ left", "⟦PERSON|⟦~|Roy⟧⟧"])
def test_a_mark_that_means_nothing_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="mark"):
        labelled(line, "letters", "en")


def test_the_splits_share_no_text_and_have_every_section_in_both_languages() -> None:
    texts = {split: corpus(split) for split in SPLITS}
    first, second = ({text.text for text in found} for found in texts.values())
    assert not first & second
    for split, found in texts.items():
        for language in ("en", "fr"):
            sections = {text.section for text in found if text.language == language}
            assert sections == {"mixed", "obfuscated", "prose", "innocent"}, (split, language)
        assert all(
            0 <= one.start < one.end <= len(text.text) and text.text[one.start : one.end].strip()
            for text in found
            for one in text.labels
        )
