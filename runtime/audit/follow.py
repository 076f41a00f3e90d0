"""The tree over the lines as they are read, compared with everything that was signed or stored about it.

That is: checkpoints at their sizes, roots that `segment.sealed` names, hash tiles. Reads tiles; the lines come from
`verify`.
"""

from __future__ import annotations

import heapq
from pathlib import Path

from runtime.audit.merkle import EMPTY_ROOT, HASH_SIZE, CompactRange, node_hash
from runtime.audit.report import Report
from runtime.audit.survey import read_limited, reason_of
from runtime.audit.tiles import WIDTH, tile_path

_TILE_BYTES = WIDTH * HASH_SIZE
_SECTOR = 512  # bytes that a disk writes wholly or not at all


class TreeFollower:
    """A tree that grows leaf by leaf and is compared with what should be true of it.

    Where the lines have a gap (`lose`), there is no tree any more and nothing further is compared: the gap is the
    problem.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._tree = CompactRange()
        self._expected: list[tuple[int, bytes, str]] = []
        self._lost = False
        self.compared = 0

    @property
    def size(self) -> int:
        return self._tree.size

    def expect(self, size: int, root: bytes, source: str) -> None:
        """The tree should have this root when it has `size` leaves; `size` is not yet passed."""
        heapq.heappush(self._expected, (size, root, source))
        self._compare()

    def add(self, leaves: bytes) -> None:
        """Add leaf hashes, 32 bytes each."""
        if self._lost:
            return
        for at in range(0, len(leaves), HASH_SIZE):
            self._tree.append(leaves[at : at + HASH_SIZE])
            if self._expected and self._expected[0][0] <= self._tree.size:
                self._compare()

    def lose(self) -> None:
        """Lines are missing or doubled: from here on indexes and tree do not belong together."""
        self._lost = True

    def _compare(self) -> None:
        while self._expected and self._expected[0][0] <= self._tree.size and not self._lost:
            size, root, source = heapq.heappop(self._expected)
            found = self._tree.root() if self._tree.size else EMPTY_ROOT
            self.compared += 1
            if found != root:
                self._report.problem("tree.root", source=source, size=size)


class TileFollower:
    """The hash tiles that the leaves should have made, compared with the files where there are any."""

    def __init__(self, folder: Path, report: Report) -> None:
        self._folder = folder
        self._report = report
        self._rows: list[bytearray] = []
        self._done: list[int] = []
        self._ahead = _last_tile(folder / "0")
        self._lost = not folder.is_dir()
        self.compared = 0

    def add(self, leaves: bytes) -> None:
        """Add leaf hashes, 32 bytes each."""
        if not self._lost:
            self._extend(0, leaves)

    def lose(self) -> None:
        """Lines are missing or doubled: tiles can no longer be compared."""
        self._lost = True

    def finish(self, lines: int) -> None:
        """Tiles are written after the lines beneath them are durable: one for lines that are not there shows a cut."""
        if self._ahead is not None and (self._ahead + 1) * WIDTH > lines:
            self._report.problem("tile.ahead", file=f"tile/{tile_path(0, self._ahead)}", lines=lines)

    def _extend(self, level: int, hashes: bytes) -> None:
        if level == len(self._rows):
            self._rows.append(bytearray())
            self._done.append(0)
        row = self._rows[level]
        row += hashes
        while len(row) >= _TILE_BYTES:
            tile = bytes(row[:_TILE_BYTES])
            del row[:_TILE_BYTES]
            self._check(level, self._done[level], tile)
            self._done[level] += 1
            self._extend(level + 1, _perfect_root(tile))

    def _check(self, level: int, index: int, tile: bytes) -> None:
        path = tile_path(level, index)
        try:
            found = read_limited(self._folder / path, _TILE_BYTES)
        except OSError as error:
            self._report.problem("tile.wrong", file=f"tile/{path}", reason=reason_of(error))
            return
        # Tiles are not synced: a power loss may leave some missing, short or zero. They prove nothing by themselves.
        if found is None or len(found) < _TILE_BYTES or _partly_written(found, tile):
            self._report.remark("tile.missing", file=f"tile/{path}")
            return
        self.compared += 1
        if found != tile:
            self._report.problem("tile.wrong", file=f"tile/{path}", reason="other hashes")


def _partly_written(found: bytes, tile: bytes) -> bool:
    """Whether some sectors never reached the disk, and all others are right."""
    sectors = [found[at : at + _SECTOR] for at in range(0, _TILE_BYTES, _SECTOR)]
    wanted = [tile[at : at + _SECTOR] for at in range(0, _TILE_BYTES, _SECTOR)]
    missing = [sector != right and not sector.strip(b"\0") for sector, right in zip(sectors, wanted, strict=True)]
    right = (sector == other or lost for sector, other, lost in zip(sectors, wanted, missing, strict=True))
    return any(missing) and all(right)


def _perfect_root(tile: bytes) -> bytes:
    row = [tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def _last_tile(folder: Path) -> int | None:
    """The largest index among the full tiles of a level, without listing all of them."""
    index = 0
    try:
        while True:
            names = [entry.name for entry in folder.iterdir()]
            deeper = [name for name in names if len(name) == 4 and name[0] == "x" and _is_group(name[1:])]
            if not deeper:
                full = [name for name in names if _is_group(name)]
                return index * 1000 + int(max(full)) if full else None
            # Three digits always: the order of the names is the order of the numbers.
            folder /= max(deeper)
            index = index * 1000 + int(max(deeper)[1:])
    except OSError:
        return None


def _is_group(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isdigit()
