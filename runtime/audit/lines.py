"""Cutting segments into runs of lines for `scan`, and running these over all cores in order.

Memory stays flat: one block is read at a time, and only a few runs are on their way. Notes what is wrong with the files
themselves.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from hashlib import sha256
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit.errors import AuditError, LogDamaged
from runtime.audit.prune_check import Left
from runtime.audit.pruned import KEPT_DIR, Gap, kept_lines, list_gaps, read_kept, tile_leaves
from runtime.audit.regular import open_regular
from runtime.audit.report import Report
from runtime.audit.scan import Chunk, Remains, Scanned, scan_chunk, scan_remains
from runtime.audit.segments import EVENTS_DIR, Segment
from runtime.audit.survey import reason_of

BLOCK = 4 << 20  # bytes of lines in one run; far above the longest line
_MOST_LINES = 1 << 14  # lines in one run; only a forged block holds more
_PARALLEL_FROM = 6 << 20  # bytes of log; below that, starting processes costs more than they save


def cores() -> int:
    """How many processes this one may keep busy."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Cutter:
    """Cuts segments into runs. After iteration, `end` is the index after the last line.

    Attributes:
        end: how many leaves there are, by the names of the segments and the lines in them.
        gaps: indexes before which the order of the lines is broken: the tree cannot be followed over them.
        pruned: what is left of the segments that are said to have been pruned.
    """

    def __init__(self, logs_dir: Path, segments: Sequence[Segment], report: Report) -> None:
        self._dir = logs_dir
        self._segments = segments
        self._report = report
        self._remains = {gap.first: gap for gap in list_gaps(logs_dir, segments)}
        self.pruned: list[Left] = []
        self.end = 0
        self.gaps: set[int] = set()

    def __iter__(self) -> Iterator[tuple[Chunk | Remains, int]]:
        """Runs in order, with how many lines each has."""
        for segment in self._segments:
            while self.end < segment.first and (gap := self._remains.get(self.end)) is not None:
                if gap.end > segment.first:
                    break
                yield from self._what_is_left(gap)
            yield from self._cut(segment, last=segment is self._segments[-1])

    def _what_is_left(self, gap: Gap) -> Iterator[tuple[Remains, int]]:
        kept: list[tuple[int, bytes]] = []
        digest = ""
        try:
            data = read_kept(gap)
            kept, digest = kept_lines(gap, data), sha256(data).hexdigest()
        except LogDamaged as error:
            self._report.problem("pruned.kept", file=f"{KEPT_DIR}/{gap.path.name}", reason=str(error))
        self.pruned.append(Left(gap.first, gap.end, digest))
        try:
            for first in range(gap.first, gap.end, _MOST_LINES):
                end = min(gap.end, first + _MOST_LINES)
                leaves = b"".join(tile_leaves(self._dir, first, end))
                lines = tuple((index, line) for index, line in kept if first <= index < end)
                self.end = end
                yield Remains(first, leaves, lines), end - first
        except LogDamaged as error:
            self._report.problem("pruned.hashes", first=gap.first, last=gap.end - 1, reason=str(error))
            self.gaps.add(gap.end)
            self.end = gap.end

    def _cut(self, segment: Segment, *, last: bool) -> Iterator[tuple[Chunk, int]]:
        name = f"{EVENTS_DIR}/{segment.path.name}"
        offset = 0
        try:
            with open_regular(segment.path) as file:
                data = file.read(BLOCK)
                if not data:
                    # A crash right after a file was made leaves it empty; it holds no line and hides none.
                    self._report.remark("segment.empty", file=name)
                    return
                self._begin(segment, name)
                while data:
                    length = data.rfind(b"\n") + 1
                    if length == 0:
                        self._rest(name, len(data), last=last)
                        return
                    count = data.count(b"\n", 0, length)
                    if count > _MOST_LINES:
                        length, count = _first_lines(data, _MOST_LINES), _MOST_LINES
                    yield Chunk(str(segment.path), offset, length, self.end), count
                    self.end += count
                    offset += length
                    file.seek(offset)
                    data = file.read(BLOCK)
        except OSError as error:
            self._report.problem("file.unreadable", file=name, reason=reason_of(error))
            self.gaps.add(self.end)

    def _begin(self, segment: Segment, name: str) -> None:
        if segment.first > self.end:
            self._report.problem("segment.missing", file=name, first=self.end, last=segment.first - 1)
        elif segment.first < self.end:
            self._report.problem("segment.overlap", file=name, index=segment.first)
        if segment.first != self.end:
            self.gaps.add(segment.first)
            self.end = segment.first

    def _rest(self, name: str, length: int, *, last: bool) -> None:
        if length == BLOCK:
            self._report.problem("line.endless", file=name, index=self.end)
            self.gaps.add(self.end)
        elif last:
            self._report.remark("lines.torn", file=name, bytes=length, index=self.end)
        else:
            self._report.problem("segment.torn", file=name, index=self.end)


def _first_lines(data: bytes, count: int) -> int:
    """The length of the first `count` lines."""
    at = 0
    for _ in range(count):
        at = data.find(b"\n", at) + 1
    return at


def scan_all(
    cutter: Cutter, keys: Mapping[str, Ed25519PublicKey], size: int, jobs: int
) -> Iterator[tuple[Chunk | Remains, int, Scanned]]:
    """All runs in order, scanned; in other processes where the log is long enough for that to pay.

    Args:
        cutter: where the runs come from.
        keys: the record keys by key id.
        size: bytes of log, roughly.
        jobs: how many processes.

    Raises:
        AuditError: a process died.
        OSError: a file cannot be read any more.
    """
    if jobs < 2 or size < _PARALLEL_FROM:
        for chunk, count in cutter:
            yield chunk, count, _scan_either(chunk, keys)
        return
    raw = {keyid: key.public_bytes_raw() for keyid, key in keys.items()}
    # Spawned, not forked: the caller may have threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _adopt, (raw,)) as pool:
        waiting: deque[tuple[Chunk | Remains, int, Future[Scanned]]] = deque()
        runs = iter(cutter)
        try:
            while True:
                waiting.extend(
                    (chunk, count, pool.submit(_scan, chunk)) for chunk, count in islice(runs, 3 * jobs - len(waiting))
                )
                if not waiting:
                    return
                chunk, count, future = waiting.popleft()
                yield chunk, count, future.result()
        except BrokenProcessPool as error:
            raise AuditError("a process that was checking lines died") from error
        finally:
            for _, _, future in waiting:
                future.cancel()


_keys: dict[str, Ed25519PublicKey] = {}


def _adopt(raw: Mapping[str, bytes]) -> None:
    """Give a worker process its keys."""
    _keys.update({keyid: Ed25519PublicKey.from_public_bytes(value) for keyid, value in raw.items()})


def _scan(chunk: Chunk | Remains) -> Scanned:
    return _scan_either(chunk, _keys)


def _scan_either(chunk: Chunk | Remains, keys: Mapping[str, Ed25519PublicKey]) -> Scanned:
    return scan_remains(chunk, keys) if isinstance(chunk, Remains) else scan_chunk(chunk, keys)
