"""The tree on disk: lookups at any size, what is rebuilt, and that nothing on the disk is believed unchecked."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from log_rig import FaultyFiles, leaves_of, path_root, tree_root

from runtime.audit.errors import LogDamaged, ProofError
from runtime.audit.merkle import verify_consistency, verify_inclusion
from runtime.audit.tiles import HashTiles

LEAVES = leaves_of([b"%d" % number for number in range(70_000)])


def from_lines(start: int, end: int) -> list[bytes]:
    return LEAVES[start:end]


def nowhere(start: int, end: int) -> list[bytes]:
    if start == end:
        return []
    raise LookupError("no lines")


def small(size: int) -> list[bytes]:
    return LEAVES[:size]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 1000])
def test_roots_and_proofs_at_every_kind_of_size(tmp_path: Path, size: int) -> None:
    tree = HashTiles.rebuild(tmp_path, small(size))
    assert (tree.size, tree.root()) == (size, tree_root(small(size)))
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        assert path_root(LEAVES[index], index, size, tree.inclusion(index)) == tree.root()
    for older in {1, 2, size // 3, size - 1, size} & set(range(1, size + 1)):
        verify_consistency(older, size, tree.consistency(older), tree.root(older), tree.root())


def test_three_levels(tmp_path: Path) -> None:
    tree = HashTiles.rebuild(tmp_path, LEAVES)
    root = tree.root()
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        verify_inclusion(LEAVES[index], index, len(LEAVES), tree.inclusion(index), root)
    again = HashTiles.restore(tmp_path, len(LEAVES), lambda start, end: from_lines(start, end))
    assert again.root() == root
    assert again.root(65_537) == HashTiles.rebuild(tmp_path / "x", LEAVES[:65_537]).root()
    for older in (1, 255, 257, 65_536, 65_537):
        verify_consistency(older, len(LEAVES), again.consistency(older), again.root(older), root)


def test_proofs_of_older_trees_and_of_what_is_not_there(tmp_path: Path) -> None:
    tree = HashTiles.rebuild(tmp_path, small(300))
    verify_inclusion(LEAVES[7], 7, 259, tree.inclusion(7, 259), tree_root(small(259)))
    for call in [lambda: tree.inclusion(300), lambda: tree.inclusion(5, 301), lambda: tree.root(301)]:
        with pytest.raises(ProofError):
            call()
    with pytest.raises(ProofError):
        tree.consistency(0)


def test_appending_forgets_the_proofs_of_the_tree_before(tmp_path: Path) -> None:
    tree = HashTiles(tmp_path)
    for number, leaf in enumerate(small(40)):
        tree.append(leaf)
        for index in range(number + 1):
            assert path_root(LEAVES[index], index, number + 1, tree.inclusion(index)) == tree.root()


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 700])
def test_restore_continues(tmp_path: Path, size: int) -> None:
    HashTiles.rebuild(tmp_path, small(size))
    tree = HashTiles.restore(tmp_path, size, from_lines)
    for leaf in LEAVES[size : size + 300]:
        tree.append(leaf)
    tree.flush()
    assert tree.root() == tree_root(small(size + 300))


def test_restore_reads_no_more_lines_than_those_of_the_edge(tmp_path: Path) -> None:
    HashTiles.rebuild(tmp_path, small(700))
    asked = []

    def watched(start: int, end: int) -> list[bytes]:
        asked.append((start, end))
        return LEAVES[start:end]

    HashTiles.restore(tmp_path, 700, watched)
    assert asked == [(512, 700)]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\0" * 100)])
def test_a_missing_or_torn_tile_is_made_again_from_lines(tmp_path: Path, damage) -> None:
    HashTiles.rebuild(tmp_path, small(700))
    whole = (tmp_path / "0/001").read_bytes()
    damage(tmp_path / "0/001")
    with pytest.raises(LookupError):
        HashTiles.restore(tmp_path, 700, lambda start, end: nowhere(start, end) if start < 512 else LEAVES[start:end])
    tree = HashTiles.restore(tmp_path, 700, from_lines)
    assert tree.root() == tree_root(small(700))
    tree.flush()
    assert (tmp_path / "0/001").read_bytes() == whole


def test_a_missing_tile_of_a_higher_level(tmp_path: Path) -> None:
    HashTiles.rebuild(tmp_path, LEAVES)
    (tmp_path / "1/000").unlink()
    tree = HashTiles.restore(tmp_path, len(LEAVES), from_lines)
    assert tree.root() == HashTiles.rebuild(tmp_path / "x", LEAVES).root()


def test_a_changed_tile_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    HashTiles.rebuild(tmp_path, small(700))
    tree = HashTiles.restore(tmp_path, 700, from_lines)
    changed = bytearray((tmp_path / "0/000").read_bytes())
    changed[77] ^= 1
    (tmp_path / "0/000").write_bytes(changed)
    with pytest.raises(LogDamaged):
        tree.inclusion(3)
    (tmp_path / "0/000").unlink()
    with pytest.raises(LogDamaged):
        tree.inclusion(3)


def test_a_changed_tile_changes_the_restored_root(tmp_path: Path) -> None:
    """Who restores compares the root with what was signed."""
    HashTiles.rebuild(tmp_path, small(700))
    changed = bytearray((tmp_path / "0/001").read_bytes())
    changed[77] ^= 1
    (tmp_path / "0/001").write_bytes(changed)
    assert HashTiles.restore(tmp_path, 700, from_lines).root() != tree_root(small(700))


def test_many_tiles_are_read_through_a_small_cache(tmp_path: Path) -> None:
    tree = HashTiles.rebuild(tmp_path, LEAVES)
    root = tree.root()
    for index in range(0, len(LEAVES), 509):
        verify_inclusion(LEAVES[index], index, len(LEAVES), tree.inclusion(index), root)


def test_tiles_that_could_not_be_written_are_written_next_time(tmp_path: Path) -> None:
    files = FaultyFiles()
    tree = HashTiles(tmp_path, files)
    for leaf in small(300):
        tree.append(leaf)
    files.fail("write", errno.ENOSPC)
    with pytest.raises(OSError, match="space"):
        tree.flush()
    assert path_root(LEAVES[3], 3, 300, tree.inclusion(3)) == tree_root(small(300))
    tree.flush()
    assert (tmp_path / "0/000").read_bytes() == b"".join(small(256))
    assert [path.name for path in (tmp_path / "0").iterdir()] == ["000"]
