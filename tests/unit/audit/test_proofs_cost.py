"""Proofs for many neighbours cost little each, also where the tree has outgrown its full tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.audit import proofs
from runtime.audit.checkpoint import Checkpoint
from runtime.audit.finder import LineFinder
from runtime.audit.merkle import leaf_hash, node_hash, root_of

SIZE = 90_000  # above 65,536 no tile of the second level is full


class Lines(LineFinder):
    """A log of numbers."""

    def lines(self, start: int, end: int) -> list[tuple[int, bytes]]:
        return [(index, b"%d" % index) for index in range(start, min(end, SIZE))]


@pytest.fixture(scope="module")
def root() -> bytes:
    nodes: dict[tuple[int, int], bytes] = {}

    def subtree(level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hash(b"%d" % index)
        if (level, index) not in nodes:
            nodes[level, index] = node_hash(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1))
        return nodes[level, index]

    return root_of(SIZE, subtree)


def test_a_thousand_proofs_hash_the_tree_about_once(
    root: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = 0

    def counted(*both: Any) -> bytes:
        nonlocal hashed
        hashed += 1
        return node_hash(*both)

    monkeypatch.setattr(proofs, "node_hash", counted)
    trees = proofs._Trees(tmp_path, Lines(tmp_path))
    signed = Checkpoint("log.example/test", SIZE, root, ())
    for index in range(70_000, 71_000):
        trees.inclusion(index, SIZE, signed)
    assert hashed < 2 * SIZE
