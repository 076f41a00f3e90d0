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
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

MODEL = "fake-model-1"
PERSONAL = "secret words of the provider"
"""In every error body, so that a test can look for it where it must not be."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class _Exchange:
    """One request being answered."""

    provider: FakeProvider
    seen: Seen
    writer: asyncio.StreamWriter

    async def head(self, status: int, content_type: str, *extra: str, length: int | None = None) -> None:
        framing = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
        lines = [f"HTTP/1.1 {status} Whatever", f"content-type: {content_type}", "x-request-id: req-fake-1", framing]
        self.writer.write("\r\n".join([*lines, *extra, "", ""]).encode())
        await self.writer.drain()

    async def chunk(self, data: bytes) -> None:
        self.writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await self.writer.drain()

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def whole(self, status: int, content_type: str, body: bytes, *extra: str) -> None:
        await self.head(status, content_type, *extra, length=len(body))
        self.writer.write(body)
        await self.writer.drain()

    async def error(self, status: int, *extra: str, code: str | None = None, message: str = PERSONAL) -> None:
        body = {
            "error": {"message": f"{message}: {self.seen.body.decode(errors='replace')}", "code": code, "type": "x"}
        }
        await self.whole(status, "application/json", json.dumps(body).encode(), *extra)

    async def event(self, data: Any, newline: str = "\n") -> None:
        await self.chunk(f"data: {data if isinstance(data, str) else json.dumps(data)}{newline}{newline}".encode())

    async def delta(self, text: str | None, finish: str | None = None, newline: str = "\n") -> None:
        choice = {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}
        await self.event(self.envelope([choice]), newline)

    async def usage(self) -> None:
        if self.seen.json.get("stream_options", {}).get("include_usage"):
            await self.event(self.envelope([], usage=self.provider.usage))

    def envelope(self, choices: list[Any], **more: Any) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": MODEL,
            "choices": choices,
            **more,
        }

    async def stream(self, *extra: str) -> None:
        await self.head(200, "text/event-stream; charset=utf-8", *extra)


Answer = Callable[[_Exchange], Awaitable[None]]
_MODES: dict[str, Answer] = {}


def _mode(answer: Answer) -> Answer:
    _MODES[answer.__name__.strip("_")] = answer
    return answer


@_mode
async def _ok(x: _Exchange) -> None:
    if not x.seen.json.get("stream"):
        message = {"role": "assistant", "content": "".join(x.provider.deltas)}
        body = x.envelope([{"index": 0, "message": message, "finish_reason": "stop"}], usage=x.provider.usage)
        await x.whole(200, "application/json", json.dumps({**body, "object": "chat.completion"}).encode())
        return
    await x.stream()
    for text in x.provider.deltas:
        await x.delta(text)
        x.provider.first_sent.set()
    await x.delta(None, "stop")
    await x.usage()
    await x.event("[DONE]")
    await x.end()


@_mode
async def _echo(x: _Exchange) -> None:
    """Answers with the last message: what a provider gets from us, it can say back."""
    await x.stream()
    await x.delta(x.seen.json["messages"][-1]["content"])
    await x.delta(None, "stop")
    await x.usage()
    await x.event("[DONE]")
    await x.end()


@_mode
async def _usage_missing(x: _Exchange) -> None:
    await x.stream()
    await x.delta("eight ch")
    await x.delta(None, "length")
    await x.event("[DONE]")
    await x.end()


@_mode
async def _stepped(x: _Exchange) -> None:
    await x.stream()
    for text in x.provider.deltas:
        await x.provider.wait_step()
        await x.delta(text)
        x.provider.first_sent.set()
    await x.provider.wait_step()
    await x.delta(None, "stop")
    await x.usage()
    await x.event("[DONE]")
    await x.end()


@_mode
async def _slow(x: _Exchange) -> None:
    await x.stream()
    for text in x.provider.deltas:
        await asyncio.sleep(x.provider.delay)
        await x.delta(text)
    await x.delta(None, "stop")
    await x.event("[DONE]")
    await x.end()


@_mode
async def _hang_before_headers(x: _Exchange) -> None:
    await x.provider.wait_release()


@_mode
async def _hang_before_first(x: _Exchange) -> None:
    await x.stream()
    await x.chunk(b": keep-alive\n\n")
    await x.provider.wait_release()


@_mode
async def _hang_after_first(x: _Exchange) -> None:
    await x.stream()
    await x.delta(x.provider.deltas[0])
    x.provider.first_sent.set()
    await x.provider.wait_release()


@_mode
async def _hang_in_error(x: _Exchange) -> None:
    await x.head(500, "application/json", length=1000)
    await x.provider.wait_release()


@_mode
async def _drop_before_headers(x: _Exchange) -> None:
    x.writer.transport.abort()


@_mode
async def _drop_after_first(x: _Exchange) -> None:
    await x.stream()
    await x.delta(x.provider.deltas[0])
    x.writer.transport.abort()


@_mode
async def _half_stream(x: _Exchange) -> None:
    """Ends in good order, as HTTP goes, without saying how the answer ended."""
    await x.stream()
    for text in x.provider.deltas:
        await x.delta(text)
    await x.end()


@_mode
async def _done_without_finish(x: _Exchange) -> None:
    await x.stream()
    await x.delta("half")
    await x.event("[DONE]")
    await x.end()


@_mode
async def _finish_without_done(x: _Exchange) -> None:
    await x.stream()
    await x.delta("whole")
    await x.delta(None, "stop")
    await x.end()


@_mode
async def _odd_chunks(x: _Exchange) -> None:
    """Everything that servers have been seen to send and that means nothing."""
    await x.stream()
    await x.chunk(b": comment\r\n\r\nretry: 100\r\nid: 7\r\n\r\nevent: ping\n\n")
    await x.event(
        x.envelope([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]), "\r\n"
    )
    await x.event(x.envelope([]), "\r\n")
    await x.event({"choices": None})
    await x.event({"choices": [{"index": 0, "delta": None, "finish_reason": None}]})
    await x.event({"choices": [{"index": 0, "delta": {"content": ["not", "text"]}}]})
    await x.event({})
    await x.event({**x.envelope([]), "model": "not a name: jean@example.org", "usage": {"prompt_tokens": "many"}})
    first = (
        "data: " + json.dumps(x.envelope([{"index": 0, "delta": {"content": "Où "}}]), ensure_ascii=False)
    ).encode()
    cut = first.index("ù".encode()) + 1
    await x.chunk(first[:cut])  # in the middle of a character
    await x.chunk(first[cut:] + b"\r\n\r\n")
    await x.event(x.envelope([{"index": 0, "delta": {"content": "donc ?"}}]), "\r\n")
    await x.event(x.envelope([{"index": 0, "delta": {"content": "\ud83d"}}]))  # half of a surrogate pair
    await x.delta("", "stop", "\r\n")
    await x.event(x.envelope([], usage={"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}))
    await x.chunk(b"data: [DONE]\r\n\r\n")
    await x.end()


@_mode
async def _unknown_finish(x: _Exchange) -> None:
    await x.stream()
    await x.delta("text", "because jean@example.org said so")
    await x.event("[DONE]")
    await x.end()


@_mode
async def _rate_limited(x: _Exchange) -> None:
    await x.error(429, f"retry-after: {x.provider.retry_after}")


@_mode
async def _error_500(x: _Exchange) -> None:
    await x.error(500)


@_mode
async def _error_503(x: _Exchange) -> None:
    await x.error(503, f"retry-after: {x.provider.retry_after}")


@_mode
async def _bad_request(x: _Exchange) -> None:
    await x.error(400)


@_mode
async def _unauthorized(x: _Exchange) -> None:
    await x.error(401)


@_mode
async def _not_found(x: _Exchange) -> None:
    await x.error(404)


@_mode
async def _overflow(x: _Exchange) -> None:
    await x.error(400, message="This model's maximum context length is 2048 tokens. However, you requested 9000")


@_mode
async def _overflow_code(x: _Exchange) -> None:
    await x.error(400, code="context_length_exceeded", message="no")


@_mode
async def _redirect(x: _Exchange) -> None:
    await x.error(307, f"location: {x.provider.url}/elsewhere")


@_mode
async def _error_event(x: _Exchange) -> None:
    await x.stream()
    await x.delta("begun")
    await x.event({"error": {"message": f"{PERSONAL}: {x.seen.body.decode()}", "code": 500}})
    await x.end()


@_mode
async def _not_json(x: _Exchange) -> None:
    await x.stream()
    await x.event(f"{PERSONAL} {x.seen.body.decode()}")
    await x.end()


@_mode
async def _not_utf8(x: _Exchange) -> None:
    await x.stream()
    await x.chunk(b'data: {"choices": [\xff\xfe\n\n')
    await x.end()


@_mode
async def _garbage(x: _Exchange) -> None:
    x.writer.write(bytes(range(256)) * 4)
    await x.writer.drain()


@_mode
async def _html(x: _Exchange) -> None:
    await x.whole(200, "text/html", b"<html>data: no</html>")


@_mode
async def _json_instead_of_stream(x: _Exchange) -> None:
    await x.whole(200, "application/json", b'{"choices":[{"message":{"content":"whole"},"finish_reason":"stop"}]}')


@_mode
async def _compressed(x: _Exchange) -> None:
    await x.stream("content-encoding: gzip")
    await x.chunk(b"\x1f\x8b\x08\x00")
    await x.end()


@_mode
async def _endless(x: _Exchange) -> None:
    await x.stream()
    while True:
        await x.delta("x" * 4096)


@_mode
async def _endless_error(x: _Exchange) -> None:
    await x.head(500, "application/json")
    while True:
        await x.chunk(b"x" * 4096)


MODES = frozenset(_MODES)


class FakeProvider:
    """The server. Use as a context manager.

    Args:
        mode: how requests are answered that no plan is made for.
        port: 0 takes any free one.
        tls: serve HTTPS with this context.
        deltas: the pieces of a good answer.

    Attributes:
        requests: what arrived, oldest first (health checks, GET, among them).
        request_seen, first_sent, client_gone: set when it happened; cleared by nobody but the test.
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
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"no mode {mode}")
        self.mode = mode
        self.port = port
        self.deltas = deltas
        self.retry_after = retry_after
        self.delay = delay
        self.usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
        self.requests: list[Seen] = []
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
        """The base URL, with `/v1`."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    @property
    def chats(self) -> list[Seen]:
        """The requests that carried a prompt."""
        return [seen for seen in self.requests if seen.method == "POST"]

    def plan(self, *modes: str) -> None:
        """How the next requests are answered, one mode each."""
        if not MODES.issuperset(modes):
            raise ValueError(f"no modes {set(modes) - MODES}")
        self._planned.extend(modes)

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
            self.request_seen.set()
            exchange = _Exchange(self, seen, writer)
            if method == "GET":
                await self._health(exchange)
                continue
            mode = self._planned.popleft() if self._planned else self.mode
            answering = asyncio.ensure_future(_MODES[mode](exchange))
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

    async def _health(self, exchange: _Exchange) -> None:
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
