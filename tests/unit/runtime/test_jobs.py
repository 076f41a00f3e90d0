"""Jobs on the disk: limits, what becomes of one whose process dies, and the end of their day."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime import jobs as module
from runtime.audit.task import RESULT
from runtime.errors import Limited, Unavailable
from runtime.jobs import DAY_MS, MOST_KEPT, Job, Jobs, sweep
from tests.unit.audit.log_rig import Rig, make_rig, turn

ALL = {"first": 0, "end": None}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    made = make_rig(tmp_path_factory.mktemp("jobs"))
    made.closed(20)
    return made


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    made = Jobs(tmp_path / "exports")
    yield made
    made.close()


def export(jobs: Jobs, rig: Rig, selection: dict[str, Any] | None = None, logs: Path | None = None) -> str:
    job_id = jobs.reserve("export", "somebody", needed=0)
    jobs.begin(job_id, {"logs": str(logs or rig.logs), "selection": selection or ALL}, "DR-1")
    return job_id


def ended(jobs: Jobs, job_id: str) -> Job:
    return until(lambda: job if (job := jobs.find(job_id)) and job.state != "running" else None)


def until(what: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while (found := what()) is None:
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    return found


def test_an_export_ends_with_its_digest_and_is_nobody_elses_to_read(jobs: Jobs, rig: Rig, tmp_path: Path) -> None:
    job_id = export(jobs, rig)
    job = ended(jobs, job_id)
    assert (job.state, job.owner, job.record_id) == ("done", "somebody", "DR-1")
    assert job.bundle is not None
    assert job.result["bytes"] == job.bundle.stat().st_size
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "exports").rglob("*") if path.is_file()}
    assert set(modes.values()) == {0o600}, modes
    assert (tmp_path / "exports").stat().st_mode & 0o777 == 0o700
    assert job.bundle.parent.stat().st_mode & 0o777 == 0o700
    assert ended(Jobs(tmp_path / "exports"), job_id) == job  # another worker sees the same


@pytest.mark.parametrize(
    ("selection", "code"),
    [({"turn_ref": "t" * 20}, "export.nothing"), ({"first": 5, "end": 5}, "export.nothing")],
)
def test_an_export_of_nothing_fails(jobs: Jobs, rig: Rig, selection: dict[str, Any], code: str) -> None:
    job = ended(jobs, export(jobs, rig, selection))
    assert (job.state, job.result["code"], job.bundle) == ("failed", code, None)


def test_an_export_of_no_log_fails(jobs: Jobs, rig: Rig, tmp_path: Path) -> None:
    assert ended(jobs, export(jobs, rig, logs=tmp_path / "none")).result["code"] == "job.failed"


def test_what_takes_too_long_is_given_up(jobs: Jobs, rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(module._SECONDS, "verify", 1)
    slow = tmp_path / "slow"
    slow.mkdir()
    os.mkfifo(slow / "root.pem")  # reading it never ends
    job_id = jobs.reserve("verify", "somebody", needed=0)
    jobs.begin(job_id, {"logs": str(rig.logs), "root_key": str(slow / "root.pem")}, "DR-1")
    assert ended(jobs, job_id).result["code"] == "job.timeout"


def never_ending(jobs: Jobs, rig: Rig, tmp_path: Path, kind: module.Kind = "verify") -> str:
    fifo = tmp_path / "root.pem"
    if not fifo.exists():
        os.mkfifo(fifo)
    job_id = jobs.reserve(kind, "somebody", needed=0)
    task = {"logs": str(rig.logs), "root_key": str(fifo), "selection": ALL}
    jobs.begin(job_id, task, "DR-1")
    return job_id


def test_one_whose_process_dies_has_failed(jobs: Jobs, rig: Rig, tmp_path: Path) -> None:
    job_id = never_ending(jobs, rig, tmp_path)
    found = jobs.find(job_id)
    assert found is not None
    assert found.state == "running"
    os.killpg(jobs._mine[job_id].pid, signal.SIGKILL)
    assert ended(jobs, job_id).result["code"] == "job.interrupted"
    assert jobs.reserve("verify", "somebody", needed=0)  # and its place is free


def test_a_reservation_of_a_worker_that_died_holds_no_place(jobs: Jobs, tmp_path: Path) -> None:
    job_id = jobs.reserve("verify", "somebody", needed=0)
    path = tmp_path / "exports" / job_id / "job.json"
    with pytest.raises(Limited, match=r"job\.busy"):
        jobs.reserve("verify", "somebody", needed=0)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"worker": 2**22 + 1}))
    assert jobs.reserve("verify", "somebody", needed=0)


def test_as_many_as_may_run(jobs: Jobs, rig: Rig, tmp_path: Path) -> None:
    never_ending(jobs, rig, tmp_path)
    for other in (jobs, Jobs(tmp_path / "exports")):  # also asked by another worker
        with pytest.raises(Limited) as refused:
            other.reserve("verify", "somebody else", needed=0)
        assert (refused.value.code, refused.value.retry_after) == ("job.busy", 5)
    assert jobs.reserve("export", "somebody", needed=0)


def test_two_workers_at_the_same_time_take_one_place_once(tmp_path: Path) -> None:
    taken, refused = [], []

    def take() -> None:
        try:
            taken.append(Jobs(tmp_path / "exports").reserve("verify", "somebody", needed=0))
        except Limited:
            refused.append(1)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(refused)) == (1, 7)


def test_as_many_as_may_be_kept(jobs: Jobs, tmp_path: Path) -> None:
    kept = []
    for _ in range(MOST_KEPT):
        kept.append(jobs.reserve("export", "somebody", needed=0))
        (tmp_path / "exports" / kept[-1] / RESULT).write_text('{"state": "done"}')
    with pytest.raises(Limited, match=r"job\.too_many"):
        jobs.reserve("export", "somebody", needed=0)
    jobs.drop(kept[0])
    assert jobs.find(kept[0]) is None
    assert jobs.reserve("export", "somebody", needed=0)


def test_no_room(jobs: Jobs) -> None:
    with pytest.raises(Unavailable, match=r"job\.no_room"):
        jobs.reserve("export", "somebody", needed=1 << 60)
    assert jobs.all() == []


def test_after_a_day_it_is_gone(jobs: Jobs, rig: Rig, tmp_path: Path) -> None:
    old, young = export(jobs, rig), export(jobs, rig)
    ended(jobs, old)
    ended(jobs, young)
    path = tmp_path / "exports" / old / "job.json"
    job = json.loads(path.read_text())
    path.write_text(json.dumps(job | {"created": job["created"] - DAY_MS - 1}))
    assert sweep(tmp_path / "exports") == 1
    assert [job.job_id for job in jobs.all()] == [young]
    assert sweep(tmp_path / "nowhere") == 0


@pytest.mark.parametrize(
    "job_id", ["", "..", "export_..", "../exports", "export_" + "a" * 26, "lock", "verify_\n" + "a" * 20]
)
def test_no_such_job(jobs: Jobs, job_id: str) -> None:
    assert jobs.find(job_id) is None


def test_a_process_of_ours_gets_no_secret(tmp_path: Path) -> None:
    assert set(module.environment(tmp_path)) == {"PYTHONPATH", "TMPDIR"}


def test_what_a_worker_began_ends_with_it(jobs: Jobs, rig: Rig, tmp_path: Path) -> None:
    job_id = never_ending(jobs, rig, tmp_path)
    jobs.close()
    assert ended(jobs, job_id).result["code"] == "job.interrupted"


def test_an_export_sees_what_was_appended(jobs: Jobs, tmp_path: Path) -> None:
    rig = make_rig(tmp_path / "growing")
    writer = rig.open()
    for number in range(5):
        writer.append(turn(number))
    job = ended(jobs, export(jobs, rig))
    assert job.result["bundle"]["selected"] == writer.size
    writer.close()
