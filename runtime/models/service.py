"""The model host's service: connections in, one model run at a time, tokens out.

It owns the fair queue, the bounded wait, cancellation and the order of what is written to a connection. The model runs
in a thread of its own (`Engine` blocks and is not shared); the formats are `wire`'s; loading, hashing, signals and the
socket's file are `host`'s. It never logs what it is asked: failures are counted by the caller that gets them.

The way of one chat request:

1. The peer must run as our user; it is greeted with what the model is.
2. Its line is parsed strictly. A bad one gets an error and the connection is closed; nothing else happens.
3. It takes its place in the queue. No room, or no turn within the allowed wait: `upstream.busy` with a time to retry.
4. On its turn the engine runs in its thread; every piece of text is handed to the event loop, which writes it.
5. Anything more from the client, or its leaving, stops the run before the next token.
6. The last line says how it ended, and the connection is closed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

from runtime.models.engine import Engine, Outcome
from runtime.models.fair_queue import FairQueue, QueueFullError
from runtime.models.faults import EngineFault
from runtime.models.wire import MAX_LINE, PROTOCOL, ChatOrder, ForgetOrder, Order, decode_order, encode, same_user

_FRAME_SECONDS: Final = 30.0
"""How long a peer may take to send its request, and to take the last line."""

Event = dict[str, Any]


def _error(code: str, detail: str, retry_after: int | None = None) -> Event:
    return {"event": "error", "code": code, "detail": detail, "retry_after": retry_after}


_STOPPING: Final = _error("upstream.unavailable", "the model host is stopping", 1)
_ERASED: Final = _error("upstream.unavailable", "stopped: this conversation is being erased")


@dataclass(slots=True, eq=False)
class _Job:
    order: ChatOrder
    write: Callable[[Event], None]
    done: asyncio.Future[Event]
    stop: threading.Event = field(default_factory=threading.Event)
    forgotten: bool = False

    def finish(self, event: Event) -> None:
        if not self.done.done():
            self.done.set_result(event)


class ModelService:
    """Serves one engine to many connections.

    Args:
        engine: the model.
        model: its name, as records shall show it.
        queue: how many requests may wait.
        wait: seconds that one may wait for its turn.
    """

    def __init__(self, engine: Engine, *, model: str, queue: int, wait: float) -> None:
        self._engine = engine
        self._model = model
        self._queue: FairQueue[_Job] = FairQueue(queue)
        self._wait = wait
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._work = asyncio.Event()
        self._running: _Job | None = None
        self._forgetting: list[asyncio.Future[None]] = []
        self._connections: set[asyncio.Task[Any]] = set()
        self._listening: set[asyncio.Task[Any]] = set()  # those that wait for their request
        self._stopping = False

    async def run(self) -> None:
        """Work through the queue until `stop`."""
        loop = asyncio.get_running_loop()
        while True:
            await self._work.wait()
            if self._stopping:
                break
            if self._forgetting:
                waiting, self._forgetting = self._forgetting, []
                await loop.run_in_executor(self._thread, self._engine.forget)
                for waiter in waiting:
                    waiter.set_result(None)
                continue
            job = self._queue.get()
            if job is None:
                self._work.clear()
                continue
            self._running = job
            try:
                job.finish(await loop.run_in_executor(self._thread, self._generate, job, loop))
            finally:
                self._running = None
        for job in self._queue.drain():
            job.finish(_STOPPING)
        for waiter in self._forgetting:
            waiter.set_result(None)  # what the process knew ends with it

    async def stop(self) -> None:
        """Stop the running answer at its next token, refuse the waiting ones; returns when every connection ended."""
        self._stopping = True
        if self._running is not None:
            self._running.stop.set()
        self._work.set()
        for task in self._listening:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=_FRAME_SECONDS)

    def close(self) -> None:
        """Free the model; the service is not usable after this."""
        self._thread.submit(self._engine.close).result()
        self._thread.shutdown()

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection (step 1 to 6)."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  asyncio's server runs every connection in a task
        self._connections.add(task)
        try:
            if same_user(writer.get_extra_info("socket")):
                await self._converse(reader, writer, task)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the peer is gone, or never spoke: there is nobody to tell
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[Any]
    ) -> None:
        def write(event: Event) -> None:
            if not writer.is_closing():
                writer.write(encode(event))

        facts = self._engine.facts
        write({"event": "hello", "protocol": PROTOCOL, "model": self._model, "weights_sha256": facts.weights_sha256,
               "build": facts.build, "context": facts.context, "gpu": facts.gpu})  # fmt: skip
        self._listening.add(task)
        try:
            order = await _order_from(reader)
        finally:
            self._listening.discard(task)
        if isinstance(order, ChatOrder):
            write(await self._chat(order, reader, write))
        elif isinstance(order, ForgetOrder):
            await self._forget(order)
            write({"event": "forgotten"})
        else:
            write(order)
        await asyncio.wait_for(writer.drain(), _FRAME_SECONDS)

    async def _chat(self, order: ChatOrder, reader: asyncio.StreamReader, write: Callable[[Event], None]) -> Event:
        if order.weights_sha256 != self._engine.facts.weights_sha256:
            return _error("upstream.unavailable", "the model host serves other weights than asked for")
        loop = asyncio.get_running_loop()
        job = _Job(order, write, loop.create_future())
        busy = _error("upstream.busy", "the local model is busy", min(60, max(1, ceil(self._wait))))
        if self._stopping:
            return _STOPPING
        try:
            displaced = self._queue.put(order.owner, job)
        except QueueFullError:
            return busy
        if displaced is not None:
            displaced.finish(busy)
        self._work.set()
        timer = loop.call_later(self._wait, self._withdraw, job, busy)
        watcher = asyncio.create_task(self._watch(reader, job))
        try:
            return await job.done
        finally:
            timer.cancel()
            watcher.cancel()
            job.stop.set()
            self._queue.remove(job)

    def _withdraw(self, job: _Job, event: Event) -> None:
        """Answer a job that still waits; one that runs is left alone."""
        if self._queue.remove(job):
            job.finish(event)

    async def _watch(self, reader: asyncio.StreamReader, job: _Job) -> None:
        """Step 5: returns, and stops the job, on the first thing that happens on the connection."""
        with suppress(ConnectionError):
            await reader.read(1)
        job.stop.set()
        self._withdraw(job, _final(job.order, self._model, Outcome("cancelled", 0, 0, 0)))

    async def _forget(self, order: ForgetOrder) -> None:
        def meant(job: _Job) -> bool:
            return order.owner is None or job.order.owner == order.owner

        for job in self._queue:
            if meant(job):
                self._withdraw(job, _ERASED)
        if self._running is not None and meant(self._running):
            self._running.forgotten = True
            self._running.stop.set()
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._forgetting.append(waiter)
        self._work.set()
        await waiter

    def _generate(self, job: _Job, loop: asyncio.AbstractEventLoop) -> Event:
        """Step 4, in the model's thread. The loop takes what is handed to it in order, so the last line comes last."""

        def emit(text: str) -> None:
            loop.call_soon_threadsafe(job.write, {"event": "delta", "text": text})

        try:
            outcome = self._engine.run(job.order, emit, job.stop.is_set)
        except EngineFault as fault:
            return _error(fault.code, fault.detail)
        except Exception:
            return _error("upstream.unavailable", "the local model failed")
        if job.forgotten:
            return _ERASED
        if self._stopping and outcome.finish_reason == "cancelled":
            return _STOPPING
        return _final(job.order, self._model, outcome)


async def _order_from(reader: asyncio.StreamReader) -> Order | Event:
    """Step 2: the request, or the error that answers it."""
    try:
        return decode_order(await asyncio.wait_for(reader.readuntil(b"\n"), _FRAME_SECONDS))
    except asyncio.LimitOverrunError:
        return _error("upstream.rejected", f"a request may have {MAX_LINE} bytes")
    except ValueError:
        return _error("upstream.rejected", "not a request of this protocol")


def _final(order: ChatOrder, model: str, outcome: Outcome) -> Event:
    return {
        "event": "final",
        "finish_reason": outcome.finish_reason,
        "prompt_tokens": outcome.prompt_tokens,
        "completion_tokens": outcome.completion_tokens,
        "cached_prompt_tokens": outcome.cached_prompt_tokens,
        "seed": order.seed,
        "model": model,
    }
