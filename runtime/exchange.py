"""What goes into a turn and what comes out of it: plain values, shared by the pipeline and its doors."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from policies.model import Principal
from runtime.backends.base import ANY_TOOL, Tool, ToolCall, ToolChoice

#: Called with each piece of text at the moment it is handed to the caller's socket; raises when the caller is gone.
Release = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated credential, turned into whom policy judges and whom memory knows."""

    principal: Principal
    principal_id: str
    person_id: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the caller sent it. Whatever its role says, it is the caller's word, never the model's.

    Attributes:
        tool_calls: what he says that an assistant asked for; arguments are the text of a JSON object.
        tool_call_id: whose result a tool's message is.
    """

    role: str
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """Sampling options as the caller gave them; None means the configured default. Decimals are strings."""

    temperature: str | None = None
    top_p: str | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    seed: int | None = None
    presence_penalty: str | None = None
    thinking: bool | None = None


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One request for one turn. `body` is the request exactly as received: what the input commitment covers."""

    caller: Caller
    door: str
    body: bytes
    messages: tuple[Message, ...]
    conversation_id: str | None = None
    backend: str | None = None
    model: str | None = None
    data_subjects: tuple[str, ...] = ()
    purpose: str | None = None
    classification: str | None = None
    options: Options = field(default_factory=Options)
    json_schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ANY_TOOL
    stream: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Extras:
    """What is released beside an answer's text.

    Attributes:
        citations: {title, url} of each source that the provider named.
        reasoning: what the model said to itself, where policy keeps it; else empty.
        citations_dropped: how many sources did not pass.
        tool_calls: what the model asks the caller to call, with the caller's own values.
    """

    citations: tuple[dict[str, str], ...] = ()
    reasoning: str = ""
    citations_dropped: int = 0
    tool_calls: tuple[ToolCall, ...] = ()

    def exact(self) -> dict[str, str]:
        """By name, exactly what a record commits to; lists as compact JSON (docs/log-format.md)."""
        parts = {
            "citations": _compact(list(self.citations)) if self.citations else "",
            "tool_calls": _compact(calls_json(self.tool_calls)) if self.tool_calls else "",
            "reasoning": self.reasoning,
        }
        return {name: text for name, text in parts.items() if text}


@dataclass(frozen=True, slots=True)
class Answer:
    """A governed answer: the text as released, with the evidence that goes with it."""

    conversation_id: str
    turn_id: str
    decision_id: str
    content: str
    model: dict[str, Any]
    usage: dict[str, int | str]
    redactions: dict[str, int]
    notice: str
    degraded: bool
    processing_time_ms: int
    receipt: dict[str, Any]
    history_trimmed: bool = False
    citations: tuple[dict[str, str], ...] = ()
    reasoning: dict[str, Any] | None = None
    tool_calls: tuple[ToolCall, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The body of a `POST /chat` answer; `tool_calls` and `history_trimmed` only where there are any."""
        body = {
            "status": "success",
            "conversation_id": self.conversation_id,
            "turn_id": self.turn_id,
            "decision_id": self.decision_id,
            "content": self.content,
            "message": {"role": "assistant", "content": self.content},
            "citations": list(self.citations),
            "reasoning": self.reasoning,
            "model": self.model,
            "usage": self.usage,
            "redactions": self.redactions,
            "notice": self.notice,
            "degraded": self.degraded,
            "processing_time_ms": self.processing_time_ms,
            "receipt": self.receipt,
        }
        if self.tool_calls:
            body["tool_calls"] = calls_json(self.tool_calls)
        return {**body, "history_trimmed": True} if self.history_trimmed else body


def calls_json(calls: tuple[ToolCall, ...]) -> list[dict[str, Any]]:
    """Tool calls as OpenAI's API writes them."""
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
