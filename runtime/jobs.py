"""Work that outlives a request: exports, and verifications of the log, each in a process and a folder of its own.

A job is a folder below `exports/` (0700, files 0600), so every worker can say how it stands, whoever began it, and a
worker that dies takes none with it. A job runs while its process holds the lock on `alive`. After a day it goes, by
housekeeping or by the next job. What a job may read, and the records about it, are the doors' business.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from memory.ids import random_ref
from runtime.audit.task import BUNDLE, PROGRESS, RESULT, TASK
from runtime.errors import Limited, Unavailable
from runtime.ledger import now_ms

Kind = Literal["export", "verify"]
State = Literal["running", "done", "failed"]
DAY_MS = 86_400_000
MOST_KEPT = 16  # of one kind
MOST_RUNNING: dict[Kind, int] = {"export": 2, "verify": 1}
ROOM = 512 << 20  # bytes that must stay free: the log comes first
_SECONDS: dict[Kind, int] = {"export": 1800, "verify": 7200}
_JOB, _ALIVE, _LOCK = "job.json", "alive", ".lock"
_ID = re.compile(r"(?:export|verify)_[A-Za-z0-9_-]{16,64}")
_PACKAGE_ROOT = Path(__file__).resolve().parent.parent
_MOST_JSON = 1 << 22  # bytes


@dataclass(frozen=True, slots=True)
class Job:
    """How a job stands.

    Attributes:
        owner: the principal whose it is.
        created: milliseconds since 1970.
        record_id: of the record that says who asked for it.
        done, total: how far it is; 0 where nothing is known.
        result: what `runtime.audit.task` left when it ended; a `code` where it failed.
        bundle: the exported file, where there is one.
    """

    job_id: str
    kind: Kind
    owner: str
    created: int
    record_id: str
    state: State
    done: int = 0
    total: int = 0
    result: dict[str, Any] = field(default_factory=dict)
    bundle: Path | None = None


class Jobs:
    """The jobs of one home, as one worker sees them; those that it began end with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mine: dict[str, subprocess.Popen[bytes]] = {}

    def reserve(self, kind: Kind, owner: str, *, needed: int) -> str:
        """Take a place for a job, which `begin` or `drop` must follow; its id. Blocking.

        Args:
            kind: of the job.
            owner: the principal whose it will be.
            needed: bytes that it may write.

        Raises:
            Limited: `job.busy`, as many as may run are running; `job.too_many`, as many as may be kept are kept.
            Unavailable: `job.no_room` on the disk.
        """
        with self._alone():
            sweep(self._folder)
            kept = [job for job in self.all() if job.kind == kind]
            if sum(job.state == "running" for job in kept) >= MOST_RUNNING[kind]:
                raise Limited("job.busy", "Another one is running: try again when it has ended.", retry_after=5)
            if len(kept) >= MOST_KEPT:
                raise Limited("job.too_many", "Too many are kept: delete one, or try again tomorrow.", retry_after=3600)
            check_room(self._folder, needed)
            job_id = random_ref(f"{kind}_")
            (self._folder / job_id).mkdir(mode=0o700)
            # Until the process has the lock, this one stands for it.
            self._write(job_id, _JOB, {"kind": kind, "owner": owner, "created": now_ms(), "worker": os.getpid()})
        return job_id

    def begin(self, job_id: str, task: dict[str, Any], record_id: str) -> None:
        """Start the process of a reserved job. Blocking."""
        folder = self._folder / job_id
        job = json.loads((folder / _JOB).read_bytes())
        self._write(job_id, TASK, {**task, "kind": job["kind"], "seconds": _SECONDS[job["kind"]]})
        with open(os.open(folder / _ALIVE, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            self._mine[job_id] = subprocess.Popen(
                command("runtime.audit.task", str(folder)),
                cwd=folder,
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(alive.fileno(),),
                start_new_session=True,
            )
            self._write(job_id, _JOB, {**job, "record_id": record_id, "worker": None})

    def drop(self, job_id: str) -> None:
        """End a job and remove what it left. Blocking."""
        self._end(job_id)
        shutil.rmtree(self._folder / job_id, ignore_errors=True)

    def find(self, job_id: str) -> Job | None:
        """How a job stands; None where there is none of that id. Blocking."""
        if _ID.fullmatch(job_id) is None:
            return None
        self._reap()
        folder = self._folder / job_id
        job = _read(folder / _JOB)
        if job is None:
            return None
        result, progress = _read(folder / RESULT), _read(folder / PROGRESS) or {}
        state: State = "running"
        if result is None and not _runs(folder, job):
            result = _read(folder / RESULT) or {"state": "failed", "code": _LOST_CODES["interrupted"]}
        if result is not None:
            state = "done" if result.get("state") == "done" else "failed"
        bundle = folder / BUNDLE
        return Job(
            job_id,
            job["kind"],
            job["owner"],
            job["created"],
            job.get("record_id") or "",
            state,
            progress.get("done", 0),
            progress.get("total", 0),
            result or {},
            bundle if state == "done" and bundle.is_file() else None,
        )

    def all(self) -> list[Job]:
        """Every job that is kept, the newest first. Blocking."""
        names = [path.name for path in self._folder.glob("*_*")] if self._folder.is_dir() else []
        jobs = [job for name in names if (job := self.find(name)) is not None]
        return sorted(jobs, key=lambda job: (job.created, job.job_id), reverse=True)

    def close(self) -> None:
        """End what this worker began."""
        for job_id in list(self._mine):
            self._end(job_id)

    @contextlib.contextmanager
    def scratch(self, needed: int) -> Iterator[Path]:
        """A private folder for one request, gone afterwards. Raises: Unavailable (`job.no_room`)."""
        self._make_folder()
        check_room(self._folder, needed)
        with tempfile.TemporaryDirectory(prefix="upload-", dir=self._folder, ignore_cleanup_errors=True) as name:
            yield Path(name)

    def _end(self, job_id: str) -> None:
        process = self._mine.pop(job_id, None)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _reap(self) -> None:
        for job_id, process in list(self._mine.items()):
            if process.poll() is not None:
                self._mine.pop(job_id, None)

    def _write(self, job_id: str, name: str, value: dict[str, Any]) -> None:
        path = self._folder / job_id / name
        scratch = path.with_suffix(".part")
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(value, file)
        os.replace(scratch, path)

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Against the other workers, and the other threads of this one."""
        self._make_folder()
        with open(os.open(self._folder / _LOCK, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


_LOST_CODES = {"interrupted": "job.interrupted"}


def sweep(folder: Path) -> int:
    """Remove what is older than a day; how much that was. Blocking."""
    removed = 0
    for path in (*folder.glob("export_*"), *folder.glob("verify_*"), *folder.glob("upload-*")):
        with contextlib.suppress(OSError):
            if now_ms() - path.stat().st_ctime * 1000 > DAY_MS or _age(path) > DAY_MS:
                shutil.rmtree(path, ignore_errors=True)
                removed += 1
    return removed


def check_room(folder: Path, needed: int) -> None:
    """Return where there is room for so many bytes beside what the log needs. Raises: Unavailable."""
    if shutil.disk_usage(folder).free < needed + ROOM:
        raise Unavailable("job.no_room", "There is not enough room on the disk for this.")


def command(module: str, *words: str) -> list[str]:
    """The command line of one of our own processes; its folder is no place to import from."""
    return [sys.executable, "-P", "-m", module, *words]


def environment(folder: Path) -> dict[str, str]:
    """What such a process gets of ours: the code, and a folder for temporary files. No secret."""
    return {"PYTHONPATH": str(_PACKAGE_ROOT), "TMPDIR": str(folder)}


def _age(path: Path) -> int:
    job = _read(path / _JOB)
    return 0 if job is None else now_ms() - int(job["created"])


def _read(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MOST_JSON))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _runs(folder: Path, job: dict[str, Any]) -> bool:
    """Whether a process works on it, or a worker is about to start one."""
    if job.get("worker") is not None:
        return Path(f"/proc/{job['worker']}").exists()
    try:
        with (folder / _ALIVE).open("rb") as alive:
            fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
