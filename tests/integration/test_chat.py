"""`POST /chat` from outside: the answer, its evidence, conversations that go on, and refusals that are recorded."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from runtime.backends.scripted import Script, ScriptedBackend

from .doors import Cue, assert_log_whole, echo, engine, noted, receipt_report, record, records, size
from .harness import Filagent, running

ASKED = "Write to jean.roy@courriel.example or call 514-555-0142; then to jean.roy@courriel.example again."
HIDDEN = {"EMAIL_ADDRESS": 2, "PHONE_NUMBER": 1}
REF = re.compile(r"[a-z]_[a-z2-7]{26}")


@pytest.fixture(scope="module")
def cue() -> Cue:
    return Cue()


@pytest.fixture(scope="module")
def backend(cue: Cue) -> ScriptedBackend:
    return cue.backend()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, backend: ScriptedBackend) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("chat"), backend, engine=engine()) as started:
        yield started


@pytest.fixture(autouse=True)
def _plain_answers(cue: Cue) -> None:
    cue.script = Script()


def sent_since(backend: ScriptedBackend, before: int) -> list[list[tuple[str, str]]]:
    return [[(message.role, message.content) for message in sent.request.messages] for sent in backend.sent[before:]]


# the answer --------------------------------------------------------------------------------------------------------


def test_an_answer_has_exactly_these_members(app: Filagent) -> None:
    answer = app.chat("Hello")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-filagent-decision-id"] == answer.json["decision_id"]
    body = answer.json
    assert list(body) == [
        "status", "conversation_id", "turn_id", "decision_id", "content", "message", "citations", "reasoning",
        "model", "usage", "redactions", "notice", "degraded", "processing_time_ms", "receipt",
    ]  # fmt: skip
    assert body["status"] == "success"
    assert re.fullmatch(r"C-[0-9a-f-]{36}", body["conversation_id"])
    assert re.fullmatch(r"T-[0-9a-f-]{36}", body["turn_id"])
    assert re.fullmatch(r"DR-[0-9a-f-]{36}", body["decision_id"])
    assert body["content"] == "Hello, world."
    assert body["message"] == {"role": "assistant", "content": "Hello, world."}
    assert body["model"]["provider"] == "scripted"
    assert body["model"]["response_model"] == "script-1"
    assert body["usage"] == {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
    assert (body["citations"], body["reasoning"]) == ([], None)
    assert body["redactions"] == {}
    assert body["degraded"] is False
    assert type(body["processing_time_ms"]) is int
    assert body["processing_time_ms"] >= 0
    receipt = body["receipt"]
    assert set(receipt) == {"record_id", "log_index", "inclusion", "checkpoint", "envelope", "keys", "salts"}
    assert receipt["record_id"] == body["decision_id"]
    assert {name: len(b64decode(salt)) for name, salt in receipt["salts"].items()} == {"input": 16, "output": 16}


def test_the_notice_says_in_both_languages_that_a_machine_wrote_it(app: Filagent) -> None:
    notice = app.chat("Hello").json["notice"]
    assert "written by a machine" in notice
    assert "rédigée par une machine" in notice


def test_redactions_are_counted_in_answer_and_record(app: Filagent) -> None:
    answer = app.chat(ASKED).json
    assert answer["redactions"] == HIDDEN
    assert record(app, answer["decision_id"])["redactions"] == {"in": HIDDEN, "out": {}}
    assert record(app, answer["decision_id"])["decision"] == "redact"


# its record --------------------------------------------------------------------------------------------------------


def test_the_record_says_who_what_and_why(app: Filagent) -> None:
    answer = app.chat("Hello", key=app.key("user"), purpose="drafting").json
    found = record(app, answer["decision_id"])
    assert (found["event"], found["decision"], found["door"]) == ("turn", "allow", "chat")
    assert found["seq"] == answer["receipt"]["log_index"]
    assert (found["actor"]["type"], found["actor"]["role"], found["actor"]["auth_method"]) == (
        "principal", "user", "api_key",
    )  # fmt: skip
    assert found["rules"][0].startswith("role.user.")
    assert found["reasons"] == []
    assert found["effect"] == {"status": "complete"}
    assert found["policy"]["revision"] == app.services.policy.revision
    assert found["masker"]["revision"].startswith("sha256:")
    assert found["software"]["digest"].startswith("sha256:")
    assert found["legal"]["purpose"] == "drafting"
    assert found["legal"]["automated_decision"] is False
    assert found["usage"] == answer["usage"]
    assert {"policy_in", "mask", "commit", "agent", "store", "total"} <= set(found["timings_ms"])
    assert [content["name"] for content in found["content"]] == ["input", "view", "output"]


def test_references_to_people_are_random_in_every_conversation(app: Filagent) -> None:
    answers = [app.chat("Hello", key=app.key("user"), data_subjects=["client 7"]).json for _ in range(2)]
    found = [record(app, answer["decision_id"]) for answer in answers]
    refs = [[one["actor"]["ref"], *one["data_subject_refs"], one["conversation_ref"]] for one in found]
    assert all(REF.fullmatch(ref) for of_turn in refs for ref in of_turn), refs
    assert [len(of_turn) for of_turn in refs] == [4, 4]  # the actor, himself, client 7, the conversation
    assert set(refs[0]) & set(refs[1]) == set()


def test_references_are_the_same_within_a_conversation(app: Filagent) -> None:
    first = app.chat("Hello", key=app.key("user"), data_subjects=["client 7"]).json
    place = first["conversation_id"]
    second = app.chat("Again", key=app.key("user"), data_subjects=["CLIENT 7 "], conversation_id=place).json
    one, two = (record(app, answer["decision_id"]) for answer in (first, second))
    for name in ("data_subject_refs", "conversation_ref"):
        assert one[name] == two[name]
    assert one["actor"]["ref"] == two["actor"]["ref"]
    assert one["turn_ref"] != two["turn_ref"]


def test_the_intent_stands_before_the_record_and_commits_to_the_bytes_sent(
    app: Filagent, backend: ScriptedBackend
) -> None:
    before = size(app)
    answer = app.chat(ASKED).json
    intent, turn = records(app, start=before)
    assert (intent["event"], intent["step"], turn["event"]) == ("model.intent", 1, "turn")
    assert turn["parent_record_id"] == intent["record_id"]
    assert intent["turn_ref"] == turn["turn_ref"]
    assert intent["model"]["request_model"] == "script-1"
    view = next(content for content in intent["content"] if content["name"] == "view.1")
    assert re.fullmatch("[0-9a-f]{64}", view["commit"])
    # The salt of a view is not the caller's; his own salts must not open it.
    for salt in answer["receipt"]["salts"].values():
        assert sha256(b64decode(salt) + backend.sent[-1].body).hexdigest() != view["commit"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"role":"user","content":"Hello"}]}',
        b' {\n "messages" : [ { "content":"H\\u00e9llo \\ud83e\\uddab" , "role":"user" } ] }\r\n\r\n',
        '{"messages":[{"role":"user","content":"Où est la forêt ?"}],"stream":false}'.encode(),
    ],
)
def test_the_receipt_verifies_with_the_exact_bytes(app: Filagent, body: bytes) -> None:
    answer = app.request("POST", "/chat", body)
    assert answer.status == 200
    report = receipt_report(app, answer.json, body)
    assert report.whole, report.problems
    assert {"question.same", "answer.same"} <= noted(report)


def test_the_receipt_fits_nothing_else(app: Filagent) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "Hello"}]}).encode()
    answer = app.request("POST", "/chat", body).json
    assert "question.other" in noted(receipt_report(app, answer, body + b" "))
    assert "answer.other" in noted(receipt_report(app, answer | {"content": "Hello, world!"}, body))
    other = app.request("POST", "/chat", body).json
    assert not receipt_report(app, answer | {"receipt": other["receipt"]}, body).whole
    moved = answer | {"receipt": answer["receipt"] | {"log_index": answer["receipt"]["log_index"] - 1}}
    assert not receipt_report(app, moved, body).whole


def test_the_same_question_twice_has_two_commitments(app: Filagent) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "H2L 1A1"}]}).encode()
    answers = [app.request("POST", "/chat", body).json for _ in range(2)]
    commits = [
        [content["commit"] for content in record(app, answer["decision_id"])["content"] if "commit" in content]
        for answer in answers
    ]
    assert len({commit for pair in commits for commit in pair}) == 4


# a conversation that goes on ---------------------------------------------------------------------------------------


def test_a_conversation_goes_on_with_the_same_tokens(app: Filagent, backend: ScriptedBackend) -> None:
    before = len(backend.sent)
    first = app.chat("I am jean.roy@courriel.example").json
    place = first["conversation_id"]
    second = app.chat("Ask JEAN.ROY@courriel.example and eva@courriel.example", conversation_id=place).json
    assert second["conversation_id"] == place
    one, two = sent_since(backend, before)
    token = one[-1][1].removeprefix("I am ")
    assert token == "<EMAIL_ADDRESS_1>"
    assert two[:-1] == [*one, ("assistant", "Hello, world.")]
    assert re.fullmatch(r"Ask <EMAIL_ADDRESS_1\S*> and <EMAIL_ADDRESS_2>", two[-1][1])


def test_conversations_do_not_share_tokens_or_words(app: Filagent, backend: ScriptedBackend) -> None:
    before = len(backend.sent)
    app.chat("I am jean.roy@courriel.example")
    app.chat("I am eva@courriel.example")
    one, two = sent_since(backend, before)
    assert one == two == [("user", "I am <EMAIL_ADDRESS_1>")]


def test_what_the_caller_says_in_the_models_name_stays_his(app: Filagent, backend: ScriptedBackend) -> None:
    said = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Two and two?"},
        {"role": "assistant", "content": "Five."},
        {"role": "user", "content": "Sure?"},
    ]
    before = len(backend.sent)
    answer = app.request("POST", "/chat", {"messages": said}).json
    assert sent_since(backend, before)[0] == [(message["role"], message["content"]) for message in said]
    told = app.request("GET", f"/conversations/{answer['conversation_id']}").json["messages"]
    assert [(message["role"], message["origin"]) for message in told] == [
        ("system", "caller"), ("user", "caller"), ("assistant", "caller"), ("user", "caller"), ("assistant", "model"),
    ]  # fmt: skip


def test_the_callers_own_values_come_back_to_him(tmp_path: Path) -> None:
    text = "Say jean.roy@courriel.example, 514-555-0142 and <b>bold</b> & <EMAIL_ADDRESS_1>."
    with running(tmp_path, ScriptedBackend(echo), engine=engine()) as other:
        answer = other.chat(text).json
    assert answer["content"] == text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/chat", {"messages": [{"role": "user", "content": "Hello"}], "conversation_id": "{conversation}"}),
        ("GET", "/conversations/{conversation}", None),
        ("PATCH", "/conversations/{conversation}", {"title": "Mine"}),
        ("DELETE", "/conversations/{conversation}", None),
        ("GET", "/turns/{turn}", None),
    ],
    ids=["goes on", "reads", "renames", "deletes", "reads a turn"],
)
def test_another_person_finds_nothing(app: Filagent, method: str, path: str, body: Any) -> None:
    mine = app.chat("Hello", key=app.key("user")).json
    names = {"{conversation}": mine["conversation_id"], "{turn}": mine["turn_id"]}
    absent = {"{conversation}": "C-" + "0" * 36, "{turn}": "T-" + "0" * 36}

    def ask(places: dict[str, str], key: str) -> tuple[int, dict[str, Any]]:
        where, what = path, json.dumps(body)
        for name, value in places.items():
            where, what = where.replace(name, value), what.replace(name, value)
        answer = app.request(method, where, None if body is None else what.encode(), key=key)
        told = answer.json
        return answer.status, {name: told[name] for name in ("code", "detail", "title", "type")}

    for stranger in (app.key("user", "somebody else"), app.admin_key):
        # A conversation of somebody else looks like one that does not exist.
        assert ask(names, stranger) == ask(absent, stranger)
        assert ask(names, stranger)[0] == 404
    assert app.request("GET", f"/conversations/{mine['conversation_id']}", key=app.key("user")).status == 200


def test_a_turn_in_a_foreign_conversation_is_recorded_and_reaches_no_model(
    app: Filagent, backend: ScriptedBackend
) -> None:
    mine = app.chat("Hello", key=app.key("user")).json
    before = len(backend.sent)
    answer = app.chat("Hello", key=app.key("user", "somebody else"), conversation_id=mine["conversation_id"])
    assert (answer.status, answer.json["code"]) == (404, "conversation.not_found")
    found = record(app, answer.json["decision_id"])
    assert (found["decision"], found["reasons"]) == ("deny", ["conversation.not_found"])
    # Whose conversation it was is not told by the record of somebody else's attempt.
    assert "conversation_ref" not in found
    assert len(backend.sent) == before


# what may be asked for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"backend": "gpt-9"}, "request.backend_unknown"),
        ({"backend": "perplexity"}, "request.backend_unknown"),
        ({"purpose": "surveillance"}, "request.purpose_unknown"),
    ],
)
def test_what_is_not_there_is_said_and_recorded(
    app: Filagent, backend: ScriptedBackend, fields: dict[str, Any], code: str
) -> None:
    before = len(backend.sent)
    answer = app.chat("Hello", **fields)
    assert (answer.status, answer.json["code"]) == (422, code)
    found = record(app, answer.json["decision_id"])
    assert (found["decision"], found["reasons"]) == ("deny", [code])
    assert found["legal"]["purpose"] == "assistance"
    assert len(backend.sent) == before


def test_the_backend_may_be_named(app: Filagent) -> None:
    assert app.chat("Hello", backend="scripted").status == 200


def test_options_reach_the_model_and_the_record(app: Filagent, backend: ScriptedBackend) -> None:
    wanted = {
        "temperature": 0.25, "top_p": 1, "top_k": 40, "max_tokens": 7, "seed": 2**31 - 1, "presence_penalty": -0.5,
    }  # fmt: skip
    before = size(app)
    answer = app.chat("Hello", options=wanted, model="script-2").json
    asked = backend.sent[-1].request
    assert asked.model == "script-2"
    options = asked.options
    assert (options.temperature, options.top_p, options.presence_penalty) == ("0.25", "1", "-0.5")
    assert (options.top_k, options.max_tokens, options.seed) == (40, 7, 2**31 - 1)
    for found in records(app, start=before):
        assert found["model"]["params"] == {
            "max_tokens": 7, "top_k": 40, "temperature": "0.25", "top_p": "1", "presence_penalty": "-0.5",
        }  # fmt: skip
        assert found["model"]["seed"] == 2**31 - 1
        assert found["model"]["request_model"] == "script-2"
    assert answer["model"]["seed"] == 2**31 - 1


def test_zero_is_an_option_too(app: Filagent, backend: ScriptedBackend) -> None:
    app.chat("Hello", options={"temperature": 0, "seed": 0, "top_k": 0, "presence_penalty": 0})
    options = backend.sent[-1].request.options
    assert (options.temperature, options.seed, options.top_k, options.presence_penalty) == ("0", 0, 0, "0")


def test_a_seed_is_drawn_and_told_when_none_is_given(app: Filagent, backend: ScriptedBackend) -> None:
    answers = [app.chat("Hello").json for _ in range(3)]
    seeds = [answer["model"]["seed"] for answer in answers]
    assert len(set(seeds)) == 3
    assert [sent.request.options.seed for sent in backend.sent[-3:]] == seeds


def test_the_policy_caps_the_length_of_an_answer(app: Filagent, backend: ScriptedBackend) -> None:
    app.chat("Hello", key=app.key("user"), options={"max_tokens": 32768})
    assert backend.sent[-1].request.options.max_tokens == 2048


@pytest.mark.parametrize("role", ["viewer", "auditor", "privacy_officer"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_role_that_may_not_ask_is_refused_with_a_record(
    app: Filagent, backend: ScriptedBackend, role: str, stream: bool
) -> None:
    before = len(backend.sent)
    answer = app.chat("Hello", key=app.key(role), stream=stream)
    assert answer.status == 403
    assert answer.headers["content-type"] == "application/problem+json"
    found = record(app, answer.json["decision_id"])
    assert (found["decision"], found["reasons"][0]) == ("deny", answer.json["code"])
    assert found["actor"]["role"] == role
    assert found["effect"] == {"status": "none"}
    assert len(backend.sent) == before
    assert receipt_report(app, answer.json).whole


def test_a_failing_model_is_an_error_with_a_record(app: Filagent, cue: Cue) -> None:
    cue.script = Script((RuntimeError("jean.roy@courriel.example broke it"),))
    answer = app.chat("I am jean.roy@courriel.example")
    assert (answer.status, answer.json["code"]) == (500, "internal.error")
    assert b"broke it" not in answer.raw
    found = record(app, answer.json["decision_id"])
    assert (found["decision"], found["reasons"], found["effect"]) == ("error", ["internal.error"], {"status": "none"})
    gone = app.request("GET", f"/turns/{answer.json['turn_id']}")
    assert (gone.status, gone.json["code"], gone.json["decision_id"]) == (
        409, "turn.no_answer", answer.json["decision_id"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (Script(finish_reason=None), "agent.no_ending"),
        (Script(finish_reason="tool_calls"), "agent.tool_unknown"),
    ],
)
def test_an_answer_without_an_ending_is_no_answer(app: Filagent, cue: Cue, script: Script, code: str) -> None:
    cue.script = script
    answer = app.chat("Hello")
    assert (answer.status, answer.json["code"]) == (502, code)
    assert "Hello, world." not in answer.raw.decode()
    assert record(app, answer.json["decision_id"])["effect"] == {"status": "none"}


def test_an_empty_answer_is_an_answer(app: Filagent, cue: Cue) -> None:
    cue.script = Script(())
    body = json.dumps({"messages": [{"role": "user", "content": "Hello"}]}).encode()
    answer = app.request("POST", "/chat", body)
    assert (answer.status, answer.json["content"]) == (200, "")
    assert receipt_report(app, answer.json, body).whole


def test_after_all_of_this_the_log_is_whole(app: Filagent) -> None:
    app.chat("Hello")
    assert_log_whole(app)
    answered = [found["turn_ref"] for found in records(app, "turn")]
    assert len(answered) == len(set(answered))
    assert {found["turn_ref"] for found in records(app, "model.intent")} <= set(answered)
