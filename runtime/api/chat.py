"""`POST /chat`: the native door, plain and streaming."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StringConstraints
from starlette.responses import Response

from runtime.api import wire
from runtime.api.access import authenticate, services
from runtime.api.sse import TurnResponse
from runtime.errors import FilAgentError, Invalid
from runtime.exchange import Answer, Message, Options, Release, TurnRequest

router = APIRouter(tags=["chat"])

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
Purpose = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_OTHER_SUBJECTS = 31  # a record lists 32: these and the caller
IDEMPOTENCY_KEY = r"^[\x21-\x7e]{1,255}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChatMessage(_Strict):
    role: Literal["system", "user", "assistant"]
    content: Annotated[str, StringConstraints(strict=True, min_length=1)]


class ChatOptions(_Strict):
    temperature: Annotated[StrictFloat, Field(ge=0, le=2)] | None = None
    top_p: Annotated[StrictFloat, Field(gt=0, le=1)] | None = None
    top_k: Annotated[StrictInt, Field(ge=0, le=1000)] | None = None
    max_tokens: Annotated[StrictInt, Field(ge=1, le=32768)] | None = None
    seed: Annotated[StrictInt, Field(ge=0, le=2**31 - 1)] | None = None
    presence_penalty: Annotated[StrictFloat, Field(ge=-2, le=2)] | None = None


class ChatBody(_Strict):
    """What `/chat` takes. Unknown fields are refused."""

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    conversation_id: Identifier | None = None
    stream: StrictBool = False
    backend: Name | None = None
    model: Name | None = None
    data_subjects: Annotated[list[Subject], Field(max_length=_OTHER_SUBJECTS)] = []
    purpose: Purpose | None = None
    options: ChatOptions = ChatOptions()


@router.post(
    "/chat",
    summary="One governed turn",
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": ChatBody.model_json_schema()}}},
        "parameters": [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}}],
    },
)
async def chat(request: Request) -> Response:
    parts = services(request)
    caller = await authenticate(request)
    body = await wire.read_body(request, parts.settings.server.request_bytes)
    wanted = wire.validate(ChatBody, wire.parse_json(body))
    turn = TurnRequest(
        caller=caller,
        door="chat",
        body=body,
        messages=_messages(wanted),
        conversation_id=wanted.conversation_id,
        backend=wanted.backend,
        model=wanted.model,
        data_subjects=tuple(wanted.data_subjects),
        purpose=wanted.purpose,
        options=_options(wanted.options),
        stream=wanted.stream,
        idempotency_key=_idempotency_key(request),
    )

    async def run(release: Release) -> Answer:
        with parts.telemetry.duration.labels("chat").time():
            return await parts.pipeline.run(turn, release)

    def on_end(status: int, error: FilAgentError | None) -> None:
        parts.telemetry.requests.labels("chat", str(status)).inc()
        if error is not None:
            parts.telemetry.errors.labels(error.code).inc()

    return TurnResponse(run, stream=wanted.stream, on_end=on_end)


def _messages(wanted: ChatBody) -> tuple[Message, ...]:
    messages = tuple(Message(item.role, item.content) for item in wanted.messages)
    if messages[-1].role != "user":
        raise Invalid("request.invalid", "messages: the last one must be the user's")
    if not messages[-1].content.strip():
        raise Invalid("request.invalid", "messages: the last one is empty")
    return messages


def _options(wanted: ChatOptions) -> Options:
    return Options(
        temperature=_decimal(wanted.temperature),
        top_p=_decimal(wanted.top_p),
        top_k=wanted.top_k,
        max_tokens=wanted.max_tokens,
        seed=wanted.seed,
        presence_penalty=_decimal(wanted.presence_penalty),
    )


def _decimal(value: float | None) -> str | None:
    """A decimal as the records write it: no exponent, at most four places."""
    if value is None:
        return None
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not re.fullmatch(IDEMPOTENCY_KEY, key):
        raise Invalid("request.invalid", "Idempotency-Key: 1 to 255 visible ASCII characters")
    return key
