"""What is asked, in a server's own terms. Pure: a request and a preset in, a JSON object out."""

from __future__ import annotations

import json
import math
from typing import Any

from runtime.backends.base import ChatRequest
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
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "max_tokens": options.max_tokens,
        "stream": True,
    }
    body |= {key: _finite(value) for key, value in decimals.items() if value is not None and key in known}
    body |= {key: value for key, value in whole.items() if value is not None and key in known}
    if preset.asks_for_usage:
        body["stream_options"] = {"include_usage": True}
    if request.json_schema is not None:
        body["response_format"] = _schema_format(request.json_schema, understood=preset.schema)
    if request.thinking is not None and preset.switches_thinking:
        body["chat_template_kwargs"] = {"enable_thinking": request.thinking}
    for message in request.messages:
        message.content.encode()
    return body


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
