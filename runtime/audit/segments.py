"""Segment files: their names, and reading lines from them, forwards and from the end.

Only bytes are handled here: what a line means and whether it may be believed is for `recovery` and `verify` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.audit.errors import LogDamaged
from runtime.audit.regular import open_regular

EVENTS_DIR = "events"
_NAME = re.compile(r"events_([0-9]{8})_([0-9]{20})\.jsonl")
_BLOCK = 1 << 20
# What a reader keeps of a line that does not end: more is certainly no line of ours.
_LONGEST = 1 << 20
# Blocks. A power loss may leave zeros for all of the last write, never so many.
_LONGEST_REST = 64


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of lines. `first` is the index of its first leaf, `date` (YYYYMMDD, UTC) the day it was opened."""

    first: int
    date: str
    path: Path


def segment_at(logs_dir: Path, date: str, first: int) -> Segment:
    """The segment of that day and first index, whether it exists or not."""
    return Segment(first, date, logs_dir / EVENTS_DIR / f"events_{date}_{first:020d}.jsonl")


def list_segments(logs_dir: Path) -> list[Segment]:
    """All segments in order.

    Raises:
        LogDamaged: a file that is none, or two that begin at the same leaf.
    """
    segments = []
    for path in (logs_dir / EVENTS_DIR).glob("*"):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise LogDamaged(f"{path.name} among the segments is none")
        segments.append(Segment(int(match[2]), match[1], path))
    segments.sort()
    if len({segment.first for segment in segments}) != len(segments):
        raise LogDamaged("two segments begin at the same leaf")
    return segments


def iter_lines(segment: Segment) -> Iterator[bytes]:
    """The complete lines of a segment without their LFs; a rest without LF is left out.

    Raises:
        LogDamaged: a line of more than a MiB.
    """
    with open_regular(segment.path) as file:
        while line := file.readline(_LONGEST):
            if line.endswith(b"\n"):
                yield line[:-1]
            elif len(line) == _LONGEST:
                raise LogDamaged(f"a line without end in {segment.path.name}")


def last_lines(segment: Segment, count: int) -> tuple[list[bytes], bytes]:
    """Up to `count` complete lines from the end of a segment, without LFs, and the rest after the last LF.

    Raises:
        LogDamaged: many MiB without a line end, which no interrupted write can have left.
    """
    blocks: list[bytes] = []
    seen = 0
    with open_regular(segment.path) as file:
        position = file.seek(0, 2)
        # One LF more than lines wanted: it ends the line before the first of them.
        while position and seen <= count:
            start = max(0, position - _BLOCK)
            file.seek(start)
            block = file.read(position - start)
            blocks.append(block)
            seen += block.count(b"\n")
            position = start
            if not seen and len(blocks) > _LONGEST_REST:
                raise LogDamaged(f"a line without end in {segment.path.name}")
    *lines, rest = b"".join(reversed(blocks)).split(b"\n")
    return (lines[len(lines) - count :] if len(lines) > count else lines), rest


def iter_from(segments: Sequence[Segment], start: int, pruned: Mapping[int, int]) -> Iterator[tuple[int, bytes]]:
    """(index, line) of all complete lines from leaf `start` on, counted from the names of the segments.

    Args:
        segments: in order.
        start: the first index.
        pruned: first index -> end of each range of lines that was pruned; they are left out.

    Raises:
        LogDamaged: a segment does not end where the next one, or what was pruned, begins.
    """
    ends = [_skip(segment.first, pruned) for segment in segments[1:]]
    for segment, following in zip(segments, [*ends, None], strict=True):
        if following is not None and following <= start:
            continue
        index = segment.first
        for line in iter_lines(segment):
            if index >= start:
                yield index, line
            index += 1
        if following is not None and index != following:
            raise LogDamaged(f"{segment.path.name} does not end where the next segment begins")


def _skip(first: int, pruned: Mapping[int, int]) -> int:
    """Where the lines before leaf `first` end, over whatever was pruned right before it."""
    begins = {end: begin for begin, end in pruned.items()}
    while first in begins:
        first = begins[first]
    return first
