"""How the fake provider answers: one function for each way of answering well or badly (`provider` is the server).

A further fault is a further function here; its name, without the underscore, is the mode's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes.provider import FakeProvider

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
class Exchange:
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


Answer = Callable[[Exchange], Awaitable[None]]
ANSWERS: dict[str, Answer] = {}


def _mode(answer: Answer) -> Answer:
    ANSWERS[answer.__name__.strip("_")] = answer
    return answer


@_mode
async def _ok(x: Exchange) -> None:
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
async def _echo(x: Exchange) -> None:
    """Answers with the last message: what a provider gets from us, it can say back."""
    await x.stream()
    await x.delta(x.seen.json["messages"][-1]["content"])
    await x.delta(None, "stop")
    await x.usage()
    await x.event("[DONE]")
    await x.end()


@_mode
async def _usage_missing(x: Exchange) -> None:
    await x.stream()
    await x.delta("eight ch")
    await x.delta(None, "length")
    await x.event("[DONE]")
    await x.end()


@_mode
async def _stepped(x: Exchange) -> None:
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
async def _slow(x: Exchange) -> None:
    await x.stream()
    for text in x.provider.deltas:
        await asyncio.sleep(x.provider.delay)
        await x.delta(text)
    await x.delta(None, "stop")
    await x.event("[DONE]")
    await x.end()


@_mode
async def _hang_before_headers(x: Exchange) -> None:
    await x.provider.wait_release()


@_mode
async def _hang_before_first(x: Exchange) -> None:
    await x.stream()
    await x.chunk(b": keep-alive\n\n")
    await x.provider.wait_release()


@_mode
async def _hang_after_first(x: Exchange) -> None:
    await x.stream()
    await x.delta(x.provider.deltas[0])
    x.provider.first_sent.set()
    await x.provider.wait_release()


@_mode
async def _hang_in_error(x: Exchange) -> None:
    await x.head(500, "application/json", length=1000)
    await x.provider.wait_release()


@_mode
async def _drop_before_headers(x: Exchange) -> None:
    x.writer.transport.abort()


@_mode
async def _drop_after_first(x: Exchange) -> None:
    await x.stream()
    await x.delta(x.provider.deltas[0])
    x.writer.transport.abort()


@_mode
async def _half_stream(x: Exchange) -> None:
    """Ends in good order, as HTTP goes, without saying how the answer ended."""
    await x.stream()
    for text in x.provider.deltas:
        await x.delta(text)
    await x.end()


@_mode
async def _done_without_finish(x: Exchange) -> None:
    await x.stream()
    await x.delta("half")
    await x.event("[DONE]")
    await x.end()


@_mode
async def _finish_without_done(x: Exchange) -> None:
    await x.stream()
    await x.delta("whole")
    await x.delta(None, "stop")
    await x.end()


@_mode
async def _odd_chunks(x: Exchange) -> None:
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
async def _unknown_finish(x: Exchange) -> None:
    await x.stream()
    await x.delta("text", "because jean@example.org said so")
    await x.event("[DONE]")
    await x.end()


@_mode
async def _filtered(x: Exchange) -> None:
    await x.stream()
    await x.delta("I", "content_filter")
    await x.event("[DONE]")
    await x.end()


@_mode
async def _rate_limited(x: Exchange) -> None:
    await x.error(429, f"retry-after: {x.provider.retry_after}")


@_mode
async def _error_500(x: Exchange) -> None:
    await x.error(500)


@_mode
async def _error_503(x: Exchange) -> None:
    await x.error(503, f"retry-after: {x.provider.retry_after}")


@_mode
async def _unavailable(x: Exchange) -> None:
    await x.error(503)


@_mode
async def _bad_request(x: Exchange) -> None:
    await x.error(400)


@_mode
async def _unauthorized(x: Exchange) -> None:
    await x.error(401)


@_mode
async def _not_found(x: Exchange) -> None:
    await x.error(404)


@_mode
async def _overflow(x: Exchange) -> None:
    await x.error(400, message="This model's maximum context length is 2048 tokens. However, you requested 9000")


@_mode
async def _overflow_code(x: Exchange) -> None:
    await x.error(400, code="context_length_exceeded", message="no")


@_mode
async def _redirect(x: Exchange) -> None:
    await x.error(307, f"location: {x.provider.url}/elsewhere")


@_mode
async def _error_event(x: Exchange) -> None:
    await x.stream()
    await x.delta("begun")
    await x.event({"error": {"message": f"{PERSONAL}: {x.seen.body.decode()}", "code": 500}})
    await x.end()


@_mode
async def _not_json(x: Exchange) -> None:
    await x.stream()
    await x.event(f"{PERSONAL} {x.seen.body.decode()}")
    await x.end()


@_mode
async def _not_utf8(x: Exchange) -> None:
    await x.stream()
    await x.chunk(b'data: {"choices": [\xff\xfe\n\n')
    await x.end()


@_mode
async def _garbage(x: Exchange) -> None:
    x.writer.write(bytes(range(256)) * 4)
    await x.writer.drain()


@_mode
async def _html(x: Exchange) -> None:
    await x.whole(200, "text/html", b"<html>data: no</html>")


@_mode
async def _json_instead_of_stream(x: Exchange) -> None:
    await x.whole(200, "application/json", b'{"choices":[{"message":{"content":"whole"},"finish_reason":"stop"}]}')


@_mode
async def _compressed(x: Exchange) -> None:
    await x.stream("content-encoding: gzip")
    await x.chunk(b"\x1f\x8b\x08\x00")
    await x.end()


@_mode
async def _endless(x: Exchange) -> None:
    await x.stream()
    while True:
        await x.delta("x" * 4096)


@_mode
async def _endless_error(x: Exchange) -> None:
    await x.head(500, "application/json")
    while True:
        await x.chunk(b"x" * 4096)
