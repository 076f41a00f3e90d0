from __future__ import annotations

import asyncio

import pytest

from runtime.backends.base import (
    BackendError,
    ChatEvent,
    ChatMessage,
    ChatRequest,
    Finished,
    SamplingOptions,
    TextDelta,
)
from runtime.backends.scripted import Pause, Script, ScriptedBackend, SendAgain

pytestmark = pytest.mark.anyio
REQUEST = ChatRequest((ChatMessage("user", "hello"),), SamplingOptions(max_tokens=5, seed=3), "o")


async def events_of(backend: ScriptedBackend, gate: list[bytes] | None = None) -> list[ChatEvent]:
    passed = [] if gate is None else gate

    async def keep(body: bytes) -> None:
        passed.append(body)

    return [event async for event in backend.chat(REQUEST, keep)]


async def test_it_says_what_it_was_told() -> None:
    backend = ScriptedBackend(Script(("a", "b"), usage=(5, 2)))
    assert await events_of(backend) == [TextDelta("a"), TextDelta("b"), Finished("stop", 5, 2, "script-1", seed=3)]
    assert (backend.open, backend.cancelled) == (0, 0)


async def test_the_gate_gets_its_bytes_each_time() -> None:
    backend = ScriptedBackend(Script(("a", SendAgain(), "b")))
    passed: list[bytes] = []
    await events_of(backend, passed)
    assert [sent.body for sent in backend.sent] == passed
    assert len(passed) == 2
    assert passed[0] == passed[1]
    assert b"hello" in passed[0]


async def test_a_closed_gate_sends_nothing() -> None:
    backend = ScriptedBackend()

    async def closed(_body: bytes) -> None:
        raise RuntimeError("no record")

    with pytest.raises(RuntimeError, match="no record"):
        await anext(backend.chat(REQUEST, closed))
    assert backend.sent == []
    assert (backend.open, backend.cancelled) == (0, 0)


async def test_scripts_play_in_order_and_the_last_for_ever() -> None:
    backend = ScriptedBackend([Script(("1",)), Script(("2",))])
    assert [(await events_of(backend))[0] for _ in range(3)] == [TextDelta("1"), TextDelta("2"), TextDelta("2")]


async def test_a_script_may_depend_on_the_request() -> None:
    backend = ScriptedBackend(lambda request: Script((request.messages[0].content,)))
    assert (await events_of(backend))[0] == TextDelta("hello")


async def test_errors_and_missing_endings() -> None:
    with pytest.raises(BackendError):
        await events_of(ScriptedBackend(Script(("a", BackendError("upstream.timeout", "late")))))
    assert await events_of(ScriptedBackend(Script(("a",), finish_reason=None))) == [TextDelta("a")]


async def test_it_can_be_held_and_left() -> None:
    pause = Pause(asyncio.Event())
    backend = ScriptedBackend(Script(("a", pause, "b")))
    task = asyncio.create_task(events_of(backend))
    await pause.reached.wait()
    assert backend.open == 1
    pause.until.set()
    assert len(await task) == 3
    pause.until.clear()
    pause.reached.clear()
    task = asyncio.create_task(events_of(backend))
    await pause.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (backend.open, backend.cancelled) == (0, 1)


async def test_health() -> None:
    await ScriptedBackend().health()
    with pytest.raises(BackendError):
        await ScriptedBackend(unhealthy=BackendError("upstream.unavailable", "down")).health()


def test_it_is_for_tests_only() -> None:
    assert ScriptedBackend.test_only
