"""The loop between the model and its tools; reasoning that a model marks in its text is told apart here.

Tools are not offered in this version, so the loop has one step: the model answers, or the turn fails. A model that
asks for a tool all the same is told no by an error, never by silence. How often bytes may leave for a backend within
one turn (steps and retries together) is bounded in the gate, where they leave (`runtime/turn.py`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from runtime.backends.base import ChatBackend, ChatEvent, ChatRequest, Gate, ReasoningDelta, TextDelta
from runtime.backends.reasoning import ReasoningSplitter
from runtime.errors import UpstreamFailed

_ENDINGS = {"stop", "length"}


async def run_agent(backend: ChatBackend, request: ChatRequest, gate: Gate) -> AsyncGenerator[ChatEvent, None]:
    """Yield answer and reasoning as they come, then one `Finished`. Closing the generator cancels the request upstream.

    Raises:
        UpstreamFailed: `agent.filtered`, `agent.tool_unknown`, `agent.no_ending`.
    """
    splitter = ReasoningSplitter(opened=getattr(backend, "reasoning_opened", False))
    async with aclosing(backend.chat(request, gate)) as events:
        async for event in events:
            if isinstance(event, ReasoningDelta):
                yield event
            elif isinstance(event, TextDelta):
                for part in _parts(*splitter.feed(event.text)):
                    yield part
            elif event.finish_reason in _ENDINGS:
                for part in _parts(*splitter.flush()):
                    yield part
                yield event
                return
            elif event.finish_reason == "content_filter":
                raise UpstreamFailed("agent.filtered", "The provider's own filter ended the answer.")
            else:
                raise UpstreamFailed("agent.tool_unknown", "The model asked for something that it was not offered.")
    raise UpstreamFailed("agent.no_ending", "The model stopped without saying why.")


def _parts(reasoning: str, answer: str) -> list[ChatEvent]:
    parts: list[ChatEvent] = [ReasoningDelta(reasoning)] if reasoning else []
    return [*parts, TextDelta(answer)] if answer else parts
