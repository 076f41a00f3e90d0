"""The log's disk fails in the middle of a write, a sync, or while the checkpoint is put in place; the database is locked.

In process, with file operations that fail on demand: a disk that returns errors cannot be had otherwise. Whatever the log
could not vouch for is refused from then on, without asking the model, until a restart has looked at what is really there.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import memory.database
from memory.sqlite import begin_immediate
from runtime.audit.client import InProcessLog
from runtime.audit.files import Files
from runtime.audit.writer import LogWriter
from runtime.backends.scripted import Pause, Script, ScriptedBackend
from runtime.bootstrap import prepare_home
from runtime.housekeeping import Housekeeper
from runtime.software import software
from tests.faults.evidence import committed, output_commit
from tests.faults.machine import rows, short_leases
from tests.integration.doors import (
    assert_log_whole,
    engine,
    joined,
    let_on,
    on_loop,
    record,
    records,
    streaming,
    until,
)
from tests.integration.harness import Filagent, running, settings_for


class BrokenFiles(Files):
    """Fails `broken` (the name of an operation) with `code`; a write may leave its first half behind."""

    def __init__(self) -> None:
        self.broken = ""
        self.code = 0
        self.half = False

    def _fail(self, name: str) -> None:
        if self.broken == name:
            raise OSError(self.code, os.strerror(self.code))

    def write(self, fd: int, data: bytes | memoryview) -> int:
        if self.broken == "write" and self.half:
            super().write(fd, data[: len(data) // 2])
        self._fail("write")
        return super().write(fd, data)

    def sync(self, fd: int) -> None:
        self._fail("sync")
        super().sync(fd)

    def swap(self, path: Path, data: bytes) -> None:
        self._fail("swap")
        super().swap(path, data)


BREAKS = [
    ("write", errno.EIO, False),
    ("write", errno.EIO, True),
    ("write", errno.EROFS, False),
    ("write", errno.EFBIG, True),
    ("sync", errno.EIO, False),
    ("sync", errno.EROFS, False),
    ("swap", errno.EROFS, False),
    ("swap", errno.EIO, False),
]


def started(
    home: Path, backend: ScriptedBackend, files: Files | None = None
) -> contextlib.AbstractContextManager[Filagent]:
    settings = settings_for(home, FILAGENT_CONFIG=str(short_leases(home)))
    prepare_home(settings)
    writer = LogWriter(settings.logs_dir, settings.keys_dir, software=software(), files=files)
    return running(home, backend, log=InProcessLog(writer), settings=settings, engine=engine())


def sweep(app: Filagent) -> None:
    """Housekeeping, as if all leases had run out."""
    with contextlib.closing(sqlite3.connect(app.settings.home / "data" / "filagent.sqlite", timeout=20)) as connection:
        connection.execute("UPDATE turns SET lease_expires = 0 WHERE closed_at IS NULL")
        connection.commit()
    ledger = app.services.ledger
    keeper = Housekeeper(app.settings, ledger.database, ledger.keys, app.log)
    on_loop(app, keeper.sweep())
    assert rows(app.settings, "SELECT id FROM turns WHERE closed_at IS NULL") == []


@pytest.mark.parametrize(("operation", "code", "half"), BREAKS)
def test_a_log_that_failed_once_refuses_until_it_is_restarted(
    tmp_path: Path, operation: str, code: int, half: bool
) -> None:
    files, backend = BrokenFiles(), ScriptedBackend()
    with started(tmp_path, backend, files) as app:
        assert app.chat("Before.").status == 200
        files.broken, files.code, files.half = operation, code, half
        for _ in range(2):
            refused = app.chat("Meanwhile.")
            assert (refused.status, refused.json["code"]) == (503, "evidence.unavailable")
            files.broken = ""  # the disk is well again; what it lost is not known
        assert app.request("GET", "/ready").json["checks"]["evidence"] == "unavailable"
        assert len(backend.sent) == 1
    with started(tmp_path, backend) as app:
        assert app.chat("After.").status == 200
        sweep(app)
        assert_log_whole(app)
        turns = [entry["turn_ref"] for entry in records(app, "turn")]
        assert len(turns) == len(set(turns))
        assert {entry["turn_ref"] for entry in records(app, "model.intent")} <= set(turns)
        assert len(backend.sent) == 2


# a locked database ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(app: Filagent) -> Iterator[None]:
    """Another process holds the write lock and does not let go."""
    path = app.settings.home / "data" / "filagent.sqlite"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@pytest.fixture
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the process had been asked to wait for the lock a moment only."""
    monkeypatch.setattr(
        memory.database, "begin_immediate", lambda driver, **_: begin_immediate(driver, busy_seconds=0.1)
    )


def assert_storage_failed(app: Filagent, error: dict[str, Any], status: str) -> dict[str, Any]:
    assert error["code"] == "storage.unavailable"
    said = record(app, error["decision_id"])
    assert (said["event"], said["decision"], said["effect"]) == ("turn", "error", {"status": status})
    assert "storage.unavailable" in said["reasons"]
    return said


@pytest.mark.usefixtures("_short_wait")
def test_a_locked_database_fails_the_turn_before_anything_is_sent(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    with started(tmp_path, backend) as app:
        with locked(app):
            refused = app.chat("Hello.")
            assert refused.status == 503
            assert refused.headers["retry-after"]
            assert_storage_failed(app, refused.json, "none")
        assert backend.sent == []
        assert app.chat("Hello.").status == 200
        sweep(app)
        assert_log_whole(app)


WORDS = "Here is the beginning of a long and harmless answer, "


@pytest.fixture
def held() -> Pause:
    return Pause(asyncio.Event())


@pytest.fixture
def app(tmp_path: Path, held: Pause) -> Iterator[Filagent]:
    with started(tmp_path, ScriptedBackend([Script((WORDS, held, "and its end.")), Script()])) as running_one:
        yield running_one
        assert running_one.chat("And now?").status == 200
        sweep(running_one)
        assert_log_whole(running_one)


@pytest.mark.usefixtures("_short_wait")
def test_a_database_locked_during_generation_fails_a_plain_turn(app: Filagent, held: Pause) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(app.chat, "Hello.")
        until(held.reached.is_set)
        with locked(app):
            let_on(app, held.until)
            assert asked.result().status == 503
        said = assert_storage_failed(app, asked.result().json, "none")
        assert output_commit(said) is None


@pytest.mark.usefixtures("_short_wait")
def test_a_database_locked_during_a_stream_leaves_what_was_released_committed_to(app: Filagent, held: Pause) -> None:
    with streaming(app, "Hello.") as stream:
        assert stream.status == 200
        with locked(app):
            let_on(app, held.until)
            events = stream.rest()
    said = assert_storage_failed(app, events[-1][1], "partial")
    salt = base64.b64decode(events[-1][1]["receipt"]["salts"]["output"])
    assert output_commit(said) == committed(salt, joined(events))
