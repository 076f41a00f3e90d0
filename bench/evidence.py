"""The log by itself: group commit, start-up and append with a long log, offline verification."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.service import settings_of
from runtime.audit.client import SocketLog
from runtime.audit.record import Draft, new_record_id
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


def verification(settings: Settings) -> tuple[float, int]:
    """(seconds of `verify` over the whole log, all cores; peak memory of its largest process in MB)."""
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
    return seconds, int(done.stdout.split()[-1])


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
