"""`/reports`, `/incidents`, `filagent report` and `filagent incident`: who may have what, each recorded, over real homes."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from memory.erasure import Selector
from runtime.audit import reader
from runtime.cli import main
from runtime.erasing import Eraser
from runtime.errors import SettingsError
from runtime.keys_admin import OPERATOR
from tests.unit.audit import forge

from .doors import assert_log_whole, engine, nothing_appended, on_loop, record, records, size
from .harness import Filagent, running

ROOT = Path(__file__).parents[2]
SECRET = "jean.roy@courriel.example"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("reports"), engine=engine()) as started:
        yield started


@pytest.fixture(scope="module")
def mine(app: Filagent) -> str:
    return str(app.chat(f"I am {SECRET}", key=app.key("user")).json["decision_id"])


def got(app: Filagent, path: str, role: str, name: str | None = None) -> Any:
    return app.request("GET", f"/reports/{path}", key=app.key(role, name))


@pytest.mark.parametrize("role", ["admin", "reviewer", "auditor", "privacy_officer"])
@pytest.mark.parametrize(
    "path", ["period", "registers/incidents", "registers/processing", "decisions/{}", "persons/{}"]
)
def test_whoever_may_see_any_gets_all(app: Filagent, mine: str, role: str, path: str) -> None:
    answer = got(app, path.format(mine), role)
    assert answer.status == 200, answer.raw
    assert b"Verified: the log" in answer.raw


@pytest.mark.parametrize("role", ["user", "viewer", "operator"])
@pytest.mark.parametrize("path", ["period", "registers/incidents", "registers/processing"])
def test_others_get_none_of_what_is_everybodys(app: Filagent, role: str, path: str) -> None:
    app.key(role)
    with nothing_appended(app):
        answer = got(app, path, role)
    assert (answer.status, answer.json["code"]) == (403, "policy.role_lacks_permission")


@pytest.mark.parametrize("page", ["decisions", "persons"])
def test_one_s_own_decision_and_nobody_else_s(app: Filagent, mine: str, page: str) -> None:
    own = got(app, f"{page}/{mine}?language=fr", "user")
    assert own.status == 200
    assert "Le journal entier n’a pas été vérifié pour cette page." in own.raw.decode().replace("\u00a0", " ")
    for role, name in (("user", "somebody else"), ("viewer", None)):
        other = got(app, f"{page}/{mine}", role, name)
        assert (other.status, other.json["code"]) == (404, "report.no_decision")
    assert app.request("GET", f"/reports/{page}/{mine}", key=None).status == 401


@pytest.mark.parametrize(
    ("form", "kind"), [("html", "text/html"), ("pdf", "application/pdf"), ("json", "application/json")]
)
def test_what_is_handed_out_is_in_the_log_by_its_digest(app: Filagent, mine: str, form: str, kind: str) -> None:
    before = size(app)
    answer = got(app, f"decisions/{mine}?format={form}", "auditor")
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["x-filagent-report-sha256"] == sha256(answer.raw).hexdigest()
    found = reader.read_decision(app.settings.logs_dir, answer.headers["x-filagent-record-id"])
    assert found is not None
    assert found["subjects"] == [{"name": "report", "sha256": sha256(answer.raw).hexdigest()}]
    stated = found["record"]
    assert (stated["event"], stated["parent_record_id"], stated["actor"]["role"]) == ("access.export", mine, "auditor")
    assert stated["detail"] == {"report": "decision", "format": form, "language": "en", "size": before, "whole": True}
    assert_log_whole(app)


def test_the_page_holds_nothing_that_was_said(app: Filagent, mine: str) -> None:
    for form in ("html", "json"):
        assert SECRET.encode() not in got(app, f"decisions/{mine}?format={form}", "auditor").raw
        assert b"user person" not in got(app, f"decisions/{mine}?format={form}", "privacy_officer").raw


def test_identity_is_for_whoever_may_reveal_and_is_recorded_first(app: Filagent, mine: str) -> None:
    path = f"decisions/{mine}?reveal=access.request"
    for role in ("auditor", "admin", "user"):
        refused = got(app, path, role)
        assert (refused.status, refused.json["code"]) == (403, "policy.forbidden")
    answer = got(app, path, "privacy_officer")
    assert b"user person, by the operator" in answer.raw
    reveal = records(app, "reveal")[-1]
    assert (reveal["reasons"], reveal["parent_record_id"]) == (["access.request"], mine)
    assert reveal["record_id"].encode() in answer.raw
    refused = got(app, f"decisions/{mine}?reveal=Because%20I%20can", "privacy_officer")
    assert (refused.status, refused.json["code"]) == (422, "report.reveal_reason")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("decisions/DR-1", 404, "report.no_decision"),
        ("decisions/DR-019f2212-5a80-7000-8000-000000000100", 404, "report.no_decision"),
        ("period?from=2026-02-30", 422, "report.period"),
        ("period?from=2026-02-03&to=2026-02-01", 422, "report.period"),
        ("period?size=99999999", 422, "report.size"),
        ("period?format=csv", 422, "request.invalid"),
        ("registers/other", 422, "request.invalid"),
        ("period?language=de", 422, "request.invalid"),
    ],
)
def test_what_cannot_be_made(app: Filagent, path: str, status: int, code: str) -> None:
    app.key("auditor")
    with nothing_appended(app):
        answer = got(app, path, "auditor")
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_one_report_over_the_whole_log_at_a_time(app: Filagent) -> None:
    app.key("auditor")

    async def hold() -> None:
        await app.services.reports.turnstile.acquire()

    on_loop(app, hold())
    try:
        answer = got(app, "period", "auditor")
    finally:
        app.loop.call_soon_threadsafe(app.services.reports.turnstile.release)
    assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "report.busy", "10")


def test_a_process_that_dies_costs_one_report(app: Filagent) -> None:
    assert got(app, "period", "auditor").status == 200
    (child,) = multiprocessing.active_children()
    child.kill()
    child.join()
    answer = got(app, "period", "auditor")
    assert (answer.status, answer.json["code"]) == (503, "report.busy")
    assert got(app, "period", "auditor").status == 200
    assert [other.pid for other in multiprocessing.active_children()] != [child.pid]


def test_incidents_through_the_door(app: Filagent, mine: str) -> None:
    opened = {"kind": "loss", "known": "2026-11-20", "decision": mine}
    assert app.request("POST", "/incidents", opened, key=app.key("user")).status == 403
    wordy = app.request("POST", "/incidents", {**opened, "circumstances": SECRET}, key=app.key("privacy_officer"))
    assert (wordy.status, wordy.json["code"]) == (422, "request.invalid")
    assert SECRET.encode() not in wordy.raw
    answer = app.request("POST", "/incidents", opened, key=app.key("privacy_officer"))
    assert answer.status == 201
    stated = record(app, answer.json["record_id"])
    assert (stated["event"], stated["actor"]["role"]) == ("incident", "privacy_officer")
    rows = got(app, "registers/incidents?format=json", "auditor").json["rows"]
    assert [row["decision"] for row in rows if row["incident"] == answer.json["incident"]] == [mine]


def test_after_an_erasure_the_dossier_stands_and_names_nobody(app: Filagent) -> None:
    key = app.key("user", "Marie Tremblay")
    wanted = app.chat(f"I am {SECRET}", key=key).json["decision_id"]
    ledger = app.services.ledger
    eraser = Eraser(app.settings, ledger.database, ledger.keys, app.log)
    on_loop(app, eraser.erase(Selector(person="Marie Tremblay"), actor=OPERATOR))
    answer = got(app, f"decisions/{wanted}?reveal=access.request", "privacy_officer")
    assert answer.status == 200
    assert b"Verified: the log" in answer.raw
    assert b"nobody any more" in answer.raw
    assert b"Tremblay" not in answer.raw


# The commands, over a home that nobody serves any more.


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("report home")
    with running(folder, engine=engine()) as app:
        return folder, str(app.chat("Hello", key=app.key("user")).json["decision_id"])


@pytest.fixture
def at_home(home: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    monkeypatch.setenv("FILAGENT_HOME", str(home[0]))
    monkeypatch.setenv("LLM_BACKEND", "scripted")
    return home


def exports(home: Path) -> list[dict[str, Any]]:
    return [found.as_json() for found in reader.iter_records(home / "logs") if found.record["event"] == "access.export"]


@pytest.mark.parametrize("words", [["decision"], ["person"], ["period"], ["register", "processing"]], ids=" ".join)
def test_the_command_records_what_it_writes(at_home: tuple[Path, str], tmp_path: Path, words: list[str]) -> None:
    folder, wanted = at_home
    out = tmp_path / "report"
    about = [wanted] if words[0] in {"decision", "person"} else []
    assert main(["report", *words, *about, "--language", "fr", "--out", str(out)]) == 0
    assert exports(folder)[-1]["subjects"] == [{"name": "report", "sha256": sha256(out.read_bytes()).hexdigest()}]


def test_the_command_can_be_repeated_to_the_byte(at_home: tuple[Path, str], tmp_path: Path) -> None:
    _, wanted = at_home
    written = []
    for number in range(2):
        out = tmp_path / f"{number}.pdf"
        options = ["--size", "6", "--format", "pdf", "--out", str(out)]
        assert main(["report", "decision", wanted, *options]) == 0
        written.append(out.read_bytes())
    assert written[0] == written[1]


def test_identity_in_the_shell(at_home: tuple[Path, str], tmp_path: Path) -> None:
    _, wanted = at_home
    out = tmp_path / "page.html"
    assert main(["report", "decision", wanted, "--reveal", "access.request", "--out", str(out)]) == 0
    assert b"user person" in out.read_bytes()


def test_incidents_in_the_shell(at_home: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "laptop.json"
    file.write_text(json.dumps({"circumstances": "Marie lost a laptop"}), "utf-8")
    stated = ["--kind", "loss", "--known", "2026-11-20", "--persons", "3", "--texts", str(file), "--json"]
    assert main(["incident", "record", *stated]) == 0
    opened = json.loads(capsys.readouterr().out)
    assert main(["incident", "record", "--action", "closed", "--incident", opened["incident"], *stated[:4]]) == 0
    out = tmp_path / "incidents.csv"
    assert main(["report", "register", "incidents", "--texts", str(tmp_path), "--out", str(out)]) == 0
    assert "Marie lost a laptop" in out.read_text("utf-8-sig")
    assert "closed" in out.read_text("utf-8-sig")
    capsys.readouterr()
    assert main(["incident", "list"]) == 0
    assert opened["incident"] in capsys.readouterr().out


def test_a_copy_of_the_log_is_reported_on_without_a_record(
    at_home: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, wanted = at_home
    before = len(exports(folder))
    elsewhere = ["--logs", str(folder / "logs"), "--root-key", str(folder / "keys" / "root.pub.pem")]
    assert main(["report", "decision", wanted, "--out", str(tmp_path / "page"), *elsewhere]) == 0
    assert "not recorded" in capsys.readouterr().err
    assert len(exports(folder)) == before
    assert main(["report", "decision", wanted, "--out", "-", *elsewhere[:2]]) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["decision", "DR-1", "--out", "-"],
        ["period", "--from", "x", "--out", "-"],
        ["period", "--size", "9999", "--out", "-"],
        ["period", "--out", "/nowhere/page.html"],
    ],
    ids=" ".join,
)
def test_what_is_not_made_ends_with_two(at_home: tuple[Path, str], words: list[str]) -> None:
    assert main(["report", *words]) == 2


def test_a_damaged_home_still_gets_its_report(tmp_path: Path) -> None:
    """The log takes no record any more; the report is made all the same, and its first line says why."""
    folder = tmp_path / "home"
    with running(folder, engine=engine()) as app:
        wanted = app.chat("Hello", key=app.key("user")).json["decision_id"]
    path = next((folder / "logs" / "events").iterdir())
    lines = path.read_bytes().splitlines(keepends=True)
    forge.put(path, b"".join([lines[0], lines[1].replace(b"A", b"B", 1), *lines[2:]]))
    out = folder / "page.json"
    run = subprocess.run(
        [sys.executable, "-m", "runtime.cli", "report", "decision", wanted, "--format", "json", "--out", str(out)],
        env={**os.environ, "FILAGENT_HOME": str(folder), "LLM_BACKEND": "scripted", "PYTHONPATH": str(ROOT) + os.pathsep + os.environ.get("PYTHONPATH", "")},
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert run.returncode == 1, run.stderr
    assert json.loads(out.read_bytes())["notices"][0].startswith("NOT VERIFIED.")
    assert "NOT VERIFIED" in run.stderr


def test_the_root_of_another_log_is_refused(at_home: tuple[Path, str], tmp_path: Path) -> None:
    from runtime.report_command import main as command

    with pytest.raises(SettingsError):
        command(["period", "--out", "-", "--root-key", str(tmp_path / "absent.pem")])
