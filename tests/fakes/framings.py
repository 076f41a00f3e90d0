"""How the bytes of an event stream are cut into the chunks of HTTP, and what else the standard lets stand in one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

Framing = Callable[[bytes], Sequence[bytes]]


def whole_at_once(stream: bytes) -> list[bytes]:
    return [stream]


def by_bytes(size: int) -> Framing:
    """Pieces of `size` bytes, in the middle of characters and of lines."""
    return lambda stream: [stream[at : at + size] for at in range(0, len(stream), size)]


def with_comments(stream: bytes) -> list[bytes]:
    """Keep-alive comments and other members of events between all events."""
    newline = b"\r\n" if b"\r\n\r\n" in stream else b"\n"
    events = [event + newline * 2 for event in stream.split(newline * 2) if event]
    return [b": ping" + newline * 2 + b"id: 7" + newline + b"retry: 10" + newline + event for event in events]


def crlf(stream: bytes) -> list[bytes]:
    return [stream.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")]


def bare_cr(stream: bytes) -> list[bytes]:
    return [stream.replace(b"\r\n", b"\n").replace(b"\n", b"\r")]


def without_done(stream: bytes) -> list[bytes]:
    return [stream.replace(b"data: [DONE]\n\n", b"")]


def after_done(stream: bytes) -> list[bytes]:
    """What comes after the end is no part of the answer."""
    late = {"choices": [{"index": 0, "delta": {"content": "LATE"}, "finish_reason": None}]}
    done = b"" if b"[DONE]" in stream else b"data: [DONE]\n\n"
    return [stream + done, b"data: " + json.dumps(late).encode() + b"\n\n"]


def bom(stream: bytes) -> list[bytes]:
    """The standard lets a stream begin with a byte order mark."""
    return [b"\xef\xbb\xbf" + stream]


FRAMINGS: dict[str, Framing] = {
    "whole at once": whole_at_once,
    "byte by byte": by_bytes(1),
    "seven bytes": by_bytes(7),
    "comments between": with_comments,
    "CR LF": crlf,
    "bare CR": bare_cr,
    "no DONE": without_done,
    "data after DONE": after_done,
    "byte order mark": bom,
}
