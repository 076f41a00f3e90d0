"""Start-up of a log: what the writer may continue from, or why it may not.

Reads the last checkpoint, the last lines and the tiles at the right edge, never the whole log, unless tiles or
checkpoints were lost (all of them can be made again from lines that verify). The steps, numbered as in the code:

(1) Find the segments and read the last lines. A rest without LF is torn; it is reported, not touched here.
(2) Find the newest checkpoint that this log's key signed.
(3) Fewer lines than it covers: damage.
(4) Every line read is an envelope with the right `seq`, `prev` and order of `time`, by a key that some version of the
    manifest lists for its index. The checkpoint vouches for what is before it; from there on the key must be valid by
    the version in force, and the signature is checked.
(5) Restore the tree, from lines where tiles are missing. Of lines that were pruned there are tiles, or nothing.
(6) Its root at the checkpoint's size is the one that was signed, and
(7) the lines read are its leaves; else the tiles are made anew. Still not: damage.

Everything else about old lines is for `verify`. `set_aside` is the one thing that changes files.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path

from runtime.audit.authority import in_force_at, key_of, newest_checkpoint, read_header, succession
from runtime.audit.checkpoint import Checkpoint
from runtime.audit.envelope import check_signature
from runtime.audit.errors import EnvelopeError, LogDamaged, LogUnavailable
from runtime.audit.files import Files
from runtime.audit.header import Header
from runtime.audit.manifest import Manifest
from runtime.audit.merkle import leaf_hash
from runtime.audit.pruned import all_leaves, list_gaps
from runtime.audit.record import NO_PREV
from runtime.audit.segments import Segment, iter_from, last_lines, list_segments
from runtime.audit.tiles import HashTiles

TAIL = 4096  # records whose ids are remembered across a restart
TILE_DIR = "tile"
TORN_DIR = "torn"


@dataclass(frozen=True, slots=True)
class Torn:
    """A last line that never got its LF."""

    segment: Segment
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Start:
    """The state of a log that is whole.

    Attributes:
        segments: all of them that are not pruned, in order; the last one may be empty.
        size: how many lines there are.
        signed: the size of the newest checkpoint found; lines after it are not yet covered by one.
        prev: hex leaf hash of the last line.
        tail: the last lines, at least TAIL of them where so many follow what was pruned, oldest first.
        tiles: the tree over all lines.
        torn: what stands after the last LF.
    """

    segments: tuple[Segment, ...]
    size: int
    signed: int
    prev: str
    tail: tuple[Header, ...]
    tiles: HashTiles
    torn: Torn | None


def recover(logs_dir: Path, manifests: Sequence[Manifest], origin: str, files: Files) -> Start:
    """The state to continue from; nothing is written but tiles.

    Args:
        logs_dir: the log's directory.
        manifests: all versions of the key manifest, oldest first.
        origin: of the log.
        files: the file operations.

    Raises:
        LogDamaged: what is there is not what was signed.
        OSError: something cannot be read, or a tile not be written.
    """
    # (1)
    segments = list_segments(logs_dir)
    gaps = list_gaps(logs_dir, segments)
    pruned = {gap.first: gap.end for gap in gaps}
    lines, torn, counted = _read_tail(segments, frozenset(pruned.values()))
    size = read_header(lines[-1])[1].index + 1 if lines else max(pruned.values(), default=0)
    first = size - len(lines)
    if first < 0 or any(segment.first != size - count for segment, count in counted):
        raise LogDamaged("the last lines have not the numbers that their segments begin with")
    # (2)
    checkpoint = newest_checkpoint(logs_dir, manifests, origin)
    signed = checkpoint.size if checkpoint else 0
    # (3)
    if signed > size:
        raise LogDamaged(f"a checkpoint over {signed} lines was signed, but there are {size}")
    # (4)
    begin = first
    if signed < first:
        # With the last line that is covered, so that the chain is checked from there on.
        begin = max(0, signed - 1)
        if any(start < first and begin < end for start, end in pruned.items()):
            raise LogDamaged("lines were pruned that no checkpoint covers")
    earlier = islice(iter_from(segments, begin, pruned), first - begin)
    # Which version is in force matters only for lines that no checkpoint covers.
    in_force = in_force_at(logs_dir, manifests, signed - 1) if signed < size else manifests[-1]
    checked = _check_lines(chain(earlier, enumerate(lines, first)), signed, manifests, in_force, origin)
    tail = tuple(header for header in checked if header.index >= first)
    # (5)
    leaves = [leaf_hash(line) for line in lines]

    def from_tail(start: int, end: int) -> Sequence[bytes]:
        if start < first:
            raise LookupError("lines before the tail")
        return leaves[start - first : end - first]

    directory = logs_dir / TILE_DIR
    try:
        tiles = HashTiles.restore(directory, size, from_tail, files)
        # Tiles over lines that no checkpoint covers prove nothing.
        whole = signed >= first and _agrees(tiles, checkpoint) and _holds(tiles, leaves, first, tail)
    except (LookupError, LogDamaged):
        whole = False
    # (6) (7)
    if not whole:
        tiles = HashTiles.rebuild(directory, all_leaves(logs_dir, segments, gaps), files)
        if tiles.size != size or not _agrees(tiles, checkpoint):
            raise LogDamaged("the lines are not those that were signed")
        if not _holds(tiles, leaves, first, tail):
            raise LogDamaged(f"the lines from {first} on are not the leaves of the tree")
    prev = leaves[-1].hex() if leaves else NO_PREV
    return Start(tuple(segments), size, signed, prev, tail, tiles, torn)


def set_aside(torn: Torn, logs_dir: Path, record_id: str, files: Files, on_step: Callable[[str], None]) -> None:
    """Copy a torn line to `torn/<record id>.pending`, durably, then cut it off.

    The record with that id says so; once it is durable, `settle` takes the suffix away. A crash in between leaves the
    file pending, and the next start writes the record.
    """
    folder = logs_dir / TORN_DIR
    files.make_dir(folder)
    files.replace(folder / f"{record_id}.pending", torn.data, durable=True)
    on_step("audit.recover.after_set_aside")
    fd = files.open_append(torn.segment.path, create=False)
    try:
        files.truncate(fd, torn.offset)
        files.sync(fd)
    finally:
        files.close(fd)
    on_step("audit.recover.after_cut")


def pending(logs_dir: Path) -> list[tuple[str, int, str]]:
    """(record id, size, hex SHA-256) of every torn line that no record speaks of yet, oldest first.

    Raises:
        LogDamaged: one of them is no file.
        LogUnavailable: one of them cannot be read now.
    """
    found = []
    for path in sorted((logs_dir / TORN_DIR).glob("DR-*.pending")):
        try:
            data = path.read_bytes()
        except IsADirectoryError as error:
            raise LogDamaged(f"{TORN_DIR}/{path.name} is no file") from error
        except OSError as error:
            raise LogUnavailable(f"{TORN_DIR}/{path.name} cannot be read: {error.strerror}") from error
        found.append((path.stem, len(data), sha256(data).hexdigest()))
    return found


def settle(logs_dir: Path, record_id: str, files: Files) -> None:
    """Note that the record about a torn line is durable."""
    folder = logs_dir / TORN_DIR
    files.rename(folder / f"{record_id}.pending", folder / f"{record_id}.bin")


def _read_tail(
    segments: Sequence[Segment], pruned: Container[int]
) -> tuple[list[bytes], Torn | None, list[tuple[Segment, int]]]:
    """The last lines; what stands after the last LF; how many lines there are from the start of which segment on.

    Where lines before a segment were pruned (`pruned` are the ends of these ranges) it goes no further back.
    """
    lines: list[bytes] = []
    counted: list[tuple[Segment, int]] = []
    torn: Torn | None = None
    # 256 more: the leaves of the tile at the edge are always among them.
    wanted = TAIL + 256
    for segment in reversed(segments):
        found, rest = last_lines(segment, wanted - len(lines))
        if rest and segment != segments[-1]:
            raise LogDamaged(f"{segment.path.name} ends in the middle of a line")
        if rest:
            torn = Torn(segment, segment.path.stat().st_size - len(rest), rest)
        lines[:0] = found
        if len(lines) == wanted:
            break
        counted.append((segment, len(lines)))
        if segment.first in pruned:
            break
    return lines, torn, counted


def _check_lines(
    lines: Iterable[tuple[int, bytes]], signed: int, manifests: Sequence[Manifest], in_force: Manifest, origin: str
) -> Iterator[Header]:
    before: Header | None = None
    prev = NO_PREV
    for index, line in lines:
        envelope, header = read_header(line)
        if header.index != index:
            raise LogDamaged(f"line {index} says that it is line {header.index}")
        if (before or index == 0) and header.prev != prev:
            raise LogDamaged(f"line {index} does not follow line {index - 1}")
        if before and header.time < before.time:
            raise LogDamaged(f"line {index} is older than line {index - 1}")
        if index >= signed:
            in_force = succession(in_force, header.manifest, manifests, index)
            key = key_of((in_force,), envelope.keyid, index, origin)
            try:
                check_signature(envelope, key)
            except EnvelopeError as error:
                raise LogDamaged(f"line {index}: {error}") from error
        else:
            key_of(manifests, envelope.keyid, index, origin)
            if header.manifest is not None and all(header.manifest != known.digest for known in manifests):
                raise LogDamaged(f"line {index} carries a key manifest that is not here: keys.json was set back")
        before, prev = header, leaf_hash(line).hex()
        yield header


def _holds(tiles: HashTiles, leaves: Sequence[bytes], first: int, tail: Sequence[Header]) -> bool:
    """Whether the tree has these lines as its leaves from `first` on, and they follow the one before."""
    if any(tiles.subtree(0, index) != leaf for index, leaf in enumerate(leaves, first)):
        return False
    return not (first and tail) or tail[0].prev == tiles.subtree(0, first - 1).hex()


def _agrees(tiles: HashTiles, checkpoint: Checkpoint | None) -> bool:
    return checkpoint is None or tiles.root(checkpoint.size) == checkpoint.root
