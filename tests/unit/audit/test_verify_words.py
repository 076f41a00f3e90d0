"""Every code that verification can note has its sentence in both languages, and every sentence is used."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from runtime.audit import words
from runtime.audit.record import EVENTS
from runtime.audit.words_notes import NOTES
from runtime.audit.words_records import EVENT_WORDS

AUDIT = Path(words.__file__).parent


def used_codes() -> set[str]:
    found: set[str] = set()
    for path in AUDIT.glob("*.py"):
        found |= set(re.findall(r'\.(?:problem|remark)\(\s*"([a-z_]+\.[a-z_]+)"', path.read_text()))
    return found


def test_codes_and_sentences_are_the_same() -> None:
    assert used_codes() == set(NOTES)


@pytest.mark.parametrize("code", NOTES)
def test_both_languages_say_the_same_facts(code: str) -> None:
    english, french = ({name for _, name, _, _ in string.Formatter().parse(text) if name} for text in NOTES[code])
    assert english == french


def test_every_event_can_be_explained() -> None:
    assert set(EVENT_WORDS) == EVENTS


RECORD = {
    "record_id": "DR-01",
    "seq": 7,
    "time": "2026-11-21T10:00:00.000Z",
    "event": "turn",
    "actor": {"type": "principal", "ref": "p_1", "role": "user", "auth_method": "api_key"},
    "door": "chat",
    "decision": "deny",
    "reasons": ["guard.blocked_pattern"],
    "rules": ["guard.blocked_patterns"],
    "policy": {"revision": "sha256:aa"},
    "model": {"provider": "llama_cpp", "request_model": "small", "weights_sha256": "bb"},
    "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    "redactions": {"in": {"EMAIL_ADDRESS": 2}, "out": {}},
    "effect": {"status": "none"},
    "legal": {"purpose": "assistance", "automated_decision": True, "retain_until": "2027-01-01"},
    "content": [{"name": "input"}, {"name": "output"}],
}


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        (
            "en",
            ["Decision: refused (deny).", "Reasons: guard.blocked_pattern.", "EMAIL_ADDRESS 2", "entry 7 of the log"],
        ),
        (
            "fr",
            ["Décision\u00a0: refusé (deny).", "Motifs\u00a0: guard.blocked_pattern.", "EMAIL_ADDRESS 2", "entrée 7"],
        ),
    ],
)
def test_a_record_in_plain_words(language: words.Language, wanted: list[str]) -> None:
    said = words.explain_record(RECORD, language)
    assert all(text in said for text in wanted)


@pytest.mark.parametrize("name", [*RECORD, "nothing"])
@pytest.mark.parametrize("value", [None, 3, "x", [], [None], {}, {"name": None}])
def test_a_strange_record_is_explained_as_far_as_it_goes(name: str, value: object) -> None:
    said = words.explain_record({**RECORD, name: value}, "en")
    assert said.endswith("of the log.")


def test_numbers_are_grouped() -> None:
    note = words.Note("lines.uncovered", {"count": 12345, "first": 1000000})
    assert "1,000,000" in words.note_text(note, "en")
    assert "1\u202f000\u202f000" in words.note_text(note, "fr")
