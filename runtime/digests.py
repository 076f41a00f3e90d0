"""Counts made from the log, segment by segment: what statistics and the policy's history are answered from.

A sealed segment never changes, so what is counted in it is counted once and kept under `data/digests/` (made again
where it is missing); of the segment that is being written, what was counted so far stays in memory. So a question
costs what was appended since the last one. A question may read for a limited time only: what it did not get to is
said, and the next one goes on from there. Holds counts, codes and names of models, nothing of anybody.

Blocking, in one thread of its own. What is made of the counts is `stats`' business.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeVar

from runtime import stats
from runtime.audit import reader
from runtime.audit.segments import Segment, list_segments

T = TypeVar("T")
Grain = Literal["hours", "minutes"]
SECONDS = 1.0  # that one question may read
_VERSION = 1
_IN_MEMORY = 64  # digests
_MINUTES_KEPT = 8 * 86_400  # seconds that counts by the minute stay on the disk
_LOOK = 256  # lines between two looks at the clock
_TURN, _LOADED, _DENIED = b'"event":"turn"', b'"event":"policy.loaded"', b'"event":"denials.counted"'


@dataclass(slots=True)
class Digest:
    """What is counted in one segment up to the line before `next`.

    Attributes:
        hours, minutes: see `stats`; None where only the other one was read back from the disk.
        policies: (index, time, revision) of each `policy.loaded`.
    """

    first: int
    next: int
    hours: stats.Table | None = None
    minutes: stats.Table | None = None
    policies: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Since:
    """Since when a policy is in force without a break, and whether the log was read far enough to be sure."""

    time: str | None
    log_index: int | None
    exact: bool


class Digests:
    """The counts of one log."""

    def __init__(self, logs_dir: Path, folder: Path, *, seconds: float = SECONDS) -> None:
        """Args: the log; where counts are kept; how long one question may read."""
        self._logs = logs_dir
        self._folder = folder
        self._seconds = seconds
        self._known: OrderedDict[int, Digest] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="digests")

    async def summary(self, begin: datetime, end: datetime, bucket: stats.Bucket) -> dict[str, Any]:
        """What the log says of [begin, end), both at the start of a bucket (`stats.summary`), and `complete`.

        Raises:
            AuditError, OSError: the log cannot be read.
        """
        return await self._run(partial(self._summary, begin, end, bucket))

    async def policy_since(self, revision: str) -> Since:
        """Since when the policy of this revision is in force. Raises: AuditError, OSError."""
        return await self._run(partial(self._policy_since, revision))

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _summary(self, begin: datetime, end: datetime, bucket: stats.Bucket) -> dict[str, Any]:
        deadline = time.monotonic() + self._seconds
        grain: Grain = "minutes" if bucket == "minute" else "hours"
        tables, complete = [], True
        for digest, whole in self._newest_first(grain, deadline, begin, end):
            complete = complete and whole
            tables.append(getattr(digest, grain))
        told = stats.summary(tables, int(begin.timestamp()), int(end.timestamp()), bucket)
        return {"complete": complete, **told}

    def _policy_since(self, revision: str) -> Since:
        deadline = time.monotonic() + self._seconds
        found: tuple[int, str, str] | None = None
        for digest, whole in self._newest_first("hours", deadline):
            if not whole:
                return Since(found[1] if found else None, found[0] if found else None, exact=False)
            for loaded in reversed(digest.policies):
                if loaded[2] != revision:
                    return Since(found[1] if found else None, found[0] if found else None, exact=True)
                found = loaded
        return Since(found[1] if found else None, found[0] if found else None, exact=True)

    def _newest_first(
        self, grain: Grain, deadline: float, begin: datetime | None = None, end: datetime | None = None
    ) -> Iterator[tuple[Digest, bool]]:
        """The digest of each segment that may be concerned, and whether all of it could be read in time."""
        segments = list_segments(self._logs)
        self._tidy(segments)
        covered = reader.covered_size(self._logs)
        ends: list[Segment | None] = [following for _, following in pairwise(segments)]
        for segment, following in reversed(list(zip(segments, [*ends, None], strict=True))):
            if _concerned(segment, following, begin, end):
                until = covered if following is None else min(following.first, covered)
                yield self._digest(segment, until, grain, deadline, sealed=following is not None)

    def _digest(
        self, segment: Segment, until: int, grain: Grain, deadline: float, *, sealed: bool
    ) -> tuple[Digest, bool]:
        digest = self._known.get(segment.first)
        if digest is None or getattr(digest, grain) is None:
            digest = self._load(segment.first, until, grain) if sealed else None
        if digest is None or digest.next > until:  # lines that were never acknowledged may be taken back
            digest = Digest(segment.first, segment.first, {}, {})
        self._remember(digest)
        if digest.next < until:
            if not self._read(digest, until, deadline):
                return digest, False
            if sealed:
                self._save(digest)
        return digest, True

    def _read(self, digest: Digest, until: int, deadline: float) -> bool:
        """Count the lines up to `until`; false where the time was over before."""
        for number, (index, line) in enumerate(reader.iter_lines(self._logs, digest.next, end=until)):
            if number % _LOOK == 0 and time.monotonic() > deadline:
                return False
            _take(digest, index, line)
            digest.next = index + 1
        digest.next = until
        return True

    def _remember(self, digest: Digest) -> None:
        before = self._known.get(digest.first)
        if before is not None and before.next == digest.next:
            digest.hours = before.hours if digest.hours is None else digest.hours
            digest.minutes = before.minutes if digest.minutes is None else digest.minutes
        self._known[digest.first] = digest
        self._known.move_to_end(digest.first)
        while len(self._known) > _IN_MEMORY:
            self._known.popitem(last=False)

    def _load(self, first: int, until: int, grain: Grain) -> Digest | None:
        try:
            found = json.loads(self._path(first, grain).read_bytes())
            if (found["version"], found["first"], found["next"]) != (_VERSION, first, until):
                return None
            table = {int(start): groups for start, groups in found["table"].items()}
            policies = [(int(index), str(at), str(revision)) for index, at, revision in found["policies"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        hours, minutes = (table, None) if grain == "hours" else (None, table)
        return Digest(first, until, hours, minutes, policies)

    def _save(self, digest: Digest) -> None:
        """Keep it; where that fails it is counted again another time."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        grains: tuple[Grain, ...] = ("hours", "minutes")
        for grain in grains:
            value = {
                "version": _VERSION,
                "first": digest.first,
                "next": digest.next,
                "policies": digest.policies,
                "table": getattr(digest, grain),
            }
            path = self._path(digest.first, grain)
            scratch = path.with_suffix(f".{os.getpid()}.new")
            with suppress(OSError), open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(json.dumps(value, separators=(",", ":")).encode())
                os.replace(scratch, path)

    def _path(self, first: int, grain: Grain) -> Path:
        return self._folder / f"{first:020d}.{grain}.json"

    def _tidy(self, segments: list[Segment]) -> None:
        """Drop what was kept of segments that are gone, and counts by the minute that have grown old."""
        present = {f"{segment.first:020d}" for segment in segments}
        oldest = time.time() - _MINUTES_KEPT
        for path in self._folder.glob("*.json"):
            with suppress(OSError):
                old = path.name.endswith(".minutes.json") and path.stat().st_mtime < oldest
                if old or path.name.partition(".")[0] not in present:
                    path.unlink()


def _concerned(segment: Segment, following: Segment | None, begin: datetime | None, end: datetime | None) -> bool:
    """Whether records of [begin, end) may stand there, by the days on which files were opened, and one more."""
    opened = _day(segment)
    closed = None if following is None else _day(following) + timedelta(days=2)
    return (end is None or opened - timedelta(days=1) < end) and (begin is None or closed is None or closed > begin)


def _day(segment: Segment) -> datetime:
    return datetime.strptime(segment.date, "%Y%m%d").replace(tzinfo=UTC)


def _take(digest: Digest, index: int, line: bytes) -> None:
    try:
        payload = b64decode(line[12 : line.index(b'"', 12)])
        if _TURN not in payload and _LOADED not in payload and _DENIED not in payload:
            return
        record = json.loads(payload)["predicate"]
        event, at = record["event"], record["time"]
        second = int(datetime.fromisoformat(at).timestamp())
        if event == "policy.loaded":
            digest.policies.append((index, at, record["policy"]["revision"]))
        elif event in {"turn", "denials.counted"} and digest.hours is not None and digest.minutes is not None:
            stats.count(digest.hours, second - second % 3600, record)
            stats.count(digest.minutes, second - second % 60, record)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return  # whether the log is whole is for the verifier to say
