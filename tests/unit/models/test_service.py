"""The model host's service on a real socket, with an engine that says what the test decides."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from runtime.models import service as service_module
from runtime.models.wire import decode_event
from tests.fakes.engine import WEIGHTS, FakeEngine
from tests.fakes.model_host import serving

pytestmark = pytest.mark.anyio


class Caller:
    """One connection, spoken to by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def at(cls, path: Path) -> Caller:
        caller = cls(*await asyncio.open_unix_connection(str(path)))
        assert (await caller.event())["event"] == "hello"
        return caller

    def send(self, **order: Any) -> Caller:
        self.writer.write(json.dumps(order).encode() + b"\n")
        return self

    def chat(self, text: str, *, owner: str = "o", **more: Any) -> Caller:
        return self.send(
            **{
                "op": "chat",
                "owner": owner,
                "mode": "fast",
                "messages": [{"role": "user", "content": text}],
                "sampling": {"temperature": "0", "top_p": "1", "top_k": 0, "presence_penalty": "0"},
                "max_tokens": 9,
                "seed": 3,
                "weights_sha256": WEIGHTS,
                **more,
            }
        )

    async def event(self) -> dict[str, Any]:
        return decode_event(await asyncio.wait_for(self.reader.readuntil(b"\n"), 10))

    async def ending(self) -> dict[str, Any]:
        """The last line; the connection is closed after it."""
        while (event := await self.event())["event"] == "delta":
            pass
        assert await asyncio.wait_for(self.reader.read(), 10) == b""
        self.writer.close()
        return event


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.sock"


async def _holding(path: Path, engine: FakeEngine, owner: str = "holder") -> Caller:
    """A caller whose answer is under way and stays so."""
    caller = (await Caller.at(path)).chat("hold", owner=owner)
    await caller.event()
    assert engine.runs[-1] == f"{owner}:hold"
    return caller


async def test_one_answer(path: Path) -> None:
    async with serving(FakeEngine(), path):
        caller = (await Caller.at(path)).chat("one two")
        assert [(await caller.event())["text"] for _ in range(2)] == ["one ", "two "]
        assert await caller.ending() == {
            "event": "final",
            "finish_reason": "stop",
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "cached_prompt_tokens": 1,
            "seed": 3,
            "model": "fake-model",
        }


async def test_deltas_leave_while_the_model_still_writes(path: Path) -> None:
    engine = FakeEngine()
    async with serving(engine, path):
        caller = (await Caller.at(path)).chat("hold")
        assert await caller.event() == {"event": "delta", "text": "held "}
        engine.release.set()
        assert (await caller.ending())["completion_tokens"] == 2


async def test_owners_take_turns(path: Path) -> None:
    engine = FakeEngine()
    async with serving(engine, path):
        first = await _holding(path, engine)
        waiting = []
        for text, owner in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")):
            caller = (await Caller.at(path)).chat(text, owner=owner)
            await caller.writer.drain()
            waiting.append(caller)
            await _until_queued(path)
        engine.release.set()
        for caller in (first, *waiting):
            await caller.ending()
    assert engine.runs == ["holder:hold", "a:a1", "b:b1", "a:a2", "a:a3"]


async def _until_queued(path: Path) -> None:
    """What was sent before on other connections has been read: this request came later and was answered."""
    await (await Caller.at(path)).send(op="nonsense").ending()


async def test_a_full_queue_is_busy_at_once(path: Path) -> None:
    engine = FakeEngine()
    async with serving(engine, path, queue=1, wait=7.2):
        first = await _holding(path, engine)
        second = (await Caller.at(path)).chat("x", owner="b")
        await _until_queued(path)
        refused = await (await Caller.at(path)).chat("y", owner="c").ending()
        assert refused == {
            "event": "error",
            "code": "upstream.busy",
            "detail": "the local model is busy",
            "retry_after": 8,
        }
        engine.release.set()
        assert (await first.ending())["event"] == (await second.ending())["event"] == "final"


async def test_who_fills_the_queue_gives_way(path: Path) -> None:
    engine = FakeEngine()
    async with serving(engine, path, queue=2):
        first = await _holding(path, engine)
        greedy = []
        for text in ("x", "y"):
            greedy.append((await Caller.at(path)).chat(text, owner="greedy"))
            await _until_queued(path)
        other = (await Caller.at(path)).chat("z", owner="other")
        assert (await greedy[1].ending())["code"] == "upstream.busy"
        engine.release.set()
        for caller in (first, greedy[0], other):
            assert (await caller.ending())["event"] == "final"


async def test_waiting_has_an_end(path: Path) -> None:
    engine = FakeEngine()
    async with serving(engine, path, wait=0.05):
        first = await _holding(path, engine)
        assert (await (await Caller.at(path)).chat("x").ending())["code"] == "upstream.busy"
        engine.release.set()
        assert (await first.ending())["event"] == "final", "the wait ends when the turn comes"
    assert engine.runs == ["holder:hold"]


