"""`/decisions/{id}/related` and `/log/keys`: what belongs to a record, and all that a stranger needs to check it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from runtime.audit import search
from runtime.audit.receipt import check_answer, read_answer

from .doors import assert_log_whole, engine, record, records, root_key
from .harness import Filagent, running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("related"), engine=engine()) as started:
        yield started


@pytest.fixture(scope="module")
def asked(app: Filagent) -> str:
    """A decision of a user, with one of somebody else after it."""
    found = app.chat("Hello", key=app.key("user")).json["decision_id"]
    app.chat("Hello", key=app.key("user", "somebody else"))
    return str(found)


def test_the_records_of_a_turn_in_their_order(app: Filagent, asked: str) -> None:
    answer = app.request("GET", f"/decisions/{asked}/related", key=app.key("user"))
    assert answer.status == 200, answer.raw
    turn = record(app, asked)["turn_ref"]
    assert answer.json["turn"] == [one for one in records(app) if one.get("turn_ref") == turn]
    assert [one["event"] for one in answer.json["turn"]] == ["model.intent", "turn"]
    assert answer.json["complete"] is True


def test_what_it_names_and_what_names_it(app: Filagent, asked: str) -> None:
    auditor = app.key("auditor")
    assert app.request("GET", f"/reports/decisions/{asked}?format=json", key=auditor).status == 200
    handed = records(app, "access.export")[-1]
    assert handed["parent_record_id"] == asked
    found = app.request("GET", f"/decisions/{asked}/related", key=auditor).json
    assert handed["record_id"] in [one["record_id"] for one in found["children"]]
    back = app.request("GET", f"/decisions/{handed['record_id']}/related", key=auditor).json
    assert back["parent"]["record_id"] == asked
    # What others did with it is not shown to whoever may read his own alone.
    own = app.request("GET", f"/decisions/{asked}/related", key=app.key("user")).json
    assert handed["record_id"] not in json.dumps(own["children"])


def test_records_of_others_are_not_found(app: Filagent, asked: str) -> None:
    answer = app.request("GET", f"/decisions/{asked}/related", key=app.key("user", "somebody else"))
    assert (answer.status, answer.json["code"]) == (404, "decision.not_found")


def test_the_whole_log_was_not_looked_through(app: Filagent, asked: str) -> None:
    found = record(app, asked)
    near = search.related(app.settings.logs_dir, found["seq"], found, lines=1)
    assert not near.complete
    assert [one["record_id"] for one in near.turn] == [
        one["record_id"] for one in records(app) if one.get("turn_ref") == found["turn_ref"]
    ]


def test_a_record_its_proof_and_the_keys_are_a_receipt(app: Filagent, asked: str) -> None:
    line = app.request("GET", f"/decisions/{asked}").json["line"]
    proof = app.request("GET", f"/decisions/{asked}/proof").json
    keys = app.request("GET", "/log/keys", key=None).raw
    receipt = {"record_id": asked, "envelope": line, "keys": keys.decode(), "salts": {}, **proof}
    report, _ = check_answer(read_answer(json.dumps({"receipt": receipt}).encode()), root_key(app))
    assert report.whole, report.problems
    assert_log_whole(app)
