"""The commands that change a log, against a home that is served and one that rests; as an operator types them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.audit.keys import load_public
from runtime.audit.verify import verify_log
from runtime.cli import main
from tests.faults.asking import ask, question
from tests.faults.machine import Machine, machine


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    with machine() as made:
        monkeypatch.setenv("FILAGENT_HOME", str(made.settings.home))
        yield made


def whole(home: Machine) -> bool:
    root = load_public((home.settings.keys_dir / "root.pub.pem").read_bytes())
    return verify_log(home.settings.logs_dir, root, jobs=1).whole


def records(home: Machine, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main(["log", "cat", "--json"]) == 0
    return [json.loads(line)["record"] for line in capsys.readouterr().out.splitlines()]


def test_keys_are_rotated_under_a_running_server(home: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    home.writer()
    worker = home.worker()
    before = ask(worker.port, home.keys["admin"], question("Hello"))
    assert main(["keys", "rotate", "--role", "all"]) == 0
    after = ask(worker.port, home.keys["admin"], question("Hello again"))
    assert (before.status, after.status) == (200, 200)
    events = [record["event"] for record in records(home, capsys)]
    assert events.count("key.added") == events.count("key.retired") == 2
    assert whole(home)
    for number, answer in enumerate((before, after)):
        saved = home.settings.home / f"answer{number}.json"
        saved.write_text(json.dumps(answer.json))
        assert main(["verify", "--receipt", str(saved)]) == 0


def test_a_lost_record_key_is_replaced_while_nothing_runs(home: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    for path in home.settings.keys_dir.glob("record-*.pem"):
        path.unlink()
    assert main(["keys", "create", "--role", "user", "--name", "x"]) == 2
    assert main(["keys", "rotate", "--role", "record"]) == 0
    assert main(["keys", "create", "--role", "user", "--name", "x"]) == 0
    assert {"key.added", "key.retired"} <= {str(record["event"]) for record in records(home, capsys)}
    assert whole(home)


def test_without_the_root_nothing_changes(home: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    (home.settings.keys_dir / "root.pem").rename(home.settings.home / "away.pem")
    for words in (["keys", "rotate"], ["log", "new-origin", "--reason", "damage"]):
        assert main(words) == 2
        assert "--root FILE" in capsys.readouterr().err
    assert main(["keys", "rotate", "--root", str(home.settings.home / "away.pem")]) == 0
    assert whole(home)


def test_holds_are_placed_and_released(home: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", "release", "case-1"]) == 1
    assert main(["log", "hold", "case-1", "--last", "5"]) == 0
    assert main(["log", "hold", "No Name"]) == 2
    assert main(["log", "release", "case-1"]) == 0
    details = [record["detail"] for record in records(home, capsys) if record["event"] == "admin"]
    assert details[-2:] == [
        {"action": "log.hold.placed", "hold": "case-1", "first": 0, "last": 5},
        {"action": "log.hold.released", "hold": "case-1"},
    ]
    assert main(["log", "prune"]) == 1  # nothing is old enough
    assert whole(home)


def test_a_new_origin_only_without_a_server(home: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    home.writer()
    assert main(["log", "new-origin", "--reason", "damage"]) == 2
    assert "writes this log" in capsys.readouterr().err
    home.stop()
    kept = home.settings.home / "kept"
    shutil.copy(home.settings.logs_dir / "checkpoint", kept)
    assert main(["log", "new-origin", "--reason", "restore", "--checkpoint", str(kept), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["size"] == said["sound"] > 0
    home.writer()
    worker = home.worker()
    assert ask(worker.port, home.keys["admin"], question("Hello")).status == 200
    home.stop()
    assert whole(home)
    assert main(["verify", "--json"]) == 0
    codes = {note["code"] for note in json.loads(capsys.readouterr().out)["remarks"]}
    assert "origin.closed" in codes
    assert Path(home.settings.logs_dir / "origins" / "001").is_dir()


def test_proofs_for_the_tools_of_others(home: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", "proof", "0", "--tlog-proof"]) == 0
    assert capsys.readouterr().out.startswith("c2sp.org/tlog-proof@v1\nindex 0\n")
    assert main(["log", "proof", "0", "--tlog-proof", "--size", "1"]) == 2
    assert main(["log", "consistency", "1", "--json"]) == 0
    proof = json.loads(capsys.readouterr().out)
    assert proof["old"] == 1
    assert len(proof["consistency"]) > 0
    assert main(["log", "consistency", "1", "999999"]) == 1
