"""Pruning: whole segments leave the log when their time is over; what proves the rest stays.

A segment goes in these steps, numbered as in the code:

(1) It is sealed, and the date that its last line names (`retain_until`) is past.
(2) No hold covers it: no record placed one over its indexes that no later record released, and none of its lines names
    a reference that the caller holds.
(3) All its leaf hashes stand in full tiles and are those of its lines. These tiles, and a checkpoint over them, become
    durable: from now on they are the only source of these hashes.
(4) The lines that must outlive it (`KEPT`, and every line that brings a key manifest into force) are copied, durably.
(5) `segment.pruned` is recorded, durably, and so is a checkpoint over it.
(6) The file is removed.

A crash before (5) leaves the segment whole; one before (6) leaves both, and the next pruning goes on with (6). Holds
are records of the event `admin` whose detail has `action` = `log.hold.placed` or `log.hold.released`, `hold` (its name)
and, when placed, `first` and `last`. Steps (1) to (4) read sealed files only and may run beside appends; (5) and (6)
are the writer's. `verify` checks afterwards, from the log alone, that each pruning was allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from runtime.audit.authority import read_header
from runtime.audit.errors import LogDamaged
from runtime.audit.files import Files
from runtime.audit.merkle import HASH_SIZE, leaf_hash
from runtime.audit.proofs import covered_size, latest_checkpoint
from runtime.audit.pruned import KEPT_DIR, kept_path, tile_leaves
from runtime.audit.reader import iter_lines
from runtime.audit.record import Draft, new_record_id, parse_statement
from runtime.audit.segments import Segment, last_lines, list_segments
from runtime.audit.segments import iter_lines as lines_of
from runtime.audit.survey import CHECKPOINTS_DIR
from runtime.audit.terms import expired
from runtime.audit.tiles import WIDTH, tile_path

#: Events whose lines outlive their segment: how the log itself went on, its keys, its gaps, and erasures, which have
#: to be repeated on a restored backup.
KEPT = frozenset(
    {
        *("log.started", "log.recovered", "segment.sealed", "segment.pruned", "key.added", "key.retired"),
        *("erasure.intent", "erasure.completed", "anchor"),
    }
)
HOLD_PLACED, HOLD_RELEASED = "log.hold.placed", "log.hold.released"
_REFERENCE = re.compile(rb'"([A-Za-z0-9_-]{16,64})"')


@dataclass(frozen=True, slots=True)
class Hold:
    """Leaves [first, last] may not be pruned."""

    first: int
    last: int


@dataclass(slots=True)
class Holds:
    """What the records up to `size` say of holds and of segments that were pruned already."""

    size: int = 0
    active: dict[str, Hold] = field(default_factory=dict)
    pruned: set[int] = field(default_factory=set)

    def learn(self, event: str, detail: Mapping[str, object]) -> None:
        """Take one record into account; what makes no sense holds nothing and releases nothing."""
        name, action = detail.get("hold"), detail.get("action")
        first, last = detail.get("first"), detail.get("last")
        if event == "segment.pruned" and isinstance(first, int):
            self.pruned.add(first)
        elif event == "admin" and isinstance(name, str):
            if action == HOLD_PLACED and isinstance(first, int) and isinstance(last, int):
                self.active[name] = Hold(first, last)
            elif action == HOLD_RELEASED:
                self.active.pop(name, None)

    def covers(self, first: int, end: int) -> bool:
        return any(hold.first < end and first <= hold.last for hold in self.active.values())


@dataclass(frozen=True, slots=True)
class Cut:
    """A segment that is ready to go: leaves [first, end), and what the record says of it."""

    segment: Segment
    end: int
    retain_until: str
    kept: int
    kept_sha256: str
    recorded: bool

    def draft(self, predicate: Mapping[str, object]) -> Draft:
        """The record of its pruning; `predicate` has the fields that all records of the log's own have."""
        detail = {
            "first": self.segment.first,
            "last": self.end - 1,
            "retain_until": self.retain_until,
            "kept": self.kept,
        }
        return Draft(new_record_id(), "segment.pruned", {**predicate, "detail": detail}, (("kept", self.kept_sha256),))


def read_holds(logs_dir: Path, known: Holds) -> Holds:
    """Bring `known` up to date with the log. Raises: LogDamaged."""
    end = covered_size(logs_dir)
    for index, line in iter_lines(logs_dir, known.size, end=end):
        envelope, header = read_header(line)
        if header.event == "segment.pruned" or (header.event == "admin" and b'"log.hold.' in envelope.payload):
            detail = parse_statement(envelope.payload)["predicate"].get("detail")
            known.learn(header.event, detail if isinstance(detail, dict) else {})
        known.size = index + 1
    known.size = max(known.size, end)
    return known


