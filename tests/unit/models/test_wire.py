from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from runtime.models.wire import ChatOrder, ForgetOrder, decode_event, decode_order, encode_order, same_user

CHAT: dict[str, Any] = {
    "op": "chat",
    "owner": "o",
    "mode": "fast",
    "messages": [{"role": "user", "content": "secret"}],
    "sampling": {"temperature": "0.7", "top_p": "1", "top_k": 0, "presence_penalty": "-0.5"},
    "max_tokens": 5,
    "seed": 0,
    "weights_sha256": "x",
}


def test_requests_survive_the_way() -> None:
    for order in (ChatOrder.model_validate(CHAT), ForgetOrder(owner=None), ForgetOrder(owner="é")):
        line = encode_order(order)
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert decode_order(line) == order


WRONG = [
    ("empty", b"\n"),
    ("no JSON", b"secret\n"),
    ("no UTF-8", b'{"op":"forget","owner":"\xff"}'),
    ("a list", b"[1]"),
    ("no operation", json.dumps({**CHAT, "op": None}).encode()),
    ("an unknown operation", b'{"op":"load","path":"secret"}'),
    ("an unknown field", json.dumps({**CHAT, "grammar": "secret"}).encode()),
    ("a field too few", json.dumps({k: v for k, v in CHAT.items() if k != "seed"}).encode()),
    ("another role", json.dumps({**CHAT, "messages": [{"role": "developer", "content": "secret"}]}).encode()),
    ("no messages", json.dumps({**CHAT, "messages": []}).encode()),
    ("a number for a string", json.dumps({**CHAT, "owner": 5}).encode()),
    ("a string for a number", json.dumps({**CHAT, "seed": "5"}).encode()),
    ("a seed out of range", json.dumps({**CHAT, "seed": 2**32 - 1}).encode()),
    ("a decimal that is none", json.dumps({**CHAT, "sampling": {**CHAT["sampling"], "top_p": "nan"}}).encode()),
    ("a lone surrogate", json.dumps({**CHAT, "messages": [{"role": "user", "content": "\ud800 secret"}]}).encode()),
    ("nesting without end", b"[" * 100_000),
]


@pytest.mark.parametrize("line", [w[1] for w in WRONG], ids=[w[0] for w in WRONG])
def test_wrong_requests_are_refused_without_being_quoted(line: bytes) -> None:
    with pytest.raises(ValueError, match="not a request") as caught:
        decode_order(line)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("line", [b"5", b"[]", b"x", b"", b"\xff"])
def test_wrong_events(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode_event(line)


def test_the_peer_is_our_own_user() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert same_user(ours)


def test_a_peer_that_is_somebody_else() -> None:
    class Other:
        def getsockopt(self, _level: int, _option: int, _length: int, /) -> bytes:
            return (1).to_bytes(4, "little") + (54321).to_bytes(4, "little") + (1).to_bytes(4, "little")

    assert not same_user(Other())
