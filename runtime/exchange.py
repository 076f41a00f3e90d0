"""What goes into a turn and what comes out of it: plain values, shared by the pipeline and its doors."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from policies.model import Principal

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
    """One message as the caller sent it. Whatever its role says, it is the caller's word, never the model's."""

    role: str
    content: str


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
    stream: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Extras:
    """What is released beside an answer's text.

    Attributes:
        citations: {title, url} of each source that the provider named.
        reasoning: what the model said to itself, where policy keeps it; else empty.
        citations_dropped: how many sources did not pass.
    """

    citations: tuple[dict[str, str], ...] = ()
    reasoning: str = ""
    citations_dropped: int = 0

    def exact(self) -> dict[str, str]:
        """By name, exactly what a record commits to; citations as compact JSON (docs/log-format.md)."""
        listed = json.dumps(list(self.citations), ensure_ascii=False, separators=(",", ":"))
        parts = {"citations": listed if self.citations else "", "reasoning": self.reasoning}
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

    def as_json(self) -> dict[str, Any]:
        """The body of a `POST /chat` answer; `history_trimmed` only where earlier turns were left out."""
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
        return {**body, "history_trimmed": True} if self.history_trimmed else body