@pytest.mark.parametrize("how", ["cancel", "close", "anything else"])
async def test_stopping_a_running_answer(how: str, path: Path) -> None:
    engine = FakeEngine()
    async with serving(engine, path):
        caller = await _holding(path, engine)
        if how == "close":
            caller.writer.close()
        else:
            caller.send(op="cancel" if how == "cancel" else "song")
            assert (await caller.ending())["finish_reason"] == "cancelled"
        assert (await (await Caller.at(path)).chat("next").ending())["event"] == "final"
    assert engine.stopped == 1


async def test_stopping_a_waiting_request(path: Path) -> None:
    engine = FakeEngine()
    async with serving(engine, path):
        first = await _holding(path, engine)
        leaver = (await Caller.at(path)).chat("never")
        canceller = (await Caller.at(path)).chat("never either").send(op="cancel")
        assert (await canceller.ending())["finish_reason"] == "cancelled"
        leaver.writer.close()
        await leaver.writer.wait_closed()
        await _until_queued(path)
        engine.release.set()
        await first.ending()
    assert engine.runs == ["holder:hold"]


async def test_forget_stops_its_owner_only(path: Path) -> None:
    engine = FakeEngine()
    async with serving(engine, path):
        running = await _holding(path, engine, owner="erased")
        waiting = (await Caller.at(path)).chat("also", owner="erased")
        other = (await Caller.at(path)).chat("other", owner="other")
        await _until_queued(path)
        assert await (await Caller.at(path)).send(op="forget", owner="erased").ending() == {"event": "forgotten"}
        for caller in (running, waiting):
            ended = await caller.ending()
            assert (ended["event"], ended["code"]) == ("error", "upstream.unavailable")
        assert (await other.ending())["event"] == "final"
    assert engine.forgotten == 1
    assert engine.runs == ["erased:hold", "other:other"]


async def test_forget_lets_others_finish_first(path: Path) -> None:
    engine = FakeEngine()
    async with serving(engine, path):
        running = await _holding(path, engine, owner="other")
        forgetting = (await Caller.at(path)).send(op="forget", owner="erased")
        await _until_queued(path)
        assert engine.forgotten == 0
        engine.release.set()
        assert (await running.ending())["event"] == "final"
        assert await forgetting.ending() == {"event": "forgotten"}


BAD_FRAMES = [
    ("no JSON", b"GET / HTTP/1.1\r\n"),
    ("binary", bytes(range(256)) + b"\n"),
    ("an unknown operation", b'{"op":"load"}\n'),
    ("other fields", b'{"op":"forget","owner":"o","more":1}\n'),
    ("deep nesting", b"[" * 50_000 + b"\n"),
]


@pytest.mark.parametrize("frame", [b[1] for b in BAD_FRAMES], ids=[b[0] for b in BAD_FRAMES])
async def test_bad_frames_are_refused_and_stop_nothing(frame: bytes, path: Path) -> None:
    async with serving(FakeEngine(), path):
        caller = await Caller.at(path)
        caller.writer.write(frame)
        assert (await caller.ending())["code"] == "upstream.rejected"
        assert (await (await Caller.at(path)).chat("fine").ending())["event"] == "final"


async def test_a_frame_without_end_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fakes.model_host.MAX_LINE", 1000)
    async with serving(FakeEngine(), path):
        caller = await Caller.at(path)
        caller.writer.write(b"x" * 5000)
        assert (await caller.event())["code"] == "upstream.rejected"
        caller.writer.close()
        assert (await (await Caller.at(path)).chat("fine").ending())["event"] == "final"


async def test_callers_that_say_nothing_or_leave_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "_FRAME_SECONDS", 0.05)
    async with serving(FakeEngine(), path):
        silent = await Caller.at(path)
        leaver = await Caller.at(path)
        leaver.writer.close()
        half = await Caller.at(path)
        half.writer.write(b'{"op":')
        half.writer.close()
        assert await asyncio.wait_for(silent.reader.read(), 10) == b""
        silent.writer.close()
        assert (await (await Caller.at(path)).chat("fine").ending())["event"] == "final"


async def test_other_weights_are_refused(path: Path) -> None:
    async with serving(FakeEngine(), path):
        ended = await (await Caller.at(path)).chat("x", weights_sha256="0" * 64).ending()
        assert ended["code"] == "upstream.unavailable"


@pytest.mark.parametrize(("text", "code"), [("fault", "upstream.context_overflow"), ("crash", "upstream.unavailable")])
async def test_a_failing_engine(text: str, code: str, path: Path) -> None:
    async with serving(FakeEngine(), path):
        ended = await (await Caller.at(path)).chat(text).ending()
        assert ended["code"] == code
        assert "secret" not in str(ended)
        assert (await (await Caller.at(path)).chat("fine").ending())["event"] == "final"


async def test_stopping_tells_everybody(path: Path) -> None:
    engine = FakeEngine()
    async with serving(engine, path):
        running = await _holding(path, engine)
        waiting = (await Caller.at(path)).chat("waiting", owner="b")
        silent = await Caller.at(path)
        await _until_queued(path)
    for caller in (running, waiting):
        ended = await caller.ending()
        assert (ended["code"], ended["retry_after"]) == ("upstream.unavailable", 1)
    assert await silent.reader.read() == b""
    silent.writer.close()
    assert engine.closed
    assert engine.runs == ["holder:hold"]
