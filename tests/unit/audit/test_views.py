"""Views behind the log: decisions and refusals for people, made again at will, never in the way of the log."""

from __future__ import annotations

import json
import shutil
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from runtime.audit.errors import LogLocked
from runtime.audit.files import Files
from runtime.audit.keys import load_public
from runtime.audit.reader import view_path
from runtime.audit.receipt import check_answer, read_answer
from runtime.audit.views import ViewWriter, _exclusive, rebuild
from tests.unit.audit.log_rig import DAY, Rig, intent, make_rig, turn


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Three turns, the second of them refused; an intent."""
    rig = make_rig(tmp_path)
    writer = rig.open()
    writer.append(turn())
    writer.append(turn(decision="deny", reasons=["guard.blocked_pattern"], redactions={"in": {"EMAIL_ADDRESS": 2}}))
    writer.append(intent())
    rig.now += DAY
    writer.append(turn())
    writer.close()
    return rig


def views(rig: Rig) -> list[Path]:
    return sorted((rig.logs / "decisions").glob("*/*/*/*"))


def blocked(rig: Rig) -> list[dict[str, Any]]:
    files = sorted((rig.logs / "safeties").glob("blocked_*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def snapshot(rig: Rig) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in (*views(rig), *(rig.logs / "safeties").iterdir())}


def test_one_file_for_each_decision_by_the_day_in_its_id(rig: Rig) -> None:
    assert ViewWriter(rig.logs).catch_up() == len(rig.lines())
    turns = [record for record in rig.records() if record["event"] == "turn"]
    assert [path.stem for path in views(rig)] == sorted(record["record_id"] for record in turns)
    for record in turns:
        path = view_path(rig.logs, record["record_id"])
        assert path is not None
        view = json.loads(path.read_text())
        assert view["record"] == record
        assert view["log_index"] == record["seq"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_view_is_a_receipt(rig: Rig) -> None:
    ViewWriter(rig.logs).catch_up()
    root = load_public((rig.keys / "root.pub.pem").read_bytes())
    for path in views(rig):
        report, _ = check_answer(read_answer(path.read_bytes()), root)
        assert report.whole, report.problems


def test_refusals_are_listed_by_day_in_codes_and_counts(rig: Rig) -> None:
    ViewWriter(rig.logs).catch_up()
    assert [path.name for path in (rig.logs / "safeties").iterdir()] == ["blocked_20270115.jsonl"]
    (line,) = blocked(rig)
    assert line["reasons"] == ["guard.blocked_pattern"]
    assert line["redactions"] == {"in": {"EMAIL_ADDRESS": 2}}
    assert (line["event"], line["role"], line["door"]) == ("turn", "user", "chat")
    assert not {"actor", "turn_ref", "conversation_ref", "data_subject_refs"} & line.keys()


def test_catching_up_twice_writes_nothing_twice(rig: Rig) -> None:
    ViewWriter(rig.logs).catch_up()
    before = snapshot(rig)
    assert ViewWriter(rig.logs).catch_up() == 0
    (rig.logs / "decisions" / ".next").unlink()
    ViewWriter(rig.logs).catch_up()
    assert snapshot(rig) == before


def test_a_list_that_was_torn_is_mended(rig: Rig) -> None:
    ViewWriter(rig.logs).catch_up()
    before = snapshot(rig)
    path = rig.logs / "safeties" / "blocked_20270115.jsonl"
    for torn in (path.read_bytes() + b'{"log_index":', path.read_bytes()[:40], b""):
        path.write_bytes(torn)
        (rig.logs / "decisions" / ".next").write_text("0\n")
        ViewWriter(rig.logs).catch_up()
        assert snapshot(rig) == before


def test_rebuilding_gives_the_same_and_leaves_other_files_alone(rig: Rig) -> None:
    ViewWriter(rig.logs).catch_up()
    before = snapshot(rig)
    mine = rig.logs / "decisions" / "notes.txt"
    mine.write_text("mine")
    views(rig)[0].write_text("damaged")
    views(rig)[1].unlink()
    shutil.rmtree(rig.logs / "safeties")
    assert rebuild(rig.logs) == len(rig.lines())
    assert snapshot(rig) == before
    assert mine.read_text() == "mine"


def test_rebuilding_from_nothing(rig: Rig, tmp_path: Path) -> None:
    assert rebuild(rig.logs) == len(rig.lines())
    assert rebuild(make_rig(tmp_path / "empty").logs) == 0


def test_one_writes_at_a_time(rig: Rig) -> None:
    ViewWriter(rig.logs).catch_up()
    with _exclusive(rig.logs / "decisions" / ".lock"):
        with pytest.raises(LogLocked):
            rebuild(rig.logs)
        (rig.logs / "decisions" / ".next").unlink()
        with pytest.raises(LogLocked):
            ViewWriter(rig.logs).catch_up()


class Full(Files):
    """A disk that takes no view."""

    room = False

    def replace(self, path: Path, data: bytes, *, durable: bool) -> None:
        if not self.room:
            raise OSError(28, "No space left on device")
        super().replace(path, data, durable=durable)


def test_a_failure_is_kept_and_made_good_later(rig: Rig) -> None:
    files = Full()
    follower = ViewWriter(rig.logs, interval=0.01, files=files)
    follower.start()
    wait_for(lambda: follower.error is not None)
    writer = rig.open()
    writer.append(turn())
    writer.close()
    files.room = True
    follower.wake()
    wait_for(lambda: follower.error is None and len(views(rig)) == 4)
    follower.close()


def test_it_follows_the_log(rig: Rig) -> None:
    follower = ViewWriter(rig.logs, interval=60)
    follower.start()
    wait_for(lambda: len(views(rig)) == 3)
    writer = rig.open()
    writer.append(turn())
    follower.wake(writer.take_committed())
    wait_for(lambda: len(views(rig)) == 4)
    writer.close()
    follower.close()


def wait_for(condition: Any) -> None:
    """Until a thread has done its work; the test run's own timeout ends it otherwise."""
    while not condition():
        threading.Event().wait(0.005)
