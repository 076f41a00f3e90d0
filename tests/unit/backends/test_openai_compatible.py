"""The OpenAI-compatible client against a real HTTP server: what is sent, and what is made of good answers."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from runtime.backends.base import (
    BackendError,
    ChatMessage,
    ChatRequest,
    Finished,
    ModelFacts,
    SamplingOptions,
    TextDelta,
    Timeouts,
)
from runtime.backends.openai_compatible import PRESETS, OpenAICompatibleBackend
from tests.fakes.provider import MODEL, FakeProvider
from tests.unit.backends.support import KEY, PROMPT, REQUEST, Gatekeeper, MakeClient, ask

pytestmark = pytest.mark.anyio


async def test_a_good_answer(provider: FakeProvider, client: MakeClient) -> None:
    backend, gate = client(provider), Gatekeeper()
    text, finished = await ask(backend, gate)
    assert text == "Bonjour le monde"
    assert finished == Finished(
        finish_reason="stop",
        prompt_tokens=11,
        completion_tokens=3,
        response_model=MODEL,
        provider_request_id="req-fake-1",
    )
    assert backend.describe() == ModelFacts("vllm", "test-model")


async def test_the_gate_gets_the_very_bytes_that_arrive(provider: FakeProvider, client: MakeClient) -> None:
    gate = Gatekeeper()
    await ask(client(provider), gate)
    (seen,) = provider.requests
    assert gate.passed == [seen.body]
    assert seen.json == {
        "model": "test-model",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPT}],
        "max_tokens": 50,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.2,
        "top_p": 0.9,
        "top_k": 20,
        "seed": 7,
        "presence_penalty": 0.5,
    }


async def test_perplexity_is_not_sent_what_it_does_not_know(provider: FakeProvider, client: MakeClient) -> None:
    backend = client(provider, "perplexity", model=None)
    await ask(backend)
    sent = provider.requests[0].json
    assert sent["model"] == "sonar"
    assert "seed" not in sent
    assert "stream_options" not in sent
    assert backend.omitted_options == {"seed"}


async def test_a_model_of_the_request_wins(provider: FakeProvider, client: MakeClient) -> None:
    request = ChatRequest(REQUEST.messages, SamplingOptions(max_tokens=5), "o", model="other")
    await ask(client(provider), request=request)
    assert provider.requests[0].json == {
        "model": "other",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPT}],
        "max_tokens": 5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_only_chosen_headers_leave(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, client: MakeClient
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "of-somebody-else")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-leak: of-somebody-else")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    await ask(client(provider))
    headers = provider.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert set(headers) <= {
        *("host", "content-type", "accept", "authorization", "user-agent"),
        *("accept-encoding", "content-length", "connection"),
    }
    assert "of-somebody-else" not in str(headers)
    await ask(client(provider, api_key=None))
    assert "authorization" not in provider.requests[1].headers


async def test_a_closed_gate_lets_nothing_out(provider: FakeProvider, client: MakeClient) -> None:
    class LogIsDown(Exception):
        pass

    for refusal in (LogIsDown(), TimeoutError(), httpx2.ConnectError("no"), BackendError("upstream.busy", "no")):
        with pytest.raises(type(refusal)) as caught:
            await ask(client(provider), Gatekeeper(refusal))
        assert caught.value is refusal
    assert provider.requests == []


async def test_a_slow_gate_is_not_a_slow_provider(provider: FakeProvider, client: MakeClient) -> None:
    passed = asyncio.Event()

    async def gate(_body: bytes) -> None:
        await passed.wait()

    backend = client(provider, timeouts=Timeouts(connect=0.01, first_token=30, total=30))
    task = asyncio.create_task(ask(backend, gate))
    done, _ = await asyncio.wait({task}, timeout=0.1)
    assert not done
    passed.set()
    assert (await task)[0] == "Bonjour le monde"


async def test_deltas_arrive_while_the_provider_still_writes(provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = "stepped"
    events = client(provider).chat(REQUEST, Gatekeeper())
    for expected in provider.deltas:
        provider.step()
        assert await anext(events) == TextDelta(expected)
    provider.step()
    assert isinstance(await anext(events), Finished)
    with pytest.raises(StopAsyncIteration):
        await anext(events)


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_leaving_ends_it_upstream(how: str, provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = "hang_after_first"
    events = client(provider).chat(REQUEST, Gatekeeper())
    await anext(events)
    if how == "close":
        await events.aclose()
    else:
        task = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await asyncio.to_thread(provider.client_gone.wait, 10)


async def test_odd_chunks_are_tolerated(provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = "odd_chunks"
    text, finished = await ask(client(provider))
    assert text == "Où donc ?\ufffd"
    assert (finished.prompt_tokens, finished.completion_tokens) == (9, 4)
    assert finished.response_model == MODEL


async def test_what_a_provider_calls_things_does_not_travel(provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = "unknown_finish"
    assert (await ask(client(provider)))[1].finish_reason == "other"


async def test_an_ending_without_done_is_an_ending(provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = "finish_without_done"
    assert (await ask(client(provider)))[0] == "whole"


async def test_missing_usage_is_estimated_and_said(provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = "usage_missing"
    finished = (await ask(client(provider)))[1]
    assert finished.usage_estimated
    assert finished.completion_tokens == 2
    assert finished.prompt_tokens == -(-len("Be brief." + PROMPT) // 4)


async def test_connections_are_used_again_and_calls_do_not_mix(provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = "echo"
    backend = client(provider)

    async def one(number: int) -> str:
        request = ChatRequest((ChatMessage("user", f"number {number}"),), SamplingOptions(max_tokens=5), "o")
        return (await ask(backend, request=request))[0]

    assert await asyncio.gather(*(one(n) for n in range(20))) == [f"number {n}" for n in range(20)]


async def test_one_connection_serves_one_call_after_another(provider: FakeProvider, client: MakeClient) -> None:
    backend = client(provider)
    for _ in range(5):
        await ask(backend)
    assert provider.connections == 1


async def test_a_pool_that_is_used_up_says_so(provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = "hang_after_first"
    backend = client(provider, connections=1, timeouts=Timeouts(connect=0.05, first_token=30, total=30))
    events = backend.chat(REQUEST, Gatekeeper())
    assert await anext(events) == TextDelta("Bonjour")
    with pytest.raises(BackendError) as caught:
        await ask(backend)
    assert (caught.value.code, caught.value.retry_after) == ("upstream.busy", 1)
    assert backend.circuit.state == "closed"
    await events.aclose()


async def test_text_of_every_kind_goes_through(provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = "echo"
    text = 'é 𝄞 \x00 \\ " \u2028 \r\n data: [DONE]\n\n'
    request = ChatRequest((ChatMessage("user", text),), SamplingOptions(max_tokens=5), "o")
    assert (await ask(client(provider), request=request))[0] == text


HEALTH = [
    ("ok", None),
    ("unauthorized", "upstream.rejected"),
    ("error_500", "upstream.unavailable"),
    ("hang_before_headers", "upstream.timeout"),
]


@pytest.mark.parametrize(("mode", "code"), HEALTH, ids=[h[0] for h in HEALTH])
async def test_health(mode: str, code: str | None, provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = mode
    backend = client(provider, timeouts=Timeouts(connect=0.05 if code == "upstream.timeout" else 30))
    if code is None:
        await backend.health()
    else:
        with pytest.raises(BackendError) as caught:
            await backend.health()
        assert caught.value.code == code
    assert provider.chats == []


async def test_health_of_nobody(client: MakeClient) -> None:
    with FakeProvider() as gone:
        pass
    with pytest.raises(BackendError) as caught:
        await client(gone).health()
    assert caught.value.code == "upstream.unreachable"


ADDRESSES = [
    ("loopback name", "http://localhost:1/v1", {}, True),
    ("loopback address", "http://127.0.0.2:1/v1", {"kind": "local"}, True),
    ("loopback of version 6", "http://[::1]:1/v1", {"kind": "local"}, True),
    ("encrypted elsewhere", "https://api.example.org", {}, True),
    ("plain elsewhere", "http://api.example.org", {}, False),
    ("plain elsewhere, allowed", "http://api.example.org", {"allow_plain_http": True}, True),
    ("local elsewhere", "https://api.example.org", {"kind": "local"}, False),
    ("a name that only begins like loopback", "http://127.0.0.1.example.org", {}, False),
    ("credentials", f"https://user:{KEY}@api.example.org", {}, False),
    ("query", f"https://api.example.org?key={KEY}", {}, False),
    ("another scheme", "file:///etc/passwd", {}, False),
    ("no scheme", "api.example.org", {}, False),
]


@pytest.mark.parametrize(("url", "more", "good"), [a[1:] for a in ADDRESSES], ids=[a[0] for a in ADDRESSES])
async def test_addresses(url: str, more: dict[str, Any], good: bool) -> None:
    make: Callable[[], object] = lambda: OpenAICompatibleBackend("vllm", model="m", base_url=url, **more)  # noqa: E731
    if good:
        make()
        return
    with pytest.raises(ValueError, match=r"backend|HTTP") as caught:
        make()
    assert KEY not in str(caught.value)


async def test_a_model_is_needed() -> None:
    with pytest.raises(ValueError, match="model"):
        OpenAICompatibleBackend("vllm")


@pytest.mark.parametrize("preset", sorted(PRESETS))
async def test_presets_may_be_used_as_they_are(preset: str) -> None:
    elsewhere = None if PRESETS[preset].base_url else "https://models.example.org/v1"
    backend = OpenAICompatibleBackend(preset, model="m", base_url=elsewhere)
    assert backend.kind == "remote"
    assert backend.describe() == ModelFacts(preset, "m")


async def test_the_key_is_nowhere_to_be_read(
    provider: FakeProvider, caplog: pytest.LogCaptureFixture, client: MakeClient
) -> None:
    caplog.set_level(logging.DEBUG)
    backend = client(provider)
    await ask(backend)
    assert KEY not in caplog.text
    assert PROMPT not in caplog.text
    assert KEY not in repr(backend) + repr(vars(backend))
    for mode in ("error_500", "drop_before_headers", "half_stream", "hang_before_first", "unauthorized"):
        provider.plan(mode)
        with pytest.raises(BackendError) as caught:
            await ask(client(provider, timeouts=Timeouts(first_token=0.05)))
        told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert KEY not in "".join(told.format())
    assert json.loads(provider.requests[0].body)