def sealed_detail(line: bytes) -> dict[str, object] | None:
    """The `detail` of a `segment.sealed` line, None for any other."""
    envelope, header = read_header(line)
    if header.event != "segment.sealed":
        return None
    detail = parse_statement(envelope.payload)["predicate"].get("detail")
    return detail if isinstance(detail, dict) else None


def prepare(logs_dir: Path, *, now: str, holds: Holds, held: frozenset[str], files: Files, most: int) -> list[Cut]:
    """Steps (1) to (4) for the oldest segments whose time is over.

    Args:
        logs_dir: the log; its writer may go on.
        now: RFC 3339 in UTC.
        holds: what the log says, up to date.
        held: references (of persons, conversations, turns) whose records may not go.
        files: the file operations.
        most: how many segments at most.

    Raises:
        LogDamaged: lines or tiles are not what they should be.
        OSError: something cannot be read or written.
    """
    cuts: list[Cut] = []
    size = covered_size(logs_dir)
    segments = list_segments(logs_dir)
    for segment in segments[:-1]:
        if len(cuts) == most:
            break
        found = _due(segment, now)
        if found is None:
            continue
        end, retain_until = found
        # (2) (3) The edge of the tree is never pruned: its hashes are in no full tile yet.
        if holds.covers(segment.first, end) or end > size - size % WIDTH:
            continue
        kept = _check(logs_dir, segment, end, held)
        if kept is None:
            continue
        _make_durable(logs_dir, segment.first, end, files)
        # (4)
        data = b"".join(line + b"\n" for line in kept)
        files.make_dir(logs_dir / KEPT_DIR)
        files.replace(kept_path(logs_dir, segment.first, end), data, durable=True)
        recorded = segment.first in holds.pruned
        cuts.append(Cut(segment, end, retain_until, len(kept), sha256(data).hexdigest(), recorded))
    return cuts


def remove(cut: Cut, files: Files) -> None:
    """Step (6). Raises: OSError."""
    files.make_mutable(cut.segment.path)
    files.remove(cut.segment.path)
    files.sync_dir(cut.segment.path.parent)


def _due(segment: Segment, now: str) -> tuple[int, str] | None:
    """(1): where it ends and until when it had to be kept, None while it may not go."""
    lines, rest = last_lines(segment, 1)
    detail = sealed_detail(lines[0]) if lines and not rest else None
    if detail is None:
        return None
    first, last, until = (detail.get(name) for name in ("first", "last", "retain_until"))
    if first != segment.first or not isinstance(last, int) or not isinstance(until, str) or not expired(until, now):
        return None
    return last + 1, until


def _check(logs_dir: Path, segment: Segment, end: int, held: frozenset[str]) -> list[bytes] | None:
    """(2) (3): the lines to keep, None where a line names something held."""
    kept: list[bytes] = []
    leaves = _each(tile_leaves(logs_dir, segment.first, end))
    index = segment.first
    for line in lines_of(segment):
        if next(leaves, b"") != leaf_hash(line):
            raise LogDamaged(f"the tiles do not hold line {index}: nothing is pruned")
        envelope, header = read_header(line)
        if held and not held.isdisjoint(name.decode("ascii") for name in _REFERENCE.findall(envelope.payload)):
            return None
        if header.event in KEPT or header.manifest or (header.event == "admin" and b'"log.hold.' in envelope.payload):
            kept.append(line)
        index += 1
    if index != end:
        raise LogDamaged(f"{segment.path.name} does not end where it says: nothing is pruned")
    return kept


def _make_durable(logs_dir: Path, first: int, end: int, files: Files) -> None:
    for number in range(first // WIDTH, (end - 1) // WIDTH + 1):
        files.sync_file(logs_dir / "tile" / tile_path(0, number))
        files.sync_dir((logs_dir / "tile" / tile_path(0, number)).parent)
    text = latest_checkpoint(logs_dir) or ""
    size = int(text.split("\n")[1])
    files.replace(logs_dir / CHECKPOINTS_DIR / f"{size:020d}", text.encode(), durable=True)


def _each(blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        yield from (block[at : at + HASH_SIZE] for at in range(0, len(block), HASH_SIZE))
