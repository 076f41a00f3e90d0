"""The OpenAI-compatible client against a real HTTP server that misbehaves: codes, retries, time limits, no words."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from runtime.backends.base import (
    BackendError,
    ChatMessage,
    ChatRequest,
    SamplingOptions,
    Timeouts,
)
from runtime.backends.retry import RetryPolicy
from tests.fakes.provider import PERSONAL, FakeProvider
from tests.unit.backends.support import KEY, PROMPT, Gatekeeper, MakeClient, Sleeper, ask, everything, failure

pytestmark = pytest.mark.anyio


FAILURES = [
    # mode, code, status, transmissions
    ("error_500", "upstream.bad_response", 502, 1),
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
    shown = everything(error) + caplog.text
    for secret in (PROMPT, PERSONAL, KEY):
        assert secret not in shown


RETRIES = [
    # modes in order, Retry-After, retries, waits, the answer arrives
    ("after one 503", ["error_503", "ok"], "0", 2, [0.0], True),
    ("after two, without a wish", ["unavailable", "unavailable", "ok"], "1", 2, [0.25, 0.5], True),
    ("not after a 500, which may have been billed", ["error_500", "ok"], "1", 2, [], False),
    ("Retry-After is honoured", ["rate_limited", "ok"], "4", 2, [4.0], True),
    ("a long Retry-After is the caller's", ["rate_limited", "ok"], "3600", 2, [], False),
    ("none allowed", ["error_503", "ok"], "1", 0, [], False),
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
    text: str, options: dict[str, Any], provider: FakeProvider, client: MakeClient
) -> None:
    gate = Gatekeeper()
    wanted = ChatRequest((ChatMessage("user", text),), SamplingOptions(max_tokens=5, **options), "o")
    with pytest.raises(BackendError) as caught:
        await ask(client(provider), gate, wanted)
    assert caught.value.code == "upstream.rejected"
    assert "secret" not in everything(caught.value)
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
    provider.mode = "error_503"
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
