"""Every tree of up to 300 leaves: roots, inclusion and consistency proofs as RFC 9162 §2.1 defines them, recursively.

From the tiles that a writer holds in memory, and from the files of a log; every one of them, not a sample.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from runtime.audit.merkle import CompactRange, verify_consistency, verify_inclusion
from runtime.audit.proofs import consistency_for, proof_for
from runtime.audit.record import prepare
from runtime.audit.tiles import HashTiles
from tests.attacks.log_forms import Tree
from tests.unit.audit.log_rig import leaves_of, make_rig, turn

MOST = 300
LEAVES = [sha256(b"leaf %d" % number).digest() for number in range(MOST)]


def split(count: int) -> int:
    """k: the largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def path(tree: Tree, index: int, low: int, high: int) -> list[bytes]:
    """PATH(m, D[low:high]) of §2.1.3.1."""
    if high - low == 1:
        return []
    middle = low + split(high - low)
    if index < middle:
        return [*path(tree, index, low, middle), tree.mth(middle, high)]
    return [*path(tree, index, middle, high), tree.mth(low, middle)]


def subproof(tree: Tree, first: int, low: int, high: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[low:high], b) of §2.1.4.1, `first` counted from 0."""
    if first == high:
        return [] if whole else [tree.mth(low, high)]
    middle = low + split(high - low)
    if first <= middle:
        return [*subproof(tree, first, low, middle, whole=whole), tree.mth(middle, high)]
    return [*subproof(tree, first, middle, high, whole=False), tree.mth(low, middle)]


def sizes() -> Iterator[int]:
    yield from range(1, MOST + 1)


def test_proofs_of_every_size_from_tiles(tmp_path: Path) -> None:
    tree, tiles, compact = Tree(LEAVES), HashTiles(tmp_path / "tile"), CompactRange()
    for size in sizes():
        tiles.append(LEAVES[size - 1])
        compact.append(LEAVES[size - 1])
        root = tree.root(size)
        assert tiles.root() == compact.root() == root
        for index in range(size):
            proof = tiles.inclusion(index)
            assert proof == path(tree, index, 0, size)
            verify_inclusion(LEAVES[index], index, size, proof, root)
    for size in sizes():
        for first in range(1, size + 1):
            proof = tiles.consistency(first, size)
            assert proof == subproof(tree, first, 0, size, whole=True)
            verify_consistency(first, size, proof, tree.root(first), tree.root(size))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 255, 256, 257, 300])
def test_proofs_of_every_size_from_a_log(size: int, tmp_path: Path) -> None:
    """All earlier sizes too, from tiles where there are any and from lines where not."""
    rig = make_rig(tmp_path)
    writer = rig.open()
    writer.commit([prepare(turn(number)) for number in range(size - 1)])
    writer.close()
    tree = Tree(leaves_of(rig.lines()))
    earlier = range(1, size + 1) if size < 6 else {1, 2, size // 2, size - 2, size - 1, size}
    for smaller in earlier:
        for index in {0, 1, smaller // 2, smaller - 1} & set(range(smaller)):
            found = proof_for(rig.logs, index, smaller)
            assert found is not None
            assert [base64.b64decode(item) for item in found["inclusion"]] == path(tree, index, 0, smaller)
        hashes = consistency_for(rig.logs, smaller)
        assert hashes is not None
        assert [base64.b64decode(item) for item in hashes] == subproof(tree, smaller, 0, size, whole=True)
