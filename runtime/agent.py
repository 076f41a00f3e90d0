"""The loop between the model and its tools.

Tools are not offered in this version, so the loop has one step: the model answers, or the turn fails. A model that
asks for a tool all the same is told no by an error, never by silence. How often bytes may leave for a backend within
one turn (steps and retries together) is bounded in the gate, where they leave (`runtime/turn.py`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from runtime.backends.base import ChatBackend, ChatRequest, Finished, Gate, TextDelta
from runtime.errors import UpstreamFailed

_ENDINGS = {"stop", "length"}


async def run_agent(
    backend: ChatBackend, request: ChatRequest, gate: Gate
) -> AsyncGenerator[TextDelta | Finished, None]:
    """Yield text as it comes, then one `Finished`. Closing the generator cancels the request upstream.

    Raises:
        UpstreamFailed: `agent.tool_unknown`, `agent.no_ending`.
    """
    async with aclosing(backend.chat(request, gate)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                yield event
            elif event.finish_reason in _ENDINGS:
                yield event
                return
            else:
                raise UpstreamFailed("agent.tool_unknown", "The model asked for something that it was not offered.")
    raise UpstreamFailed("agent.no_ending", "The model stopped without saying why.")
