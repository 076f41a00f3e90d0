"""The whole application in front of a real llama-server with the embedded model: answers, failures, and their records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime.backends.circuit import Circuit, CircuitPolicy
from runtime.backends.openai_compatible import OpenAICompatibleBackend
from runtime.backends.retry import RetryPolicy

from .doors import assert_log_whole, engine, joined, receipt_report, record, records, size, streaming, until
from .harness import Filagent, running, settings_for
from .llama_server import LlamaServer, embedded_model, serving

pytestmark = pytest.mark.model
LONG = "Write a long story about a lighthouse keeper and the sea, with many details."


@contextmanager
def application(home: Path, server: LlamaServer, **more: Any) -> Iterator[Filagent]:
    backend = OpenAICompatibleBackend(
        "llama_server", model="default", base_url=server.url, kind="local", retry=RetryPolicy(retries=0), **more
    )
    settings = settings_for(home, LLM_BACKEND="llama_server", LLAMA_SERVER_BASE_URL=server.url)
    with running(home, backend, engine=engine(), settings=settings) as app:
        yield app


@pytest.fixture(scope="module")
def server() -> Iterator[LlamaServer]:
    with serving(embedded_model(), "--ctx-size", "512") as started:
        yield started


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, server: LlamaServer) -> Iterator[Filagent]:
    with application(tmp_path_factory.mktemp("llama"), server) as started:
        yield started


def test_an_answer_and_its_record(app: Filagent) -> None:
    answer = app.chat("What is the capital of Canada?", options={"max_tokens": 12, "seed": 4})
    assert answer.status == 200, answer.raw
    assert answer.json["content"].strip()
    said = record(app, answer.json["decision_id"])
    name = "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert (said["model"]["provider"], said["model"]["request_model"], said["model"]["response_model"]) == (
        "llama_server", name, name,
    )  # fmt: skip
    assert said["model"]["seed"] == 4
    assert said["usage"]["completion_tokens"] == answer.json["usage"]["completion_tokens"] <= 12
    assert receipt_report(app, answer.json).whole
    assert app.request("GET", "/ready", key=None).status == 200


def test_a_stream_with_the_same_seed_says_the_same(app: Filagent) -> None:
    options = {"max_tokens": 24, "seed": 9, "temperature": 1.5}
    whole = app.chat("Tell me a story.", options=options).json["content"]
    with streaming(app, "Tell me a story.", options=options) as stream:
        events = stream.rest()
    assert [name for name, _ in events][-1] == "final"
    assert len([name for name, _ in events if name == "delta"]) > 1
    assert joined(events) == events[-1][1]["content"] == whole


def test_json_by_schema(app: Filagent) -> None:
    schema = {
        "type": "object", "properties": {"large": {"type": "boolean"}}, "required": ["large"], "additionalProperties": False,
    }  # fmt: skip
    answer = app.chat(
        "Is Canada large?",
        response_format={"type": "json_schema", "json_schema": {"schema": schema}},
        options={"max_tokens": 100, "seed": 1},
    )
    assert answer.status == 200, answer.raw
    assert isinstance(json.loads(answer.json["content"])["large"], bool)


def test_a_caller_who_leaves_stops_the_server(app: Filagent, server: LlamaServer) -> None:
    before, written = size(app), server.count("tokens_predicted_total")
    with streaming(app, LONG, options={"max_tokens": 400, "seed": 5}) as stream:
        assert (stream.event() or ("",))[0] == "delta"
        stream.leave()
    found = until(lambda: records(app, "turn", start=before))
    assert [(one["decision"], one["reasons"], one["effect"]) for one in found] == [
        ("error", ["client.gone"], {"status": "partial"})
    ]
    until(lambda: server.busy() == 0)
    assert server.count("tokens_predicted_total") - written < 350


def test_a_conversation_that_outgrows_the_context(app: Filagent) -> None:
    options = {"max_tokens": 8, "seed": 1}
    answers = [app.chat("word " * 120, options=options)]
    for _ in range(4):
        answers.append(app.chat("word " * 120, conversation_id=answers[0].json["conversation_id"], options=options))
    assert [answer.status for answer in answers] == [200] * 5, answers[-1].raw
    assert [answer.json.get("history_trimmed", False) for answer in answers] == [False, False, False, True, True]
    said = record(app, answers[-1].json["decision_id"])
    assert said["detail"]["history_trimmed"] is True
    intents = [one for one in records(app, "model.intent") if one["turn_ref"] == said["turn_ref"]]
    assert len(intents) > 1, "the request that did not fit, and the one that did"
    alone = app.chat("word " * 600, options=options)
    assert (alone.status, alone.json["code"]) == (422, "upstream.context_overflow")
    assert "upstream.context_overflow" in record(app, alone.json["decision_id"])["reasons"]


def test_a_server_that_is_killed_under_way_and_comes_back(tmp_path: Path) -> None:
    clock = [0.0]
    circuit = Circuit(CircuitPolicy(failures=2, seconds=30), clock=lambda: clock[0])
    with serving(embedded_model()) as server, application(tmp_path, server, circuit=circuit) as app:
        start = size(app)
        with streaming(app, LONG, options={"max_tokens": 900, "seed": 5}) as stream:
            assert (stream.event() or ("",))[0] == "delta"
            server.kill()
            name, problem = stream.rest()[-1]
        assert (name, problem["code"]) == ("error", "upstream.bad_response")
        said = record(app, problem["decision_id"])
        assert (said["decision"], said["reasons"], said["effect"]) == (
            "error", ["upstream.bad_response"], {"status": "partial"},
        )  # fmt: skip
        assert "output" in [content["name"] for content in said["content"]]
        assert [(one.status, one.json["code"]) for one in (app.chat("Hello?"), app.chat("Hello?"))] == [
            (502, "upstream.unreachable"), (503, "upstream.circuit_open"),
        ]  # fmt: skip
        assert app.request("GET", "/ready", key=None).status == 503
        server.start()
        clock[0] = 30
        for state in ("half_open", "closed"):
            answer = app.chat("Hello?", options={"max_tokens": 4})
            assert answer.status == 200, answer.raw
            assert app.request("GET", "/ready", key=None).json["circuits"] == {"llama_server": state}
        assert [one["decision"] for one in records(app, "turn", start=start)] == [*["error"] * 3, *["allow"] * 2]
        assert_log_whole(app)
