"""What is left of pruned segments: the lines that were kept, and the leaf hashes in the tiles.

A pruned segment leaves `kept/<first>_<end>.jsonl` (20 digits each): those of its lines [first, end) that must outlive
it, as they stood. Its leaf hashes stay in `tile/0`, so that tree, roots and all proofs go on as if it were there.
Reads only; pruning is `pruning`'s business, and whether it was allowed `verify`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from runtime.audit.envelope import MAX_LINE, parse_line
from runtime.audit.errors import EnvelopeError, LogDamaged
from runtime.audit.merkle import HASH_SIZE, leaf_hash
from runtime.audit.segments import Segment, iter_from
from runtime.audit.survey import read_limited
from runtime.audit.tiles import WIDTH, tile_path

KEPT_DIR = "kept"
MAX_KEPT = 32 << 20  # bytes of one kept file: a segment's landmarks are far fewer
_NAME = re.compile(r"([0-9]{20})_([0-9]{20})\.jsonl")
_SEQ = re.compile(rb'"seq":([0-9]{1,16})[,}]')


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Leaves [first, end) whose segment was pruned, and the file with the lines that were kept."""

    first: int
    end: int
    path: Path


def kept_path(logs_dir: Path, first: int, end: int) -> Path:
    """Where the kept lines of a segment with leaves [first, end) lie."""
    return logs_dir / KEPT_DIR / f"{first:020d}_{end:020d}.jsonl"


def list_gaps(logs_dir: Path, segments: Sequence[Segment]) -> list[Gap]:
    """The pruned segments in order; one whose file is still there is none."""
    present = {segment.first for segment in segments}
    gaps = []
    for path in (logs_dir / KEPT_DIR).glob("*"):
        match = _NAME.fullmatch(path.name)
        if match is not None and int(match[1]) not in present and int(match[1]) < int(match[2]):
            gaps.append(Gap(int(match[1]), int(match[2]), path))
    return sorted(gaps)


def read_kept(gap: Gap) -> bytes:
    """The file with the lines that were kept. Raises: LogDamaged."""
    try:
        return read_limited(gap.path, MAX_KEPT) or b""
    except OSError as error:
        raise LogDamaged(f"{KEPT_DIR}/{gap.path.name} cannot be read") from error


def kept_lines(gap: Gap, data: bytes | None = None) -> list[tuple[int, bytes]]:
    """(index, line) of what was kept, by each line's own word, upwards; `data` is the file where it was read before.

    Raises:
        LogDamaged: the file cannot be read as lines of this gap, in order.
    """
    found: list[tuple[int, bytes]] = []
    for line in (read_kept(gap) if data is None else data).split(b"\n")[:-1]:
        index = _index_of(line)
        if index is None or not gap.first <= index < gap.end or (found and index <= found[-1][0]):
            raise LogDamaged(f"{KEPT_DIR}/{gap.path.name} holds something else than lines of its range in order")
        found.append((index, line))
    return found


def tile_leaves(logs_dir: Path, start: int, end: int) -> Iterator[bytes]:
    """The leaf hashes of [start, end) from full tiles, one string of 32-byte hashes for each tile.

    Raises:
        LogDamaged: a tile is not there or not whole.
    """
    while start < end:
        number, offset = divmod(start, WIDTH)
        until = min(end, (number + 1) * WIDTH)
        name = tile_path(0, number)
        try:
            data = read_limited(logs_dir / "tile" / name, WIDTH * HASH_SIZE)
        except OSError as error:
            raise LogDamaged(f"tile/{name} cannot be read") from error
        if data is None or len(data) != WIDTH * HASH_SIZE:
            raise LogDamaged(f"tile/{name}, of lines that were pruned, is missing")
        yield data[offset * HASH_SIZE : (until - number * WIDTH) * HASH_SIZE]
        start = until


def all_leaves(logs_dir: Path, segments: Sequence[Segment], gaps: Sequence[Gap]) -> Iterator[bytes]:
    """All leaf hashes: of lines where there are lines, from tiles where they were pruned. Raises: LogDamaged."""
    pruned = {gap.first: gap.end for gap in gaps}
    at = 0
    for index, line in chain(iter_from(segments, 0, pruned), [(-1, b"")]):
        while at in pruned and at != index:
            for hashes in tile_leaves(logs_dir, at, pruned[at]):
                yield from (hashes[begin : begin + HASH_SIZE] for begin in range(0, len(hashes), HASH_SIZE))
            at = pruned[at]
        if index >= 0:
            yield leaf_hash(line)
            at = index + 1


def _index_of(line: bytes) -> int | None:
    if len(line) > MAX_LINE:
        return None
    try:
        match = _SEQ.search(parse_line(line).payload)
    except EnvelopeError:
        return None
    return int(match[1]) if match else None
