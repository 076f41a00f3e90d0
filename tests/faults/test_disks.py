"""Disks that are full or read-only, under the log and under the database.

No room for a record means no prompt sent and no answer given; what is open is closed in the space of the ballast; and
when there is room again everything goes on without anybody's help.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.provider import FakeProvider
from tests.faults.asking import Reply, ask, get, question, until
from tests.faults.evidence import assert_proven, assert_settled, records
from tests.faults.machine import Machine, machine, mount
from tests.faults.processes import Worker

BODY = question("Say hello.")


@contextmanager
def filled(directory: Path) -> Iterator[None]:
    """Nothing more fits on this disk while the block lasts."""
    path = directory / "filler"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for size in (1 << 16, 1):
            try:
                while True:
                    os.write(fd, b"x" * size)
            except OSError as error:
                assert error.errno == errno.ENOSPC
        yield
    finally:
        os.close(fd)
        path.unlink()


def ask_until_refused(home: Machine, worker: Worker) -> tuple[int, Reply]:
    """Questions until one is refused (there may be room within a page): how many were answered, and the refusal."""
    for answered in range(20):
        reply = ask(worker.port, home.keys["admin"], BODY)
        if reply.status != 200:
            return answered, reply
    raise AssertionError("a full disk refuses nothing")


def evidence(worker: Worker) -> str:
    return str(get(worker.port, "/ready").json["checks"]["evidence"])


def test_a_full_log_disk_refuses_closes_what_is_open_and_recovers() -> None:
    with FakeProvider() as provider, machine(disks={"logs": "5m"}, backend_url=provider.url) as home:
        home.writer()
        home.housekeeper()
        worker, key, logs = home.worker(), home.keys["admin"], home.settings.logs_dir
        with ThreadPoolExecutor(1) as pool:
            provider.plan("stepped")
            before = pool.submit(ask, worker.port, key, BODY)
            assert provider.request_seen.wait(30)

            with filled(logs):
                asked = len(provider.chats)
                answered, refused = ask_until_refused(home, worker)
                assert (refused.status, refused.json["code"]) == (503, "evidence.unavailable")
                assert len(provider.chats) - asked == answered
                assert evidence(worker) == "unavailable"
                # What had been asked before is closed, and answered, in the space that was kept for that.
                provider.step(len(provider.deltas) + 1)
                assert before.result().status == 200
                assert_proven(home, before.result().json, BODY)

                with pytest.raises(OSError, match="No space"), filled(logs / "tile"):  # the ballast's space as well
                    asked = len(provider.chats)
                    answered, refused = ask_until_refused(home, worker)
                    assert (refused.status, refused.json["code"]) == (503, "evidence.unavailable")
                    assert "decision_id" not in refused.json
                    assert len(provider.chats) - asked == answered
                    raise OSError(errno.ENOSPC, "No space")

        # Ready before anybody asks: a balancer that waits for it sends nobody.
        until(lambda: evidence(worker) == "ok", "readiness, once there is room")
        assert ask(worker.port, key, BODY).status == 200
        home.settle()
        assert_settled(home)
        assert (logs / "ballast").stat().st_size > 0


def test_a_read_only_log_is_said_at_start_and_nothing_runs() -> None:
    with machine(disks={"logs": "5m"}) as home:
        before = records(home.settings.logs_dir)
        assert mount("-o", "remount,ro", str(home.settings.logs_dir)) == 0
        served = home.serve(ready=False)
        assert served.process.wait() == 2
        assert "Traceback" not in served.process.complaint()
        assert "Read-only file system" in served.process.complaint()
        assert records(home.settings.logs_dir) == before
        assert mount("-o", "remount,rw", str(home.settings.logs_dir)) == 0
        home.writer()
        assert ask(home.worker().port, home.keys["admin"], BODY).status == 200


def test_a_full_database_disk_fails_the_turn_and_the_log_says_so() -> None:
    with FakeProvider() as provider, machine(disks={"data": "2m"}, backend_url=provider.url) as home:
        home.writer()
        home.housekeeper()
        worker = home.worker()
        # With its connections open: a worker that cannot open the database knows nobody, and records nothing of them.
        assert ask(worker.port, home.keys["admin"], BODY).status == 200
        with filled(home.settings.home / "data"):
            asked = len(provider.chats)
            answered, refused = ask_until_refused(home, worker)
            assert (refused.status, refused.json["code"]) == (503, "storage.unavailable")
            said = next(r for r in records(home.settings.logs_dir) if r["record_id"] == refused.json["decision_id"])
            assert (said["event"], said["decision"], said["reasons"]) == ("turn", "error", ["storage.unavailable"])
            assert len(provider.chats) - asked in {answered, answered + 1}  # +1: it failed when the answer was stored
        until(lambda: ask(worker.port, home.keys["admin"], BODY).status == 200, "answers, once there is room")
        home.settle()
        assert_settled(home)
