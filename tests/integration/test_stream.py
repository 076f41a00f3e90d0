"""`POST /chat` with `stream`: what is released when, what a cut stream leaves behind, and the same bytes for every chunking."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from runtime.backends.base import BackendError
from runtime.backends.scripted import Pause, Script, ScriptedBackend

from .doors import (
    Cue,
    Wire,
    assert_log_whole,
    engine,
    joined,
    let_on,
    noted,
    receipt_report,
    record,
    records,
    size,
    streaming,
    until,
)
from .harness import Filagent, running


@pytest.fixture(scope="module")
def cue() -> Cue:
    return Cue()


@pytest.fixture(scope="module")
def backend(cue: Cue) -> ScriptedBackend:
    return cue.backend()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, backend: ScriptedBackend) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("stream"), backend, engine=engine()) as started:
        yield started


def keys(app: Filagent) -> Iterator[str]:
    """One person after the other, so that no limit per person is met."""
    return (app.key("admin", f"reader {number}") for number in range(1000))


def cuts(text: str, count: int) -> list[list[str]]:
    """Ways to cut a text: whole, letter by letter, in twos and threes, and at random places."""
    ways = [[text], list(text)]
    ways += [[text[at : at + width] for at in range(0, len(text), width)] for width in (2, 3, 7)]
    chance = random.Random(7)
    while len(ways) < count:
        places = sorted(chance.sample(range(1, len(text)), chance.randint(1, min(9, len(text) - 1))))
        ways.append([text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)])
    return ways


# what is released when ---------------------------------------------------------------------------------------------


def test_the_first_words_arrive_while_the_model_still_thinks(app: Filagent, cue: Cue) -> None:
    held = Pause(asyncio.Event())
    cue.script = Script(("The first words of it. ", held, "The last words."))
    before = size(app)
    with streaming(app, "Hello") as stream:
        assert stream.status == 200
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        name, first = stream.event() or ("", {})
        assert name == "delta"
        assert first["content"].startswith("The first")
        assert "The first words of it. ".startswith(first["content"])
        # The model has not gone on: nothing but the intent is recorded yet.
        assert not held.until.is_set()
        assert [found["event"] for found in records(app, start=before)] == ["model.intent"]
        let_on(app, held.until)
        rest = stream.rest()
    assert [name for name, _ in rest].count("final") == 1
    assert rest[-1][0] == "final"
    assert first["content"] + joined(rest) == "The first words of it. The last words." == rest[-1][1]["content"]


def test_the_final_event_is_the_plain_answer_and_its_receipt_verifies(app: Filagent, cue: Cue) -> None:
    cue.script = Script(("Hello", ", ", "world."))
    plain = app.chat("Hello").json
    body = {"messages": [{"role": "user", "content": "Hello"}], "stream": True}
    with streaming(app, "Hello") as stream:
        events = stream.rest()
    final = events[-1][1]
    assert list(final) == list(plain)
    assert joined(events) == final["content"] == plain["content"]
    report = receipt_report(app, final, json.dumps(body).encode())
    assert report.whole, report.problems
    assert {"question.same", "answer.same"} <= noted(report)
    assert record(app, final["decision_id"])["effect"] == {"status": "complete"}


def test_a_streamed_turn_can_be_fetched_again(app: Filagent, cue: Cue) -> None:
    cue.script = Script(("Call <PHONE_", "NUMBER_1> about ", "it."))
    with streaming(app, "My number is 514-555-0142.") as stream:
        final = stream.rest()[-1][1]
    again = app.request("GET", f"/turns/{final['turn_id']}").json
    assert again == final
    assert again["content"] == "Call 514-555-0142 about it."


def test_text_that_ends_lines_stays_inside_its_event(app: Filagent, cue: Cue) -> None:
    text = "one\n\ntwo\r\nevent: final\ndata: {}\n\n\u2028three\x0bfour"
    cue.script = Script((text,))
    with streaming(app, "Hello") as stream:
        events = stream.rest()
    assert {name for name, _ in events} == {"delta", "final"}
    assert joined(events) == text == events[-1][1]["content"]


# refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"backend": "none"}, 422, "request.backend_unknown"),
        ({"conversation_id": "C-none"}, 404, "conversation.not_found"),
        ({"options": {"seed": -1}}, 422, "request.invalid"),
    ],
)
def test_a_refusal_has_its_true_status(app: Filagent, fields: dict[str, Any], status: int, code: str) -> None:
    with streaming(app, "Hello", **fields) as stream:
        assert stream.status == status
        assert stream.response.headers["content-type"] == "application/problem+json"
        assert json.load(stream.response)["code"] == code


def test_a_failure_before_the_first_word_has_its_true_status(app: Filagent, cue: Cue) -> None:
    cue.script = Script((BackendError("upstream.timeout", "The provider did not answer."),))
    with streaming(app, "Hello") as stream:
        told = json.load(stream.response)
        assert (stream.status, told["status"], told["code"]) == (504, 504, "upstream.timeout")
    assert record(app, told["decision_id"])["effect"] == {"status": "none"}


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (BackendError("upstream.unreachable", "The provider went away."), "upstream.unreachable"),
        (RuntimeError("514-555-0142"), "internal.error"),
    ],
)
def test_a_failure_after_words_is_an_event_and_the_record_commits_to_what_was_received(
    app: Filagent, cue: Cue, failure: Exception, code: str
) -> None:
    cue.script = Script(("I will call 514-555-0142. ", "Then I wi", failure))
    body = {"messages": [{"role": "user", "content": "Call 514-555-0142."}], "stream": True}
    with streaming(app, "Call 514-555-0142.") as stream:
        assert stream.status == 200
        events = stream.rest()
    assert [name for name, _ in events][-1] == "error"
    assert "final" not in [name for name, _ in events]
    told, received = events[-1][1], joined(events)
    assert told["code"] == code
    assert received.startswith("I will call 514-555-0142. ")
    found = record(app, told["decision_id"])
    assert (found["decision"], found["effect"], found["reasons"]) == ("error", {"status": "partial"}, [code])
    report = receipt_report(app, told | {"content": received}, json.dumps(body).encode())
    assert report.whole, report.problems
    assert {"question.same", "answer.same"} <= noted(report)
    assert not receipt_report(app, told | {"content": received + " "}).whole


def test_a_guard_that_refuses_late_cuts_the_stream(app: Filagent, cue: Cue) -> None:
    cue.script = Script(("Of course, with pleasure, here it comes. ", "My system ", "prompt says: be rude. ", "And"))
    with streaming(app, "Show me") as stream:
        events = stream.rest()
    told, received = events[-1][1], joined(events)
    assert events[-1][0] == "error"
    assert received.startswith("Of course")
    assert "prompt says" not in received
    found = record(app, told["decision_id"])
    assert found["decision"] == "deny"
    assert any(reason.startswith("guard.") for reason in found["reasons"])
    assert receipt_report(app, told | {"content": received}).whole


def test_a_client_that_leaves_cancels_the_model_and_is_recorded(
    app: Filagent, cue: Cue, backend: ScriptedBackend
) -> None:
    held = Pause(asyncio.Event())
    cue.script = Script(("The first words. ", held, "Never said."))
    before, cancelled = size(app), backend.cancelled
    with streaming(app, "Hello") as stream:
        name, _ = stream.event() or ("", {})
        assert name == "delta"
        stream.leave()
    found = until(lambda: records(app, "turn", start=before))
    assert [(one["decision"], one["reasons"], one["effect"]) for one in found] == [
        ("error", ["client.gone"], {"status": "partial"})
    ]
    assert "output" in [content["name"] for content in found[0]["content"]]
    assert backend.cancelled == cancelled + 1
    assert until(lambda: backend.open == 0)


def test_a_client_that_leaves_before_the_answer_is_recorded(app: Filagent, cue: Cue, backend: ScriptedBackend) -> None:
    held = Pause(asyncio.Event())
    cue.script = Script((held, "Never said."))
    before = size(app)
    body = b'{"messages":[{"role":"user","content":"Hello"}]}'
    with Wire(app) as wire:
        head = f"POST /chat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {app.admin_key}\r\n"
        wire.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        until(held.reached.is_set)
    found = until(lambda: records(app, "turn", start=before))
    assert [(one["decision"], one["reasons"], one["effect"]) for one in found] == [
        ("error", ["client.gone"], {"status": "none"})
    ]
    assert until(lambda: backend.open == 0)


# the same bytes for every chunking ---------------------------------------------------------------------------------

INVENTED = "Ask eva.roy@courriel.example, 514-555-0188 or card 4111 1111 1111 1111 (SIN 046 454 286), then rest."


def test_identifiers_that_the_model_invents_never_leave_whatever_the_chunks(app: Filagent, cue: Cue) -> None:
    told = set()
    for chunks, key in zip(cuts(INVENTED, 40), keys(app), strict=False):
        cue.script = Script(chunks)
        with streaming(app, "Who knows?", key=key) as stream:
            events = stream.rest()
        final = events[-1][1]
        assert joined(events) == final["content"], chunks
        assert final["redactions"] == {"EMAIL_ADDRESS": 1, "PHONE_NUMBER": 1, "CREDIT_CARD": 1, "CA_SIN": 1}, chunks
        told.add(final["content"])
        assert record(app, final["decision_id"])["redactions"]["out"] == final["redactions"]
    assert told == {"Ask [EMAIL_ADDRESS], [PHONE_NUMBER] or card [CREDIT_CARD] (SIN [CA_SIN]), then rest."}


def test_what_the_caller_supplied_is_not_masked_on_its_way_back(app: Filagent, cue: Cue) -> None:
    text = "I wrote to eva.roy@courriel.example and to jean@courriel.example."
    for chunks in cuts(text, 8):
        cue.script = Script(chunks)
        with streaming(app, "I am eva.roy@courriel.example.") as stream:
            events = stream.rest()
        assert joined(events) == "I wrote to eva.roy@courriel.example and to [EMAIL_ADDRESS]."


def restored(app: Filagent, cue: Cue, asked: str, chunks: Sequence[str], key: str) -> str:
    cue.script = Script(chunks)
    with streaming(app, asked, key=key) as stream:
        return joined(stream.rest())


def test_tokens_become_values_wherever_they_are_cut(app: Filagent, cue: Cue) -> None:
    said = "To <EMAIL_ADDRESS_1>, not <EMAIL_ADDRESS_2>: a < b."
    places = zip(range(1, len(said)), keys(app), strict=False)
    told = {
        restored(app, cue, "I am eva.roy@courriel.example", [said[:at], said[at:]], key) for at, key in places
    }  # fmt: skip
    assert told == {"To eva.roy@courriel.example, not <EMAIL_ADDRESS_2>: a < b."}


def test_only_the_undecided_end_is_held_back(app: Filagent, cue: Cue) -> None:
    held = Pause(asyncio.Event())
    cue.script = Script(("This sentence is over. Write to <EMAIL_", held, "ADDRESS_1> now."))
    with streaming(app, "I am eva.roy@courriel.example") as stream:
        until(held.reached.is_set)
        name, first = stream.event() or ("", {})
        assert name == "delta"
        assert "This sentence is over." in first["content"]
        assert "<" not in first["content"]
        let_on(app, held.until)
        assert first["content"] + joined(stream.rest()) == (
            "This sentence is over. Write to eva.roy@courriel.example now."
        )


def test_plain_and_streamed_answers_are_the_same_text(app: Filagent, cue: Cue) -> None:
    cue.script = Script(cuts(INVENTED, 3)[2])
    plain = app.chat("I am jean@courriel.example").json["content"]
    with streaming(app, "I am jean@courriel.example") as stream:
        assert joined(stream.rest()) == plain


def test_after_all_of_this_the_log_is_whole(app: Filagent) -> None:
    assert_log_whole(app)
    assert {found["turn_ref"] for found in records(app, "model.intent")} <= {
        found["turn_ref"] for found in records(app, "turn")
    }
