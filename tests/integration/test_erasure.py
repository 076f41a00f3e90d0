"""Erasure in the running application: the person is gone, everybody else is untouched, and every proof still holds."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from memory import repository
from memory.erasure import Selector
from runtime.backends.scripted import Pause, Script, ScriptedBackend
from runtime.erasing import Eraser
from runtime.errors import Conflict, NotFound
from runtime.keys_admin import OPERATOR

from .doors import (
    Cue,
    assert_log_whole,
    engine,
    let_on,
    nothing_appended,
    on_loop,
    receipt_report,
    record,
    records,
    size,
    until,
)
from .harness import Filagent, running

EMAIL = "zoe.quintal@courriel.example"


@pytest.fixture(scope="module")
def cue() -> Cue:
    return Cue()


@pytest.fixture(scope="module")
def backend(cue: Cue) -> ScriptedBackend:
    return cue.backend()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, backend: ScriptedBackend) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("erasure"), backend, engine=engine()) as started:
        yield started


@pytest.fixture(autouse=True)
def _plain_answers(cue: Cue) -> None:
    cue.script = Script(("Noted, <EMAIL_ADDRESS_1>.",))


def erase(app: Filagent, **selector: Any) -> dict[str, Any]:
    ledger = app.services.ledger
    eraser = Eraser(app.settings, ledger.database, ledger.keys, app.log)
    return on_loop(app, eraser.erase(Selector(**selector), actor=OPERATOR))


def query(app: Filagent, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"file:{app.settings.home / 'data' / 'filagent.sqlite'}?mode=ro", uri=True)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def blobs(app: Filagent, *turn_ids: str) -> list[bytes]:
    """The ciphertexts and the wrapped keys of turns, as they stand in the database."""
    found: list[bytes] = []
    for turn_id in turn_ids:
        found += [row[0] for row in query(app, "SELECT ciphertext FROM contents WHERE turn_id = ?", turn_id)]
        found += [row[0] for row in query(app, "SELECT wrapped_key FROM turns WHERE id = ?", turn_id)]
        found += [row[0] for row in query(app, "SELECT ciphertext FROM vault_entries WHERE turn_id = ?", turn_id)]
        found += [row[0] for row in query(app, "SELECT blind FROM blind_indexes WHERE turn_id = ?", turn_id)]
    return [blob for blob in found if blob]


def at_rest(app: Filagent) -> bytes:
    """Every byte of the database, its write-ahead log and its index."""
    return b"".join(path.read_bytes() for path in sorted((app.settings.home / "data").iterdir()) if path.is_file())


def still_there(app: Filagent, pieces: list[bytes]) -> int:
    whole = at_rest(app)
    return sum(piece in whole for piece in pieces)


def assert_untouched(app: Filagent, answer: dict[str, Any], key: str) -> None:
    again = app.request("GET", f"/turns/{answer['turn_id']}", key=key)
    assert (again.status, again.json) == (200, answer)
    place = app.request("GET", f"/conversations/{answer['conversation_id']}", key=key)
    assert place.status == 200
    assert answer["content"] in [message["content"] for message in place.json["messages"]]


def assert_gone(app: Filagent, answer: dict[str, Any], key: str) -> None:
    gone = app.request("GET", f"/turns/{answer['turn_id']}", key=key)
    assert (gone.status, gone.json["code"]) == (404, "turn.erased")
    # What is gone is the content. That a turn was held, and how it was decided, stays provable.
    assert record(app, answer["decision_id"])["event"] == "turn"
    assert receipt_report(app, answer).whole


def test_by_data_subject(app: Filagent) -> None:
    key = app.key("user", "clerk one")
    mine = [app.chat(f"Client {number} wrote {EMAIL}", key=key, data_subjects=["client 9"]).json for number in range(2)]
    other = app.chat("Client of mine", key=key, data_subjects=["client 10"]).json
    pieces = blobs(app, *(answer["turn_id"] for answer in mine))
    assert len(pieces) >= 10
    assert still_there(app, pieces) == len(pieces)
    before = size(app)

    receipt = erase(app, subject="Client  9")

    assert still_there(app, pieces) == 0
    for answer in mine:
        assert_gone(app, answer, key)
    assert_untouched(app, other, key)
    assert receipt["status"] == "erased"
    assert receipt["counts"]["turns"] == 2
    assert receipt["backups_unreadable_after_days"] > app.settings.housekeeping.epoch_key_days
    intent, completed = records(app, start=before)
    assert (intent["event"], completed["event"]) == ("erasure.intent", "erasure.completed")
    assert (intent["record_id"], completed["record_id"]) == (
        receipt["intent_record_id"], receipt["completed_record_id"],
    )  # fmt: skip
    assert completed["detail"]["turns"] == 2
    assert_log_whole(app)


def test_the_persons_receipt_verifies(app: Filagent) -> None:
    app.chat("Hello", key=app.key("user", "clerk two"), data_subjects=["client 11"])
    receipt = erase(app, subject="client 11")
    report = receipt_report(app, receipt)
    assert report.whole, report.problems
    assert report.facts["event"] == "erasure.completed"


def test_by_account(app: Filagent) -> None:
    key, neighbour = app.key("user", "Marc leaving"), app.key("user", "Nadia staying")
    mine = [app.chat(f"I am {EMAIL}", key=key).json]
    place = mine[0]["conversation_id"]
    mine.append(app.chat("Again", key=key, conversation_id=place).json)
    assert app.request("PATCH", f"/conversations/{place}", {"title": "About Zoe"}, key=key).status == 200
    title = [row[0] for row in query(app, "SELECT title FROM conversations WHERE id = ?", place)]
    theirs = app.chat("She is ada@courriel.example", key=neighbour).json
    pieces = blobs(app, *(answer["turn_id"] for answer in mine)) + title

    receipt = erase(app, person="Marc leaving")

    assert receipt["counts"]["turns"] == 2
    assert still_there(app, pieces) == 0
    for answer in mine:
        gone = app.request("GET", f"/turns/{answer['turn_id']}", key=key)
        assert gone.status == 404
        assert record(app, answer["decision_id"])["event"] == "turn"
        assert receipt_report(app, answer).whole
    assert app.request("GET", "/conversations", key=key).json["conversations"] == []
    assert app.request("GET", f"/conversations/{place}", key=key).status == 404
    assert_untouched(app, theirs, neighbour)
    # The account itself stays until it is closed, and starts anew.
    assert app.chat("Hello again", key=key).status == 200
    assert_log_whole(app)


def test_by_account_with_the_account(app: Filagent) -> None:
    key = app.key("user", "Olga Closing")
    answer = app.chat(f"I am {EMAIL}", key=key).json
    assert b"Olga Closing" in at_rest(app)

    erase(app, person="Olga Closing", close_account=True)

    assert b"Olga Closing" not in at_rest(app)
    assert app.request("GET", "/conversations", key=key).status == 401
    assert receipt_report(app, answer).whole


@pytest.mark.parametrize("spelled", [EMAIL, EMAIL.upper(), f" {EMAIL} "], ids=["as written", "capitals", "blanks"])
def test_by_identifier_wherever_a_third_party_occurs(app: Filagent, cue: Cue, spelled: str) -> None:
    label = f"{len(spelled)} {spelled.isupper()}"
    one, two = app.key("user", f"clerk three {label}"), app.key("user", f"clerk four {label}")
    wrote = app.chat(f"Please answer {EMAIL}.", key=one).json
    repeated = app.chat("Who was it?", key=one, conversation_id=wrote["conversation_id"]).json
    elsewhere = app.chat(f"Is it {EMAIL}?", key=two).json
    cue.script = Script()
    innocent = app.chat("And jean@courriel.example?", key=two).json
    cited = app.chat("Just talk", key=two, conversation_id=elsewhere["conversation_id"]).json
    pieces = blobs(app, *(answer["turn_id"] for answer in (wrote, repeated, elsewhere)))

    erase(app, identifier=spelled)

    assert still_there(app, pieces) == 0
    assert_gone(app, wrote, one)
    assert_gone(app, repeated, one)  # the model said the address again
    assert_gone(app, elsewhere, two)
    assert_untouched(app, innocent, two)
    assert_untouched(app, cited, two)
    assert_log_whole(app)


def test_a_token_whose_value_was_erased_is_never_given_again(app: Filagent, backend: ScriptedBackend, cue: Cue) -> None:
    key = app.key("user", "clerk five")
    cue.script = Script()
    first = app.chat("Hello", key=key).json
    place = first["conversation_id"]
    app.chat("Note 514-555-0142", key=key, conversation_id=place)
    app.chat("Note zoe.other@courriel.example", key=key, conversation_id=place)
    erase(app, identifier="zoe.other@courriel.example")
    cue.script = Script(("I know <EMAIL_ADDRESS_1> and <PHONE_NUMBER_1>.",))
    answer = app.chat("Now max@courriel.example", key=key, conversation_id=place).json
    asked = [message.content for message in backend.sent[-1].request.messages]
    assert asked[-1] == "Now <EMAIL_ADDRESS_2>"
    assert answer["content"] == "I know <EMAIL_ADDRESS_1> and 514-555-0142."


def test_a_turn_that_runs_meanwhile_leaves_nothing(app: Filagent, cue: Cue) -> None:
    key, before = app.key("user", "clerk six"), size(app)
    held = Pause(asyncio.Event())
    cue.script = Script((held, "Noted, <EMAIL_ADDRESS_1>, and 514-555-0177."))
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(app.chat, "I am yves@courriel.example", key=key, data_subjects=["client 12"])
        until(held.reached.is_set)
        erase(app, subject="client 12")
        let_on(app, held.until)
        answer = turn.result(30)
    # Whether he still got his answer or not: nothing of it was kept, and there is a record.
    turn_id = answer.json["turn_id"]
    for table in ("contents", "blind_indexes", "turn_subjects"):
        assert query(app, f"SELECT count(*) FROM {table} WHERE turn_id = ?", turn_id) == [(0,)], table
    assert query(app, "SELECT wrapped_key FROM turns WHERE id = ?", turn_id) == [(None,)]
    values = query(app, "SELECT ciphertext FROM vault_entries WHERE turn_id = ?", turn_id)
    assert {value for (value,) in values} <= {None}
    assert app.request("GET", f"/turns/{turn_id}", key=key).json["code"] == "turn.erased"
    assert app.request("GET", f"/conversations/{answer.json['conversation_id']}", key=key).json["messages"] == []
    assert [found["record_id"] for found in records(app, "turn", start=before)] == [answer.json["decision_id"]]
    assert_log_whole(app)


def test_a_legal_hold_forbids_it_and_nothing_is_touched(app: Filagent) -> None:
    key = app.key("user", "clerk seven")
    answer = app.chat("About him", key=key, data_subjects=["client 13"]).json
    ledger = app.services.ledger
    hold = on_loop(
        app,
        ledger.database.write(
            lambda conn: repository.place_hold(
                conn, code="hold.litigation", subject=ledger.keys.subject_index("client 13"), now=1
            ),
            durable=True,
        ),
    )
    with nothing_appended(app), pytest.raises(Conflict) as refused:
        erase(app, subject="client 13")
    assert refused.value.code == "erasure.legal_hold"
    assert_untouched(app, answer, key)
    on_loop(app, ledger.database.write(lambda conn: repository.release_hold(conn, hold, now=2), durable=True))
    erase(app, subject="client 13")
    assert_gone(app, answer, key)


@pytest.mark.parametrize("selector", [{"person": "nobody"}, {"subject": "nobody"}, {"identifier": "no@body.example"}])
def test_nobody_is_not_erased(app: Filagent, selector: dict[str, str]) -> None:
    with nothing_appended(app), pytest.raises(NotFound) as refused:
        erase(app, **selector)
    assert refused.value.code == "erasure.no_match"


def test_records_of_erasures_name_nobody(app: Filagent) -> None:
    told = str([found for found in records(app) if found["event"].startswith("erasure.")])
    for word in ("quintal", "zoe", "client", "Marc", "Olga", "clerk", "courriel"):
        assert word not in told


def test_an_erased_turn_is_not_recalled(app: Filagent, backend: ScriptedBackend, cue: Cue) -> None:
    key = app.key("user", "clerk eight")
    cue.script = Script()
    place = app.chat("The secret word is marmalade", key=key, data_subjects=["client 14"]).json["conversation_id"]
    app.chat("Something else", key=key, conversation_id=place)
    erase(app, subject="client 14")
    asked = len(backend.sent)
    app.chat("What was the word?", key=key, conversation_id=place)
    assert "marmalade" not in backend.sent[asked].body.decode()
    told = app.request("GET", f"/conversations/{place}", key=key).json["messages"]
    assert [message["content"] for message in told if message["origin"] == "caller"] == [
        "Something else", "What was the word?",
    ]  # fmt: skip


def test_an_idempotency_key_of_an_erased_turn_gives_nothing_away(app: Filagent, cue: Cue) -> None:
    key = app.key("user", "clerk nine")
    body = b'{"messages":[{"role":"user","content":"I am yves@courriel.example"}],"data_subjects":["client 15"]}'
    headers = {"Idempotency-Key": "once"}
    first = app.request("POST", "/chat", body, key=key, headers=headers).json
    erase(app, subject="client 15")
    again = app.request("POST", "/chat", body, key=key, headers=headers)
    assert again.status == 200
    assert again.json["turn_id"] != first["turn_id"]
