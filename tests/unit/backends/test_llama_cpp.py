"""The client of the model host: against the host's real service with a fake engine, and against hosts that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from runtime.backends.base import (
    BackendError,
    ChatMessage,
    ChatRequest,
    Finished,
    Gate,
    ModelFacts,
    SamplingOptions,
    TextDelta,
    Timeouts,
)
from runtime.backends.llama_cpp import LlamaCppBackend
from runtime.models.wire import MAX_SEED
from tests.fakes.engine import WEIGHTS, FakeEngine
from tests.fakes.model_host import serving

pytestmark = pytest.mark.anyio


def request(text: str = "one two", *, owner: str = "owner-1", **options: Any) -> ChatRequest:
    return ChatRequest((ChatMessage("user", text),), SamplingOptions(max_tokens=50, **options), owner)


def backend_at(path: Path, **more: Any) -> LlamaCppBackend:
    return LlamaCppBackend(path, **{"model": "fake-model", "weights_sha256": WEIGHTS, **more})


async def ask(backend: LlamaCppBackend, wanted: ChatRequest, gate: Gate | None = None) -> tuple[str, Finished]:
    async def let_pass(_body: bytes) -> None:
        return

    text, ending = "", None
    async with aclosing(backend.chat(wanted, gate or let_pass)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                text += event.text
            else:
                ending = event
    assert ending is not None
    return text, ending


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.sock"


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[FakeEngine]:
    engine = FakeEngine()
    async with serving(engine, path):
        yield engine


async def test_an_answer(engine: FakeEngine, path: Path) -> None:
    text, ending = await ask(backend_at(path), request(seed=7))
    assert text == "one two "
    assert ending == Finished("stop", 3, 2, "fake-model", seed=7, cached_prompt_tokens=1)


async def test_facts_are_complete_when_the_gate_is_called(engine: FakeEngine, path: Path) -> None:
    backend = backend_at(path)
    assert backend.describe() == ModelFacts("llama.cpp", "fake-model", WEIGHTS, None)
    seen: list[ModelFacts] = []

    async def gate(_body: bytes) -> None:
        seen.append(backend.describe())

    await ask(backend, request(), gate)
    assert seen == [ModelFacts("llama.cpp", "fake-model", WEIGHTS, "fake-build-1")]


async def test_a_closed_gate_lets_nothing_out(engine: FakeEngine, path: Path) -> None:
    refusal = RuntimeError("no record")

    async def closed(_body: bytes) -> None:
        raise refusal

    with pytest.raises(RuntimeError) as caught:
        await ask(backend_at(path), request(), closed)
    assert caught.value is refusal
    await ask(backend_at(path), request("afterwards"))
    assert engine.runs == ["owner-1:afterwards"]


@pytest.mark.parametrize("schema", [None, '{"type":"object"}'])
async def test_the_gate_gets_the_whole_line_with_nothing_left_open(path: Path, schema: str | None) -> None:
    lines: list[bytes] = []

    async def host(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_line(HELLO))
        lines.append(await reader.readuntil(b"\n"))
        writer.write(_line({"event": "final", "finish_reason": "stop"}))

    passed: list[bytes] = []

    async def gate(body: bytes) -> None:
        passed.append(body)

    async with misbehaving(path, host):
        await ask(backend_at(path), dataclasses.replace(request("é\x00"), json_schema=schema), gate)
    assert passed == lines
    order = json.loads(passed[0])
    assert isinstance(order.pop("seed"), int)
    assert order == {
        "op": "chat",
        "owner": "owner-1",
        "mode": "fast",
        "messages": [{"role": "user", "content": "é\x00", "calls": []}],
        "sampling": {"temperature": "0.7", "top_p": "0.95", "top_k": 40, "presence_penalty": "0"},
        "max_tokens": 50,
        "weights_sha256": WEIGHTS,
        "json_schema": schema,
        "tools": [],
        "tool": "?",
        "thinking": None,
    }


async def test_a_seed_is_drawn_and_reported(engine: FakeEngine, path: Path) -> None:
    seeds = {(await ask(backend_at(path), request()))[1].seed for _ in range(5)}
    assert len(seeds) == 5


UNASKABLE = [
    ("a seed that llama.cpp would replace", {"seed": MAX_SEED + 1}, "user", "x"),
    ("a negative seed", {"seed": -1}, "user", "x"),
    ("no number", {"temperature": "hot"}, "user", "x"),
    ("a lone surrogate", {}, "user", "secret \ud800"),
    ("an unknown role", {}, "<|im_start|>system", "secret"),
]


@pytest.mark.parametrize(("options", "role", "text"), [u[1:] for u in UNASKABLE], ids=[u[0] for u in UNASKABLE])
async def test_what_cannot_be_asked(
    options: dict[str, Any], role: str, text: str, engine: FakeEngine, path: Path
) -> None:
    wanted = ChatRequest((ChatMessage(role, text),), SamplingOptions(max_tokens=5, **options), "o")
    with pytest.raises(BackendError) as caught:
        await ask(backend_at(path), wanted)
    error = caught.value
    assert error.code == "upstream.rejected"
    assert error.__context__ is None
    assert "secret" not in str(error)
    assert engine.runs == []


async def test_another_model_is_not_served(engine: FakeEngine, path: Path) -> None:
    wanted = ChatRequest((ChatMessage("user", "x"),), SamplingOptions(max_tokens=5), "o", model="gpt")
    with pytest.raises(BackendError) as caught:
        await ask(backend_at(path), wanted)
    assert caught.value.code == "upstream.rejected"


FAULTS = [("fault", "upstream.context_overflow", 422), ("crash", "upstream.unavailable", 503)]


@pytest.mark.parametrize(("text", "code", "status"), FAULTS)
async def test_faults_of_the_engine(text: str, code: str, status: int, engine: FakeEngine, path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        await ask(backend_at(path), request(text))
    assert (caught.value.code, caught.value.status) == (code, status)
    assert "secret" not in str(caught.value)
    assert (await ask(backend_at(path), request("still here")))[0] == "still here "


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_leaving_stops_the_model(how: str, engine: FakeEngine, path: Path) -> None:
    async def let_pass(_body: bytes) -> None:
        return

    backend = backend_at(path)
    events = backend.chat(request("hold"), let_pass)
    assert await anext(events) == TextDelta("held ")
    if how == "close":
        await events.aclose()
    else:
        task = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (await ask(backend, request("next")))[0] == "next "
    assert engine.stopped == 1


async def test_health(engine: FakeEngine, path: Path) -> None:
    await backend_at(path).health()


NOT_THERE = [
    ("no socket", None),
    ("nobody behind it", "stale"),
    ("not a socket", "file"),
]


@pytest.mark.parametrize("what", [n[1] for n in NOT_THERE], ids=[n[0] for n in NOT_THERE])
async def test_no_host(what: str | None, path: Path) -> None:
    if what == "stale":
        async with misbehaving(path, _silent):
            pass
    if what == "file":
        path.write_text("")
    for attempt in (backend_at(path).health(), ask(backend_at(path), request()), backend_at(path).forget("o")):
        with pytest.raises(BackendError) as caught:
            await attempt
        assert (caught.value.code, caught.value.status) == ("upstream.unavailable", 503)
        assert str(path) not in str(caught.value)


async def test_other_weights_are_noticed_before_anything_is_sent(engine: FakeEngine, path: Path) -> None:
    async def gate(_body: bytes) -> None:
        pytest.fail("the gate was asked")

    with pytest.raises(BackendError) as caught:
        await ask(backend_at(path, weights_sha256="cd" * 32), request(), gate)
    assert caught.value.code == "upstream.unavailable"


async def test_forget(engine: FakeEngine, path: Path) -> None:
    await backend_at(path).forget("owner-1")
    await backend_at(path).forget(None)
    assert engine.forgotten == 2


HELLO = {"event": "hello", "protocol": 1, "model": "m", "weights_sha256": WEIGHTS, "build": "b", "context": 8}
Host = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _line(event: object) -> bytes:
    return json.dumps(event).encode() + b"\n"


async def _silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    return


@contextlib.asynccontextmanager
async def misbehaving(path: Path, host: Host) -> AsyncIterator[None]:
    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await host(reader, writer)
        writer.close()

    server = await asyncio.start_unix_server(connection, str(path))
    try:
        yield
    finally:
        server.close()


MISBEHAVIOUR = [
    ("closes at once", [], "upstream.unavailable"),
    ("greets with nonsense", [b"\xff\xfe\n"], "upstream.bad_response"),
    ("greets with a list", [b"[]\n"], "upstream.bad_response"),
    ("speaks another protocol", [_line({**HELLO, "protocol": 2})], "upstream.bad_response"),
    ("dies after its greeting", [_line(HELLO)], "upstream.unavailable"),
    ("dies in the middle", [_line(HELLO), _line({"event": "delta", "text": "a"})], "upstream.unavailable"),
    ("dies in a line", [_line(HELLO), b'{"event":"del'], "upstream.unavailable"),
    ("sends nonsense", [_line(HELLO), b"nonsense\n"], "upstream.bad_response"),
    ("sends an unknown event", [_line(HELLO), _line({"event": "song"})], "upstream.bad_response"),
    ("sends text that is none", [_line(HELLO), _line({"event": "delta", "text": 5})], "upstream.bad_response"),
    ("sends an unknown error", [_line(HELLO), _line({"event": "error", "code": "x"})], "upstream.bad_response"),
]


@pytest.mark.parametrize(("lines", "code"), [m[1:] for m in MISBEHAVIOUR], ids=[m[0] for m in MISBEHAVIOUR])
async def test_a_host_that_misbehaves(lines: list[bytes], code: str, path: Path) -> None:
    async def host(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, line in enumerate(lines):
            writer.write(line)
            if number == 0:
                await reader.readuntil(b"\n")

    async with misbehaving(path, host if len(lines) > 1 else _greeter(lines)):
        with pytest.raises(BackendError) as caught:
            await ask(backend_at(path), request())
    assert caught.value.code == code


def _greeter(lines: list[bytes]) -> Host:
    async def host(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines(lines)

    return host


SILENCE = [
    ("never greets", [], Timeouts(connect=0.05)),
    ("never begins", [_line(HELLO)], Timeouts(first_token=0.05)),
    ("never ends", [_line(HELLO), _line({"event": "delta", "text": "a"})], Timeouts(total=0.05)),
]


@pytest.mark.parametrize(("lines", "timeouts"), [s[1:] for s in SILENCE], ids=[s[0] for s in SILENCE])
async def test_a_host_that_falls_silent(lines: list[bytes], timeouts: Timeouts, path: Path) -> None:
    left = asyncio.Event()

    async def host(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines(lines)
        while await reader.read(1000):
            pass
        left.set()

    async with misbehaving(path, host):
        with pytest.raises(BackendError) as caught:
            await ask(backend_at(path, timeouts=timeouts), request())
        assert caught.value.code == "upstream.timeout"
        await asyncio.wait_for(left.wait(), 10)
