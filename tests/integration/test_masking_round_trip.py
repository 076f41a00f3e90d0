"""Every position, there and back: what no backend may see, what a caller must get back, and what nobody may be told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.backends.base import BackendError, ToolCall
from runtime.backends.scripted import Script, ScriptedBackend

from .doors import changed_policies, changed_settings, echo, engine, record, records, streaming
from .harness import Answer, Filagent, running, settings_for

SIN, CARD, MAIL = "046 454 286", 4111111111111111, "ana.roy@courriel.example"


def tool(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "description": "", "parameters": parameters}}


class Model:
    """A scripted model elsewhere, whose next answer a test writes."""

    def __init__(self) -> None:
        self.script: Script | None = None
        self.backend = ScriptedBackend(
            lambda request: self.script if self.script is not None else echo(request), name="vllm", kind="remote"
        )

    @property
    def bytes(self) -> str:
        return self.backend.sent[-1].body.decode()


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def app(tmp_path: Path, model: Model) -> Iterator[Filagent]:
    with running(tmp_path, model.backend, engine=engine(ner=True)) as started:
        yield started


def ask(app: Filagent, text: str, **fields: Any) -> Answer:
    body = {"messages": [{"role": "user", "content": text}], **fields}
    return app.request("POST", "/chat", json.dumps(body).encode())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "Vehicle registration: Margaret Thornbury",
        "Immatriculation : ana.roy@courriel.example",
        f"client number: {SIN}, mot de passe : ana.roy@courriel.example",
        "Le transit 514 555-0199 et le passeport de Geneviève Castonguay",
    ],
)
def test_no_label_takes_a_callers_value_from_him(app: Filagent, text: str, stream: bool) -> None:
    if stream:
        with streaming(app, text) as events:
            answer = events.rest()[-1][1]
    else:
        answer = app.chat(text).json
    assert answer["content"] == text
    assert record(app, answer["decision_id"])["redactions"]["out"] == {}


def test_what_the_rules_missed_stays_the_callers(app: Filagent, model: Model) -> None:
    """His own words, found only beside the model's: still his."""
    model.script = Script(["Your password: maple-Falcon is not strong."])
    assert app.chat("I like maple-Falcon").json["content"] == "Your password: maple-Falcon is not strong."
    model.script = Script(["His password: oak-Falcon9 is not strong."])
    assert "oak-Falcon9" not in app.chat("I like maple-Falcon").json["content"]


def test_numbers_and_names_in_schemas_are_read(app: Filagent, model: Model) -> None:
    model.script = Script(["ok"])
    card = {"enum": [CARD], "type": "integer"}
    made = tool("pay", creditCard=card, nas={"enum": ["046454286"]}, employee_number={"const": "55421"})
    assert ask(app, "go", tools=[made]).status == 200
    assert not any(value in model.bytes for value in (str(CARD), "046454286", "55421"))
    schema = {"type": "object", "properties": {"password": {"const": "hunter2hunter2"}, "sin": {"const": 130692544}}}
    model.script = Script(['{"password": "<SECRET_1>"}'])
    answer = ask(app, "go", response_format={"type": "json_schema", "json_schema": {"schema": schema}})
    assert "hunter2" not in model.bytes
    assert "130692544" not in model.bytes
    assert json.loads(answer.json["content"]) == {"password": "hunter2hunter2"}


def test_a_token_is_a_number_again_where_the_tool_wants_one(app: Filagent, model: Model) -> None:
    model.script = Script([ToolCall("", "pay", '{"creditCard": "<CREDIT_CARD_1>"}')], finish_reason="tool_calls")
    answer = ask(app, f"Pay with {CARD}", tools=[tool("pay", creditCard={"type": "integer"})])
    assert json.loads(answer.json["tool_calls"][0]["function"]["arguments"]) == {"creditCard": CARD}


def test_a_form_that_masking_breaks_is_named_so(app: Filagent, model: Model) -> None:
    model.script = Script([ToolCall("", "pay", f'{{"creditCard": {CARD}}}')], finish_reason="tool_calls")
    answer = ask(app, "Pay", tools=[tool("pay", creditCard={"type": "integer"})])
    assert (answer.status, answer.json["code"]) == (502, "agent.masked_form")


def test_two_keys_that_are_masked_alike_stay_two(app: Filagent, model: Model) -> None:
    given = '{"m": {"a@mal.example": 1, "b@mal.example": 2}}'
    model.script = Script([ToolCall("", "put", given)], finish_reason="tool_calls")
    answer = ask(app, "Put", tools=[tool("put", m={"type": "object"})])
    put = json.loads(answer.json["tool_calls"][0]["function"]["arguments"])["m"]
    assert sorted(put.values()) == [1, 2]
    assert not any("mal.example" in key for key in put)


