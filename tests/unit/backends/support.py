"""What the tests of the OpenAI-compatible client share: a request, a gate, and ways to ask."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

import pytest

from runtime.backends.base import (
    BackendError,
    ChatBackend,
    ChatMessage,
    ChatRequest,
    Finished,
    Gate,
    SamplingOptions,
    TextDelta,
)
from runtime.backends.openai_compatible import OpenAICompatibleBackend

MakeClient = Callable[..., OpenAICompatibleBackend]
KEY = "sk-test-key-0123456789"
PROMPT = "What does Marguerite Tremblay owe?"
REQUEST = ChatRequest(
    messages=(ChatMessage("system", "Be brief."), ChatMessage("user", PROMPT)),
    options=SamplingOptions(max_tokens=50, temperature="0.2", top_p="0.9", top_k=20, seed=7, presence_penalty="0.5"),
    owner="conversation-1",
)


class Gatekeeper:
    """A gate that remembers what it let pass, and refuses when told to."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.passed: list[bytes] = []
        self.refusal = refusal

    async def __call__(self, body: bytes) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.passed.append(body)


class Sleeper:
    """Instead of sleeping, remember how long."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


async def ask(backend: ChatBackend, gate: Gate | None = None, request: ChatRequest = REQUEST) -> tuple[str, Finished]:
    text = ""
    endings: list[Finished] = []
    async with aclosing(backend.chat(request, gate or Gatekeeper())) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                assert not endings, "a delta after the ending"
                assert event.text
                text += event.text
            else:
                endings.append(event)
    assert len(endings) == 1
    return text, endings[0]


async def failure(backend: ChatBackend, gate: Gate | None = None) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await ask(backend, gate)
    return caught.value


def everything(error: BaseException) -> str:
    """All that hangs on an exception: what a thorough error reporter would print of it."""
    parts, todo, done = [], [error], set()
    while todo:
        current = todo.pop()
        if id(current) in done:
            continue
        done.add(id(current))
        parts += [repr(current), str(current), repr(vars(current))]
        todo += [cause for cause in (current.__cause__, current.__context__) if cause is not None]
    return "\n".join(parts)
