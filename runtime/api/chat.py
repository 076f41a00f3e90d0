"""`POST /chat`: the native door, plain and streaming."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field, StrictBool, StringConstraints
from starlette.responses import Response

from runtime.api import wire
from runtime.api.access import authenticate, services
from runtime.api.tools import ChatMessage, Choice, Tools, chosen, offered
from runtime.api.turns import (
    ChatOptions,
    Identifier,
    Name,
    ResponseFormat,
    StrictModel,
    governed,
    idempotency_key,
    schema,
)
from runtime.errors import Invalid
from runtime.exchange import Message, TurnRequest

router = APIRouter(tags=["chat"])

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_OTHER_SUBJECTS = 31  # a record lists 32: these and the caller


class ChatBody(StrictModel):
    """What `/chat` takes. Unknown fields are refused."""

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    conversation_id: Identifier | None = None
    stream: StrictBool = False
    backend: Name | None = None
    model: Name | None = None
    data_subjects: Annotated[tuple[Subject, ...], Field(max_length=_OTHER_SUBJECTS)] = ()
    purpose: Code | None = None
    classification: Code | None = None
    options: ChatOptions = ChatOptions()
    response_format: ResponseFormat | None = None
    tools: Tools = ()
    tool_choice: Choice | None = None


@router.post("/chat", summary="One governed turn", openapi_extra=schema(ChatBody))
async def chat(request: Request) -> Response:
    caller = await authenticate(request)
    body = await wire.read_body(request, services(request).settings.server.request_bytes)
    wanted = wire.validate(ChatBody, wire.parse_json(body))
    if wanted.tools and wanted.response_format is not None and wanted.response_format.type != "text":
        raise Invalid("request.invalid", "response_format: an answer in JSON and tools exclude each other")
    tools = offered(wanted.tools)
    turn = TurnRequest(
        caller=caller,
        door="chat",
        body=body,
        messages=_messages(wanted),
        conversation_id=wanted.conversation_id,
        backend=wanted.backend,
        model=wanted.model,
        data_subjects=wanted.data_subjects,
        purpose=wanted.purpose,
        classification=wanted.classification,
        options=wanted.options.as_options(),
        json_schema=wanted.response_format.as_schema() if wanted.response_format else None,
        tools=tools,
        tool_choice=chosen(wanted.tool_choice, tools),
        stream=wanted.stream,
        idempotency_key=idempotency_key(request),
    )
    return governed(request, turn)


def _messages(wanted: ChatBody) -> tuple[Message, ...]:
    messages = tuple(item.as_message() for item in wanted.messages)
    if messages[-1].role not in {"user", "tool"}:
        raise Invalid("request.invalid", "messages: the last one must be the user's or a tool's")
    if messages[-1].role == "user" and not messages[-1].content.strip():
        raise Invalid("request.invalid", "messages: the last one is empty")
    return messages
