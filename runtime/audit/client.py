"""How the rest of the runtime reaches the log: a socket to the writer process, or a writer in this process.

Both give the same promise: `append` returns once the record is durable and covered by a signed checkpoint, or raises.
Where it raises `LogUnavailable` the record may exist all the same; appending the same draft again tells.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, cast

from runtime.audit.errors import AuditError, LogUnavailable
from runtime.audit.group import GroupCommit, OnCommitted
from runtime.audit.record import Appended, Draft, prepare
from runtime.audit.upkeep import Upkeep
from runtime.audit.wire import FrameError, Task, decode, draft_frame, encode, read_appended, read_error, task_frame
from runtime.audit.writer import LogWriter, Result

TIMEOUT = 30.0  # seconds; a disk that takes longer is a disk that does not answer
PRUNING_TIMEOUT = 1800.0  # seconds; many large segments are read before they go


class LogClient(Protocol):
    """An append-only log, seen from a turn."""

    async def append(self, draft: Draft) -> Appended:
        """Record a draft, durably.

        Raises:
            DraftRefused: the draft holds something that may not enter the log.
            AlreadyClosed: it is a second decision record for its turn.
            LogUnavailable: nothing was acknowledged; the caller must not go on.
        """
        ...

    async def status(self) -> dict[str, Any]:
        """size, writable, failed, disk_full. Raises: LogUnavailable."""
        ...

    async def pause(self) -> int:
        """Let nothing be recorded until `reload_keys`, for some seconds at most; the size. Raises: LogUnavailable."""
        ...

    async def reload_keys(self) -> int:
        """Bring the newest key manifest into force; its version. Raises: KeysError, LogUnavailable."""
        ...

    async def prune(self, held: frozenset[str]) -> list[int]:
        """Let segments go whose time is over, but none that names a reference in `held`; their first indexes.

        Raises:
            LogUnavailable: something cannot be read, recorded or removed.
        """
        ...

    async def aclose(self) -> None: ...


class InProcessLog:
    """A log writer in this process, with a thread of its own: for tests and one-shot commands."""

    def __init__(self, writer: LogWriter, on_committed: OnCommitted | None = None) -> None:
        """Owns `writer` from now on; `aclose` lets go of the log."""
        self._group = GroupCommit(writer, on_committed)
        self._upkeep = Upkeep(writer, self._group)

    async def append(self, draft: Draft) -> Appended:
        """See `LogClient`."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Appended] = loop.create_future()
        self._group.submit(prepare(draft), (loop, answer), _hand_over)
        return await answer

    async def status(self) -> dict[str, Any]:
        """See `LogClient`."""
        return self._group.status()

    async def pause(self) -> int:
        """See `LogClient`."""
        return await self._upkeep.pause()

    async def reload_keys(self) -> int:
        """See `LogClient`."""
        return await self._upkeep.reload_keys()

    async def prune(self, held: frozenset[str]) -> list[int]:
        """See `LogClient`."""
        return await self._upkeep.prune(held)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._group.close)


class SocketLog:
    """One connection to the log writer, shared by all tasks of an event loop; made when needed, and again when lost."""

    def __init__(self, path: Path, *, timeout: float = TIMEOUT) -> None:
        """Args: the writer's socket; seconds to wait for an answer."""
        self._path = path
        self._timeout = timeout
        self._connecting = asyncio.Lock()
        self._link: _Link | None = None
        self._last = 0

    async def append(self, draft: Draft) -> Appended:
        """See `LogClient`."""
        self._last += 1
        body = await self._ask(self._last, draft_frame(self._last, draft))
        try:
            return read_appended(body)
        except FrameError as error:
            raise LogUnavailable("the log writer answered something else") from error

    async def status(self) -> dict[str, Any]:
        """See `LogClient`."""
        self._last += 1
        return await self._ask(self._last, encode({"id": self._last, "status": True}))

    async def pause(self) -> int:
        """See `LogClient`."""
        done = await self._do(Task("pause"), self._timeout)
        return int(done["size"])

    async def reload_keys(self) -> int:
        """See `LogClient`."""
        done = await self._do(Task("reload_keys"), self._timeout)
        return int(done["version"])

    async def prune(self, held: frozenset[str]) -> list[int]:
        """See `LogClient`."""
        done = await self._do(Task("prune", held), PRUNING_TIMEOUT)
        return [int(first) for first in done["pruned"]]

    async def aclose(self) -> None:
        if self._link is not None:
            self._link.close()

    async def _do(self, task: Task, patience: float) -> dict[str, Any]:
        self._last += 1
        return await self._ask(self._last, task_frame(self._last, task), patience)

    async def _ask(self, number: int, frame: bytes, patience: float | None = None) -> dict[str, Any]:
        link = await self._connected()
        answer = link.send(number, frame)
        try:
            async with asyncio.timeout(patience or self._timeout):
                return await answer
        except TimeoutError as error:
            raise LogUnavailable("the log writer does not answer") from error
        finally:
            link.forget(number)

    async def _connected(self) -> _Link:
        if self._link is not None and self._link.alive:
            return self._link
        async with self._connecting:
            if self._link is None or not self._link.alive:
                loop = asyncio.get_running_loop()
                try:
                    _, self._link = await loop.create_unix_connection(_Link, str(self._path))
                except OSError as error:
                    raise LogUnavailable("the log writer cannot be reached") from error
            return self._link


class _Link(asyncio.Protocol):
    """One connection: frames out, answers back to whoever asked."""

    def __init__(self) -> None:
        self.alive = False
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._frames: list[bytes] = []
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by class
        self.alive = True

    def connection_lost(self, _: Exception | None) -> None:
        self.alive = False
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(LogUnavailable("the log writer went away"))

    def data_received(self, data: bytes) -> None:
        *frames, self._buffer = (self._buffer + data).split(b"\n")
        for line in frames:
            with suppress(FrameError):
                self._receive(decode(line))

    def send(self, number: int, frame: bytes) -> asyncio.Future[dict[str, Any]]:
        if self._transport is None or not self.alive:
            raise LogUnavailable("the log writer went away")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._waiting[number] = answer
        # Tasks that were answered together ask again together: one write for all of them.
        if not self._frames:
            loop.call_soon(self._flush)
        self._frames.append(frame)
        return answer

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if self._transport is not None and self.alive:
            self._transport.write(b"".join(frames))

    def forget(self, number: int) -> None:
        self._waiting.pop(number, None)

    def close(self) -> None:
        self.alive = False
        if self._transport is not None:
            self._transport.close()

    def _receive(self, frame: dict[str, Any]) -> None:
        answer = self._waiting.get(frame["id"])
        if answer is None or answer.done():
            return
        body = frame.get("ok")
        if isinstance(body, dict):
            answer.set_result(body)
        else:
            answer.set_exception(read_error(frame.get("error")))


def _hand_over(answers: list[tuple[Any, Result]]) -> None:
    """Called in the writer's thread: give every answer to the event loop that waits for it, one call per loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Appended], Result]]] = {}
    for (loop, answer), result in answers:
        by_loop.setdefault(loop, []).append((answer, result))
    for loop, ready in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, ready)


def _resolve(ready: list[tuple[asyncio.Future[Appended], Result]]) -> None:
    for answer, result in ready:
        if answer.done():
            continue
        if isinstance(result, AuditError):
            answer.set_exception(result)
        else:
            answer.set_result(result)
