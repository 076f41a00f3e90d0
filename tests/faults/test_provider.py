"""A provider that hangs, drops, refuses, talks nonsense or stops in the middle.

Each way of failing, plain and streaming: the caller gets its code and status, the record says the same, one intent
covers all transmissions of the same bytes, and what a stream released is exactly what its record commits to.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runtime.backends.base import Timeouts
from runtime.backends.circuit import Circuit, CircuitPolicy
from runtime.backends.openai_compatible import OpenAICompatibleBackend
from runtime.backends.retry import RetryPolicy
from tests.fakes.provider import PERSONAL, FakeProvider
from tests.faults.evidence import committed, output_commit, output_salt
from tests.integration.doors import assert_log_whole, engine, joined, receipt_report, record, records, size, streaming
from tests.integration.harness import Filagent, running

#: Long enough for a stream to be sure of their first words.
DELTAS = ("Here is the beginning of a long and harmless answer, ", "and here is how it goes on, ", "to its end.")
RETRY = RetryPolicy(retries=2, patience=10.0)


@dataclass(frozen=True)
class Case:
    """How the provider fails, and what must come of it.

    Attributes:
        asked: how often it is asked, repetitions included.
        said: what the provider has said by then, of which a stream has released a part.
    """

    mode: str
    status: int
    code: str
    asked: int = 1
    said: str = ""
    retry_after: str | None = None


CASES = (
    Case("hang_before_headers", 504, "upstream.timeout"),
    Case("hang_before_first", 504, "upstream.timeout"),
    Case("hang_after_first", 504, "upstream.timeout", said=DELTAS[0]),
    Case("hang_in_error", 504, "upstream.timeout"),
    Case("drop_before_headers", 502, "upstream.unreachable"),
    Case("drop_after_first", 502, "upstream.bad_response", said=DELTAS[0]),
    Case("half_stream", 502, "upstream.bad_response", said="".join(DELTAS)),
    Case("done_without_finish", 502, "upstream.bad_response", said="half"),
    Case("error_event", 502, "upstream.bad_response", said="begun"),
    Case("unknown_finish", 502, "agent.tool_unknown", said="text"),
    Case("filtered", 502, "agent.filtered", said="I"),
    Case("rate_limited", 503, "upstream.rate_limited", asked=3, retry_after="1"),
    Case("error_500", 502, "upstream.bad_response"),
    Case("error_503", 503, "upstream.unavailable", asked=3, retry_after="1"),
    Case("bad_request", 502, "upstream.rejected"),
    Case("unauthorized", 502, "upstream.rejected"),
    Case("redirect", 502, "upstream.bad_response"),
    Case("overflow", 422, "upstream.context_overflow"),
    Case("not_json", 502, "upstream.bad_response"),
    Case("not_utf8", 502, "upstream.bad_response"),
    Case("garbage", 502, "upstream.unreachable"),
    Case("html", 502, "upstream.bad_response"),
    Case("compressed", 502, "upstream.bad_response"),
    Case("endless_error", 502, "upstream.bad_response"),
)
each = pytest.mark.parametrize("case", CASES, ids=[case.mode for case in CASES])


async def _at_once(_seconds: float) -> None:
    """Waits between repetitions are the backend's own tests' business."""
    await asyncio.sleep(0)


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(deltas=DELTAS) as started:
        yield started


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, provider: FakeProvider) -> Iterator[Filagent]:
    backend = OpenAICompatibleBackend(
        "vllm", model="fake", base_url=provider.url, name="vllm", retry=RETRY, sleep=_at_once,
        jitter=lambda: 0.0, circuit=Circuit(CircuitPolicy(failures=1000)), timeouts=Timeouts(connect=2, first_token=0.5, total=1.5), max_response_bytes=1 << 20,
    )  # fmt: skip
    with running(tmp_path_factory.mktemp("provider"), backend, engine=engine()) as started:
        yield started


@pytest.fixture(autouse=True)
def _plan(provider: FakeProvider) -> None:
    provider.forget_plan()


@pytest.fixture
def key(app: Filagent, request: pytest.FixtureRequest) -> str:
    """A person for each test, so that no limit per person is met."""
    return app.key("user", request.node.name)


def assert_recorded(app: Filagent, case: Case, start: int, decision_id: str, status: str) -> dict[str, Any]:
    """One intent and the turn's record, which says why it failed."""
    assert [entry["event"] for entry in records(app, start=start) if "turn_ref" in entry] == ["model.intent", "turn"]
    said = record(app, decision_id)
    assert said["decision"] == ("deny" if case.status == 422 else "error")
    assert case.code in said["reasons"]
    assert said["effect"] == {"status": status}
    return said


