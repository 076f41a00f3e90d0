"""Lines by their index: finds them in segments without reading each segment from its start again.

Of a pruned segment the lines that were kept are found, each under its own index. Reads only, and believes what it
reads; who needs proof asks `proofs` or `verify`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from threading import Lock

from runtime.audit.envelope import parse_line
from runtime.audit.errors import EnvelopeError, LogDamaged
from runtime.audit.pruned import kept_lines, list_gaps
from runtime.audit.regular import open_regular
from runtime.audit.segments import Segment, list_segments

_BLOCK = 1 << 20
_SEQ = re.compile(rb'"seq":([0-9]{1,16})[,}]')


class LineFinder:
    """The lines of one log. Safe to share between threads; sees what is appended later."""

    def __init__(self, logs_dir: Path) -> None:
        self._dir = logs_dir
        self._lock = Lock()
        # For each segment file: how many line ends there are up to the end of each whole block.
        self._ends: dict[Path, list[int]] = {}

    def end(self) -> int:
        """How many complete lines there are, covered by a checkpoint or not.

        Raises:
            LogDamaged: the segments cannot be told apart or read.
        """
        segments = list_segments(self._dir)
        if not segments:
            return 0
        try:
            with self._lock:
                return segments[-1].first + self._count(segments[-1].path)
        except OSError as error:
            raise LogDamaged(f"lines cannot be read: {error.strerror}") from error

    def lines(self, start: int, end: int) -> list[tuple[int, bytes]]:
        """(index, line without LF) for the indexes [start, end); fewer where lines were pruned or the log ends before.

        Raises:
            LogDamaged: a segment cannot be read, or what is found under these indexes says that it is something else.
        """
        try:
            try:
                return self._find(start, end)
            except FileNotFoundError:
                return self._find(start, end)  # a segment was pruned meanwhile
        except OSError as error:
            raise LogDamaged(f"lines cannot be read: {error.strerror}") from error

    def _find(self, start: int, end: int) -> list[tuple[int, bytes]]:
        segments = list_segments(self._dir)
        gaps = list_gaps(self._dir, segments)
        borders = sorted({*(segment.first for segment in segments), *(gap.first for gap in gaps)})
        following = dict(pairwise(borders))
        found: list[tuple[int, bytes]] = []
        for segment in segments:
            low, high = max(start, segment.first), min(end, following.get(segment.first, end))
            if low < high:
                found += enumerate(self._within(segment, low, high), low)
        for gap in gaps:
            if start < gap.end and gap.first < end:
                found += [(index, line) for index, line in kept_lines(gap) if start <= index < end]
        return sorted(found)

    def _within(self, segment: Segment, low: int, high: int) -> list[bytes]:
        with self._lock:
            for _ in range(2):
                lines = self._read(segment, low - segment.first, high - segment.first)
                if not lines or _is_seq(lines[0], low):
                    return lines
                # Lines that were never acknowledged can be cut off and others written in their place.
                self._ends.pop(segment.path, None)
        raise LogDamaged(f"line {low} says that it is another one")

    def _read(self, segment: Segment, low: int, high: int) -> list[bytes]:
        block, before = self._block_of(segment.path, low)
        lines: list[bytes] = []
        with open_regular(segment.path) as file:
            file.seek(block * _BLOCK)
            data = file.read(_BLOCK)
            at = 0
            for _ in range(low - before):
                at = data.find(b"\n", at) + 1
                if at == 0:
                    return []
            file.seek(block * _BLOCK + at)
            while len(lines) < high - low and (line := file.readline(_BLOCK)).endswith(b"\n"):
                lines.append(line[:-1])
        return lines

    def _block_of(self, path: Path, line: int) -> tuple[int, int]:
        """The block in which line `line` of a file begins, and how many line ends there are before that block."""
        if line == 0:
            return 0, 0
        ends = self._ends.setdefault(path, [])
        if not ends or ends[-1] < line:
            self._extend(path, ends, line)
        block = bisect_left(ends, line)
        return block, ends[block - 1] if block else 0

    def _extend(self, path: Path, ends: list[int], line: int | None) -> int:
        """Count line ends block by block, up to `line` of them; how many there are in all that was read."""
        with open_regular(path) as file:
            file.seek(len(ends) * _BLOCK)
            total = ends[-1] if ends else 0
            while (line is None or total < line) and (data := file.read(_BLOCK)):
                ends_here = data.count(b"\n")
                # No line is that long: whatever this is, it may go on for ever.
                if not ends_here and len(data) == _BLOCK:
                    raise LogDamaged(f"a line without end in {path.name}")
                total += ends_here
                # The last block still grows.
                if len(data) == _BLOCK:
                    ends.append(total)
            return total

    def _count(self, path: Path) -> int:
        return self._extend(path, self._ends.setdefault(path, []), None)


@lru_cache(maxsize=8)
def finder_of(logs_dir: Path) -> LineFinder:
    """The one finder of a log in this process."""
    return LineFinder(logs_dir)


def _is_seq(line: bytes, index: int) -> bool:
    try:
        match = _SEQ.search(parse_line(line).payload)
    except EnvelopeError:
        return False
    return match is not None and int(match[1]) == index
