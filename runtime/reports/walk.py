"""The entries of a log in order, with the tree that they make up: what is counted is what was signed.

Reads as much of a damaged log as can be read. Whether the log is what its keys signed is for `standing` to say, which
compares the tree of this walk with a checkpoint that the verifier accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.audit.errors import LogDamaged
from runtime.audit.merkle import HASH_SIZE, CompactRange, leaf_hash
from runtime.audit.pruned import Gap, kept_lines, list_gaps, tile_leaves
from runtime.audit.reader import LogRecord, read_record
from runtime.audit.segments import Segment, iter_lines, list_segments

Progress = Callable[[int, int], None]
_EVERY = 5_000  # entries between two reports of progress


@dataclass(frozen=True, slots=True)
class Entry:
    """One record and where it stands. `leaf` is its leaf hash in hex."""

    index: int
    record: dict[str, Any]
    subjects: tuple[tuple[str, str], ...]
    leaf: str
    line: str

    @property
    def event(self) -> str:
        return str(self.record.get("event"))

    @property
    def time(self) -> str:
        return str(self.record.get("time"))

    @property
    def record_id(self) -> str:
        return str(self.record.get("record_id"))

    def part(self, name: str) -> dict[str, Any]:
        """A member that is an object; empty where it is not."""
        return part(self.record, name)


@dataclass(slots=True)
class Walked:
    """What a walk found beside the entries.

    Attributes:
        end: the index after the last leaf.
        roots: the root over the first n leaves, for each n that was asked for and reached while the tree could be
            followed.
        pruned: [first, end) of each range whose lines were pruned.
        unreadable: indexes of lines that are no records, the first few.
        broken: lines are missing, so that the tree could not be followed to the end.
    """

    end: int = 0
    roots: dict[int, bytes] = field(default_factory=dict)
    pruned: list[tuple[int, int]] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)
    broken: bool = False


def entry_of(record: LogRecord) -> Entry:
    """A record that was read in another way."""
    leaf = leaf_hash(record.line.encode("ascii")).hex()
    return Entry(record.index, record.record, record.subjects, leaf, record.line)


def part(record: object, name: str) -> dict[str, Any]:
    """A member of a record that is an object; empty where it is not."""
    value = record.get(name) if isinstance(record, dict) else None
    return value if isinstance(value, dict) else {}


def walk(
    logs_dir: Path,
    end: int,
    visit: Callable[[Entry], None],
    *,
    roots: frozenset[int] = frozenset(),
    tree: CompactRange | None = None,
    wanted: Callable[[int, bytes], bool] = lambda _index, _line: True,
    progress: Progress = lambda _done, _size: None,
) -> Walked:
    """Go through the leaves [0, end).

    Args:
        logs_dir: the log; it may be damaged.
        end: one more than the last index.
        visit: called with each record, in order.
        roots: sizes at which the root is wanted.
        tree: grows with the leaves; while an entry is visited it holds those before it.
        wanted: which lines are decoded and visited.
        progress: called with leaves done and leaves in all.
    """
    walked, tree = Walked(), CompactRange() if tree is None else tree
    try:
        for index, leaves, line in _leaves(logs_dir, end, walked):
            if line is not None and wanted(index, line):
                _visit(index, line, leaves, visit, walked)
            for at in range(0, len(leaves), HASH_SIZE):
                tree.append(leaves[at : at + HASH_SIZE])
                if tree.size in roots and not walked.broken:
                    walked.roots[tree.size] = tree.root()
                if tree.size % _EVERY == 0:
                    progress(tree.size, end)
    except (LogDamaged, OSError):
        walked.broken = True
    walked.broken = walked.broken or walked.end < end
    return walked


def _visit(index: int, line: bytes, leaf: bytes, visit: Callable[[Entry], None], walked: Walked) -> None:
    try:
        read = read_record(index, line)
    except LogDamaged:
        if len(walked.unreadable) < _EVERY:
            walked.unreadable.append(index)
        return
    visit(Entry(index, read.record, read.subjects, leaf.hex(), read.line))


def _leaves(logs_dir: Path, end: int, walked: Walked) -> Iterator[tuple[int, bytes, bytes | None]]:
    """(first index, leaf hashes, line or None) in order: one leaf with its line, or pruned leaves without lines."""
    segments = list_segments(logs_dir)
    gaps = {gap.first: gap for gap in list_gaps(logs_dir, segments)}
    for segment in segments:
        while walked.end < segment.first and (gap := gaps.get(walked.end)) is not None:
            yield from _remains(logs_dir, gap, end, walked)
        if walked.end != segment.first:
            walked.broken = True
            walked.end = segment.first
        for index, line in _numbered(segment):
            if index >= end:
                return
            walked.end = index + 1
            yield index, leaf_hash(line), line


def _remains(logs_dir: Path, gap: Gap, end: int, walked: Walked) -> Iterator[tuple[int, bytes, bytes | None]]:
    kept = dict(kept_lines(gap))
    walked.pruned.append((gap.first, gap.end))
    index = gap.first
    for hashes in tile_leaves(logs_dir, gap.first, gap.end):
        for at in range(0, len(hashes), HASH_SIZE):
            if index < end:
                walked.end = index + 1
                yield index, hashes[at : at + HASH_SIZE], kept.get(index)
            index += 1
    walked.end = gap.end


def _numbered(segment: Segment) -> Iterator[tuple[int, bytes]]:
    yield from enumerate(iter_lines(segment), segment.first)
