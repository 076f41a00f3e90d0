"""Clients and the writer's socket: many at once, hostile frames, strangers, orderly and disorderly ends."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from log_rig import FaultyFiles, Rig, check_whole, intent, make_rig, turn

from runtime.audit.client import InProcessLog, LogClient, SocketLog
from runtime.audit.errors import AlreadyClosed, DraftRefused, LogUnavailable
from runtime.audit.record import Appended, Draft, new_record_id
from runtime.audit.server import LogServer
from runtime.audit.wire import MAX_FRAME, draft_frame


@pytest.fixture
def rig() -> Iterator[Rig]:
    """In a short directory: the path of a socket has 107 bytes at most."""
    home = Path(tempfile.mkdtemp(prefix="fa-"))
    yield make_rig(home)
    shutil.rmtree(home)


@asynccontextmanager
async def served(rig: Rig, **more: Any) -> AsyncIterator[LogServer]:
    server = LogServer(rig.open(**more))
    await server.listen(str(rig.socket))
    try:
        yield server
    finally:
        await server.aclose()


@asynccontextmanager
async def client(rig: Rig, kind: str) -> AsyncIterator[LogClient]:
    if kind == "in process":
        log: LogClient = InProcessLog(rig.open())
        yield log
        await log.aclose()
    else:
        async with served(rig):
            log = SocketLog(rig.socket)
            yield log
            await log.aclose()


KINDS = ["in process", "socket"]


@pytest.mark.parametrize("kind", KINDS)
def test_many_at_once_share_syncs(rig: Rig, kind: str) -> None:
    async def run() -> None:
        async with client(rig, kind) as log:
            drafts = [turn(number) for number in range(200)]
            receipts = await asyncio.gather(*(log.append(draft) for draft in drafts))
            assert [receipt.record_id for receipt in receipts] == [draft.record_id for draft in drafts]
            assert len({receipt.checkpoint for receipt in receipts}) < 100
            assert (await log.status())["size"] == 201
            check_whole(rig, receipts)

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_errors_keep_their_kind(rig: Rig, kind: str) -> None:
    async def run() -> None:
        async with client(rig, kind) as log:
            first = turn()
            receipt = await log.append(first)
            assert (await log.append(first)).index == receipt.index
            with pytest.raises(AlreadyClosed, match=first.record_id):
                await log.append(turn(turn_ref=first.predicate["turn_ref"]))
            with pytest.raises(DraftRefused, match="reasons"):
                await log.append(turn(reasons=["he said so"]))
            for hopeless in (
                Draft(new_record_id(), "admin", {"detail": object()}),  # type: ignore[dict-item]
                Draft(object(), "admin", {}),  # type: ignore[arg-type]
                Draft(new_record_id(), "admin", {}, ((object(), "x"),)),  # type: ignore[arg-type]
                turn(rules=["x" * 64] * 10_000),
            ):
                with pytest.raises(DraftRefused):
                    await log.append(hopeless)
            await log.append(turn())

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_a_cancelled_append_is_recorded_all_the_same(rig: Rig, kind: str) -> None:
    async def run() -> None:
        async with client(rig, kind) as log:
            draft = turn()
            await log.append(intent())
            task = asyncio.create_task(log.append(draft))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await log.append(draft)
            await log.append(turn())

    asyncio.run(run())
    assert rig.events().count("turn") == 2


def test_closing_finishes_what_is_queued(rig: Rig) -> None:
    async def run() -> None:
        log = InProcessLog(rig.open())
        tasks = [asyncio.create_task(log.append(turn(number))) for number in range(50)]
        await asyncio.sleep(0)
        await log.aclose()
        check_whole(rig, await asyncio.gather(*tasks))

    asyncio.run(run())
    assert rig.events().count("turn") == 50


def test_a_server_that_ends_answers_what_it_has_taken(rig: Rig) -> None:
    async def run() -> None:
        log = SocketLog(rig.socket)
        async with served(rig) as server:
            await log.append(turn())
            tasks = [asyncio.create_task(log.append(turn(number))) for number in range(50)]
            while not any(connection.waiting for connection in server.connections):
                await asyncio.sleep(0)
            taken = sum(connection.waiting for connection in server.connections)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        receipts = [result for result in results if isinstance(result, Appended)]
        assert len(receipts) >= taken
        assert {type(result) for result in results} <= {Appended, LogUnavailable}
        check_whole(rig, receipts)
        await log.aclose()

    asyncio.run(run())


def test_after_closing_nothing_is_taken(rig: Rig) -> None:
    async def run() -> None:
        log = InProcessLog(rig.open())
        await log.append(turn())
        await log.aclose()
        await log.aclose()
        with pytest.raises(LogUnavailable):
            await log.append(turn())

    asyncio.run(run())
    rig.open().close()


def test_one_log_for_two_event_loops(rig: Rig) -> None:
    log = InProcessLog(rig.open())

    def other() -> None:
        asyncio.run(asyncio.wait_for(log.append(turn()), 30))

    thread = threading.Thread(target=other)
    thread.start()
    asyncio.run(log.append(turn()))
    thread.join()
    asyncio.run(log.aclose())
    check_whole(rig)


def test_what_follows_the_log_is_told_in_order_and_may_fail(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    told: list[int] = []

    def follow(committed: Any) -> None:
        told.extend(index for index, _, _ in committed)
        raise ValueError("views are full")

    async def run() -> None:
        log = InProcessLog(rig.open(), follow)
        await asyncio.gather(*(log.append(turn(number)) for number in range(30)))
        await log.aclose()

    asyncio.run(run())
    assert told == list(range(31))
    assert "views are full" in caplog.text


def test_a_failed_disk_reaches_every_client(rig: Rig) -> None:
    async def run() -> None:
        disk = FaultyFiles()
        async with served(rig, files=disk):
            logs = [SocketLog(rig.socket) for _ in range(3)]
            await asyncio.gather(*(log.append(turn()) for log in logs))
            disk.fail("sync", 5)
            answers = await asyncio.gather(*(log.append(intent()) for log in logs), return_exceptions=True)
            answers += await asyncio.gather(*(log.append(intent()) for log in logs), return_exceptions=True)
            assert [type(answer) for answer in answers] == [LogUnavailable] * 6
            assert (await logs[0].status())["writable"] is False
            for log in logs:
                await log.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("surprise", [KeyboardInterrupt, MemoryError, ValueError])
def test_whatever_goes_wrong_everybody_is_told(rig: Rig, surprise: type[BaseException]) -> None:
    def step(reached: str) -> None:
        if reached == "audit.append.after_write" and armed:
            raise surprise

    async def run() -> None:
        log = InProcessLog(rig.open(on_step=step))
        await log.append(turn())
        armed.append(True)
        results = await asyncio.gather(*(log.append(turn()) for _ in range(3)), return_exceptions=True)
        results.append(await asyncio.gather(log.append(turn()), return_exceptions=True))
        assert [type(result) for result in results] == [LogUnavailable] * 3 + [list]
        assert isinstance(results[-1][0], LogUnavailable)
        await log.aclose()

    armed: list[bool] = []
    asyncio.run(run())
    rig.closed(1)
    check_whole(rig)


def test_no_writer(rig: Rig) -> None:
    for path in (rig.socket, rig.home / ("x" * 200)):
        log = SocketLog(path)
        with pytest.raises(LogUnavailable):
            asyncio.run(log.append(turn()))


def test_a_client_connects_again(rig: Rig) -> None:
    async def run() -> None:
        log = SocketLog(rig.socket)
        for _ in range(2):
            async with served(rig):
                await log.append(turn())
            with pytest.raises(LogUnavailable):
                await log.append(turn())
        await log.aclose()

    asyncio.run(run())
    assert rig.events() == ["log.started", "turn"] * 2


@asynccontextmanager
async def peer(rig: Rig) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection to the writer's socket."""
    reader, writer = await asyncio.open_unix_connection(str(rig.socket), limit=1 << 20)
    try:
        yield reader, writer
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def answers(rig: Rig, *sent: bytes, count: int) -> list[dict[str, Any]]:
    async with peer(rig) as (reader, writer):
        for part in sent:
            writer.write(part)
        return [json.loads(await asyncio.wait_for(reader.readline(), 10)) for _ in range(count)]


