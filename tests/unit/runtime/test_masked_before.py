"""What is kept of a conversation's last turn: only for its key, only the last one, and no text."""

from __future__ import annotations

import pickle

from memory.keys import ContentKey
from runtime.masked_before import MaskedBefore
from runtime.redaction.spans import Span

FIRST, SECOND = ContentKey("turn-1", b"1" * 32), ContentKey("turn-2", b"2" * 32)
TEXT = "Write to jean.roy@courriel.example"
SPANS = [Span(9, 34, "EMAIL_ADDRESS", 0.9, "EmailAddress.plain")]


def kept(**options: int) -> MaskedBefore:
    before = MaskedBefore(lambda: "sha256:1", **options)
    before.keep("c_1", FIRST, [(TEXT, SPANS), ("Hello", [])])
    return before


def test_what_comes_again_is_known() -> None:
    assert kept().known("c_1", FIRST, ["Hello", TEXT, "new"]) == [[], SPANS, None]


def test_only_for_who_has_the_key_of_that_turn() -> None:
    before = kept()
    assert before.known("c_1", SECOND, [TEXT]) == [None]
    assert before.known("c_1", ContentKey("turn-1", b"x" * 32), [TEXT]) == [None]
    assert before.known("c_1", None, [TEXT]) == [None]
    assert before.known("c_2", FIRST, [TEXT]) == [None]


def test_a_turn_takes_the_place_of_the_one_before() -> None:
    before = kept()
    before.keep("c_1", SECOND, [("Hello", [])])
    assert before.known("c_1", FIRST, [TEXT]) == [None]
    assert before.known("c_1", SECOND, [TEXT, "Hello"]) == [None, []]


def test_another_engine_finds_anew() -> None:
    revision = ["sha256:1"]
    before = MaskedBefore(lambda: revision[0])
    before.keep("c_1", FIRST, [(TEXT, SPANS)])
    revision[0] = "sha256:2"
    assert before.known("c_1", FIRST, [TEXT]) == [None]


def test_the_conversation_unused_for_longest_makes_room() -> None:
    before = kept(conversations=2)
    before.keep("c_2", SECOND, [(TEXT, SPANS)])
    before.known("c_1", FIRST, [TEXT])
    before.keep("c_3", SECOND, [(TEXT, SPANS)])
    assert before.known("c_1", FIRST, [TEXT]) == [SPANS]
    assert before.known("c_2", SECOND, [TEXT]) == [None]


def test_neither_text_nor_key_is_kept() -> None:
    data = pickle.dumps(kept()._turns)
    for piece in (b"jean", b"courriel", b"Hello", FIRST.secret):
        assert piece not in data
