"""`POST /audit/verify`: honest and hostile files, and this log itself; whatever is sent, the server stands."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.api import verification
from runtime.audit.bundle import Selection, export_bundle

from .doors import Wire, assert_log_whole, engine, nothing_appended, operational_log, raw, records, until
from .harness import Answer, Filagent, running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("verify"), engine=engine()) as started:
        for number in range(3):
            started.chat(f"Hello {number}")
        yield started


@pytest.fixture(scope="module")
def bundles(app: Filagent, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("bundles")
    made = {}
    for ending in ("zip", "tar", "tar.gz"):
        path = folder / f"bundle.{ending}"
        export_bundle(app.settings.logs_dir, path, Selection(first=0))
        made[ending] = path.read_bytes()
    return made


@pytest.fixture(autouse=True)
def _nothing_is_left(app: Filagent) -> Iterator[None]:
    yield
    assert uploads(app) == []
    assert app.chat("Still there?").status == 200


def uploads(app: Filagent) -> list[Path]:
    return list((app.settings.home / "exports").glob("upload-*"))


def sent(app: Filagent, data: bytes, query: str = "") -> Answer:
    return app.request("POST", f"/audit/verify{query}", data, headers={"Content-Type": "application/octet-stream"})


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_an_honest_bundle(app: Filagent, bundles: dict[str, bytes], ending: str) -> None:
    with nothing_appended(app):
        told = sent(app, bundles[ending]).json
    assert (told["kind"], told["whole"], told["report"]["problems"]) == ("bundle", True, [])
    assert told["verdict"].startswith("WHOLE.")
    assert told["text"].startswith(told["verdict"])
    french = sent(app, bundles[ending], "?lang=fr").json
    assert french["verdict"].startswith("INTACT.")


def test_an_honest_receipt_and_an_altered_one(app: Filagent) -> None:
    answer = app.chat("A question").json
    told = sent(app, json.dumps(answer).encode()).json
    assert (told["kind"], told["whole"]) == ("receipt", True)
    told = sent(app, json.dumps({**answer, "content": "Something else"}).encode()).json
    assert told["whole"] is False
    assert told["report"]["problems"]
    assert told["verdict"].startswith("NOT PROVEN.")


def altered(bundle: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


@pytest.mark.parametrize("victim", ["events.jsonl", "checkpoint", "keys.json", "proofs.jsonl", "bundle.json"])
def test_an_altered_bundle(app: Filagent, bundles: dict[str, bytes], victim: str) -> None:
    def change(name: str, data: bytes) -> bytes:
        return data[: len(data) // 2] + data[len(data) // 2 + 1 :] if name == victim else data

    told = sent(app, altered(bundles["zip"], change)).json
    assert told["whole"] is False
    assert told["verdict"].startswith("NOT WHOLE.")


def test_the_bundle_of_another_installation(app: Filagent, tmp_path: Path) -> None:
    with running(tmp_path / "other", engine=engine()) as other:
        other.chat("Hello")
        export_bundle(other.settings.logs_dir, tmp_path / "theirs.zip", Selection(first=0))
    assert sent(app, (tmp_path / "theirs.zip").read_bytes()).json["whole"] is False


def zip_of(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def tar_of(*members: tuple[str, bytes, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data, kind in members:
            info = tarfile.TarInfo(name)
            info.size, info.type = len(data), kind
            if kind == tarfile.SYMTYPE:
                info.linkname = "/etc/passwd"
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


PASSED_OVER = b"x" * 1000
HOSTILE: dict[str, bytes] = {
    "nonsense": b"nonsense",
    "zeros": bytes(100_000),
    "half a zip": zip_of(**{"events.jsonl": b"x" * 5000})[:-30],
    "a path upwards in a zip": zip_of(
        **{"../../../tmp/filagent-escaped": PASSED_OVER, "/tmp/filagent-escaped": PASSED_OVER}
    ),
    "a path upwards in a tar": tar_of(("../../filagent-escaped", PASSED_OVER, tarfile.REGTYPE)),
    "a link in a tar": tar_of(("checkpoint", b"", tarfile.SYMTYPE), ("keys.json", b"", tarfile.LNKTYPE)),
    "a thousand members": zip_of(**{f"keys.{number}.json": b"{}" for number in range(5000)}),
    "a bomb in a zip": zip_of(**{"events.jsonl": bytes(1 << 26), "keys.json": bytes(1 << 24)}),
    "a bomb in a gzip": gzip.compress(tar_of(("events.jsonl", bytes(1 << 26), tarfile.REGTYPE)), 1),
    "a receipt that is none": b'{"receipt": {}}',
    "a receipt of lists": b'{"receipt": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a receipt with a long number": b'{"receipt": {"log_index": ' + b"9" * 100_000 + b"}}",
    "half a receipt": b'{"receipt":',
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files(app: Filagent, data: bytes) -> None:
    with operational_log() as operational, nothing_appended(app):
        answer = sent(app, data)
    if answer.status == 200:
        assert answer.json["whole"] is False
    else:
        assert (answer.status, answer.json["code"]) in {(422, "verify.unreadable"), (422, "verify.limits")}
    assert b"Traceback" not in answer.raw
    assert "Traceback" not in operational.text
    assert not Path("/tmp/filagent-escaped").exists()


def test_a_bomb_beyond_the_limit_is_given_up(app: Filagent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "MOST_UNPACKED", 1 << 20)
    for name in ("a bomb in a zip", "a bomb in a gzip"):
        answer = sent(app, HOSTILE[name])
        assert answer.status == 422 or answer.json["whole"] is False, name


@pytest.mark.parametrize("limit", ["_CPU_SECONDS", "_SECONDS", "_MEMORY"])
def test_the_limits_hold(app: Filagent, bundles: dict[str, bytes], limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, limit, {"_CPU_SECONDS": 0, "_SECONDS": 0.0, "_MEMORY": 1 << 22}[limit])
    refused = sent(app, bundles["zip"])
    assert (refused.status, refused.json["code"]) == (422, "verify.limits")


def test_a_claim_of_two_gigabytes_is_refused_at_once(app: Filagent) -> None:
    head = f"POST /audit/verify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {app.admin_key}\r\n"
    answer = raw(app, f"{head}Content-Length: {2 << 30}\r\n\r\n".encode())
    assert answer is not None
    assert (answer.status, answer.json["code"]) == (413, "request.too_large")


def test_a_body_that_grows_beyond_the_limit(app: Filagent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "MOST_SENT", 1000)
    head = f"POST /audit/verify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {app.admin_key}\r\n"
    answer = raw(app, f"{head}Transfer-Encoding: chunked\r\n\r\n7d0\r\n{'x' * 2000}\r\n0\r\n\r\n".encode())
    assert answer is not None
    assert (answer.status, answer.json["code"]) == (413, "request.too_large")


def test_an_empty_body_in_pieces_is_no_file(app: Filagent) -> None:
    head = f"POST /audit/verify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {app.admin_key}\r\n"
    answer = raw(app, f"{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode())
    assert answer is not None
    assert (answer.status, answer.json["code"]) == (422, "verify.unreadable")


def test_a_body_that_stops_arriving(app: Filagent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_SILENCE", 0.05)
    head = f"POST /audit/verify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {app.admin_key}\r\n"
    answer = raw(app, f"{head}Content-Length: 100\r\n\r\nPK".encode())
    assert answer is not None
    assert (answer.status, answer.json["code"]) == (400, "request.slow")


def test_a_client_that_leaves_while_sending(app: Filagent) -> None:
    with operational_log() as operational:
        for _ in range(3):
            with Wire(app) as wire:
                head = f"POST /audit/verify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {app.admin_key}\r\n"
                wire.send(f"{head}Content-Length: 100000\r\n\r\nPK".encode())
                until(lambda: uploads(app))
            until(lambda: not uploads(app))
    assert not app.services.uploads.locked()
    assert "Traceback" not in operational.text


def test_a_client_that_leaves_before_the_verdict(app: Filagent) -> None:
    data = HOSTILE["a bomb in a gzip"]
    with operational_log() as operational, Wire(app) as wire:
        head = f"POST /audit/verify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {app.admin_key}\r\n"
        wire.send(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        until(lambda: uploads(app))
    until(lambda: not uploads(app))
    assert "Traceback" not in operational.text


def test_as_many_as_may_be_verified(app: Filagent) -> None:
    app.services.uploads._value -= 2
    try:
        refused = sent(app, b"PK")
    finally:
        app.services.uploads._value += 2
    assert (refused.status, refused.json["code"], refused.headers["retry-after"]) == (429, "verify.busy", "5")


def test_no_room(app: Filagent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "MOST_UNPACKED", 1 << 60)
    refused = sent(app, b"PK")
    assert (refused.status, refused.json["code"]) == (503, "job.no_room")


# this log -----------------------------------------------------------------------------------------------------------


def verified(app: Filagent, verification_id: str, query: str = "") -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        told = app.request("GET", f"/audit/verify/{verification_id}{query}").json
        return told if told["state"] != "running" else None

    found = until(look, seconds=60)
    assert found is not None
    return found


def test_this_log_is_verified_and_that_is_recorded_before(app: Filagent) -> None:
    before = len(records(app, "admin"))
    begun = app.request("POST", "/audit/verify")
    assert (begun.status, begun.json["state"]) == (202, "running")
    [noted] = records(app, "admin")[before:]
    assert noted["record_id"] == begun.json["decision_id"]
    assert noted["detail"] == {"action": "audit.verify", "verification": begun.json["verification_id"]}
    told = verified(app, begun.json["verification_id"])
    assert (told["state"], told["whole"]) == ("done", True)
    assert told["report"]["facts"]["records"] >= noted["seq"]
    assert verified(app, begun.json["verification_id"], "?lang=fr")["verdict"].startswith("INTACT.")
    listed = app.request("GET", "/audit/verify", key=app.key("operator")).json["verifications"]
    assert listed[0]["verification_id"] == begun.json["verification_id"]
    assert listed[0]["whole"] is True


def test_one_verification_of_this_log_at_a_time(app: Filagent) -> None:
    held = app.services.jobs.reserve("verify", "somebody", needed=0)
    try:
        with nothing_appended(app):
            refused = app.request("POST", "/audit/verify")
        assert (refused.status, refused.json["code"]) == (429, "job.busy")
    finally:
        app.services.jobs.drop(held)


@pytest.mark.parametrize("verification_id", ["..", "verify_" + "a" * 26, "export_" + "a" * 26, "x" * 500])
def test_no_such_verification(app: Filagent, verification_id: str) -> None:
    refused = app.request("GET", f"/audit/verify/{verification_id}")
    assert refused.status == 404


def test_a_log_that_was_tampered_with_is_shown_as_that(tmp_path: Path) -> None:
    with running(tmp_path, engine=engine()) as other:
        other.chat("Hello")
        other.chat("Hello again")
        [segment] = (other.settings.logs_dir / "events").iterdir()
        lines = segment.read_bytes().splitlines(keepends=True)
        lines[3], lines[4] = lines[4], lines[3]
        segment.write_bytes(b"".join(lines))
        begun = other.request("POST", "/audit/verify").json
        told = verified(other, begun["verification_id"])
    assert (told["state"], told["whole"]) == ("done", False)
    assert told["verdict"].startswith("NOT WHOLE.")
    assert told["report"]["problems"]


def test_after_all_of_this_the_log_is_whole(app: Filagent) -> None:
    assert_log_whole(app)
