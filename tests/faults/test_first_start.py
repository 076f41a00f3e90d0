"""The very first start dies at any of its file operations; the next one goes on from whatever was left."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from memory.database import Database
from memory.keys import KeyRing
from runtime.audit.client import InProcessLog
from runtime.audit.keys import ROOT_PUBLIC, load_public
from runtime.audit.verify import verify_log
from runtime.audit.writer import LogWriter
from runtime.bootstrap import first_records, prepare_home
from runtime.keys_admin import OPERATOR, create_key
from runtime.ledger import now_ms
from runtime.software import software
from tests.faults.processes import Fork
from tests.integration.harness import settings_for

#: What changes a directory or makes something durable. (What SQLite does inside its file is SQLite's promise.)
OPERATIONS = ("mkdir", "open", "replace", "rename", "link", "unlink", "fsync", "fdatasync", "chmod", "fchmod", "write")
#: Which of them, for there are some ninety and each is a start of its own: FILAGENT_TEST_STRIDE=1 takes all.
FIRST, STRIDE = 1, int(os.environ.get("FILAGENT_TEST_STRIDE", "9"))


def first_start(home: Path) -> str | None:
    """What `serve` does before any request: the first admin key, where there is none yet."""
    settings = settings_for(home)
    prepare_home(settings)
    log = InProcessLog(LogWriter(settings.logs_dir, settings.keys_dir, software=software()))

    async def records() -> str | None:
        try:
            made = await first_records(settings, log, None)
            return None if made is None else made.text
        finally:
            await log.aclose()

    return asyncio.run(records())


def start_and_die(home: Path, number: int) -> int:
    """In a fork: start, and die right after the operation of this number."""
    passed = itertools.count(1)

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*args: Any, **options: Any) -> Any:
            done = real(*args, **options)
            if next(passed) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        return operation

    for name in OPERATIONS:
        setattr(os, name, counted(getattr(os, name)))
    first_start(home)
    return 0


def test_a_first_start_that_died_anywhere_is_made_again() -> None:
    died = 0
    for number in itertools.count(FIRST, STRIDE):
        with tempfile.TemporaryDirectory(prefix="filagent-faults-") as name:
            home = Path(name)
            code = Fork(partial(start_and_die, home, number), os.environ, home / "stderr.txt", None).wait()
            if code == 0:
                break
            assert code == -signal.SIGKILL, f"at {number}: {(home / 'stderr.txt').read_text()}"
            died += 1
            assert_usable(home, number)
    assert died > 5


def assert_usable(home: Path, number: int) -> None:
    """The next start succeeds, the log is whole, and there is a way in: a key that nobody was shown is no other."""
    first_start(home)
    settings = settings_for(home)
    log = InProcessLog(LogWriter(settings.logs_dir, settings.keys_dir, software=software()))
    database, ring = Database(settings.database_url), KeyRing(settings.keys_dir)

    async def another_key() -> None:
        try:
            await create_key(
                database, ring, log, name="next", role="admin", actor=OPERATOR, expires_at=None, now=now_ms()
            )
        finally:
            await log.aclose()
            await database.aclose()

    asyncio.run(another_key())
    report = verify_log(settings.logs_dir, load_public((settings.keys_dir / ROOT_PUBLIC).read_bytes()), jobs=1)
    assert report.whole, (number, report.problems)