@each
def test_a_plain_answer_is_refused_whole(app: Filagent, provider: FakeProvider, key: str, case: Case) -> None:
    start, before = size(app), len(provider.chats)
    provider.plan(*[case.mode] * case.asked)
    answer = app.chat("Say hello.", key=key)
    assert (answer.status, answer.json["code"]) == (case.status, case.code)
    assert answer.headers.get("retry-after") == case.retry_after
    assert PERSONAL.encode() not in answer.raw
    sent = [seen.body for seen in provider.chats[before:]]
    assert sent == [sent[0]] * case.asked
    said = assert_recorded(app, case, start, answer.json["decision_id"], "none")
    assert output_commit(said) is None
    assert receipt_report(app, answer.json).whole
    assert app.chat("And now?", key=key).status == 200


@each
def test_a_stream_says_so_and_commits_to_what_it_released(
    app: Filagent, provider: FakeProvider, key: str, case: Case
) -> None:
    start, before = size(app), len(provider.chats)
    provider.plan(*[case.mode] * case.asked)
    with streaming(app, "Say hello.", key=key) as stream:
        begun = stream.status == 200
        events = stream.rest() if begun else [("error", json.loads(stream.response.read()))]
    name, error = events[-1]
    assert (name, error["status"], error["code"]) == ("error", case.status, case.code)
    assert PERSONAL not in json.dumps(events)
    assert len(provider.chats) - before == case.asked
    # A stream begins with the first words that the masker is sure of; a single word it still holds back.
    assert begun == (len(case.said) > 10)
    assert begun or stream.status == case.status
    partial = joined(events)
    assert case.said.startswith(partial)
    said = assert_recorded(app, case, start, error["decision_id"], "partial" if begun else "none")
    assert output_commit(said) == (committed(output_salt(app, error["turn_id"]), partial) if begun else None)
    assert receipt_report(app, error | ({"content": partial} if begun else {})).whole


def test_different_bytes_have_an_intent_each(app: Filagent, provider: FakeProvider, key: str) -> None:
    start = size(app)
    for text in ("One.", "Another."):
        assert app.chat(text, key=key).status == 200
    intents = [entry for entry in records(app, start=start) if entry["event"] == "model.intent"]
    views = {next(item["commit"] for item in entry["content"] if item["name"] == "view.1") for entry in intents}
    assert len(intents) == len(views) == 2


def test_a_repetition_that_succeeds_needs_no_second_intent(app: Filagent, provider: FakeProvider, key: str) -> None:
    start, before = size(app), len(provider.chats)
    provider.plan("error_503", "rate_limited", "ok")
    answer = app.chat("Say hello.", key=key)
    assert (answer.status, answer.json["content"]) == (200, "".join(DELTAS))
    assert len(provider.chats) - before == 3
    assert [entry["event"] for entry in records(app, start=start) if "turn_ref" in entry] == ["model.intent", "turn"]


def test_a_provider_that_is_not_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    backend = OpenAICompatibleBackend(
        "vllm", model="fake", base_url=f"http://127.0.0.1:{port}/v1", name="vllm", retry=RETRY, sleep=_at_once
    )
    with running(tmp_path, backend, engine=engine()) as app:
        answer = app.chat("Say hello.")
        assert (answer.status, answer.json["code"]) == (502, "upstream.unreachable")
        assert [entry["event"] for entry in records(app) if "turn_ref" in entry] == ["model.intent", "turn"]


def test_the_log_is_whole_after_all_of_it(app: Filagent) -> None:
    assert_log_whole(app)
