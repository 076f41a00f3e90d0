"""A turn as an ASGI response: when the head goes out, what follows, and what happens when somebody leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from runtime.api.sse import TurnResponse
from runtime.errors import FilAgentError, Forbidden, Unavailable
from runtime.exchange import Answer, Release

pytestmark = pytest.mark.anyio

ANSWER = Answer("C-1", "T-1", "DR-1", "Où ?", {}, {}, {}, "notice", False, 1, {"record_id": "DR-1"})


class Client:
    """The other end: takes messages, and leaves when told to."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self.got = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        self.got.set()

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> str:
        return b"".join(message["body"] for message in self.sent[1:]).decode()

    @property
    def events(self) -> list[tuple[str, Any]]:
        parts = [part.split("\n") for part in self.body.split("\n\n") if part]
        return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in parts]


async def respond(run: Callable[[Release], Awaitable[Answer]], client: Client, *, stream: bool) -> list[Any]:
    ended: list[Any] = []
    response = TurnResponse(run, stream=stream, on_end=lambda status, error: ended.append((status, error)))
    await response({"type": "http"}, client.receive, client.send)  # type: ignore[arg-type]
    return ended


async def test_a_plain_answer_is_one_json_body() -> None:
    async def run(release: Release) -> Answer:
        await release("Où ?")
        return ANSWER

    client = Client()
    assert await respond(run, client, stream=False) == [(200, None)]
    assert (client.status, client.headers["content-type"]) == (200, "application/json")
    assert json.loads(client.body) == ANSWER.as_json()
    assert int(client.headers["content-length"]) == len(client.body.encode())
    assert [message.get("more_body", False) for message in client.sent[1:]] == [False]


async def test_a_stream_is_deltas_and_one_final() -> None:
    async def run(release: Release) -> Answer:
        assert client.sent == []  # nothing is answered before the first piece
        await release("O\n\nevent: final")
        await release("ù")
        return ANSWER

    client = Client()
    assert await respond(run, client, stream=True) == [(200, None)]
    assert client.events == [
        ("delta", {"content": "O\n\nevent: final"}), ("delta", {"content": "ù"}), ("final", ANSWER.as_json()),
    ]  # fmt: skip
    assert client.sent[-1]["more_body"] is False
    assert "content-length" not in client.headers


async def test_an_answer_without_words_is_still_a_stream() -> None:
    async def run(_release: Release) -> Answer:
        return ANSWER

    client = Client()
    await respond(run, client, stream=True)
    assert [name for name, _ in client.events] == ["final"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal_before_the_first_piece_has_its_status(stream: bool) -> None:
    error = Forbidden("guard.injection", "No.")

    async def run(_release: Release) -> Answer:
        raise error

    client = Client()
    assert await respond(run, client, stream=stream) == [(403, error)]
    assert (client.status, client.headers["content-type"]) == (403, "application/problem+json")
    assert json.loads(client.body)["code"] == "guard.injection"


async def test_a_failure_after_it_is_an_event() -> None:
    async def run(release: Release) -> Answer:
        await release("Half")
        raise Unavailable("evidence.unavailable", "No.", retry_after=3)

    client = Client()
    await respond(run, client, stream=True)
    assert client.status == 200
    assert [name for name, _ in client.events] == ["delta", "error"]
    assert (client.events[-1][1]["code"], client.events[-1][1]["status"]) == ("evidence.unavailable", 503)
    assert client.sent[-1]["more_body"] is False


@pytest.mark.parametrize("stream", [False, True])
async def test_whoever_leaves_cancels_the_turn_which_ends_in_its_own_time(stream: bool) -> None:
    reasons: list[Any] = []
    recorded = asyncio.Event()

    async def run(release: Release) -> Answer:
        await release("One")
        client.left.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as cancelled:
            reasons.append(cancelled.args)
            await asyncio.sleep(0)  # the record is written before the turn ends
            recorded.set()
            raise FilAgentError("client.gone", "Gone.") from None
        raise AssertionError

    client = Client()
    ended = await respond(run, client, stream=stream)
    assert reasons == [("client.gone",)]
    assert recorded.is_set()
    assert [error.code for _, error in ended] == ["client.gone"]


async def test_a_server_that_stops_lets_the_turn_end() -> None:
    reasons: list[Any] = []

    async def run(release: Release) -> Answer:
        await release("One")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as cancelled:
            await asyncio.sleep(0)
            reasons.append(cancelled.args)
            raise Unavailable("server.stopping", "Stopping.") from None
        raise AssertionError

    client = Client()
    task = asyncio.create_task(respond(run, client, stream=True))
    await client.got.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert reasons == [("server.stopping",)]
