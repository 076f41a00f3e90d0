"""The texts inside JSON values and messages: every one is found, and each can be put back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.recall import Message, decode_messages, encode_messages
from runtime import said
from runtime.backends.base import ToolCall
from runtime.exchange import Message as Sent
from runtime.json_leaves import Leaf, compact, leaves, numbers_hidden, parse, replaced

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(TEXTS, below, max_size=4)),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


@given(VALUES)
def test_the_same_texts_give_the_same_value(value: Any) -> None:
    assert compact(replaced(value, iter([leaf.text for leaf in leaves(value)]))) == compact(value)


@given(VALUES)
def test_no_text_is_left_where_it_was(value: Any) -> None:
    count = iter(range(10_000))
    changed = replaced(value, iter([f"§{next(count)}" for _ in leaves(value)]))
    assert all(leaf.text.startswith("§") for leaf in leaves(changed))


@given(VALUES)
def test_numbers_that_were_hidden_become_numbers_again(value: Any) -> None:
    """What is masked and restored is the same value, byte for byte."""
    texts = [leaf.text for leaf in leaves(value)]
    masked = [f"<{text}>" for text in texts]
    hidden = numbers_hidden(value, masked)
    strict = replaced(value, iter(masked))
    back = replaced(strict, iter([leaf.text[1:-1] for leaf in leaves(strict)]), numbers=frozenset(hidden).__contains__)
    assert compact(back) == compact(value)


def test_keys_announce_what_stands_under_them() -> None:
    value = {"socialInsuranceNumber": 1, "date_of-birth": ["a", {"x": None}], "n": {"e.mail": True}}
    assert [leaf for leaf in leaves(value) if leaf.label] == [
        Leaf("1", "social Insurance Number"),
        Leaf("a", "date of birth"),
    ]


@pytest.mark.parametrize(
    "text", ["", "{", '{"a":1,"a":2}', "[1e999]", "[NaN]", "[" * 200_000, "[" * 480 + "]" * 480, "9" * 5000]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


@given(TEXTS, st.lists(OBJECTS, min_size=1, max_size=3))
def test_a_callers_calls_keep_their_arguments(content: str, given_arguments: list[dict[str, Any]]) -> None:
    calls = tuple(ToolCall(f"c{at}", "tool", json.dumps(arguments)) for at, arguments in enumerate(given_arguments))
    message = said.from_caller(Sent("assistant", content, calls))
    assert [json.loads(call.arguments) for call in said.calls_of(message)] == given_arguments
    assert said.changed(message, str) == message
    assert decode_messages(encode_messages([message])) == (message,)


def test_arguments_that_are_no_object_are_a_text() -> None:
    message = said.from_caller(Sent("assistant", "", (ToolCall("c", "t", "ana@x.example {"),)))
    assert Leaf("ana@x.example {", "text") in said.texts(message)


@given(st.lists(OBJECTS, min_size=1, max_size=3))
def test_what_a_model_asked_for_comes_back_exactly(given_arguments: list[dict[str, Any]]) -> None:
    calls = tuple(ToolCall(f"c{at}", "tool", compact(arguments)) for at, arguments in enumerate(given_arguments))
    message = said.of_model(calls)
    masked = [f"<{leaf.text}>" for leaf in said.texts(message)]
    kept = said.sealed(message, [*masked, "something else"])
    assert said.calls_of(said.unsealed(kept, lambda text: text[1:-1])) == calls


@pytest.mark.parametrize("content", ['{"a": ["x", {"b": "y"}]}', '["x"]', " {}"])
def test_a_result_in_json_is_read_leaf_by_leaf(content: str) -> None:
    message = Message("tool", "caller", content, '{"answers":"c"}')
    assert Leaf(content) not in said.texts(message)
    assert json.loads(said.changed(message, str).content) == json.loads(content)
    assert said.texts(Message("user", "caller", content)) == [Leaf(content)]


def test_what_a_model_is_told_is_in_order() -> None:
    calls = said.from_caller(Sent("assistant", "", (ToolCall("mine", "t", "{}"), ToolCall("yours", "t", "{}"))))
    result = said.from_caller(Sent("tool", "r", tool_call_id="yours"))
    lost = said.from_caller(Sent("tool", "r", tool_call_id="gone"))
    silent = Message("assistant", "model", "")
    words = Message("assistant", "model", "Wait.")
    made = said.for_model([lost, Message("user", "caller", "Hi"), silent, words, calls, result])
    assert [(one.role, one.content) for one in made] == [("user", "Hi"), ("assistant", "Wait."), ("tool", "r")]
    assert [call.id for call in made[1].tool_calls] == ["call00001", "call00002"]
    assert made[2].tool_call_id == "call00002"
    assert said.unanswerable([], [lost])
    assert said.unanswerable([], [result, calls])
    assert not said.unanswerable([calls], [result])


@pytest.mark.parametrize("rows", ['[["a","caller"]]', '[["a","caller","b","c","d"]]', '[["a","caller","b",{}]]'])
def test_a_content_of_another_form_is_not_read(rows: str) -> None:
    from memory.errors import Unreadable

    with pytest.raises(Unreadable):
        decode_messages(rows.encode())


def test_numbers_keep_their_value_not_their_spelling() -> None:
    assert compact(parse('{"a": 1.50, "b": 1e3, "c": 12}')) == '{"a":1.5,"b":1000.0,"c":12}'


def test_keys_that_become_alike_stay_apart() -> None:
    value = {"a@x.example": 1, "b@x.example": {"c@x.example": 2}}
    made = replaced(value, iter(["[M]", "1", "[M]", "[M]", "2"]))
    assert made == {"[M]": 1, "[M] 2": {"[M]": 2}}
