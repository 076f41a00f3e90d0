"""A conversation that outgrows the model's context: the oldest turns are left out, and the answer and the record say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.backends.base import BackendError, ChatRequest
from runtime.backends.scripted import Script, ScriptedBackend

from .doors import assert_log_whole, changed_settings, engine, receipt_report, record, records
from .harness import Answer, Filagent, running, settings_for

ROOM = 400  # characters that the model of these tests takes


def small(request: ChatRequest) -> Script:
    """A model with a small context: it says how many messages it was given, the last one's text among them."""
    if sum(len(message.content) for message in request.messages) > ROOM:
        return Script((BackendError("upstream.context_overflow", "too long"),))
    return Script((f"{len(request.messages)} messages",))


@pytest.fixture(scope="module")
def backend() -> ScriptedBackend:
    return ScriptedBackend(small)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, backend: ScriptedBackend) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("trimmed"), backend, engine=engine()) as started:
        yield started


def grown(app: Filagent, turns: int, text: str = "x" * 60) -> list[Answer]:
    answers = [app.chat(text)]
    for _ in range(turns - 1):
        answers.append(app.chat(text, conversation_id=answers[0].json["conversation_id"]))
    return answers


def test_the_oldest_turns_are_left_out(app: Filagent, backend: ScriptedBackend) -> None:
    answers = grown(app, 9)
    assert {answer.status for answer in answers} == {200}
    assert [answer.json.get("history_trimmed", False) for answer in answers] == [False] * 5 + [True] * 4
    last = answers[-1].json
    found = record(app, last["decision_id"])
    assert found["detail"] == {"history_trimmed": True, "history_turns": 4}
    sent = backend.sent[-1].request.messages
    assert [message.role for message in sent] == ["user", "assistant"] * 4 + ["user"]
    assert last["content"] == "9 messages"
    assert receipt_report(app, last).whole
    assert app.request("GET", f"/turns/{last['turn_id']}").json["history_trimmed"] is True


def test_every_attempt_has_its_intent(app: Filagent) -> None:
    last = grown(app, 9)[-1].json
    turn = record(app, last["decision_id"])["turn_ref"]
    intents = [entry for entry in records(app, "model.intent") if entry["turn_ref"] == turn]
    assert [entry["step"] for entry in intents] == [1, 2]
    assert [entry.get("detail") for entry in intents] == [None, {"history_trimmed": True, "history_turns": 4}]


def test_a_question_that_is_too_long_by_itself_is_refused(app: Filagent, backend: ScriptedBackend) -> None:
    answers = grown(app, 3)
    before = len(backend.sent)
    answer = app.chat("y" * (ROOM + 1), conversation_id=answers[0].json["conversation_id"])
    assert (answer.status, answer.json["code"]) == (422, "upstream.context_overflow")
    assert len(backend.sent) == before + 3  # with three, one and no earlier turns
    assert_log_whole(app)


def test_turns_beyond_the_setting_are_said_to_be_left_out(tmp_path: Path) -> None:
    def few(settings: dict[str, dict[str, int]]) -> None:
        settings["agent"]["history_turns"] = 2

    settings = settings_for(tmp_path, FILAGENT_CONFIG=changed_settings(tmp_path / "agent.yaml", few))
    with running(tmp_path, ScriptedBackend(small), settings=settings, engine=engine()) as app:
        answers = grown(app, 4, "short")
        assert [answer.json["content"] for answer in answers] == [f"{count} messages" for count in (1, 3, 5, 5)]
        assert ["history_trimmed" in answer.json for answer in answers] == [False, False, False, True]
