"""What may leave for a remote backend, and who steps in when one fails: from outside, and in the records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policies.egress import LAST_RESORT
from runtime.backends.base import BackendError, ModelFacts
from runtime.backends.scripted import Script, ScriptedBackend, SendAgain
from runtime.backends.template import NAME, TEXT

from .doors import (
    Cue,
    assert_log_whole,
    changed_policies,
    echo,
    engine,
    receipt_report,
    record,
    records,
    streaming,
)
from .harness import Answer, Filagent, running, settings_for

DOWN = BackendError("upstream.unreachable", "the provider cannot be reached")
NAS = "046 454 286"


def rules(policy: dict[str, Any]) -> None:
    policy["backends"]["remote"] = {
        "far": {"roles": ["admin", "user"], "jurisdiction": "CA-QC", "purposes": ["assistance", "research"]},
        "other": ["admin"],
    }
    policy["backends"]["egress"] = [
        {"id": "restricted-stays", "classified": "restricted"},
        {"id": "no-cards", "backends": ["far"], "entities": ["CREDIT_CARD"], "masked_over": 0},
        {"id": "few-values", "backends": ["far"], "masked_over": 3},
    ]
    policy["backends"]["fallback"] = {
        "far": ["other", "near", "template"],
        "near": ["far"],
        "alone": ["near"],
        "blocked": ["strict", "template"],
    }
    policy["masking"]["overrides"] = [
        {"entity": "CA_SIN", "direction": "in", "kind": "remote", "backend": "other", "action": "block"}
    ]


class Stage:
    """Three backends with cue cards: one far, another far, one here."""

    def __init__(self) -> None:
        self.cues = {name: Cue() for name in ("far", "other", "near")}
        kinds = {"far": "remote", "other": "remote", "near": "local"}
        self.backends = {
            name: cue.backend(name=name, kind=kinds[name], facts=ModelFacts(name, f"model-{name}"))
            for name, cue in self.cues.items()
        }
        self.reset()

    def reset(self) -> None:
        for name, cue in self.cues.items():
            cue.script = Script((f"{name} speaking.",))

    def fails(self, name: str, failure: Exception = DOWN, *, after: tuple[str, ...] = ()) -> None:
        self.cues[name].script = Script((*after, failure))

    def sent(self) -> dict[str, int]:
        return {name: len(backend.sent) for name, backend in self.backends.items()}


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


@pytest.fixture(autouse=True)
def _plain(stage: Stage) -> None:
    stage.reset()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, stage: Stage) -> Iterator[Filagent]:
    home = tmp_path_factory.mktemp("egress")
    settings = settings_for(home, FILAGENT_POLICIES=changed_policies(home / "policies.yaml", rules))
    first, *others = stage.backends.values()
    with running(home, first, settings=settings, engine=engine(), others=others) as started:
        yield started


def refused(app: Filagent, answer: Answer, *ruled: str) -> dict[str, Any]:
    assert (answer.status, answer.json["code"]) == (403, "policy.egress_forbidden")
    found = record(app, answer.json["decision_id"])
    assert (found["decision"], found["reasons"]) == ("deny", ["policy.egress_forbidden"])
    assert set(ruled) <= set(found["rules"])
    assert receipt_report(app, answer.json).whole
    return found


# egress ------------------------------------------------------------------------------------------------------------


def test_the_record_says_where_it_went(app: Filagent) -> None:
    answer = app.chat("Hello")
    assert (answer.status, answer.json["content"], answer.json["degraded"]) == (200, "far speaking.", False)
    found = record(app, answer.json["decision_id"])
    assert found["detail"] == {"jurisdiction": "CA-QC"}
    assert record(app, found["parent_record_id"])["detail"] == {"jurisdiction": "CA-QC"}
    assert "detail" not in record(app, app.chat("Hello", backend="near").json["decision_id"])


def test_a_purpose_that_the_backend_is_not_for(app: Filagent, stage: Stage) -> None:
    before = stage.sent()
    refused(app, app.chat("Hello", purpose="translation"), "egress.purpose")
    assert stage.sent() == before
    assert app.chat("Hello", purpose="translation", backend="near").status == 200


def test_a_classification_keeps_a_conversation_here(app: Filagent, stage: Stage) -> None:
    before = stage.sent()
    found = refused(app, app.chat("Hello", classification="restricted"), "egress.restricted-stays")
    assert found["detail"]["classification"] == "restricted"
    assert stage.sent() == before
    near = app.chat("Hello", classification="restricted", backend="near")
    assert near.status == 200
    assert record(app, near.json["decision_id"])["detail"] == {"classification": "restricted"}


def test_a_conversation_is_raised_and_never_lowered(app: Filagent) -> None:
    first = app.chat("Hello", backend="near")
    here = {"conversation_id": first.json["conversation_id"], "backend": "near"}
    listed = app.request("GET", f"/conversations/{here['conversation_id']}").json
    assert listed["classification"] is None
    levels = []
    for wanted in ("public", "confidential", "internal", "restricted", "public", None):
        answer = app.chat("And?", **here, classification=wanted)
        levels.append(record(app, answer.json["decision_id"]).get("detail", {}).get("classification"))
    assert levels == [None, "confidential", "confidential", "restricted", "restricted", "restricted"]
    refused(app, app.chat("And far?", conversation_id=here["conversation_id"]), "egress.restricted-stays")


def test_an_unknown_classification_is_refused(app: Filagent) -> None:
    answer = app.chat("Hello", classification="cosmic")
    assert (answer.status, answer.json["code"]) == (422, "request.classification_unknown")


def test_what_was_masked_can_keep_a_prompt_here(app: Filagent, stage: Stage) -> None:
    before = stage.sent()
    refused(app, app.chat("Pay with 4111 1111 1111 1111"), "egress.no-cards")
    mails = " ".join(f"person{number}@courriel.example" for number in range(4))
    refused(app, app.chat(f"Write to {mails}"), "egress.few-values")
    assert stage.sent() == before
    assert app.chat("Write to a@courriel.example, a@courriel.example").status == 200


def test_the_texts_of_a_schema_count(app: Filagent, stage: Stage) -> None:
    before = stage.sent()
    schema = {"type": "object", "description": "For the card 4111 1111 1111 1111"}
    wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
    refused(app, app.chat("Hello", response_format=wanted), "egress.no-cards")
    assert stage.sent() == before


def test_earlier_turns_count(app: Filagent) -> None:
    near = app.chat("Write to a@courriel.example, b@courriel.example", backend="near")
    more = {"conversation_id": near.json["conversation_id"]}
    assert app.chat("and c@courriel.example", **more).status == 200
    refused(app, app.chat("and d@courriel.example", **more), "egress.few-values")


# fallback ----------------------------------------------------------------------------------------------------------


def test_the_next_one_steps_in(app: Filagent, stage: Stage) -> None:
    stage.fails("far")
    answer = app.chat("Hello")
    assert (answer.status, answer.json["content"], answer.json["degraded"]) == (200, "other speaking.", True)
    assert answer.json["model"]["provider"] == "other"
    found = record(app, answer.json["decision_id"])
    assert found["detail"] == {"degraded": True, "fallback_from": "far"}
    assert (found["decision"], found["reasons"]) == ("allow", ["upstream.unreachable"])
    assert "fallback.other" in found["rules"]
    intents = [entry for entry in records(app, "model.intent") if entry["turn_ref"] == found["turn_ref"]]
    assert [(entry["step"], entry["model"]["provider"]) for entry in intents] == [(1, "far"), (2, "other")]
    assert [entry["detail"].get("jurisdiction") for entry in intents] == ["CA-QC", None]
    assert receipt_report(app, answer.json).whole


def test_each_backend_gets_its_own_view(app: Filagent, stage: Stage) -> None:
    """The SIN is blocked towards `other`; `near` is local. Each sees what the policy says for it, and no more."""
    stage.fails("far")
    stage.cues["near"].script = Script(("near speaking.",))
    before = stage.sent()
    answer = app.chat(f"My SIN is {NAS}")
    assert answer.json["content"] == "near speaking."
    assert stage.sent() == {**before, "far": before["far"] + 1, "near": before["near"] + 1}
    found = record(app, answer.json["decision_id"])
    assert found["redactions"]["in"] == {"CA_SIN": 1}
    assert "fallback.other" not in found["rules"]
    for backend in stage.backends.values():
        assert all(NAS not in sent.body.decode() for sent in backend.sent)


def test_a_role_that_may_not_use_the_next_one_skips_it(app: Filagent, stage: Stage) -> None:
    stage.fails("far")
    assert app.chat("Hello", key=app.key("user")).json["content"] == "near speaking."


def test_the_last_resort_says_so(app: Filagent, stage: Stage) -> None:
    for name in stage.backends:
        stage.fails(name)
    answer = app.chat("Hello")
    assert (answer.status, answer.json["content"], answer.json["degraded"]) == (200, TEXT, True)
    assert answer.json["model"]["provider"] == "template"
    found = record(app, answer.json["decision_id"])
    assert found["detail"] == {"degraded": True, "fallback_from": "far"}
    assert receipt_report(app, answer.json).whole
    kept = app.request("GET", f"/turns/{answer.json['turn_id']}").json
    assert kept["degraded"] is True


def test_the_last_resort_cannot_be_asked_for(app: Filagent) -> None:
    assert app.chat("Hello", backend="template").json["code"] == "request.backend_unknown"


def test_a_chain_that_ends_without_it_fails(app: Filagent, stage: Stage) -> None:
    """`near` falls back to `far` only."""
    stage.fails("near")
    stage.fails("far", BackendError("upstream.timeout", "the provider did not answer in time"))
    answer = app.request("POST", "/ai/local/qwen/generate", {"prompt": "Hello"})
    assert (answer.status, answer.json["code"]) == (502, "upstream.unreachable")


@pytest.mark.parametrize("named", [{"backend": "far"}, {"backend": "far", "model": "model-far"}, {"model": "script-2"}])
def test_what_the_caller_chose_is_not_replaced(app: Filagent, stage: Stage, named: dict[str, str]) -> None:
    stage.fails("far")
    before = stage.sent()
    answer = app.chat("Hello", **named)
    assert (answer.status, answer.json["code"]) == (502, "upstream.unreachable")
    assert stage.sent() == {**before, "far": before["far"] + 1}


def test_a_request_at_fault_is_not_put_to_another(app: Filagent, stage: Stage) -> None:
    stage.fails("far", BackendError("upstream.context_overflow", "too long"))
    answer = app.chat("Hello")
    assert (answer.status, answer.json["code"]) == (422, "upstream.context_overflow")


def test_nothing_is_replaced_once_a_word_is_out(app: Filagent, stage: Stage) -> None:
    stage.fails("far", after=("A whole sentence that is out already. ", "And another one, just as long as that. "))
    with streaming(app, "Hello") as stream:
        events = stream.rest()
    assert [name for name, _ in events][-1] == "error"
    assert events[-1][1]["code"] == "upstream.unreachable"
    assert "speaking" not in json.dumps(events)


def test_a_stream_that_fails_before_its_first_word_is_taken_over(app: Filagent, stage: Stage) -> None:
    stage.fails("far")
    with streaming(app, "Hello") as stream:
        events = stream.rest()
    assert events[-1][0] == "final"
    assert events[-1][1]["content"] == "other speaking."
    assert events[-1][1]["degraded"] is True


def test_a_whole_answer_that_breaks_off_is_replaced_whole(app: Filagent, stage: Stage) -> None:
    stage.fails("far", after=("Half an answ",))
    assert app.chat("Hello").json["content"] == "other speaking."


def test_fallbacks_are_counted(app: Filagent, stage: Stage) -> None:
    stage.fails("far")
    assert app.chat("Hello").status == 200
    metrics = app.request("GET", "/metrics").raw.decode()
    assert 'filagent_fallbacks_total{failed="far",instead="other"}' in metrics


def test_a_gate_that_closes_is_no_failure_of_a_backend(app: Filagent, stage: Stage) -> None:
    before = stage.sent()
    most = app.settings.agent.max_requests
    stage.cues["far"].script = Script((SendAgain(),) * most)
    answer = app.chat("Hello")
    assert (answer.status, answer.json["code"]) == (502, "agent.too_many_requests")
    assert stage.sent() == {**before, "far": before["far"] + most}


def test_the_log_is_whole(app: Filagent) -> None:
    assert_log_whole(app)


def test_the_last_resort_has_one_name() -> None:
    assert NAME == LAST_RESORT


def test_without_a_chain_a_failure_is_a_failure(tmp_path: Path) -> None:
    with running(
        tmp_path, ScriptedBackend(Script((DOWN,))), engine=engine(), others=[ScriptedBackend(echo, name="near")]
    ) as alone:
        answer = alone.chat("Hello")
        assert (answer.status, answer.json["code"]) == (502, "upstream.unreachable")
