"""`/audit/exports`: bundles that verify elsewhere, recorded before they are handed over, their maker's alone."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from runtime.audit.bundle_check import verify_bundle
from runtime.audit.errors import LogUnavailable
from runtime.audit.reader import read_record

from .doors import (
    SharedLog,
    Wire,
    assert_log_whole,
    engine,
    nothing_appended,
    operational_log,
    record,
    records,
    root_key,
    until,
)
from .harness import Answer, Filagent, running

PERSON = "Zacharie Quintal"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("exports"), engine=engine()) as started:
        for number in range(4):
            started.chat(f"Hello {number}", key=started.key("user"), data_subjects=[PERSON] if number % 2 else [])
        yield started


@pytest.fixture(autouse=True)
def _tidy(app: Filagent) -> Iterator[None]:
    yield
    for key in (app.admin_key, app.key("auditor")):
        for one in app.request("GET", "/audit/exports", key=key).json["exports"]:
            app.request("DELETE", f"/audit/exports/{one['export_id']}", key=key)


def begun(app: Filagent, key: str = "admin", **what: Any) -> str:
    answer = app.request("POST", "/audit/exports", what, key=key)
    assert answer.status == 202, answer.raw
    assert answer.headers["location"] == f"/audit/exports/{answer.json['export_id']}"
    return answer.json["export_id"]


def ended(app: Filagent, export_id: str, key: str = "admin") -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        told = app.request("GET", f"/audit/exports/{export_id}", key=key).json
        return told if told["state"] != "running" else None

    found = until(look, seconds=60)
    assert found is not None
    return found


def fetched(app: Filagent, export_id: str, key: str = "admin") -> Answer:
    answer = app.request("GET", f"/audit/exports/{export_id}/download", key=key)
    assert answer.status == 200, answer.raw
    return answer


def turns_in(bundle: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return len(archive.read("events.jsonl").splitlines())


def check(app: Filagent, bundle: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle)
    report = verify_bundle(path, root_key(app))
    assert report.whole, report.problems


def test_an_export_verifies_and_both_records_precede_it(app: Filagent, tmp_path: Path) -> None:
    before = len(records(app, "access.export"))
    export_id = begun(app, range={"first": 0})
    told = ended(app, export_id)
    assert (told["state"], told["failure"]) == ("done", None)
    [asked] = records(app, "access.export")[before:]
    assert asked["record_id"] == told["decision_id"]
    assert asked["detail"] == {
        "action": "audit.export.begin",
        "export": export_id,
        "selection": "range",
        "first": 0,
        "end": asked["seq"],
    }
    answer = fetched(app, export_id)
    assert answer.headers["content-type"] == "application/zip"
    assert f'filename="filagent-{export_id}.zip"' in answer.headers["content-disposition"]
    digest = sha256(answer.raw).hexdigest()
    assert digest == told["sha256"] == answer.headers["x-content-sha256"]
    assert len(answer.raw) == told["bytes"]
    handed = record(app, answer.headers["x-filagent-decision-id"])
    assert handed["parent_record_id"] == asked["record_id"]
    assert handed["detail"]["action"] == "audit.export.download"
    entry = app.request("GET", f"/decisions/{handed['record_id']}").json
    assert entry["subjects"] == [{"name": "bundle", "sha256": digest}]
    check(app, answer.raw, tmp_path)


def test_one_person_one_conversation_one_turn_one_period(app: Filagent, tmp_path: Path) -> None:
    turns = records(app, "turn")
    mine = [one for one in turns if len(one.get("data_subject_refs", [])) == 2]
    refs = {ref for one in mine for ref in one["data_subject_refs"]}
    asked: list[dict[str, Any]] = [
        {"subject": PERSON},
        {"subject": f"  {PERSON.upper()} "},
        {"conversation": turns[0]["conversation_ref"]},
        {"turn": turns[0]["turn_ref"]},
        {"subject_refs": sorted(refs)},
        {"period": {"from": turns[1]["time"], "to": turns[2]["time"]}},
    ]
    selected = []
    for what in asked:
        export_id = begun(app, **what)
        told = ended(app, export_id)
        assert told["state"] == "done", told
        selected.append(told["bundle"]["selected"])
        check(app, fetched(app, export_id).raw, tmp_path)
    assert selected[1] == selected[0] + 1  # that he was exported before is a record about him
    assert selected[0] >= 4
    assert selected[2] >= selected[3] >= 2
    between = [one for one in records(app) if turns[1]["time"] <= one["time"] < turns[2]["time"]]
    assert selected[5] == len(between)


def test_records_by_their_ids(app: Filagent, tmp_path: Path) -> None:
    before = len(records(app, "access.export"))
    wanted = [one["record_id"] for one in records(app, "turn")][1:3]
    export_id = begun(app, records=wanted)
    told = ended(app, export_id)
    assert (told["state"], told["bundle"]["selected"]) == ("done", 2)
    assert told["bundle"]["selection"] == {"record_ids": sorted(wanted)}
    bundle = fetched(app, export_id).raw
    check(app, bundle, tmp_path)
    assert records(app, "access.export")[before]["detail"]["records"] == 2
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        lines = [read_record(0, line).record for line in archive.read("events.jsonl").splitlines()]
    assert {one["record_id"] for one in lines} >= set(wanted)


FILTERS: list[tuple[dict[str, str], Any]] = [
    ({}, lambda one: one["event"] == "turn"),
    ({"event": "any", "principal": "nobody.at.all"}, lambda _one: False),
    ({"event": "model.intent", "backend": "scripted"}, lambda one: one["event"] == "model.intent"),
    ({"rule": "role.user.chat.create"}, lambda one: one["event"] == "turn" and "role.user.chat.create" in one["rules"]),
]


@pytest.mark.parametrize(("query", "wanted"), FILTERS, ids=[str(query) for query, _ in FILTERS])
def test_what_a_filter_finds(app: Filagent, tmp_path: Path, query: dict[str, str], wanted: Any) -> None:
    before = len(records(app, "access.export"))
    expected = [one for one in records(app) if wanted(one)]
    export_id = begun(app, filter=query)
    told = ended(app, export_id)
    asked = records(app, "access.export")[before]
    assert asked["detail"]["selection"] == "filter"
    for name, value in query.items():
        by = {"backend": "by_provider", "principal": "by_actor_ref"}.get(name, f"by_{name}")
        assert asked["detail"].get(by) == (None if value == "any" else value)
    if not expected:
        assert told["failure"]["code"] == "export.nothing"
        return
    assert told["bundle"]["selected"] == len(expected)
    check(app, fetched(app, export_id).raw, tmp_path)


def test_a_filter_within_a_period(app: Filagent, tmp_path: Path) -> None:
    turns = records(app, "turn")
    export_id = begun(app, filter={"from": turns[1]["time"], "to": turns[2]["time"]})
    told = ended(app, export_id)
    assert told["bundle"]["selected"] == 1
    assert told["bundle"]["selection"]["filter"]["event"] == "turn"
    check(app, fetched(app, export_id).raw, tmp_path)


def test_who_is_exported_stays_out_of_the_log(app: Filagent) -> None:
    before = len(records(app))
    with operational_log() as operational:
        ended(app, begun(app, subject=PERSON))
        app.request("POST", "/audit/exports", {"subject": "Somebody Unknown"})
    said = repr(records(app)[before:]) + operational.text
    assert "Quintal" not in said
    assert "Unknown" not in said
    [asked] = [one for one in records(app, "access.export") if one["seq"] >= before]
    assert asked["data_subject_refs"]
    files = [path for path in (app.settings.home / "exports").rglob("*") if path.is_file()]
    assert not [path for path in files if b"Quintal" in path.read_bytes()]


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ({}, 422, "request.invalid"),
        ({"range": {}, "turn": "t" * 20}, 422, "request.invalid"),
        ({"range": {"first": -1}}, 422, "request.invalid"),
        ({"range": {"first": "0"}}, 422, "request.invalid"),
        ({"turn": "../../etc"}, 422, "request.invalid"),
        ({"conversation": "short"}, 422, "request.invalid"),
        ({"subject_refs": []}, 422, "request.invalid"),
        ({"period": {"from": "yesterday"}}, 422, "request.invalid"),
        ({"period": {"from": "1999-01-01"}}, 422, "request.invalid"),
        ({"period": {"begin": "2026-01-01"}}, 422, "request.invalid"),
        ({"period": {"from": "2100-01-01"}}, 404, "export.nothing"),
        ({"period": {"from": "2026-02-02", "to": "2026-01-01"}}, 404, "export.nothing"),
        ({"subject": "nobody at all"}, 404, "export.nothing"),
        ({"path": "/tmp/x"}, 422, "request.invalid"),
        ({"records": []}, 422, "request.invalid"),
        ({"records": ["../../etc"]}, 422, "request.invalid"),
        ({"records": [f"DR-01a20031-ce75-7000-bc7f-{number:012x}" for number in range(1001)]}, 422, "request.invalid"),
        ({"filter": {"decision": "maybe"}}, 422, "request.invalid"),
        ({"filter": {"begin": "2026-01-01"}}, 422, "request.invalid"),
        ({"filter": {"rule": "a b"}}, 422, "request.invalid"),
        ({"filter": {}, "turn": "t" * 20}, 422, "request.invalid"),
        ({"matching": {}}, 422, "request.invalid"),
        ({"filter": {"from": "2100-01-01"}}, 404, "export.nothing"),
        (b"[]", 422, "request.not_json"),
    ],
)
def test_what_cannot_be_exported(app: Filagent, what: Any, status: int, code: str) -> None:
    with nothing_appended(app):
        refused = app.request("POST", "/audit/exports", what)
    assert (refused.status, refused.json["code"]) == (status, code)
    assert app.request("GET", "/audit/exports").json["exports"] == []


def test_one_without_records_fails_and_says_so_in_both_languages(app: Filagent) -> None:
    export_id = begun(app, turn="t" * 20)
    told = ended(app, export_id)
    assert (told["state"], told["failure"]["code"], told["download"]) == ("failed", "export.nothing", None)
    french = app.request("GET", f"/audit/exports/{export_id}?lang=fr").json["failure"]["text"]
    assert french != told["failure"]["text"]
    with nothing_appended(app):
        refused = app.request("GET", f"/audit/exports/{export_id}/download")
    assert (refused.status, refused.json["code"]) == (409, "export.not_ready")


def test_an_export_is_its_makers_alone(app: Filagent) -> None:
    export_id = begun(app, app.key("auditor"), range={})
    ended(app, export_id, app.key("auditor"))
    for method, path in (("GET", ""), ("GET", "/download"), ("DELETE", "")):
        with nothing_appended(app):
            refused = app.request(method, f"/audit/exports/{export_id}{path}")
        assert (refused.status, refused.json["code"]) == (404, "export.not_found")
    assert app.request("GET", "/audit/exports").json["exports"] == []
    assert [
        one["export_id"] for one in app.request("GET", "/audit/exports", key=app.key("auditor")).json["exports"]
    ] == [export_id]
    assert app.request("DELETE", f"/audit/exports/{export_id}", key=app.key("auditor")).status == 204
    assert app.request("GET", f"/audit/exports/{export_id}", key=app.key("auditor")).status == 404


@pytest.mark.parametrize(
    "export_id", ["..", "%2e%2e", "export_%2e%2e", "export_" + "a" * 26, "x" * 300, "export_%00" + "a" * 20]
)
def test_no_such_export(app: Filagent, export_id: str) -> None:
    for path in (f"/audit/exports/{export_id}", f"/audit/exports/{export_id}/download"):
        assert app.request("GET", path).status in {404, 405}, path


def test_two_exports_at_once_and_no_third(app: Filagent, tmp_path: Path) -> None:
    answers: list[Answer] = []
    threads = [
        threading.Thread(
            target=lambda key=key: answers.append(app.request("POST", "/audit/exports", {"range": {}}, key=key))
        )
        for key in ("admin", app.key("auditor"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [202, 202]
    for key in ("admin", app.key("auditor")):
        [one] = app.request("GET", "/audit/exports", key=key).json["exports"]
        assert ended(app, one["export_id"], key)["state"] == "done"
        check(app, fetched(app, one["export_id"], key).raw, tmp_path)


def test_as_many_as_may_run(app: Filagent) -> None:
    jobs = app.services.jobs
    held = [jobs.reserve("export", "somebody else", needed=0) for _ in range(2)]
    try:
        with nothing_appended(app):
            refused = app.request("POST", "/audit/exports", {"range": {}})
        assert (refused.status, refused.json["code"], refused.headers["retry-after"]) == (429, "job.busy", "5")
    finally:
        for job_id in held:
            jobs.drop(job_id)


class DeadLog(SharedLog):
    async def append(self, draft: Any) -> Any:
        raise LogUnavailable("gone")


def test_what_cannot_be_recorded_is_neither_made_nor_handed_over(app: Filagent) -> None:
    export_id = begun(app, range={})
    ended(app, export_id)
    with running(app.settings.home, engine=engine(), log=SharedLog(app)) as other:
        other.services.log = DeadLog(app)
        refused = other.request("GET", f"/audit/exports/{export_id}/download")
        assert (refused.status, refused.json["code"]) == (503, "evidence.unavailable")
        assert other.request("POST", "/audit/exports", {"range": {}}).status == 503
        assert [one["export_id"] for one in other.request("GET", "/audit/exports").json["exports"]] == [export_id]


def test_another_worker_hands_it_over_too(app: Filagent, tmp_path: Path) -> None:
    export_id = begun(app, range={})
    ended(app, export_id)
    with running(app.settings.home, engine=engine(), log=SharedLog(app)) as other:
        check(app, fetched(other, export_id).raw, tmp_path)
    check(app, fetched(app, export_id).raw, tmp_path)


def test_a_client_that_leaves_hurts_nobody(app: Filagent, tmp_path: Path) -> None:
    export_id = begun(app, range={})
    ended(app, export_id)
    with operational_log() as operational:
        for _ in range(3):
            with Wire(app) as wire:
                head = f"GET /audit/exports/{export_id}/download HTTP/1.1\r\nHost: localhost\r\n"
                wire.send(f"{head}Authorization: Bearer {app.admin_key}\r\n\r\n".encode())
                wire.socket.recv(10)
        with Wire(app) as wire:
            wire.send(
                f"POST /audit/exports HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {app.admin_key}\r\n".encode()
            )
            wire.send(b'Content-Length: 50\r\n\r\n{"range"')
    check(app, fetched(app, export_id).raw, tmp_path)
    assert "Traceback" not in operational.text


def test_after_all_of_this_the_log_is_whole(app: Filagent) -> None:
    assert_log_whole(app)
    assert not [
        path for path in (app.settings.home / "exports").iterdir() if path.is_dir() and path.name.startswith("upload-")
    ]
