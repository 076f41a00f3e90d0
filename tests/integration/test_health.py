"""`/health`, `/ready`, `/metrics`, `/docs`: what an operator's machinery asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.audit.errors import LogUnavailable
from runtime.backends.base import BackendError
from runtime.backends.scripted import Script, ScriptedBackend
from runtime.redaction.engine import PiiEngine
from runtime.redaction.errors import PiiUnavailable
from runtime.software import VERSION

from .doors import SharedLog, changed_settings, engine, nothing_appended
from .harness import Filagent, running, settings_for


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    fails = Script((BackendError("upstream.timeout", "Too late."),))
    backend = ScriptedBackend(lambda request: fails if "fail" in request.messages[-1].content else Script())
    with running(tmp_path_factory.mktemp("health"), backend, engine=engine()) as started:
        yield started


def samples(app: Filagent) -> dict[tuple[str, ...], float]:
    """(name, label values…) -> value of every sample."""
    answer = app.request("GET", "/metrics", key=None)
    assert answer.status == 200
    found = {}
    for family in text_string_to_metric_families(answer.raw.decode()):
        for sample in family.samples:
            found[(sample.name, *(value for _, value in sorted(sample.labels.items())))] = sample.value
    return found


def test_health_says_alive_to_everybody(app: Filagent) -> None:
    with nothing_appended(app):
        answer = app.request("GET", "/health", key=None)
    assert (answer.status, answer.json) == (200, {"status": "alive", "version": VERSION})


def test_ready_names_every_part(app: Filagent) -> None:
    with nothing_appended(app):
        answer = app.request("GET", "/ready", key=None)
    assert answer.status == 200
    assert answer.json == {
        "status": "ready",
        "checks": {"database": "ok", "evidence": "ok", "model": "ok", "masking": "ok"},
    }


class DeadLog(SharedLog):
    async def status(self) -> dict[str, Any]:
        raise LogUnavailable("gone")


class FullLog(SharedLog):
    async def status(self) -> dict[str, Any]:
        return {"size": 1, "writable": False, "failed": True, "disk_full": True}


class BrokenEngine(PiiEngine):
    def analyze(self, texts: Any, **_options: Any) -> Any:
        raise PiiUnavailable("gone")


def test_not_ready_says_what_is_missing_and_still_lives(app: Filagent) -> None:
    ill = ScriptedBackend(unhealthy=BackendError("upstream.unreachable", "Gone."))
    broken = BrokenEngine(ner=False)
    home = app.settings.home
    for what, options in {
        "model": {"backend": ill, "log": SharedLog(app), "engine": engine()},
        "masking": {"engine": broken, "log": SharedLog(app)},
    }.items():
        with running(home, **options) as other:
            answer = other.request("GET", "/ready", key=None)
            assert (answer.status, answer.json["status"]) == (503, "not ready")
            assert {name for name, state in answer.json["checks"].items() if state != "ok"} == {what}
            assert other.request("GET", "/health", key=None).status == 200


@pytest.mark.parametrize("log", [DeadLog, FullLog])
def test_a_log_that_takes_nothing_is_not_ready(app: Filagent, log: type[SharedLog]) -> None:
    working = app.services.log
    app.services.log = log(app)
    try:
        answer = app.request("GET", "/ready", key=None)
    finally:
        app.services.log = working
    assert answer.status == 503
    assert answer.json["checks"]["evidence"] == "unavailable"
    assert app.request("GET", "/ready", key=None).status == 200


def test_metrics_count_requests_errors_tokens_and_redactions(app: Filagent) -> None:
    before = samples(app)
    app.chat("I am jean.roy@courriel.example and 514-555-0142")
    app.chat("Please fail")
    app.chat("Hello", key=app.key("viewer"))
    app.request("POST", "/chat", b"nonsense")
    app.request("GET", "/conversations", key=None)
    after = samples(app)

    def more(*sample: str) -> float:
        return after.get(sample, 0) - before.get(sample, 0)

    assert more("filagent_requests_total", "chat", "200") == 1
    assert more("filagent_requests_total", "chat", "504") == 1
    assert more("filagent_requests_total", "chat", "403") == 1
    assert more("filagent_request_duration_seconds_count", "chat") == 3
    assert more("filagent_model_tokens_total", "scripted", "prompt") == 1
    assert more("filagent_model_tokens_total", "scripted", "completion") == 3
    assert more("filagent_redactions_total", "in", "EMAIL_ADDRESS", "user") == 1
    assert more("filagent_redactions_total", "in", "PHONE_NUMBER", "user") == 1
    for code in ("upstream.timeout", "policy.forbidden", "request.not_json", "auth.missing"):
        assert more("filagent_errors_total", code) == 1, code
    for stage in ("policy_in", "mask", "recall", "commit", "agent", "store", "record"):
        assert more("filagent_stage_duration_seconds_count", stage) >= 1, stage


def test_metrics_say_nothing_of_what_was_said(app: Filagent) -> None:
    app.chat("I am jean.roy@courriel.example", data_subjects=["Zacharie Quintal"])
    told = app.request("GET", "/metrics", key=None).raw
    for word in (b"jean", b"courriel", b"Quintal", b"user person", app.admin_key.encode()):
        assert word not in told


def test_behind_a_proxy_metrics_need_the_right(tmp_path: Any, app: Filagent) -> None:
    def proxied(settings: dict[str, Any]) -> None:
        settings["server"]["trusted_proxy"] = True

    config = changed_settings(tmp_path / "agent.yaml", proxied)
    settings = settings_for(app.settings.home, FILAGENT_CONFIG=config)
    with running(app.settings.home, settings=settings, engine=engine(), log=SharedLog(app)) as other:
        assert other.request("GET", "/metrics", key=None).status == 401
        assert other.request("GET", "/metrics", key=app.key("user")).status == 403
        assert other.request("GET", "/metrics", key=app.key("auditor")).status == 200


def test_every_answer_carries_safe_headers(app: Filagent) -> None:
    for method, path in (("GET", "/health"), ("GET", "/nothing"), ("POST", "/chat"), ("GET", "/log/checkpoint")):
        headers = app.request(method, path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "no-referrer", path
        assert headers["cache-control"] == "no-store", path
        assert "access-control-allow-origin" not in headers, path


def test_the_description_of_the_doors_is_complete(app: Filagent) -> None:
    described = app.request("GET", "/openapi.json", key=None).json["paths"]
    assert {
        "/chat", "/conversations", "/conversations/{conversation_id}", "/turns/{turn_id}", "/decisions",
        "/decisions/{record_id}", "/decisions/{record_id}/proof", "/decisions/{record_id}/explain", "/log/checkpoint",
        "/log/tile/{path}", "/health", "/ready", "/metrics",
    } <= set(described)  # fmt: skip
    schema = described["/chat"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {
        "messages", "conversation_id", "stream", "backend", "model", "data_subjects", "purpose", "classification", "options",
            "response_format",
            "tools",
            "tool_choice",
    }  # fmt: skip
    assert schema["additionalProperties"] is False
    assert app.request("GET", "/docs", key=None).status == 200
