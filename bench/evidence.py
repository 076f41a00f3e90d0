"""The log by itself: group commit, start-up and append with a long log, offline verification, bytes on the disk."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.service import settings_of
from runtime.audit.client import SocketLog
from runtime.audit.keys import load_keyring
from runtime.audit.log import EventLog
from runtime.audit.proofs import covered_size
from runtime.audit.record import Draft, new_record_id, prepare
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


async def _in_flight(socket: Path, callers: int, each: int, meet: Barrier) -> tuple[float, float, list[float]]:
    log = SocketLog(socket)
    times: list[float] = []
    await log.append(draft())  # connected
    meet.wait()
    begun = perf_counter()
    await asyncio.gather(*(_append(log, each, times) for _ in range(callers)))
    ended = perf_counter()
    await log.aclose()
    return begun, ended, times


_meet: Barrier


def _know(meet: Barrier) -> None:
    global _meet  # noqa: PLW0603 - the one way to hand a barrier to a process of a pool
    _meet = meet


def _client(socket: Path, callers: int, each: int) -> tuple[float, float, list[float]]:
    return asyncio.run(_in_flight(socket, callers, each, _meet))


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


def group_commit(settings: Settings, *, callers: int, each: int, processes: int) -> tuple[float, list[float]]:
    """(durable records a second, seconds of each append) with so many drafts in flight from so many processes."""
    context = multiprocessing.get_context("spawn")
    words = (settings.writer_socket, callers // processes, each)
    with context.Pool(processes, _know, (context.Barrier(processes),)) as pool:
        parts = pool.starmap(_client, [words] * processes, chunksize=1)
    times = [time for _, _, found in parts for time in found]
    seconds = max(ended for _, ended, _ in parts) - min(begun for begun, _, _ in parts)
    return len(times) / seconds, times


def fill(home: Path, records: int) -> Settings:
    """A log of so many records, written by the log's own code but in batches larger than any that callers make."""
    settings = settings_of(home)
    prepare_home(settings)
    LogWriter(settings.logs_dir, settings.keys_dir, software=software()).close()  # its first record carries the keys
    log = EventLog(settings.logs_dir, load_keyring(settings.keys_dir, settings.logs_dir), software=software())
    while log.size < records:
        log.append([prepare(draft()) for _ in range(min(2048, records - log.size))])
    log.close()
    # As if their views had been written: whoever catches up with them would be measured too.
    views = settings.logs_dir / "decisions"
    views.mkdir(mode=0o700, exist_ok=True)
    (views / ".next").write_text(f"{log.size}\n", "ascii")
    return settings


def appends(*logs: Settings, rounds: int) -> list[list[float]]:
    """Seconds of each of `rounds` appends to each log, one at a time, each log first as often as last."""
    return asyncio.run(_appends(logs, rounds))


async def _appends(logs: tuple[Settings, ...], rounds: int) -> list[list[float]]:
    clients = [SocketLog(settings.writer_socket) for settings in logs]
    times: list[list[float]] = [[] for _ in logs]
    pairs = list(zip(clients, times, strict=True))
    for _ in range(rounds):
        for client, found in pairs:
            await _append(client, 1, found)
        pairs.reverse()
    for client in clients:
        await client.aclose()
    return times


def start_up(settings: Settings) -> float:
    """Seconds until a writer over this log is ready to append (its own start record included)."""
    begun = perf_counter()
    opened = LogWriter(settings.logs_dir, settings.keys_dir, software=software())
    seconds = perf_counter() - begun
    opened.close()
    return seconds


def bytes_on_disk(settings: Settings) -> dict[str, int]:
    """What a home that is not served takes: log lines, hash tiles, views for people, the database."""
    for path in (settings.home / "data").glob("*.sqlite*"):
        if not path.name.endswith(("-wal", "-shm")):
            with closing(sqlite3.connect(path)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    logs = settings.logs_dir
    found = {"log lines": _bytes(logs / "events"), "tiles": _bytes(logs / "tile")}
    found["views"] = _bytes(logs / "decisions") + _bytes(logs / "safeties")
    found["database"] = _bytes(settings.home / "data")
    return found


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


# Each verification is a process of its own, so that nothing of the benchmark's memory is counted with it.
_VERIFY = """
import re, resource, sys
from pathlib import Path
from runtime.audit.verify import main
code = main(sys.argv[1:])
own = int(re.search("VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1])  # since exec, unlike ru_maxrss
print("peak", max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024)
sys.exit(code)
"""


def verification(settings: Settings) -> tuple[int, float, int]:
    """(records, seconds of `verify` over the whole log on all cores, peak memory of its largest process in MB)."""
    size = covered_size(settings.logs_dir)
    words = [str(settings.logs_dir), "--root-key", str(settings.keys_dir / "root.pub.pem")]
    begun = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _VERIFY, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    seconds = perf_counter() - begun
    if done.returncode != 0:
        sys.exit(f"the log of the benchmark does not verify: {done.stdout[:500]}")
    return size, seconds, int(done.stdout.split()[-1])


def signatures_a_second() -> float:
    """Bare Ed25519 verifications of records of this size on all cores together: no verifier here can be faster."""
    count = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("spawn").Pool(count) as pool:
        return sum(pool.map(_bare_signatures, range(count)))


def _bare_signatures(_: int) -> float:
    key, message = Ed25519PrivateKey.generate(), os.urandom(1800)
    signature, public = key.sign(message), key.public_key()
    begun = perf_counter()
    for _ in range(10_000):
        public.verify(signature, message)
    return 10_000 / (perf_counter() - begun)
