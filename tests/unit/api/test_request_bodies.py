"""What a request body may be: `runtime/api/wire.py`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from runtime.api import wire
from runtime.api.chat import ChatBody
from runtime.errors import BadRequest, Invalid, TooLarge

SECRET = "marie.tremblay@example.org"

NOT_JSON: list[tuple[str, bytes]] = [
    ("nothing", b""),
    ("blanks", b" \n"),
    ("half an object", b'{"a":'),
    ("something behind it", b'{"a":1} {"b":2}'),
    ("a list", b"[1]"),
    ("a string", b'"text"'),
    ("a number", b"1"),
    ("null", b"null"),
    ("a form", b"messages=hello"),
    ("comments", b'{"a":1 /* why */}'),
    ("a comma too many", b'{"a":1,}'),
    ("single quotes", b"{'a':1}"),
    ("the same key twice", b'{"a":1,"a":2}'),
    ("the same key twice, one spelled with an escape", b'{"a":1,"\\u0061":2}'),
    ("the same key twice, further inside", b'{"a":[{"b":1,"b":1}]}'),
    ("NaN", b'{"a":NaN}'),
    ("Infinity", b'{"a":Infinity}'),
    ("minus Infinity", b'{"a":-Infinity}'),
    ("an integer of 5,000 digits", b'{"a":' + b"1" * 5000 + b"}"),
    ("a tab inside a string", b'{"a":"\t"}'),
    ("a zero byte inside a string", b'{"a":"\x00"}'),
    ("a byte order mark", b'\xef\xbb\xbf{"a":1}'),
    ("UTF-16", '{"a":1}'.encode("utf-16")),
    ("Latin-1", '{"a":"é"}'.encode("latin-1")),
    ("a surrogate as CESU-8", b'{"a":"\xed\xa0\x80"}'),
    ("an overlong form", b'{"a":"\xc0\xaf"}'),
    ("seventeen levels", b'{"a":' * 17 + b"1" + b"}" * 17),
    ("100,000 brackets", b"[" * 100_000),
    ("100,000 brackets, closed", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ("100,000 objects", b'{"a":' * 100_000),
]
BAD_TEXT: list[tuple[str, bytes]] = [
    ("NUL in a value", b'{"a":"x\\u0000y"}'),
    ("NUL in a key", b'{"x\\u0000":1}'),
    ("NUL deep inside", b'{"a":[{"b":["\\u0000"]}]}'),
    ("a high surrogate alone", b'{"a":"\\ud800"}'),
    ("a low surrogate alone", b'{"a":"\\udfff"}'),
    ("surrogates in the wrong order", b'{"a":"\\ude00\\ud83d"}'),
]


@pytest.mark.parametrize("body", [body for _, body in NOT_JSON], ids=[name for name, _ in NOT_JSON])
def test_what_is_not_one_clear_object_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        wire.parse_json(body)
    assert refused.value.code == "request.not_json"


@pytest.mark.parametrize("body", [body for _, body in BAD_TEXT], ids=[name for name, _ in BAD_TEXT])
def test_texts_that_no_log_or_model_should_meet_are_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        wire.parse_json(body)
    assert refused.value.code == "request.bad_text"


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1}',
        b' \n{"a":1}\r\n',
        '{"a":"é 漢 🦫"}'.encode(),
        b'{"a":"\\ud83e\\uddab"}',
        b'{"a":"\\\\u0000"}',
        b'{"a":"' + b"[{" * 1000 + b'"}',
        b'{"a":"\\"[[[[[[[[[[[[[[[[[[[["}',
        b'{"a":' * 16 + b"1" + b"}" * 16,
        b'{"a":[' + b"[]," * 1000 + b"[]]}",
    ],
)
def test_what_is_clear_is_read_as_json_reads_it(body: bytes) -> None:
    assert wire.parse_json(body) == json.loads(body)


_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=30,
)


def _depth(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(_depth, inside), default=0)


@given(st.dictionaries(_texts, _values, max_size=3), st.booleans(), st.integers(0, 20))
def test_depth_is_counted_exactly(value: dict[str, Any], escaped: bool, levels: int) -> None:
    for _ in range(levels):
        value = {"in": value}
    body = json.dumps(value, ensure_ascii=escaped).encode()
    if _depth(value) > wire.MAX_DEPTH:
        with pytest.raises(Invalid):
            wire.parse_json(body)
    else:
        assert wire.parse_json(body) == value


def refused(body: dict[str, Any]) -> str:
    with pytest.raises(Invalid) as error:
        wire.validate(ChatBody, body)
    assert error.value.code == "request.invalid"
    return error.value.detail


def asking(**fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hello"}], **fields}


WRONG_FIELDS: list[tuple[str, dict[str, Any], str]] = [
    ("nothing", {}, "messages"),
    ("no messages", {"messages": []}, "messages"),
    ("messages that are an object", {"messages": {"role": "user"}}, "messages"),
    ("messages that are a text", {"messages": "Hello"}, "messages"),
    ("a message that is a text", {"messages": ["Hello"]}, "messages.0"),
    ("empty content", {"messages": [{"role": "user", "content": ""}]}, "messages.0.content"),
    ("content that is null", {"messages": [{"role": "user", "content": None}]}, "messages.0.content"),
    ("content that is a number", {"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
    ("content in parts", {"messages": [{"role": "user", "content": [{"text": "a"}]}]}, "messages.0.content"),
    ("no role", {"messages": [{"content": "a"}]}, "messages.0.role"),
    ("an unknown role", {"messages": [{"role": "developer", "content": "a"}]}, "messages.0.role"),
    ("a role in capitals", {"messages": [{"role": "User", "content": "a"}]}, "messages.0.role"),
    ("a field more in a message", {"messages": [{"role": "user", "content": "a", "name": "x"}]}, "messages.0.name"),
    ("a field more", asking(temperature=1), "temperature"),
    ("an option more", asking(options={"logit_bias": {}}), "options.logit_bias"),
    ("a path as conversation", asking(conversation_id="../../etc/passwd"), "conversation_id"),
    ("a path in percents", asking(conversation_id="%2e%2e%2f"), "conversation_id"),
    ("an empty conversation", asking(conversation_id=""), "conversation_id"),
    ("a long conversation", asking(conversation_id="C" * 65), "conversation_id"),
    ("a line break behind the conversation", asking(conversation_id="C-1\n"), "conversation_id"),
    ("a number as conversation", asking(conversation_id=1), "conversation_id"),
    ("stream that is a number", asking(stream=1), "stream"),
    ("stream that is a text", asking(stream="true"), "stream"),
    ("a backend with spaces", asking(backend="my backend"), "backend"),
    ("a purpose in capitals", asking(purpose="Anything At All"), "purpose"),
    ("temperature too high", asking(options={"temperature": 2.1}), "options.temperature"),
    ("temperature without end", asking(options={"temperature": float("inf")}), "options.temperature"),
    ("temperature that is a text", asking(options={"temperature": "0.5"}), "options.temperature"),
    ("temperature that is true", asking(options={"temperature": True}), "options.temperature"),
    ("top_p of zero", asking(options={"top_p": 0}), "options.top_p"),
    ("top_k that is a fraction", asking(options={"top_k": 1.5}), "options.top_k"),
    ("no tokens", asking(options={"max_tokens": 0}), "options.max_tokens"),
    ("max_tokens that is true", asking(options={"max_tokens": True}), "options.max_tokens"),
    ("too many tokens", asking(options={"max_tokens": 10**30}), "options.max_tokens"),
    ("a negative seed", asking(options={"seed": -1}), "options.seed"),
    ("thirty-three data subjects", asking(data_subjects=["a"] * 33), "data_subjects"),
    ("an empty data subject", asking(data_subjects=[""]), "data_subjects.0"),
    ("a very long data subject", asking(data_subjects=["a" * 257]), "data_subjects.0"),
    ("1,001 messages", {"messages": [{"role": "user", "content": "a"}] * 1001}, "messages"),
]


@pytest.mark.parametrize(("body", "field"), [case[1:] for case in WRONG_FIELDS], ids=[case[0] for case in WRONG_FIELDS])
def test_a_wrong_field_is_named(body: dict[str, Any], field: str) -> None:
    assert field in [part.partition(":")[0] for part in refused(body).split("; ")]


def test_a_refusal_repeats_nothing_of_what_was_sent() -> None:
    told = [
        refused({SECRET: SECRET}),
        refused(asking(conversation_id=SECRET)),
        refused(asking(options={SECRET: 1})),
        refused({"messages": [{"role": SECRET, "content": {SECRET: SECRET}, SECRET: SECRET}]}),
        refused(asking(data_subjects=[[SECRET]])),
    ]
    assert [text for text in told if SECRET in text or "tremblay" in text] == []


def test_a_refusal_stays_short_whatever_was_sent() -> None:
    many = {f"field_{number}": number for number in range(5000)}
    assert len(refused(asking(**many))) <= 1000


def arriving(
    chunks: Sequence[bytes], *, headers: Sequence[tuple[bytes, bytes]] = (), ends: bool = True, leaves: bool = False
) -> tuple[Request, list[int]]:
    """A request whose body comes in chunks, and which of them were taken."""
    taken: list[int] = []

    async def receive() -> dict[str, Any]:
        if len(taken) < len(chunks):
            taken.append(len(taken))
            return {"type": "http.request", "body": chunks[taken[-1]], "more_body": True}
        if leaves:
            return {"type": "http.disconnect"}
        if ends:
            return {"type": "http.request", "body": b"", "more_body": False}
        return await asyncio.get_running_loop().create_future()

    return Request({"type": "http", "method": "POST", "headers": list(headers)}, receive), taken


@pytest.mark.anyio
async def test_a_body_is_read_exactly() -> None:
    request, _ = arriving([b'{"a"', b"", b': "\xff', b'"}\n'])
    assert await wire.read_body(request, 100) == b'{"a": "\xff"}\n'


@pytest.mark.anyio
async def test_a_body_of_just_the_limit_is_read() -> None:
    request, _ = arriving([b"x" * 10])
    assert await wire.read_body(request, 10) == b"x" * 10


@pytest.mark.anyio
async def test_reading_stops_where_the_limit_is_passed() -> None:
    request, taken = arriving([b"x" * 8] * 1000)
    with pytest.raises(TooLarge) as refusal:
        await wire.read_body(request, 20)
    assert (refusal.value.code, len(taken)) == ("request.too_large", 3)


@pytest.mark.anyio
async def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    request, taken = arriving([b"x"], headers=[(b"content-length", b"21")])
    with pytest.raises(TooLarge):
        await wire.read_body(request, 20)
    assert taken == []


@pytest.mark.anyio
async def test_a_declared_length_that_is_no_number_counts_for_nothing() -> None:
    request, _ = arriving([b"x" * 21], headers=[(b"content-length", b"-5")])
    with pytest.raises(TooLarge):
        await wire.read_body(request, 20)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arrives", "code"), [({"leaves": True}, "request.incomplete"), ({"ends": False}, "request.slow")]
)
async def test_a_body_that_does_not_end_is_refused(arrives: dict[str, bool], code: str) -> None:
    request, _ = arriving([b'{"messages":'], **arrives)
    with pytest.raises(BadRequest) as refusal:
        await wire.read_body(request, 100, seconds=0.01)
    assert refusal.value.code == code
