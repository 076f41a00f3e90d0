"""A real HTTP server on the loopback that behaves like an OpenAI-compatible provider, well or badly, on demand.

It runs in a thread of its own, so that it serves tests with and without an event loop, and other processes:

    with FakeProvider() as provider:                     # every request is answered well
        provider.plan("error_500", "ok")                 # the next two requests; then `mode` again
        ... provider.url, provider.requests, provider.request_seen.wait(10) ...

    python -m tests.fakes.provider --port 8899 --mode slow --delay 0.2

Controls: `hang_*` modes hold until `release` is set; `stepped` sends one delta for each `step()`. `client_gone` is set
when a client leaves before its answer is complete. Nothing here sleeps but `slow`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import ssl
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Self

from tests.fakes.dialects import Dialect
from tests.fakes.framings import Framing, whole_at_once
from tests.fakes.provider_modes import ANSWERS, MODEL, PERSONAL, Exchange, Seen

__all__ = ["MODEL", "MODES", "PERSONAL", "FakeProvider", "Seen"]

MODES = frozenset(ANSWERS)


class FakeProvider:
    """The server. Use as a context manager.

    Args:
        mode: how requests are answered that no plan is made for.
        port: 0 takes any free one.
        tls: serve HTTPS with this context.
        deltas: the pieces of a good answer.
        dialect: speak as this provider does: refuse what it refuses, and answer `ok` in its way. See `framing`.

    Attributes:
        requests: what arrived, oldest first (health checks, GET, among them).
        connections: how many were made.
        request_seen (of a question), first_sent, client_gone: set when it happened; cleared by nobody but the test.
        release: ends every `hang_*`.
    """

    def __init__(
        self,
        mode: str = "ok",
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        deltas: tuple[str, ...] = ("Bonjour", " le", " monde"),
        retry_after: str = "1",
        delay: float = 0.05,
        dialect: Dialect | None = None,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"no mode {mode}")
        self.mode = mode
        self.port = port
        self.deltas = deltas
        self.retry_after = retry_after
        self.delay = delay
        self.dialect = dialect
        self.framing: Framing = whole_at_once
        self.usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
        self.requests: list[Seen] = []
        self.connections = 0
        self.request_seen = threading.Event()
        self.first_sent = threading.Event()
        self.client_gone = threading.Event()
        self.release = threading.Event()
        self._steps = threading.Semaphore(0)
        self._planned: deque[str] = deque()
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._stop: asyncio.Event | None = None
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="fake provider", daemon=True)

    @property
    def url(self) -> str:
        """The base URL, with `/v1` unless the dialect has another root."""
        root = "/v1" if self.dialect is None else self.dialect.root
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{root}"

    @property
    def chats(self) -> list[Seen]:
        """The requests that carried a prompt."""
        return [seen for seen in self.requests if seen.method == "POST"]

    def plan(self, *modes: str) -> None:
        """How the next requests are answered, one mode each."""
        if not MODES.issuperset(modes):
            raise ValueError(f"no modes {set(modes) - MODES}")
        self._planned.extend(modes)

    def forget_plan(self) -> None:
        """Answer in `mode` again, whatever was planned."""
        self._planned.clear()

    def step(self, count: int = 1) -> None:
        """Let a `stepped` answer send its next delta (or, after the last, its ending)."""
        self._steps.release(count)

    async def wait_step(self) -> None:
        await self._wait(self._steps.acquire)

    async def wait_release(self) -> None:
        await self._wait(self.release.wait)

    async def _wait(self, acquire: Callable[..., bool]) -> None:
        """Wait for a control of the test's thread without holding up the server or its end."""
        stop = self._stop
        while stop is not None and not stop.is_set():
            if acquire(timeout=0):
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.005)
        raise ConnectionResetError

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._listening.wait(10):
            raise RuntimeError("the fake provider does not start")
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _serve(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._main())

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = asyncio.current_task()
            if task is not None:
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            try:
                await self._connection(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(connection, "127.0.0.1", self.port, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stop.wait()
        server.close()
        if tasks:
            _done, pending = await asyncio.wait(tasks, timeout=1)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not (self._stop is None or self._stop.is_set()):
            head = await reader.readuntil(b"\r\n\r\n")
            first, *rest = head.decode("latin-1").split("\r\n")
            method, path, _version = first.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            seen = Seen(method, path, headers, body)
            self.requests.append(seen)
            exchange = Exchange(self, seen, writer)
            if method == "GET":
                await self._health(exchange)
                continue
            self.request_seen.set()
            mode = self._planned.popleft() if self._planned else self.mode
            spoken = self.dialect is not None and mode == "ok"
            answering = asyncio.ensure_future(self._speak(exchange) if spoken else ANSWERS[mode](exchange))
            leaving = asyncio.ensure_future(reader.read(1))
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                self.client_gone.set()
                answering.cancel()
            leaving.cancel()
            results = await asyncio.gather(answering, leaving, return_exceptions=True)
            if isinstance(results[0], ConnectionError):
                self.client_gone.set()
            if results[0] is not None or mode == "garbage":
                return

    async def _speak(self, exchange: Exchange) -> None:
        """Answer as the dialect does."""
        dialect, seen = self.dialect, exchange.seen
        if dialect is None:
            return
        refused = dialect.refusal(seen.path, seen.headers, seen.body)
        if refused is not None:
            status, body, content_type = refused
            await exchange.whole(status, content_type, body)
            return
        await exchange.stream()
        for chunk in self.framing(b"".join(dialect.events(seen.json))):
            await exchange.chunk(chunk)
            self.first_sent.set()
        await exchange.end()

    async def _health(self, exchange: Exchange) -> None:
        if self.dialect is not None and self.mode == "ok":
            status, body = self.dialect.get(exchange.seen.path)
            await exchange.whole(status, "application/json", b"" if body is None else json.dumps(body).encode())
            return
        if self.mode == "unauthorized":
            await exchange.error(401)
        elif self.mode in {"error_500", "error_503"}:
            await exchange.error(int(self.mode[-3:]))
        elif self.mode == "hang_before_headers":
            await self.wait_release()
        else:
            body = json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode()
            await exchange.whole(200, "application/json", body)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.fakes.provider", description="A provider that misbehaves on demand.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mode", choices=sorted(MODES), default="ok")
    parser.add_argument("--delay", type=float, default=0.05, help="between the deltas of mode slow")
    parser.add_argument("--retry-after", default="1")
    args = parser.parse_args(argv)
    with FakeProvider(args.mode, port=args.port, delay=args.delay, retry_after=args.retry_after) as provider:
        print(f"ready {provider.url}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