HOSTILE = {
    "noise": b"\x00\xff\xfe\n",
    "not JSON": b"{\n",
    "an array": b"[]\n",
    "a number": b"7\n",
    "no id": b"{}\n",
    "an id that is a string": b'{"id":"1"}\n',
    "an id that is true": b'{"id":true}\n',
    "an id with 5000 digits": b'{"id":' + b"9" * 5000 + b"}\n",
    "no draft": b'{"id":1}\n',
    "a draft that is an object": b'{"id":1,"draft":{}}\n',
    "a draft of numbers": b'{"id":1,"draft":[1,2,3,4]}\n',
    "a draft too short": b'{"id":1,"draft":["a","b","c"]}\n',
    "a draft of noise": b'{"id":1,"draft":["a","b","c","d"]}\n',
    "a draft that ends its line": b'{"id":1,"draft":["'
    + new_record_id().encode()
    + b'","admin","",",\\"door\\":\\"a\\n\\""]}\n',
    "a status that is no wish": b'{"id":1,"status":1}\n',
    "nested deep": b'{"id":1,"draft":' + b"[" * 50_000 + b"]" * 50_000 + b"}\n",
    "an empty frame": b"\n",
}


@pytest.mark.parametrize("frame", HOSTILE.values(), ids=HOSTILE)
def test_a_frame_that_is_none_is_answered_and_the_connection_goes_on(rig: Rig, frame: bytes) -> None:
    async def run() -> None:
        async with served(rig):
            good = draft_frame(5, turn())
            bad, fine = await answers(rig, frame, good, count=2)
            assert bad["error"]["code"] == "audit.draft_refused"
            assert bad["id"] in {None, 1}
            assert fine["id"] == 5
            assert fine["ok"]["index"] == 1

    asyncio.run(run())
    check_whole(rig)


