"""What must be true of a home whatever was done to it. Reads the log by its own means, as a stranger would.

The verdict on signatures and tree is the product's verifier's; that a turn has its record, and exactly one, is counted
here from the lines themselves.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from memory import repository
from memory.recall import open_stored
from runtime.audit.keys import ROOT_PUBLIC, load_public
from runtime.audit.receipt import check_answer
from runtime.audit.verify import verify_log
from runtime.ledger import read_salts
from tests.faults.machine import Machine, rows
from tests.faults.processes import ROOT
from tests.integration.doors import on_loop
from tests.integration.harness import Filagent


def records(logs_dir: Path) -> list[dict[str, Any]]:
    """The predicates of all whole lines, in order."""
    paths = sorted((logs_dir / "events").glob("events_*.jsonl"), key=lambda path: path.name.rpartition("_")[2])
    return [_predicate(line) for path in paths for line in path.read_bytes().split(b"\n")[:-1]]


def _predicate(line: bytes | str) -> dict[str, Any]:
    predicate: dict[str, Any] = json.loads(base64.b64decode(json.loads(line)["payload"]))["predicate"]
    return predicate


def of_turn(home: Machine, turn_ref: str) -> list[dict[str, Any]]:
    return [record for record in records(home.settings.logs_dir) if record.get("turn_ref") == turn_ref]


def assert_whole(home: Machine) -> None:
    """The verifier, in a process of its own, raises no alarm."""
    settings = home.settings
    done = subprocess.run(
        [
            sys.executable, "-m", "runtime.audit.verify", str(settings.logs_dir),
            "--root-key", str(settings.keys_dir / ROOT_PUBLIC),
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def assert_no_alarm(home: Machine) -> None:
    """The verifier, called here, while the log may be in use."""
    settings = home.settings
    report = verify_log(settings.logs_dir, load_public((settings.keys_dir / ROOT_PUBLIC).read_bytes()), jobs=1)
    assert report.whole, report.problems


def assert_settled(home: Machine) -> None:
    """No open end anywhere: the log is whole, every intent is closed, and the database says what the log says."""
    assert_whole(home)
    found = records(home.settings.logs_dir)
    closings = {record["turn_ref"]: record for record in found if record["event"] == "turn"}
    assert Counter(r["turn_ref"] for r in found if r["event"] == "turn") == Counter(dict.fromkeys(closings, 1))
    for record in found:
        if record["event"] == "model.intent":
            closing = closings.get(record["turn_ref"])
            assert closing is not None, f"{record['record_id']} was never closed"
            assert closing["seq"] > record["seq"], f"{record['record_id']} came after its turn's record"
    turns = home.rows("SELECT ref, state, decision, record_id, log_index FROM turns")
    assert [ref for ref, state, *_ in turns if state != "closed"] == []
    for ref, _state, decision, record_id, log_index in turns:
        record = closings[ref]
        assert (decision, record_id, log_index) == (record["decision"], record["record_id"], record["seq"])


def assert_proven(home: Machine, answer: dict[str, Any], body: bytes) -> None:
    """The receipt of an answer proves question and answer, and is about a line of this very log."""
    root = load_public((home.settings.keys_dir / ROOT_PUBLIC).read_bytes())
    report, _ = check_answer(answer, root, request=body)
    assert report.whole, report.problems
    receipt = answer["receipt"]
    record = _predicate(receipt["envelope"])
    assert record["decision"] in {"allow", "redact"}
    assert output_commit(record) == committed(base64.b64decode(receipt["salts"]["output"]), answer["content"])


def assert_recorded(home: Machine, answers: list[dict[str, Any]]) -> None:
    """Each answer's record is in the log as it stands now, at its index, byte for byte."""
    by_index = {record["seq"]: record for record in records(home.settings.logs_dir)}
    for answer in answers:
        shown = _predicate(answer["receipt"]["envelope"])
        assert by_index[answer["receipt"]["log_index"]] == shown
        assert shown["record_id"] == answer["decision_id"]


def output_salt(app: Filagent, turn_id: str) -> bytes:
    """The salt of a turn's output, from where it lives: inside the turn's ciphertext, under the turn's key."""
    ledger = app.services.ledger
    owner = rows(app.settings, "SELECT principal_id FROM turns WHERE id = ?", turn_id)[0][0]
    stored = on_loop(app, ledger.database.read(lambda conn: repository.read_turn(conn, turn_id, owner)))
    assert stored is not None
    return read_salts(open_stored(stored, ledger.keys)[0]["salts"])[0].of("output")


def committed(salt: bytes, text: str) -> str:
    return hashlib.sha256(salt + text.encode()).hexdigest()


def output_commit(record: dict[str, Any]) -> str | None:
    return next((item.get("commit") for item in record["content"] if item["name"] == "output"), None)