def test_a_tools_name_may_not_hold_personal_data(app: Filagent, model: Model) -> None:
    answer = ask(app, "go", tools=[tool("call_Margaret_Thornbury", to={"type": "string"})])
    assert (answer.status, answer.json["code"]) == (422, "request.tool_name")
    assert model.backend.sent == []
    answer = ask(app, "go", tools=[tool("ask_claude", to={"type": "string"})])
    assert answer.status == 200  # a given name alone says nobody


@pytest.mark.parametrize(("name", "status"), [("call_Margaret_Thornbury", 502), ("ask_claude", 200)])
def test_no_backend_steps_in_that_may_not_read_a_tools_name(
    tmp_path: Path, model: Model, name: str, status: int
) -> None:
    def chain(policy: dict[str, Any]) -> None:
        policy["backends"]["fallback"] = {"near": ["vllm"]}

    near = ScriptedBackend(Script([BackendError("upstream.unreachable", "Gone.")]), name="near")
    model.script = Script(["ok"])
    settings = settings_for(tmp_path, FILAGENT_POLICIES=changed_policies(tmp_path / "policies.yaml", chain))
    with running(tmp_path, near, engine=engine(ner=True), settings=settings, others=[model.backend]) as app:
        answer = ask(app, "go", tools=[tool(name, to={"type": "string"})])
    assert answer.status == status, answer.raw
    assert len(near.sent) == 1  # a local backend may read names
    assert len(model.backend.sent) == (1 if status == 200 else 0)


def test_the_operators_words_are_masked_like_all_else(tmp_path: Path, model: Model) -> None:
    prompt = f"You work for Margaret Thornbury, {MAIL}. Never write <PERSON_9>."
    config = changed_settings(tmp_path / "agent.yaml", lambda given: given["generation"].update(system_prompt=prompt))
    settings = settings_for(tmp_path, FILAGENT_CONFIG=config)
    with running(tmp_path, model.backend, engine=engine(ner=True), settings=settings) as app:
        model.script = Script(["Ask <PERSON_1> at <EMAIL_ADDRESS_1>, not <PERSON_9>."])
        answer = app.chat("Whom do I ask?")
    assert "Thornbury" not in model.bytes
    assert MAIL not in model.bytes
    assert "<PERSON_9>" not in model.bytes
    assert answer.json["content"] == f"Ask Margaret Thornbury at {MAIL}, not <PERSON_9>."
    assert answer.json["redactions"] == {}  # they are not the caller's


def test_tools_get_tokens_where_the_policy_says_so(tmp_path: Path, model: Model) -> None:
    def narrow(policy: dict[str, Any]) -> None:
        policy["masking"]["tools"] = [
            {"tool": "send_*", "restore": ["EMAIL_ADDRESS"]},
            {"tool": "all", "restore": "all"},
        ]

    settings = settings_for(tmp_path, FILAGENT_POLICIES=changed_policies(tmp_path / "policies.yaml", narrow))
    given = '{"to": "<EMAIL_ADDRESS_1>", "sin": "<CA_SIN_1>"}'
    fields = {"to": {"type": "string"}, "sin": {"type": "string"}}
    with running(tmp_path, model.backend, engine=engine(), settings=settings) as app:
        got = {}
        for name in ("send_mail", "all", "other"):
            model.script = Script([ToolCall("", name, given)], finish_reason="tool_calls")
            answer = ask(app, f"Send {SIN} to {MAIL}", tools=[tool(name, **fields)])
            got[name] = json.loads(answer.json["tool_calls"][0]["function"]["arguments"])
    assert got == {
        "send_mail": {"to": MAIL, "sin": "<CA_SIN_1>"},
        "all": {"to": MAIL, "sin": SIN},
        "other": {"to": "<EMAIL_ADDRESS_1>", "sin": "<CA_SIN_1>"},
    }


def test_a_refusal_counts_what_was_refused(tmp_path: Path, model: Model) -> None:
    def edit(policy: dict[str, Any]) -> None:
        policy["masking"]["overrides"] = [{"entity": "CA_SIN", "direction": "in", "action": "block"}]

    settings = settings_for(tmp_path, FILAGENT_POLICIES=changed_policies(tmp_path / "policies.yaml", edit))
    with running(tmp_path, model.backend, engine=engine(), settings=settings) as app:
        answer = app.chat(f"My SIN is {SIN}, mail {MAIL}")
        told = record(app, answer.json["decision_id"])
    assert (answer.status, answer.json["code"]) == (403, "policy.entity_blocked")
    assert told["redactions"]["in"]["EMAIL_ADDRESS"] == 1
    assert model.backend.sent == []


def test_names_switched_off_are_a_record(tmp_path: Path, model: Model) -> None:
    config = changed_settings(tmp_path / "agent.yaml", lambda given: given["masking"].update(ner=False))
    settings = settings_for(tmp_path, FILAGENT_ENV="development", FILAGENT_CONFIG=config)
    with running(tmp_path, model.backend, settings=settings) as app:
        changed = [one["detail"] for one in records(app, "config.changed")]
    assert {"control": "masking_names", "state": "off"} in changed