def test_a_frame_that_never_ends(rig: Rig) -> None:
    async def run() -> None:
        async with served(rig):
            async with peer(rig) as (reader, writer):
                writer.write(b"x" * (MAX_FRAME + 2))
                answer, end = await reader.readline(), await reader.read()
                assert json.loads(answer)["error"]["detail"] == "frame: too long"
                assert end == b""
            log = SocketLog(rig.socket)
            await log.append(turn())
            await log.aclose()

    asyncio.run(run())


def test_a_frame_in_pieces(rig: Rig) -> None:
    async def run() -> None:
        frame = draft_frame(1, turn()) + draft_frame(2, turn())
        async with served(rig), peer(rig) as (reader, writer):
            for at in range(0, len(frame), 97):
                writer.write(frame[at : at + 97])
                await writer.drain()
                await asyncio.sleep(0)
            received = [json.loads(await reader.readline()) for _ in range(2)]
            assert sorted(item["id"] for item in received) == [1, 2]

    asyncio.run(run())


def test_a_client_that_leaves_or_does_not_listen_stops_nobody(rig: Rig) -> None:
    async def run() -> None:
        async with served(rig):
            async with peer(rig) as (_, gone):
                gone.write(b"".join(draft_frame(number, turn(number)) for number in range(20)))
                gone.transport.abort()
            deaf = socket.socket(socket.AF_UNIX)
            deaf.connect(str(rig.socket))
            deaf.setblocking(False)
            frames = memoryview(b"".join(draft_frame(number, turn(number)) for number in range(2000)))
            sent = 0
            log = SocketLog(rig.socket)
            for _ in range(100):
                try:
                    sent += deaf.send(frames[sent:])
                except BlockingIOError:
                    await log.append(intent())
                if sent == len(frames):
                    break
            await log.append(turn())
            await log.aclose()
            deaf.close()

    asyncio.run(run())
    check_whole(rig)


def test_the_socket_is_for_its_owner_alone(rig: Rig) -> None:
    async def run() -> None:
        old = os.umask(0)
        try:
            async with served(rig):
                assert rig.socket.stat().st_mode & 0o777 == 0o600
        finally:
            os.umask(old)

    asyncio.run(run())


def test_another_user_is_sent_away(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with served(rig):
            monkeypatch.setattr(os, "geteuid", lambda: 12345)
            log = SocketLog(rig.socket)
            with pytest.raises(LogUnavailable):
                await log.append(turn())

    asyncio.run(run())
    assert rig.events() == ["log.started"]


@asynccontextmanager
async def impostor(rig: Rig, answer: bytes) -> AsyncIterator[None]:
    """Something on the writer's socket that answers every frame with `answer`."""
    handled: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            writer.write(answer)
        writer.close()
        await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handled.append(asyncio.create_task(handle(reader, writer)))

    server = await asyncio.start_unix_server(connected, str(rig.socket))
    yield
    server.close()
    await asyncio.gather(*handled)


ODD_ANSWERS = {
    "nothing": b"",
    "noise": b"noise\n{}\n",
    "another id": b'{"id":7,"ok":{}}\n',
    "another receipt": b'{"id":1,"ok":{"a":1}}\n',
    "a receipt without hashes": b'{"id":1,"ok":{"inclusion":7}}\n',
    "neither": b'{"id":1}\n',
    "an error that is none": b'{"id":1,"error":7}\n',
    "an error of a later version": b'{"id":1,"error":{"code":"audit.new","detail":"x"}}\n',
}


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_a_writer_that_answers_something_else(rig: Rig, answer: bytes) -> None:
    async def run() -> None:
        async with impostor(rig, answer):
            log = SocketLog(rig.socket, timeout=0.2)
            with pytest.raises(LogUnavailable):
                await log.append(turn())
            await log.aclose()

    asyncio.run(run())
