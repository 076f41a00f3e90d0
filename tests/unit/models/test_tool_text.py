"""Tools for models that know only text: what they are told, and how their calls are read."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from runtime.models.tool_text import CallReader, read_call, told
from runtime.models.wire import Call, Message, ToolOffer

WEATHER = ToolOffer(name="weather", description="The weather in a city.", parameters=json.dumps({"type": "object"}))


def test_calls_and_results_are_told_as_text() -> None:
    messages = [
        Message(role="system", content="Be brief."),
        Message(role="user", content="Hello"),
        Message(role="assistant", content="Wait.", calls=[Call(name="weather", arguments='{"city": "Paris"}')]),
        Message(role="tool", content="rain"),
        Message(role="tool", content="wind"),
        Message(role="user", content="And?"),
    ]
    spoken = told(messages, [WEATHER], forced=False)
    assert [role for role, _ in spoken] == ["system", "user", "assistant", "user", "user"]
    assert spoken[0][1].startswith("Be brief.") and '"name": "weather"' in spoken[0][1]
    assert read_call(spoken[2][1].split("<tool_call>")[1].split("</tool_call>")[0]) == ("weather", '{"city": "Paris"}')
    assert spoken[3][1].count("<tool_response>") == 2
    assert told(messages[1:2], [], forced=False) == [("user", "Hello")]


CALL = '<tool_call>\n{"name": "a", "arguments": {"x": "</tool"}}\n</tool_call>'
ANSWERS = [
    ("Hello", "Hello", 0),
    ("", "", 0),
    (CALL, "", 1),
    (f" \n{CALL}\n{CALL}\n", "", 2),
    (f"{CALL} and more", "and more", 1),
    ('<tool_call>{"name": "a", "arguments": {"x": "</tool_call></tool_call>"}}</tool_call>', "", 1),
    (f"See {CALL}", f"See {CALL}", 0),
    ("<tool", "<tool", 0),
    ("<table>", "<table>", 0),
    ("<tool_call>{", "", 0),
]


@pytest.mark.parametrize(("written", "text", "count"), ANSWERS)
def test_calls_are_told_from_text_for_every_way_of_cutting(written: str, text: str, count: int) -> None:
    for cuts in [(), *((at,) for at in range(len(written))), tuple(range(1, len(written)))]:
        reader, said, calls = CallReader(), "", []
        for start, end in pairwise((0, *cuts, len(written))):
            piece, more = reader.feed(written[start:end])
            said, calls = said + piece, calls + more
        piece, more = reader.flush()
        said, calls = said + piece, calls + more
        assert (said.strip(), len(calls)) == (text.strip(), count)
        assert reader.cut == (written == "<tool_call>{")


@pytest.mark.parametrize("written", ["", "[]", '{"name": 1}', '{"name": "a", "arguments": "x"}', "{" * 100_000, "x"])
def test_what_is_no_call_is_none(written: str) -> None:
    assert read_call(written) is None
