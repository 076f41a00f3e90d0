"""What the Chat tab asks of the API: a streamed turn, conversations, an answer again, its view and its explanation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from console.client import Api, ApiDown, ApiFailure, compact, failure_of

_MOST_EVENT = 16 << 20  # characters of one event


def question(text: str, *, conversation: str | None, backend: str | None = None, model: str | None = None) -> bytes:
    """The body of a question, the same bytes for the same question: the record commits to them."""
    body: dict[str, Any] = {"messages": [{"role": "user", "content": text}], "stream": True}
    named = {"conversation_id": conversation, "backend": backend, "model": model}
    return compact(body | {name: value for name, value in named.items() if value is not None})


async def stream(api: Api, body: bytes) -> AsyncIterator[tuple[str, Any]]:
    """The events of a turn: ("delta", text)…, then ("final", answer). Leaving it cancels the request.

    Raises:
        ApiFailure: refused or failed, before the first event or after it.
        ApiDown: no answer, or none that ends.
    """
    async with api.open("POST", "/chat", body, patient=True) as answer:
        name = ""
        try:
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: ") and len(line) <= _MOST_EVENT:
                    data = json.loads(line[6:])
                    if name == "error":
                        raise failure_of(int(data.get("status", 0)), data)
                    yield name, data["content"] if name == "delta" else data
                    if name == "final":
                        return
        except (httpx2.HTTPError, ValueError, KeyError) as error:
            raise ApiDown from error
    raise ApiDown


async def conversations(api: Api) -> list[dict[str, Any]]:
    """One's own, latest first. Raises: ApiFailure, ApiDown."""
    found: list[dict[str, Any]] = (await api.get("/conversations", limit=200))["conversations"]
    return found


async def conversation(api: Api, conversation_id: str) -> dict[str, Any]:
    """One of them with its messages. Raises: ApiFailure, ApiDown."""
    found: dict[str, Any] = await api.get(f"/conversations/{conversation_id}")
    return found


async def answer_of(api: Api, turn_id: str) -> dict[str, Any]:
    """An answer again, with its receipt. Raises: ApiFailure, ApiDown."""
    found: dict[str, Any] = await api.get(f"/turns/{turn_id}")
    return found


async def explanation(api: Api, decision_id: str) -> dict[str, Any] | None:
    """A decision in words, None where it cannot be had."""
    try:
        found: dict[str, Any] = await api.get(f"/decisions/{decision_id}/explain")
    except (ApiFailure, ApiDown):
        return None
    return found


async def parts_down(api: Api) -> list[str] | None:
    """The parts of a server that are not there now; None: it does not answer at all."""
    try:
        state = await api.get("/ready")
    except ApiDown:
        return None
    except ApiFailure as error:
        state = error.body
    checks = state.get("checks", state) if isinstance(state, dict) else {}
    return [name for name, value in checks.items() if value == "unavailable"]


async def newest_decision(api: Api) -> dict[str, Any] | None:
    """The newest record about oneself, None where it cannot be had."""
    try:
        found = (await api.get("/decisions", limit=1))["decisions"]
    except (ApiFailure, ApiDown):
        return None
    return found[0] if found else None
