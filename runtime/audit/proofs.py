"""Proofs and tiles of a log on the disk, for doors and exports.

They are made from full hash tiles where there are any, from lines where not. Every proof is checked against the value
of the signed root before it is handed out; signatures are for whoever receives it to check.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Any

from runtime.audit.checkpoint import Checkpoint, parse_checkpoint
from runtime.audit.errors import CheckpointError, LogDamaged, ProofError
from runtime.audit.finder import LineFinder, finder_of
from runtime.audit.merkle import (
    HASH_SIZE,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from runtime.audit.survey import CHECKPOINT_FILE, read_limited, read_note
from runtime.audit.tiles import HEIGHT, WIDTH, tile_path

_CACHED = 4096  # hashes of subtrees kept, of either kind
_TILES = 64  # tiles kept
_ENTRIES = "entries"
# Levels above 6 would hold more leaves than an index may count.
_TILE_PATH = re.compile(rf"({_ENTRIES}|[0-6])((?:/x[0-9]{{3}})*/[0-9]{{3}})(?:\.p/([1-9][0-9]{{0,2}}))?")


def latest_checkpoint(logs_dir: Path) -> str | None:
    """The current signed note as the writer left it, None where there is none yet.

    Raises:
        LogDamaged: there is something else in its place.
    """
    try:
        data = read_note(logs_dir / CHECKPOINT_FILE)
        if data is None:
            return None
        text = data.decode("utf-8")
        parse_checkpoint(text)
    except (OSError, UnicodeDecodeError, CheckpointError) as error:
        raise LogDamaged("the checkpoint cannot be read") from error
    return text


def covered_size(logs_dir: Path) -> int:
    """How many lines the current checkpoint covers. Raises: LogDamaged."""
    text = latest_checkpoint(logs_dir)
    return parse_checkpoint(text).size if text else 0


def proof_for(logs_dir: Path, index: int, size: int | None = None) -> dict[str, Any] | None:
    """The inclusion proof of a leaf, in the tree of the current checkpoint or of an earlier size.

    Returns:
        log_index, tree_size, inclusion (hashes in base64, the leaf's sibling first) and checkpoint (the signed note
        over tree_size leaves; None for an earlier size). None where the current checkpoint covers no such leaf or size.

    Raises:
        LogDamaged: lines and tiles do not lead to the root that was signed.
    """
    text = latest_checkpoint(logs_dir)
    if text is None:
        return None
    signed = parse_checkpoint(text)
    wanted = signed.size if size is None else size
    if not 0 <= index < wanted <= signed.size:
        return None
    proof = _trees(logs_dir).inclusion(index, wanted, signed)
    return {
        "log_index": index,
        "tree_size": wanted,
        "inclusion": _base64(proof),
        "checkpoint": text if wanted == signed.size else None,
    }


def inclusion_under(logs_dir: Path, signed: Checkpoint, index: int) -> list[str]:
    """The inclusion proof of a leaf under a checkpoint that was read before; hashes in base64.

    Raises:
        LogDamaged: lines and tiles do not lead to the root that was signed.
    """
    return _base64(_trees(logs_dir).inclusion(index, signed.size, signed))


def consistency_for(logs_dir: Path, size1: int, size2: int | None = None) -> list[str] | None:
    """The proof that the tree of `size2` leaves (of the current checkpoint by default) extends that of `size1`.

    Returns:
        Hashes in base64; None where the current checkpoint covers no such sizes.

    Raises:
        LogDamaged: lines and tiles do not lead to the root that was signed.
    """
    text = latest_checkpoint(logs_dir)
    if text is None:
        return None
    signed = parse_checkpoint(text)
    wanted = signed.size if size2 is None else size2
    if not 1 <= size1 <= wanted <= signed.size:
        return None
    return _base64(_trees(logs_dir).consistency(size1, wanted, signed))


def read_tile(logs_dir: Path, path: str) -> bytes | None:
    """A tile by its path below `tile/` (https://c2sp.org/tlog-tiles), full or partial.

    Hash tiles ('0/x001/067', '0/000.p/17') hold nothing but hashes. Bundles of entries ('entries/000') are records: who
    may have them is for the caller to say. Only paths of this form are looked up, in one spelling each.

    Returns:
        Its bytes; None where there is no such path, the current checkpoint does not cover all of it, or entries of it
        were pruned.

    Raises:
        LogDamaged: the log cannot be read.
    """
    place = _tile_place(path)
    text = latest_checkpoint(logs_dir)
    if place is None or text is None:
        return None
    level, index, width = place
    signed = parse_checkpoint(text)
    start = index * WIDTH
    if (start + width) << (HEIGHT * level) > signed.size:
        return None
    if path.startswith(_ENTRIES):
        lines = finder_of(logs_dir).lines(start, start + width)
        if len(lines) < width:
            return None  # some of them were pruned
        return b"".join(len(line).to_bytes(2, "big") + line for _, line in lines)
    trees = _trees(logs_dir)
    return b"".join(trees.subtree(level * HEIGHT, at, signed) for at in range(start, start + width))


def _tile_place(path: str) -> tuple[int, int, int] | None:
    """(level, index, width) of a path that is spelled as `tile_path` spells it; entries lie at level 0."""
    if len(path) > 64 or (match := _TILE_PATH.fullmatch(path)) is None:
        return None
    level = 0 if match[1] == _ENTRIES else int(match[1])
    index = int(re.sub("[/x]", "", match[2]))
    width = int(match[3]) if match[3] else WIDTH
    spelled = tile_path(level, index, width)
    return (level, index, width) if f"{match[1]}/{spelled.partition('/')[2]}" == path else None


class _Trees:
    """Hashes of perfect subtrees. All under a checkpoint are final, so what was computed once can be kept."""

    def __init__(self, logs_dir: Path, finder: LineFinder) -> None:
        self._dir = logs_dir
        self._finder = finder
        self._lock = RLock()
        # Those within a tile apart from those above: a large subtree is made of thousands of the former, which would
        # push out the few of the latter that every proof needs.
        self._within: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._above: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._tiles: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()
        self._limit = 0
        self._distrusting = False  # tiles did not lead to the root: lines are taken where there are any

    def inclusion(self, index: int, size: int, signed: Checkpoint) -> list[bytes]:
        with self._lock:
            self._limit = signed.size
            for self._distrusting in (False, True):
                try:
                    proof = inclusion_proof(index, size, self._subtree)
                    root = signed.root if size == signed.size else self._root(size, signed)
                    verify_inclusion(self._subtree(0, index), index, size, proof, root)
                except ProofError:
                    self._forget()
                else:
                    return proof
        raise LogDamaged("lines and tiles do not lead to the root that was signed")

    def consistency(self, size1: int, size2: int, signed: Checkpoint) -> list[bytes]:
        with self._lock:
            self._limit = signed.size
            for self._distrusting in (False, True):
                try:
                    proof = consistency_proof(size1, size2, self._subtree)
                    root = signed.root if size2 == signed.size else self._root(size2, signed)
                    verify_consistency(size1, size2, proof, root_of(size1, self._subtree), root)
                except ProofError:
                    self._forget()
                else:
                    return proof
        raise LogDamaged("lines and tiles do not lead to the root that was signed")

    def subtree(self, level: int, index: int, signed: Checkpoint) -> bytes:
        with self._lock:
            self._limit = signed.size
            return self._subtree(level, index)

    def _root(self, size: int, signed: Checkpoint) -> bytes:
        """The root at an earlier size, shown to be consistent with the signed one."""
        root = root_of(size, self._subtree)
        proof = consistency_proof(size, signed.size, self._subtree)
        verify_consistency(size, signed.size, proof, root, signed.root)
        return root

    def _subtree(self, level: int, index: int) -> bytes:
        if level % HEIGHT == 0:
            tile = self._tile(level // HEIGHT, index // WIDTH)
            if tile is not None and index % WIDTH < len(tile):
                return tile[index % WIDTH]
        key, kept = (level, index), self._within if level < HEIGHT else self._above
        if key not in kept:
            kept[key] = node_hash(self._subtree(level - 1, 2 * index), self._subtree(level - 1, 2 * index + 1))
            if len(kept) > _CACHED:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]

    def _tile(self, level: int, index: int) -> list[bytes] | None:
        """The hashes of a tile: from its file, at level 0 else from the lines; None where neither has them."""
        key = (level, index)
        tile = self._tiles.get(key)
        wanted = min(WIDTH, (self._limit >> (HEIGHT * level)) - index * WIDTH)
        if tile is None or len(tile) < wanted:
            tile = None if self._distrusting or wanted < WIDTH else self._read(level, index)
            if tile is None and level == 0:
                start = index * WIDTH
                tile = [leaf_hash(line) for _, line in self._finder.lines(start, start + wanted)]
                if len(tile) < wanted:
                    # Of what was pruned there are only tiles.
                    tile = self._read(level, index) if wanted == WIDTH else None
                if tile is None:
                    raise LogDamaged("lines are missing that a checkpoint covers")
            if tile is None:
                return None
            self._tiles[key] = tile
            if len(self._tiles) > _TILES:
                self._tiles.popitem(last=False)
        self._tiles.move_to_end(key)
        return tile

    def _read(self, level: int, index: int) -> list[bytes] | None:
        try:
            data = read_limited(self._dir / "tile" / tile_path(level, index), WIDTH * HASH_SIZE)
        except OSError:
            return None
        if data is None or len(data) != WIDTH * HASH_SIZE:
            return None
        return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]

    def _forget(self) -> None:
        self._within.clear()
        self._above.clear()
        self._tiles.clear()


@lru_cache(maxsize=8)
def _trees(logs_dir: Path) -> _Trees:
    return _Trees(logs_dir, finder_of(logs_dir))


def _base64(hashes: Sequence[bytes]) -> list[str]:
    return [b64encode(value).decode("ascii") for value in hashes]
