"""What is said over the model host's socket: one JSON object a line, UTF-8, both ways.

Shared by the host and by its client, `runtime.backends.llama_cpp`; this file holds formats and limits, no I/O loop.

A connection carries one request. The host speaks first:

    < {"event":"hello","protocol":1,"model":…,"weights_sha256":…,"build":…,"context":8192,"gpu":false}
    > {"op":"chat","owner":…,"mode":"fast","messages":[…],"sampling":{…},"max_tokens":…,"seed":…,"weights_sha256":…,
       "json_schema":…,"tools":[…],"tool":"?","thinking":…}
    < {"event":"delta","text":"…"}                                   any number
    < {"event":"final","finish_reason":…,"prompt_tokens":…,…}        or
    < {"event":"error","code":…,"detail":…,"retry_after":…}

After a chat request, `{"op":"cancel"}`, anything else, or closing the connection stops it at the next token.
`{"op":"forget","owner":…}` erases the model's state and answers `{"event":"forgotten"}`.
The chat line is what a gate commits to: everything that shapes the answer is in it, seed and every sampling value.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from contextlib import suppress
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

PROTOCOL: Final = 1
MAX_LINE: Final = 16 * 1024 * 1024
"""Bytes in one line at most; a longer request is refused."""
MAX_SEED: Final = 2**32 - 2
"""The last seed that llama.cpp takes as it is: 2^32 - 1 means "draw one" to it."""

Decimal = Annotated[str, StringConstraints(pattern=r"^-?\d{1,3}(\.\d{1,6})?$")]
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
Owner = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Call(_Strict):
    """A tool call that an assistant made; `arguments` is the text of a JSON object."""

    name: ToolName
    arguments: str


class ToolOffer(_Strict):
    """A tool that the model may call; `parameters` is the text of the JSON schema of its arguments."""

    name: ToolName
    description: str
    parameters: Annotated[str, StringConstraints(max_length=65_536)]


class Message(_Strict):
    """One message; a role other than `tool` reaches the chat template as it is, so only these four exist."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: Annotated[list[Call], Field(max_length=1_000)] = []


class Sampling(_Strict):
    """Every value that shapes the draw, none left to a default. `temperature` 0 takes the likeliest token."""

    temperature: Decimal
    top_p: Decimal
    top_k: Annotated[int, Field(ge=0, le=1_000_000)]
    presence_penalty: Decimal


class ChatOrder(_Strict):
    """One request to generate. With tools, `tool` says which to call: `?` any or none, `!` any, or a name."""

    op: Literal["chat"] = "chat"
    owner: Owner
    mode: Literal["fast", "reproducible"]
    messages: Annotated[list[Message], Field(min_length=1, max_length=10_000)]
    sampling: Sampling
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)]
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)]
    weights_sha256: str
    json_schema: Annotated[str, StringConstraints(max_length=65_536)] | None = None
    tools: Annotated[list[ToolOffer], Field(max_length=128)] = []
    tool: ToolName | Literal["?", "!"] = "?"
    thinking: bool | None = None


class ForgetOrder(_Strict):
    """Stop what `owner` (None: anybody) is running, then overwrite the model's state."""

    op: Literal["forget"] = "forget"
    owner: Owner | None


Order = ChatOrder | ForgetOrder
_ORDER: Final[TypeAdapter[Order]] = TypeAdapter(Annotated[Order, Field(discriminator="op")])


def encode(message: dict[str, Any]) -> bytes:
    """One line.

    Raises:
        UnicodeEncodeError: a string holds a lone surrogate.
    """
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def encode_order(order: Order) -> bytes:
    """The exact line that asks for `order`.

    Raises:
        UnicodeEncodeError: a string holds a lone surrogate.
    """
    return encode(order.model_dump())


def decode_order(line: bytes) -> Order:
    """Parse a request strictly.

    Raises:
        ValueError: it is none; the message is ours and quotes nothing of it.
    """
    with suppress(ValueError):  # let go of here: the parser's exception may quote the prompt
        return _ORDER.validate_json(line)
    raise ValueError("not a request of this protocol")


def decode_event(line: bytes) -> dict[str, Any]:
    """Parse one line of the host.

    Raises:
        ValueError: it is no JSON object.
    """
    event = json.loads(line)
    if not isinstance(event, dict):
        raise ValueError("not an event of this protocol")  # noqa: TRY004  callers handle one kind of wrong line
    return event


class _HasSocketOptions(Protocol):
    def getsockopt(self, level: int, option: int, length: int, /) -> bytes: ...


def same_user(peer: _HasSocketOptions) -> bool:
    """Whether the process at the other end of a Unix socket runs as we do.

    Where the system cannot tell (no SO_PEERCRED), the socket's mode and folder are what protects it.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", raw)
    return bool(uid == os.geteuid())
