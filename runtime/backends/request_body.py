"""What is asked, in a server's own terms. Pure: a request and a preset in, a JSON object out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, Literal

from runtime.backends.base import ChatMessage, ChatRequest
from runtime.backends.presets import Preset


def build_body(request: ChatRequest, model: str, preset: Preset) -> dict[str, Any]:
    """The body of a streamed chat completion; options that the server does not know are left out.

    Raises:
        ValueError: a decimal is none, a text holds a lone surrogate, or a schema is none or not understood there.
    """
    options, known = request.options, preset.options
    decimals = {
        "temperature": options.temperature,
        "top_p": options.top_p,
        "presence_penalty": options.presence_penalty,
    }
    whole = {"top_k": options.top_k, "seed": options.seed}
    body: dict[str, Any] = {
        "model": model,
        "messages": _in_turns(request.messages) if preset.takes_turns else _as_they_are(request.messages),
        "max_tokens": options.max_tokens,
        "stream": True,
    }
    body |= {key: _finite(value) for key, value in decimals.items() if value is not None and key in known}
    body |= {key: value for key, value in whole.items() if value is not None and key in known}
    body |= preset.fixed
    if preset.asks_for_usage:
        body["stream_options"] = {"include_usage": True}
    if request.json_schema is not None:
        body["response_format"] = _schema_format(request.json_schema, understood=preset.schema)
    if request.thinking is not None and preset.switches_thinking:
        body["chat_template_kwargs"] = {"enable_thinking": request.thinking}
    if request.tools:
        body |= _tools(request, preset.tools)
    _texts(body).encode()  # a lone surrogate has no UTF-8
    return body


def _texts(body: dict[str, Any]) -> str:
    return json.dumps([body["messages"], body.get("tools")], ensure_ascii=False)


def _as_they_are(messages: Iterable[ChatMessage]) -> list[dict[str, Any]]:
    return [_one(message) for message in messages]


def _one(message: ChatMessage) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        made["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        made["tool_call_id"] = message.tool_call_id
    return made


def _tools(request: ChatRequest, understood: Literal["all", "words", "nothing"] | None) -> dict[str, Any]:
    """Tools and choice; where one tool is wanted by name and the server knows no names, it is the only one offered."""
    if understood is None:
        raise ValueError("no tools for this provider")
    choice = request.tool_choice
    alone = choice.mode == "named" and understood != "all"
    listed = [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
        }
        for tool in request.tools
        if not alone or tool.name == choice.name
    ]
    if understood == "nothing":
        return {"tools": listed}
    if choice.mode == "named" and not alone:
        return {"tools": listed, "tool_choice": {"type": "function", "function": {"name": choice.name}}}
    return {"tools": listed, "tool_choice": "required" if alone else choice.mode}


def _in_turns(messages: Iterable[ChatMessage]) -> list[dict[str, str]]:
    """Neighbours of one role as one message; a system message that comes late is said by the user."""
    made: list[dict[str, str]] = []
    for message in messages:
        late = message.role == "system" and any(each["role"] != "system" for each in made)
        role = "user" if late else message.role
        if made and made[-1]["role"] == role:
            made[-1]["content"] += "\n\n" + message.content
        else:
            made.append({"role": role, "content": message.content})
    return made


def _finite(decimal: str) -> float:
    number = float(decimal)
    if not math.isfinite(number):
        raise ValueError("not a decimal")
    return number


def _schema_format(schema: str, *, understood: bool) -> dict[str, Any]:
    parsed = json.loads(schema)
    if not understood or not isinstance(parsed, dict):
        raise ValueError("no schema that this provider can be held to")
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": parsed, "strict": True}}
