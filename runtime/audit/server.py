"""The log writer as a process: drafts in over a Unix socket, durable receipts out.

The socket is 0600 and takes peers of its own user only. One connection carries many requests at a time; a frame that
cannot be read is answered with an error and the connection goes on, one that is too long ends it. Nothing a peer sends
stops the writer. What a frame looks like is in `wire`, what becomes of a draft in `writer`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

from runtime.audit.errors import AuditError, DraftRefused, LogDamaged, LogUnavailable
from runtime.audit.group import GroupCommit, OnCommitted
from runtime.audit.log import Step
from runtime.audit.upkeep import Upkeep
from runtime.audit.view_process import ViewProcess
from runtime.audit.wire import (
    MAX_FRAME,
    FrameError,
    Task,
    decode,
    encode,
    error_frame,
    ok_frame,
    read_draft,
    read_task,
)
from runtime.audit.writer import LogWriter, Result

MAX_IN_FLIGHT = 1024  # drafts of one connection that wait for their answer
LINGER = 5.0  # seconds a peer has to take its last answers
_CREDENTIALS = struct.Struct("3i")
_LOGGER = logging.getLogger(__name__)


class _Connection(asyncio.Protocol):
    def __init__(self, server: LogServer) -> None:
        self._server = server
        self._buffer = b""
        self.waiting = 0
        self._full = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("socket")
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        if _CREDENTIALS.unpack(credentials)[1] != os.geteuid():
            transport.abort()
            return
        self._transport = transport
        self._server.joined(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        self._server.left(self)

    def data_received(self, data: bytes) -> None:
        *frames, self._buffer = (self._buffer + data).split(b"\n")
        for frame in frames:
            self._receive(frame)
        if len(self._buffer) > MAX_FRAME:
            self.send([error_frame(None, DraftRefused("frame: too long"))])
            self.close()
        self.throttle()

    def _receive(self, line: bytes) -> None:
        number: int | None = None
        try:
            frame = decode(line)
            number = frame["id"]
            if number is None:
                raise FrameError("no id")
            if frame.get("status") is True:
                self.send([encode({"id": number, "ok": self._server.group.status()})])
                return
            if "do" in frame:
                self._server.do(read_task(frame), partial(self._done, number))
                self.waiting += 1
                return
            prepared = read_draft(frame.get("draft"))
            self._server.group.submit(prepared, (self, number), self._server.sink)
            self.waiting += 1
        except FrameError as error:
            self.send([error_frame(number, DraftRefused(f"frame: {error}"))])
        except AuditError as error:
            self.send([error_frame(number, error)])

    def _done(self, number: int, result: dict[str, Any] | AuditError) -> None:
        frame = error_frame(number, result) if isinstance(result, AuditError) else encode({"id": number, "ok": result})
        self.answered([frame])

    def answered(self, frames: list[bytes]) -> None:
        self.waiting -= len(frames)
        self.send(frames)
        self.throttle()

    def send(self, frames: list[bytes]) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(frames))

    def close(self) -> None:
        """Close once what was sent is on its way."""
        if self._transport is not None:
            self._transport.close()

    def pause_writing(self) -> None:
        self._full = True
        self.throttle()

    def resume_writing(self) -> None:
        self._full = False
        self.throttle()

    def throttle(self) -> None:
        """Read no more from a peer that does not take its answers, or wants too many at a time."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._full or self.waiting >= MAX_IN_FLIGHT or self._server.closing:
            transport.pause_reading()
        else:
            transport.resume_reading()


