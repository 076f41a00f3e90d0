"""Hash tiles (https://c2sp.org/tlog-tiles): the tree on disk, so that proofs need O(log n) reads and no log lines.

A tile of level L holds 256 hashes of subtrees of height 8 * L. Full tiles are files, written once; those at the right
edge stay in memory. All of it can be made again from the lines, so nothing here is synced and nothing read is trusted:
a tile counts only when its root is the hash that the tile above it holds, up to the edge, and whether the edge agrees
with what was signed is checked by who restores it (`recovery`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from runtime.audit.errors import LogDamaged, ProofError
from runtime.audit.files import Files
from runtime.audit.merkle import HASH_SIZE, consistency_proof, inclusion_proof, node_hash, root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
_CACHED = 64  # full tiles kept, about 40 kB each

# Leaf hashes of the lines [start, end); raises LookupError where these lines are not at hand.
GetLeaves = Callable[[int, int], Sequence[bytes]]


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """The path of a tile below `tile/`: '0/x001/x234/067', with '.p/<width>' for a partial one."""
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03d}")
    return f"{level}/{'/'.join(groups)}" + ("" if width == WIDTH else f".p/{width}")


class _Tile:
    """Up to 256 hashes and every perfect subtree over them; `rows[h]` are those of height h within the tile."""

    __slots__ = ("rows",)

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        self.rows: list[list[bytes]] = [[] for _ in range(HEIGHT + 1)]
        for value in hashes:
            self.append(value)

    def append(self, value: bytes) -> None:
        row = self.rows[0]
        row.append(value)
        for above in self.rows[1:]:
            if len(row) & 1:
                return
            above.append(node_hash(row[-2], row[-1]))
            row = above

    @property
    def root(self) -> bytes | None:
        """The hash over all 256, None while the tile is not full."""
        return self.rows[HEIGHT][0] if self.rows[HEIGHT] else None

    def to_bytes(self) -> bytes:
        return b"".join(self.rows[0])


class HashTiles:
    """The tree over `size` leaves: appending in memory, `flush` for full tiles, lookups from memory or disk."""

    def __init__(self, directory: Path, files: Files | None = None) -> None:
        """An empty tree. `directory` is `logs/tile`; `files` is needed to write only."""
        self._directory = directory
        self._files = files or Files()
        self._edge: list[_Tile] = []
        self._unwritten: dict[tuple[int, int], _Tile] = {}
        self._cache: OrderedDict[tuple[int, int], _Tile] = OrderedDict()
        self._memo: dict[tuple[int, int], bytes] = {}  # for proofs in the tree of the present size
        self.size = 0

    @classmethod
    def restore(cls, directory: Path, size: int, get_leaves: GetLeaves, files: Files | None = None) -> HashTiles:
        """The tree over `size` leaves, from tiles where they are whole and from lines where not.

        Raises:
            LookupError: a tile is missing or torn and `get_leaves` has not the lines to make it again.
        """
        tree = cls(directory, files)
        tree.size = size
        level = 0
        while size >> (HEIGHT * level):
            count = size >> (HEIGHT * level)
            tree._edge.append(_Tile(tree._hashes(level, count - count % WIDTH, count, get_leaves)))
            level += 1
        return tree

    @classmethod
    def rebuild(cls, directory: Path, leaves: Iterable[bytes], files: Files | None = None) -> HashTiles:
        """The tree over all `leaves`, with every tile written anew."""
        tree = cls(directory, files)
        for leaf in leaves:
            tree.append(leaf)
            if len(tree._unwritten) >= _CACHED:
                tree.flush()
        tree.flush()
        return tree

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash, in memory only."""
        value: bytes | None = leaf
        level = 0
        while value is not None:
            if level == len(self._edge):
                self._edge.append(_Tile())
            tile = self._edge[level]
            tile.append(value)
            value = tile.root
            if value is not None:
                self._unwritten[level, self.size >> (HEIGHT * (level + 1))] = tile
                self._edge[level] = _Tile()
            level += 1
        self.size += 1
        self._memo.clear()

    def flush(self) -> None:
        """Write the tiles that have become full. After an OSError those not yet written are written next time."""
        for (level, index), tile in list(self._unwritten.items()):
            path = self._directory / tile_path(level, index)
            data = tile.to_bytes()
            # One that is there already may be the only source of its hashes, and durable: it stays.
            if not _is_there(path, data):
                self._files.make_dir(path.parent)
                self._files.replace(path, data, durable=False)
            self._remember(level, index, tile)
            del self._unwritten[level, index]

    def subtree(self, level: int, index: int) -> bytes:
        """The hash of the perfect subtree over leaves [index << level, (index + 1) << level).

        Raises:
            ProofError: the tree has no such subtree.
            LogDamaged: the tile that holds it is missing or not the one that was written.
        """
        if (index + 1) << level > self.size:
            raise ProofError(f"no subtree {index} of height {level} in a tree of {self.size} leaves")
        tile_level, height = divmod(level, HEIGHT)
        tile_index, position = divmod(index << height, WIDTH)
        return self._tile(tile_level, tile_index).rows[height][position >> height]

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves (all by default)."""
        return root_of(self.size if size is None else size, self.subtree)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The inclusion proof of a leaf in the tree of `size` leaves (all by default). Raises: ProofError."""
        if size is None or size == self.size:
            return inclusion_proof(index, self.size, self.subtree, self._memo)
        return inclusion_proof(index, size, self.subtree)

    def consistency(self, size1: int, size2: int | None = None) -> list[bytes]:
        """The proof that the tree of `size2` leaves (all by default) extends that of `size1`. Raises: ProofError."""
        return consistency_proof(size1, self.size if size2 is None else size2, self.subtree)

    def _hashes(self, level: int, start: int, end: int, get_leaves: GetLeaves) -> Iterable[bytes]:
        """Entries [start, end) of a level, from the tiles below it or the lines."""
        if level == 0:
            return get_leaves(start, end) if start < end else ()
        return [self._whole_root(level - 1, index, get_leaves) for index in range(start, end)]

    def _whole_root(self, level: int, index: int, get_leaves: GetLeaves) -> bytes:
        tile = self._read(level, index)
        if tile is None:
            tile = _Tile(self._hashes(level, index * WIDTH, (index + 1) * WIDTH, get_leaves))
            self._unwritten[level, index] = tile
        if tile.root is None:
            raise LookupError(f"lines for tile {tile_path(level, index)}")
        return tile.root

    def _tile(self, level: int, index: int) -> _Tile:
        if index == self.size >> (HEIGHT * (level + 1)):
            return self._edge[level]
        key = (level, index)
        if key in self._unwritten:
            return self._unwritten[key]
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        above, position = divmod(index, WIDTH)
        tile = self._read(level, index)
        if tile is None or tile.root != self._tile(level + 1, above).rows[0][position]:
            raise LogDamaged(f"tile {tile_path(level, index)} is missing or damaged")
        self._remember(level, index, tile)
        return tile

    def _read(self, level: int, index: int) -> _Tile | None:
        """A full tile as it lies on the disk, or None where there is no whole one."""
        try:
            data = (self._directory / tile_path(level, index)).read_bytes()
        except FileNotFoundError:
            return None
        if len(data) != WIDTH * HASH_SIZE:
            return None
        return _Tile(data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE))

    def _remember(self, level: int, index: int, tile: _Tile) -> None:
        self._cache[level, index] = tile
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)


def _is_there(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False
