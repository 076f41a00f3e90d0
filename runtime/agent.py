"""The loop between the model and its tools; reasoning and calls that a model marks in its text are told apart here.

Tools belong to the caller in this version, and he calls them: the loop has one step, and ends with an answer, with the
calls that the model asks for, or in failure. A model that asks for a tool it was not offered is told no by an error,
never by silence; which calls may go out is `runtime/tool_use.py`'s to say. How often bytes may leave for a backend
within one turn (steps and retries together) is bounded in the gate, where they leave (`runtime/gate.py`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from runtime.backends.base import (
    ChatBackend,
    ChatEvent,
    ChatRequest,
    Finished,
    Gate,
    ReasoningDelta,
    TextDelta,
    ToolCall,
)
from runtime.backends.reasoning import ReasoningSplitter
from runtime.errors import UpstreamFailed
from runtime.models.tool_text import CallReader, read_call

_ENDINGS = frozenset({"stop", "length"})


async def run_agent(backend: ChatBackend, request: ChatRequest, gate: Gate) -> AsyncGenerator[ChatEvent, None]:
    """Yield answer, reasoning and calls as they come, then one `Finished`. Closing it cancels the request upstream.

    Raises:
        UpstreamFailed: `agent.filtered`, `agent.tool_unknown`, `agent.tool_arguments`, `agent.no_ending`.
    """
    reader = _Reader(backend, request)
    endings = _ENDINGS | {"tool_calls"} if request.tools else _ENDINGS
    async with aclosing(backend.chat(request, gate)) as events:
        async for event in events:
            if isinstance(event, Finished):
                if event.finish_reason == "content_filter":
                    raise UpstreamFailed("agent.filtered", "The provider's own filter ended the answer.")
                if event.finish_reason not in endings:
                    raise UpstreamFailed("agent.tool_unknown", "The model asked for something that it was not offered.")
                for part in reader.flush():
                    yield part
                yield event
                return
            for part in reader.take(event):
                yield part
    raise UpstreamFailed("agent.no_ending", "The model stopped without saying why.")


class _Reader:
    """Takes a backend's events apart."""

    def __init__(self, backend: ChatBackend, request: ChatRequest) -> None:
        self._splitter = ReasoningSplitter(opened=getattr(backend, "reasoning_opened", False))
        in_text = request.tools and getattr(backend, "tools_in_text", False)
        self._calls = CallReader() if in_text else None

    def take(self, event: TextDelta | ReasoningDelta | ToolCall) -> list[ChatEvent]:
        if isinstance(event, TextDelta):
            return self._parts(*self._splitter.feed(event.text))
        return [event]

    def flush(self) -> list[ChatEvent]:
        parts = self._parts(*self._splitter.flush())
        if self._calls is None:
            return parts
        text, calls = self._calls.flush()
        if self._calls.cut:
            raise UpstreamFailed("agent.tool_arguments", "The model's tool call was cut at max_tokens.")
        return parts + _told(text, calls)

    def _parts(self, reasoning: str, answer: str) -> list[ChatEvent]:
        parts: list[ChatEvent] = [ReasoningDelta(reasoning)] if reasoning else []
        return parts + (_told(answer, []) if self._calls is None else _told(*self._calls.feed(answer)))


def _told(text: str, calls: list[str]) -> list[ChatEvent]:
    told: list[ChatEvent] = []
    for written in calls:
        read = read_call(written)
        if read is None:
            raise UpstreamFailed("agent.tool_arguments", "The model's tool call is not of the form that tools take.")
        told.append(ToolCall("", *read))
    return [*told, TextDelta(text)] if text else told
