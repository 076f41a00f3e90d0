"""Telling reasoning from answer: what is a mark and what is not, and the same parts for every cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.backends.reasoning import ReasoningSplitter

CASES = {
    "no reasoning": ("Hello.", "", "Hello."),
    "white space stays without a block": ("\n\n Hello.", "", "\n\n Hello."),
    "a block": ("<think>Well.</think>\n\nHello.", "Well.", "Hello."),
    "after white space": ("\n <think>Well.</think>Hello.", "Well.", "Hello."),
    "of another kind": ("[THINK]Well.</think>[/THINK]Hello.", "Well.</think>", "Hello."),
    "two blocks": ("<thinking>a</thinking> <think>b</think> c", "ab", "c"),
    "spoken of": ("Say <think> before </think>.", "", "Say <think> before </think>."),
    "spoken of afterwards": ("<think>a</think>b <think>c</think>", "a", "b <think>c</think>"),
    "never ended": ("<think>Well, </thi", "Well, </thi", ""),
    "only begun": ("<thi", "", "<thi"),
    "empty": ("<think>\n</think>\n\nHello.", "\n", "Hello."),
    "nothing at all": ("", "", ""),
    "nothing after it": ("<think>a</think>\n\n", "a", ""),
    "after too much white space": (" " * 1001 + "<think>a</think>b", "", " " * 1001 + "<think>a</think>b"),
    "a stray end": ("a</think>b", "", "a</think>b"),
    "nested marks": ("<think>a<think>b</think>c", "a<think>b", "c"),
}


def split(pieces: list[str], *, opened: bool = False) -> tuple[str, str]:
    splitter = ReasoningSplitter(opened=opened)
    parts = [splitter.feed(piece) for piece in pieces] + [splitter.flush()]
    return "".join(reasoning for reasoning, _ in parts), "".join(answer for _, answer in parts)


@pytest.mark.parametrize("case", CASES)
def test_each_way_in_every_cut(case: str) -> None:
    text, reasoning, answer = CASES[case]
    assert split([text]) == (reasoning, answer)
    assert split(list(text)) == (reasoning, answer)
    for at in range(len(text)):
        assert split([text[:at], text[at:]]) == (reasoning, answer)


def test_a_block_that_was_opened_elsewhere() -> None:
    assert split(["Well.</thi", "nk>\n", "\nHello."], opened=True) == ("Well.", "Hello.")
    assert split(["Well."], opened=True) == ("Well.", "")


PIECES = st.sampled_from(
    ["<think>", "</think>", "<thinking>", "[/THINK]", "<", "</", "think", ">", " ", "\n", "é", "a"]
)


@given(st.lists(PIECES, max_size=12), st.lists(st.integers(0, 60), max_size=6), st.booleans())
def test_cuts_change_nothing_and_no_answer_is_lost(words: list[str], cuts: list[int], opened: bool) -> None:
    text = "".join(words)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places)]
    whole = split([text], opened=opened)
    assert split(pieces, opened=opened) == whole
    assert len(whole[0]) + len(whole[1]) <= len(text)


def test_the_first_word_of_an_answer_is_not_held_back() -> None:
    assert ReasoningSplitter().feed("Hello") == ("", "Hello")


def test_reasoning_comes_as_it_is_written_but_for_what_may_be_its_end() -> None:
    splitter = ReasoningSplitter()
    assert splitter.feed("<think>Well, <") == ("Well, ", "")
    assert splitter.feed("no") == ("<no", "")
