"""The log by itself: group commit, start-up and append with a long log, offline verification."""

from __future__ import annotations

import asyncio
import contextlib
import io
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from bench.service import settings_of
from runtime.audit.client import SocketLog
from runtime.audit.record import Draft, new_record_id
from runtime.audit.verify import main as verify
from runtime.audit.writer import LogWriter
from runtime.bootstrap import prepare_home
from runtime.settings import Settings
from runtime.software import software
from runtime.supervisor import Supervisor


def draft() -> Draft:
    """A record of the size of a turn's."""
    ref = "t_" + new_record_id()[3:].replace("-", "")[:26]
    predicate = {
        "actor": {"type": "principal", "ref": ref, "role": "user", "auth_method": "api_key"},
        "door": "chat",
        "data_subject_refs": [ref],
        "conversation_ref": ref,
        "turn_ref": ref,
        "step": 1,
        "decision": "allow",
        "rules": ["role.user.chat.create", "guard.size", "guard.blocked_patterns", "guard.injection"],
        "reasons": [],
        "policy": {"revision": "sha256:" + "0" * 64},
        "software": software(),
        "redactions": {"in": {"EMAIL_ADDRESS": 1}, "out": {}},
        "usage": {"prompt_tokens": 60, "completion_tokens": 80, "total_tokens": 140},
        "content": [
            {"name": name, "sha256": "1" * 64, "size": 700, "key_ref": ref, "commit": "2" * 64}
            for name in ("input", "view", "output")
        ],
    }
    return Draft(new_record_id(), "turn", predicate, (("input", "1" * 64),))


async def _append(log: SocketLog, count: int, times: list[float]) -> None:
    for _ in range(count):
        made = draft()
        begun = perf_counter()
        await log.append(made)
        times.append(perf_counter() - begun)


async def _in_flight(settings: Settings, callers: int, each: int) -> tuple[float, list[float]]:
    log = SocketLog(settings.writer_socket)
    times: list[float] = []
    begun = perf_counter()
    await asyncio.gather(*(_append(log, each, times) for _ in range(callers)))
    seconds = perf_counter() - begun
    await log.aclose()
    return callers * each / seconds, times


@contextmanager
def writer(home: Path) -> Iterator[Settings]:
    """The log writer as a process of its own."""
    settings = settings_of(home)
    prepare_home(settings)
    supervisor = Supervisor(settings)
    try:
        supervisor.start(supervisor.writer())
        yield settings
    finally:
        supervisor.stop()


def group_commit(settings: Settings, *, callers: int, each: int) -> tuple[float, list[float]]:
    """(durable records a second, seconds of each append) with so many drafts in flight."""
    return asyncio.run(_in_flight(settings, callers, each))


def start_up(settings: Settings) -> float:
    """Seconds until a writer over this log is ready to append (its own start record included)."""
    begun = perf_counter()
    opened = LogWriter(settings.logs_dir, settings.keys_dir, software=software())
    seconds = perf_counter() - begun
    opened.close()
    return seconds


def verification(settings: Settings) -> tuple[float, int]:
    """(seconds of `verify` over the whole log, all cores; peak memory of its largest process in MB)."""
    begun = perf_counter()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = verify([str(settings.logs_dir), "--root-key", str(settings.keys_dir / "root.pub.pem")])
    seconds = perf_counter() - begun
    if code != 0:
        sys.exit(f"the log of the benchmark does not verify: {said.getvalue()[:500]}")
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
