"""Views for people, written behind the log: one file per decision, and a daily list of refusals.

`logs/decisions/YYYY/MM/DD/DR-*.json` holds a decided turn, decoded, with its receipt (so `verify --receipt` takes it);
`logs/safeties/blocked_YYYYMMDD.jsonl` one line per refusal, codes and counts only. They prove nothing that the log does
not, can be deleted and made again at will, and are therefore never synced. A failure here is kept and retried; it
neither slows nor stops the log, which knows nothing of its views.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from runtime.audit.checkpoint import Checkpoint, parse_checkpoint
from runtime.audit.errors import AuditError, LogLocked
from runtime.audit.files import Files
from runtime.audit.manifest import MANIFEST_SUBJECT, MAX_MANIFEST
from runtime.audit.proofs import inclusion_under, latest_checkpoint
from runtime.audit.reader import DECISIONS_DIR, LogRecord, iter_records, view_path
from runtime.audit.survey import read_limited

SAFETIES_DIR = "safeties"
_NEXT = ".next"  # in decisions/: the index of the first record that was not looked at yet
_LOCK = ".lock"
_BATCH = 256  # records between two notes of the position
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T.*")
_LOGGER = logging.getLogger(__name__)


class ViewWriter:
    """Keeps the views of a log up to date from a thread of its own. At most one per log writes; others wait for it."""

    def __init__(self, logs_dir: Path, *, interval: float = 1.0, files: Files | None = None) -> None:
        """Args: the log; seconds between two looks when nobody calls `wake`; the file operations."""
        self._dir = logs_dir
        self._interval = interval
        self._files = files or Files()
        self._due = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.error: str | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="log-views", daemon=True)
        self._thread.start()

    def wake(self, _committed: object = None) -> None:
        """There is something new; returns at once. Takes what `GroupCommit` gives its `on_committed`."""
        self._due.set()

    def close(self) -> None:
        """Stop; what was not written yet is written by the next one."""
        self._stopping = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def catch_up(self) -> int:
        """Write what is missing, in the calling thread; how many records were looked at.

        Raises:
            LogLocked: another one is writing the views.
            AuditError: the log cannot be read.
            OSError: a view cannot be written.
        """
        text = latest_checkpoint(self._dir)
        if text is None:
            return 0
        signed = parse_checkpoint(text)
        position = self._position()
        if position >= signed.size:
            return 0
        self._files.make_dir(self._dir / DECISIONS_DIR)
        self._files.make_dir(self._dir / SAFETIES_DIR)
        with _exclusive(self._dir / DECISIONS_DIR / _LOCK):
            return self._write_from(self._position(), text, signed)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self.catch_up()
                self.error = None
            except (AuditError, OSError) as error:
                if self.error is None:
                    _LOGGER.warning("the views of the log are behind: %s", error)
                self.error = str(error)
            self._due.wait(self._interval)
            self._due.clear()

    def _write_from(self, start: int, text: str, signed: Checkpoint) -> int:
        keys = (read_limited(self._dir / MANIFEST_SUBJECT, MAX_MANIFEST) or b"").decode("ascii", "replace")
        done = start
        refused: list[LogRecord] = []
        for record in iter_records(self._dir, start, end=signed.size):
            if record.record.get("event") == "turn":
                self._write_decision(record, keys, text, signed)
            if record.record.get("decision") == "deny":
                refused.append(record)
            done = record.index + 1
            if done % _BATCH == 0:
                self._note(done, refused)
                refused = []
                if self._stopping:
                    return done - start
        self._note(done, refused)
        return done - start

    def _write_decision(self, record: LogRecord, keys: str, text: str, signed: Checkpoint) -> None:
        path = view_path(self._dir, str(record.record.get("record_id")))
        if path is None:
            return
        view = record.as_json()
        receipt = {
            "record_id": view["record_id"],
            "log_index": record.index,
            "inclusion": inclusion_under(self._dir, signed, record.index),
            "checkpoint": text,
            "envelope": view.pop("line"),
            "keys": keys,
        }
        data = json.dumps(view | {"receipt": receipt}, indent=1).encode("ascii") + b"\n"
        self._files.make_dir(path.parent)
        self._files.replace(path, data, durable=False)

    def _note(self, done: int, refused: list[LogRecord]) -> None:
        """Append refusals to their days, then the position: after a crash in between they are recognised by index."""
        days: dict[str, list[LogRecord]] = {}
        for record in refused:
            match = _DAY.fullmatch(str(record.record.get("time")))
            if match is not None:
                days.setdefault("".join(match.groups()), []).append(record)
        for day, records in days.items():
            self._append_blocked(self._dir / SAFETIES_DIR / f"blocked_{day}.jsonl", records)
        self._files.replace(self._dir / DECISIONS_DIR / _NEXT, b"%d\n" % done, durable=False)

    def _append_blocked(self, path: Path, records: list[LogRecord]) -> None:
        length, last = _whole_lines(path)
        data = b"".join(_refusal(record) for record in records if record.index > last)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.ftruncate(fd, length)
            os.pwrite(fd, data, length)
        finally:
            os.close(fd)

    def _position(self) -> int:
        try:
            text = read_limited(self._dir / DECISIONS_DIR / _NEXT, 32)
        except OSError:
            return 0
        return int(text) if text and re.fullmatch(rb"[0-9]{1,16}\n", text) else 0


def rebuild(logs_dir: Path) -> int:
    """Delete all views and write them again; how many records were looked at.

    Raises:
        LogLocked: a `ViewWriter` is writing them.
        AuditError: the log cannot be read.
        OSError: a view cannot be deleted or written.
    """
    decisions = logs_dir / DECISIONS_DIR
    if decisions.is_dir():
        with _exclusive(decisions / _LOCK):
            # Only what this module writes: whatever else somebody put there stays.
            for path in (*decisions.glob("*/*/*/DR-*.json"), *(logs_dir / SAFETIES_DIR).glob("blocked_*.jsonl")):
                path.unlink(missing_ok=True)
            (decisions / _NEXT).unlink(missing_ok=True)
    return ViewWriter(logs_dir).catch_up()


def _refusal(record: LogRecord) -> bytes:
    """One refusal in codes and counts, without any reference to a person."""
    found = record.record
    actor, redactions = found.get("actor"), found.get("redactions")
    line: dict[str, Any] = {
        "log_index": record.index,
        "time": found.get("time"),
        "record_id": found.get("record_id"),
        "event": found.get("event"),
        "door": found.get("door"),
        "role": actor.get("role") if isinstance(actor, Mapping) else None,
        "rules": found.get("rules", []),
        "reasons": found.get("reasons", []),
        "redactions": redactions if isinstance(redactions, Mapping) else {},
    }
    return json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"


def _whole_lines(path: Path) -> tuple[int, int]:
    """The length of a list up to its last LF, and the log index of its last line (-1 where there is none)."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            start = max(0, end - (1 << 16))
            file.seek(start)
            tail = file.read(end - start)
    except FileNotFoundError:
        return 0, -1
    length = tail.rfind(b"\n") + 1
    lines = tail[:length].splitlines()
    try:
        last = json.loads(lines[-1])["log_index"] if lines else -1
    except (ValueError, KeyError, TypeError):
        last = -1
    return start + length, last if isinstance(last, int) else -1


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LogLocked("another process writes the views of this log") from error
        yield
    finally:
        with suppress(OSError):
            os.close(fd)