class LogServer:
    """Serves one log writer on one socket."""

    def __init__(self, writer: LogWriter, on_committed: OnCommitted | None = None) -> None:
        """Owns `writer` from now on; see `GroupCommit` for `on_committed`. Call within a running event loop."""
        self.group = GroupCommit(writer, on_committed)
        self._upkeep = Upkeep(writer, self.group)
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections: set[_Connection] = set()
        self.closing = False
        self._loop = asyncio.get_running_loop()
        self._server: asyncio.AbstractServer | None = None
        self._gone = asyncio.Event()
        self._gone.set()

    async def listen(self, path: str) -> None:
        """Accept connections on `path`; a socket left there by a dead writer is replaced (the log's lock is ours).

        Raises:
            OSError: the path cannot be bound.
        """
        with suppress(FileNotFoundError):
            os.unlink(path)
        bound = socket.socket(socket.AF_UNIX)
        try:
            before = os.umask(0o177)
            try:
                bound.bind(path)
            finally:
                os.umask(before)
            self._server = await self._loop.create_unix_server(lambda: _Connection(self), sock=bound, backlog=128)
        except BaseException:
            bound.close()
            raise

    async def aclose(self) -> None:
        """Take nothing new, finish what is queued, send the answers, let go of the log."""
        self.closing = True
        if self._server is not None:
            self._server.close()
        for connection in self.connections:
            connection.throttle()
        if self._tasks:
            await asyncio.wait(self._tasks)
        # The last answers are handed to this loop before the thread ends, so they are sent before this returns.
        await asyncio.to_thread(self.group.close)
        for connection in list(self.connections):
            connection.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                await self._gone.wait()

    def do(self, task: Task, answer: Callable[[dict[str, Any] | AuditError], None]) -> None:
        """Begin a task of upkeep; `answer` is called with what came of it."""

        async def run() -> None:
            try:
                if task.name == "pause":
                    answer({"size": await self._upkeep.pause()})
                elif task.name == "reload_keys":
                    answer({"version": await self._upkeep.reload_keys()})
                else:
                    answer({"pruned": await self._upkeep.prune(task.held)})
            except AuditError as error:
                answer(error)
            except Exception as error:
                _LOGGER.exception("upkeep failed")
                answer(LogUnavailable(f"{task.name} failed: {type(error).__name__}"))

        running = self._loop.create_task(run())
        self._tasks.add(running)
        running.add_done_callback(self._tasks.discard)

    def joined(self, connection: _Connection) -> None:
        self.connections.add(connection)
        self._gone.clear()

    def left(self, connection: _Connection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self._gone.set()

    def sink(self, answers: list[tuple[Any, Result]]) -> None:
        """Called in the writer's thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody is there to be answered
            self._loop.call_soon_threadsafe(self._answer, answers)

    def _answer(self, answers: list[tuple[Any, Result]]) -> None:
        by_connection: dict[_Connection, list[bytes]] = {}
        for (connection, number), result in answers:
            frame = error_frame(number, result) if isinstance(result, AuditError) else ok_frame(number, result)
            by_connection.setdefault(connection, []).append(frame)
        for connection, frames in by_connection.items():
            connection.answered(frames)


def main(argv: list[str] | None = None) -> int:
    """Run the log writer until SIGTERM, or until standard input ends with `--parent-pipe`.

    Prints `ready` once it listens. Exit 0 after an orderly end, 1 when the log is damaged, 2 when it cannot start.
    """
    parser = argparse.ArgumentParser(prog="python -m runtime.audit.writer", description="the writer of a signed log")
    parser.add_argument("--logs", type=Path, required=True, help="the log's directory")
    parser.add_argument("--keys", type=Path, required=True, help="the directory of its private keys")
    parser.add_argument("--socket", type=Path, required=True, help="the Unix socket to listen on")
    parser.add_argument("--passphrase-file", type=Path, help="a file with the passphrase of the private keys")
    parser.add_argument("--software", default='{"version":"0"}', help="JSON: version and digest of what is running")
    parser.add_argument("--parent-pipe", action="store_true", help="end when standard input ends")
    parser.add_argument("--retain-days", type=int, default=0, help="how long a segment is kept at least")
    parser.add_argument("--immutable", action="store_true", help="make sealed segments immutable where permitted")
    parser.add_argument("--no-views", action="store_true", help="do not write the views for people")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # Two threads take turns: a wait of 5 ms for the other one would be longer than a sync.
    sys.setswitchinterval(0.0005)
    try:
        asyncio.run(_serve(arguments))
    except (AuditError, OSError, ValueError) as error:
        print(f"log writer: {error}", file=sys.stderr)  # noqa: T201 - what its parent shows
        return 1 if isinstance(error, LogDamaged) else 2
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    passphrase = arguments.passphrase_file.read_bytes().strip() if arguments.passphrase_file else None
    software = json.loads(arguments.software)
    writer = LogWriter(
        arguments.logs,
        arguments.keys,
        passphrase=passphrase,
        software=software,
        on_step=_armed_step(),
        retain_days=arguments.retain_days,
        immutable=arguments.immutable,
    )
    views = None if arguments.no_views else ViewProcess(arguments.logs)
    server = LogServer(writer, views.wake if views else None)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if arguments.parent_pipe:
        threading.Thread(target=_await_parent, args=(loop, stop), daemon=True).start()
    try:
        await server.listen(str(arguments.socket))
        print("ready", flush=True)  # noqa: T201 - what its parent waits for
        await stop.wait()
    finally:
        await server.aclose()
        arguments.socket.unlink(missing_ok=True)
        if views:
            await asyncio.to_thread(views.close)


def _await_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    with suppress(RuntimeError):  # it has ended already
        loop.call_soon_threadsafe(stop.set)


def _armed_step() -> Step:
    """Tests kill the writer at a named step: FILAGENT_CRASH_AT is `name` or `name:N` for the N-th passage."""
    name, _, count = os.environ.get("FILAGENT_CRASH_AT", "").partition(":")
    left = int(count or 1)

    def step(reached: str) -> None:
        nonlocal left
        if reached == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return step
