"""The OpenAI-compatible client against a real HTTP server that misbehaves."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from runtime.backends.base import (
    BackendError,
    ChatBackend,
    ChatMessage,
    ChatRequest,
    Finished,
    Gate,
    ModelFacts,
    SamplingOptions,
    TextDelta,
    Timeouts,
)
from runtime.backends.openai_compatible import PRESETS, OpenAICompatibleBackend
from runtime.backends.retry import RetryPolicy
from tests.fakes.provider import MODEL, PERSONAL, FakeProvider

pytestmark = pytest.mark.anyio

MakeClient = Callable[..., OpenAICompatibleBackend]
KEY = "sk-test-key-0123456789"
PROMPT = "What does Marguerite Tremblay owe?"
REQUEST = ChatRequest(
    messages=(ChatMessage("system", "Be brief."), ChatMessage("user", PROMPT)),
    options=SamplingOptions(max_tokens=50, temperature="0.2", top_p="0.9", top_k=20, seed=7, presence_penalty="0.5"),
    owner="conversation-1",
)


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


class Gatekeeper:
    """A gate that remembers what it let pass, and refuses when told to."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.passed: list[bytes] = []
        self.refusal = refusal

    async def __call__(self, body: bytes) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.passed.append(body)


class Sleeper:
    """Instead of sleeping, remember how long."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
async def client() -> AsyncIterator[Callable[..., OpenAICompatibleBackend]]:
    """Makes backends for a provider; they are closed after the test."""
    made: list[OpenAICompatibleBackend] = []

    def make(provider: FakeProvider, preset: str = "vllm", **more: Any) -> OpenAICompatibleBackend:
        settings: dict[str, Any] = {
            "base_url": provider.url,
            "model": "test-model",
            "api_key": SecretStr(KEY),
            "sleep": Sleeper(),
            "jitter": lambda: 0.0,
            "retry": RetryPolicy(retries=2),
        }
        made.append(OpenAICompatibleBackend(preset, **{**settings, **more}))
        return made[-1]

    yield make
    for backend in made:
        await backend.aclose()


async def ask(backend: ChatBackend, gate: Gate | None = None, request: ChatRequest = REQUEST) -> tuple[str, Finished]:
    text = ""
    endings: list[Finished] = []
    async with aclosing(backend.chat(request, gate or Gatekeeper())) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                assert not endings, "a delta after the ending"
                assert event.text
                text += event.text
            else:
                endings.append(event)
    assert len(endings) == 1
    return text, endings[0]


async def failure(backend: ChatBackend, gate: Gate | None = None) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await ask(backend, gate)
    return caught.value


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


FAILURES = [
    # mode, code, status, transmissions
    ("error_500", "upstream.bad_response", 502, 3),
    ("error_503", "upstream.unavailable", 503, 3),
    ("rate_limited", "upstream.rate_limited", 503, 3),
    ("bad_request", "upstream.rejected", 502, 1),
    ("unauthorized", "upstream.rejected", 502, 1),
    ("not_found", "upstream.rejected", 502, 1),
    ("overflow", "upstream.context_overflow", 422, 1),
    ("overflow_code", "upstream.context_overflow", 422, 1),
    ("redirect", "upstream.bad_response", 502, 1),
    ("drop_before_headers", "upstream.unreachable", 502, 1),
    ("drop_after_first", "upstream.bad_response", 502, 1),
    ("half_stream", "upstream.bad_response", 502, 1),
    ("done_without_finish", "upstream.bad_response", 502, 1),
    ("error_event", "upstream.bad_response", 502, 1),
    ("not_json", "upstream.bad_response", 502, 1),
    ("not_utf8", "upstream.bad_response", 502, 1),
    ("html", "upstream.bad_response", 502, 1),
    ("json_instead_of_stream", "upstream.bad_response", 502, 1),
    ("compressed", "upstream.bad_response", 502, 1),
    ("endless", "upstream.bad_response", 502, 1),
    ("endless_error", "upstream.bad_response", 502, 1),
    ("garbage", "upstream.unreachable", 502, 1),
]


@pytest.mark.parametrize(("mode", "code", "status", "transmissions"), FAILURES, ids=[f[0] for f in FAILURES])
async def test_failures_have_names_and_no_words(
    mode: str,
    code: str,
    status: int,
    transmissions: int,
    provider: FakeProvider,
    caplog: pytest.LogCaptureFixture,
    client: MakeClient,
) -> None:
    caplog.set_level(logging.DEBUG)
    provider.mode = mode
    gate = Gatekeeper()
    error = await failure(client(provider, max_response_bytes=100_000), gate)
    assert (error.code, error.status) == (code, status)
    assert len(provider.requests) == transmissions
    assert gate.passed == [seen.body for seen in provider.requests], "a transmission passed the gate unseen"
    shown = _everything(error) + caplog.text
    for secret in (PROMPT, PERSONAL, KEY):
        assert secret not in shown


def _everything(error: BaseException) -> str:
    """All that hangs on an exception: what a thorough error reporter would print of it."""
    parts, todo, done = [], [error], set()
    while todo:
        current = todo.pop()
        if id(current) in done:
            continue
        done.add(id(current))
        parts += [repr(current), str(current), repr(vars(current))]
        todo += [cause for cause in (current.__cause__, current.__context__) if cause is not None]
    return "\n".join(parts)


RETRIES = [
    # modes in order, Retry-After, retries, waits, the answer arrives
    ("after one 500", ["error_500", "ok"], "1", 2, [0.25], True),
    ("after two, waiting longer", ["error_500", "error_500", "ok"], "1", 2, [0.25, 0.5], True),
    ("Retry-After is honoured", ["rate_limited", "ok"], "4", 2, [4.0], True),
    ("a long Retry-After is the caller's", ["rate_limited", "ok"], "3600", 2, [], False),
    ("none allowed", ["error_500", "ok"], "1", 0, [], False),
    ("not after the first delta", ["error_event", "ok"], "1", 2, [], False),
    ("not after the stream began", ["half_stream", "ok"], "1", 2, [], False),
    ("not when the connection broke under way", ["drop_before_headers", "ok"], "1", 2, [], False),
    ("a pause of no sense", ["rate_limited", "ok"], "soon", 2, [1.0], True),
]


@pytest.mark.parametrize(
    ("modes", "retry_after", "retries", "waits", "answered"), [r[1:] for r in RETRIES], ids=[r[0] for r in RETRIES]
)
async def test_retries(
    modes: list[str],
    retry_after: str,
    retries: int,
    waits: list[float],
    answered: bool,
    provider: FakeProvider,
    client: MakeClient,
) -> None:
    provider.plan(*modes)
    provider.retry_after = retry_after
    sleeper, gate = Sleeper(), Gatekeeper()
    backend = client(provider, sleep=sleeper, retry=RetryPolicy(retries=retries))
    if answered:
        assert (await ask(backend, gate))[0] == "Bonjour le monde"
    else:
        await failure(backend, gate)
    assert sleeper.slept == waits
    assert gate.passed == [seen.body for seen in provider.requests]
    assert len(set(gate.passed)) == 1, "a retry sent other bytes"


async def test_no_retry_begins_after_the_end_of_the_call(provider: FakeProvider, client: MakeClient) -> None:
    provider.plan("rate_limited", "ok")
    provider.retry_after = "4"
    sleeper = Sleeper()
    error = await failure(client(provider, sleep=sleeper, timeouts=Timeouts(total=3)))
    assert (error.code, error.retry_after, sleeper.slept) == ("upstream.rate_limited", 4, [])


UNASKABLE = [
    ("no number", "x", {"temperature": "hot"}),
    ("no finite number", "x", {"top_p": "nan"}),
    ("a lone surrogate", "secret \ud800", {}),
]


@pytest.mark.parametrize(("text", "options"), [u[1:] for u in UNASKABLE], ids=[u[0] for u in UNASKABLE])
async def test_what_cannot_be_asked(
    text: str, options: dict[str, str], provider: FakeProvider, client: MakeClient
) -> None:
    gate = Gatekeeper()
    wanted = ChatRequest((ChatMessage("user", text),), SamplingOptions(max_tokens=5, **options), "o")
    with pytest.raises(BackendError) as caught:
        await ask(client(provider), gate, wanted)
    assert caught.value.code == "upstream.rejected"
    assert "secret" not in _everything(caught.value)
    assert gate.passed == []


async def test_the_wait_is_passed_on(provider: FakeProvider, client: MakeClient) -> None:
    provider.mode, provider.retry_after = "rate_limited", "3600"
    assert (await failure(client(provider))).retry_after == 3600


async def test_a_refused_connection_is_tried_again_with_the_gate(client: MakeClient) -> None:
    with FakeProvider() as gone:
        pass
    gate, sleeper = Gatekeeper(), Sleeper()
    error = await failure(client(gone, sleep=sleeper), gate)
    assert error.code == "upstream.unreachable"
    assert len(gate.passed) == 3
    assert sleeper.slept == [0.25, 0.5]


async def test_a_gate_that_closes_between_retries_ends_it(provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = "error_500"
    gate = Gatekeeper()
    refusal = RuntimeError("the log is full")

    async def close_gate(_seconds: float) -> None:
        gate.refusal = refusal

    with pytest.raises(RuntimeError) as caught:
        await ask(client(provider, sleep=close_gate), gate)
    assert caught.value is refusal
    assert len(provider.requests) == 1


TIMEOUTS = [
    ("hang_before_headers", Timeouts(first_token=0.05, total=30)),
    ("hang_before_first", Timeouts(first_token=0.05, total=30)),
    ("hang_in_error", Timeouts(first_token=0.05, total=30)),
    ("hang_after_first", Timeouts(first_token=30, total=0.05)),
]


@pytest.mark.parametrize(("mode", "timeouts"), TIMEOUTS, ids=[t[0] for t in TIMEOUTS])
async def test_a_provider_that_hangs(mode: str, timeouts: Timeouts, provider: FakeProvider, client: MakeClient) -> None:
    provider.mode = mode
    error = await failure(client(provider, timeouts=timeouts))
    assert (error.code, error.status) == ("upstream.timeout", 504)
    assert len(provider.requests) == 1
    assert await asyncio.to_thread(provider.client_gone.wait, 10), "the connection was left open"


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
    backend = client(provider, timeouts=Timeouts(connect=0.1))
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
    backend = OpenAICompatibleBackend(preset, model="m")
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
    assert json.loads(provider.requests[0].body)
