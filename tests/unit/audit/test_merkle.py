"""RFC 9162 trees against published vectors and the recursive definition; verifiers against what they must refuse."""

from __future__ import annotations

import hashlib

import pytest
from log_rig import leaves_of, path_root, tree_root

from runtime.audit.errors import ProofError
from runtime.audit.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The test vectors of the Certificate Transparency reference implementation.
INPUTS = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
INPUTS.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATH_0_OF_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
LEAVES = [leaf_hash(value) for value in INPUTS]
HASH = b"\x07" * 32


def lookup(leaves: list[bytes]):
    return lambda level, index: tree_root(leaves[index << level : (index + 1) << level])


def many(count: int) -> list[bytes]:
    return leaves_of([str(number).encode() for number in range(count)])


def test_empty_tree() -> None:
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT == CompactRange().root() == root_of(0, lookup([]))


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    tree = CompactRange()
    for leaf in LEAVES[:size]:
        tree.append(leaf)
    assert tree.root().hex() == ROOTS[size - 1] == root_of(size, lookup(LEAVES)).hex()


def test_published_path() -> None:
    proof = inclusion_proof(0, 8, lookup(LEAVES))
    assert [value.hex() for value in proof] == PATH_0_OF_8
    verify_inclusion(LEAVES[0], 0, 8, proof, bytes.fromhex(ROOTS[7]))


def test_compact_range_continues_from_its_state() -> None:
    leaves = many(77)
    tree = CompactRange()
    for leaf in leaves[:50]:
        tree.append(leaf)
    again = CompactRange.from_state(tree.size, tree.hashes)
    for leaf in leaves[50:]:
        again.append(leaf)
    assert again.root() == tree_root(leaves)


@pytest.mark.parametrize(
    ("size", "hashes"),
    [(3, [HASH]), (0, [HASH]), (1, []), (1, [HASH[:31]]), (1, [b""]), (-1, []), (2**53, [HASH])],
)
def test_compact_range_refuses_impossible_states(size: int, hashes: list[bytes]) -> None:
    with pytest.raises(ProofError):
        CompactRange.from_state(size, hashes)


@pytest.mark.parametrize("size", [*range(1, 20), 31, 32, 33, 64, 100])
def test_every_inclusion_proof(size: int) -> None:
    leaves = many(size)
    root = tree_root(leaves)
    memo: dict[tuple[int, int], bytes] = {}
    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(index, size, lookup(leaves))
        assert path_root(leaf, index, size, proof) == root
        assert inclusion_proof(index, size, lookup(leaves), memo) == proof
        verify_inclusion(leaf, index, size, proof, root)


@pytest.mark.parametrize("size", [*range(1, 18), 32, 33, 65])
def test_every_consistency_proof(size: int) -> None:
    leaves = many(size)
    for first in range(1, size + 1):
        proof = consistency_proof(first, size, lookup(leaves))
        verify_consistency(first, size, proof, tree_root(leaves[:first]), tree_root(leaves))
        for wrong in {first - 1, first + 1} - {0}:
            with pytest.raises(ProofError):
                verify_consistency(wrong, size, proof, tree_root(leaves[:first]), tree_root(leaves))


def test_proofs_of_what_is_not_there() -> None:
    leaves = many(5)
    for index, size in [(5, 5), (-1, 5), (0, 0)]:
        with pytest.raises(ProofError):
            inclusion_proof(index, size, lookup(leaves))
    for first, size in [(0, 5), (6, 5), (0, 0), (-1, 5)]:
        with pytest.raises(ProofError):
            consistency_proof(first, size, lookup(leaves))


PROOF5 = inclusion_proof(3, 5, lookup(many(5)))
ROOT5 = tree_root(many(5))
INCLUSION = {
    "another leaf": (many(5)[2], 3, 5, PROOF5, ROOT5),
    "another index": (many(5)[3], 2, 5, PROOF5, ROOT5),
    "another size": (many(5)[3], 3, 4, PROOF5, ROOT5),
    "another root": (many(5)[3], 3, 5, PROOF5, HASH),
    "too short": (many(5)[3], 3, 5, PROOF5[:-1], ROOT5),
    "too long": (many(5)[3], 3, 5, [*PROOF5, HASH], ROOT5),
    "empty": (many(5)[3], 3, 5, [], ROOT5),
    "out of order": (many(5)[3], 3, 5, PROOF5[::-1], ROOT5),
    "the root as a leaf": (ROOT5, 0, 1, [HASH], ROOT5),
    "a node as a leaf": (node_hash(many(4)[2], many(4)[3]), 1, 5, PROOF5[1:], ROOT5),
    "a leaf of no length": (b"", 3, 5, PROOF5, ROOT5),
    "a root of no length": (many(5)[3], 3, 5, PROOF5, b""),
    "a proof hash of no length": (many(5)[3], 3, 5, [b"", *PROOF5[1:]], ROOT5),
    "a proof hash of 33 bytes": (many(5)[3], 3, 5, [PROOF5[0] + b"x", *PROOF5[1:]], ROOT5),
    "leaf 0 of 0": (ROOT5, 0, 0, [], ROOT5),
    "index beyond": (many(5)[3], 5, 5, PROOF5, ROOT5),
    "negative index": (many(5)[3], -1, 5, PROOF5, ROOT5),
    "true for 1": (ROOT5, False, True, [], ROOT5),
    "a huge size": (many(5)[3], 3, 2**60, PROOF5, ROOT5),
}


@pytest.mark.parametrize("case", INCLUSION.values(), ids=INCLUSION)
def test_inclusion_refused(case: tuple) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(*case)


STEP = consistency_proof(3, 7, lookup(many(7)))
R3, R7 = tree_root(many(3)), tree_root(many(7))
CONSISTENCY = {
    "from nothing": (0, 7, [], EMPTY_ROOT, R7),
    "from nothing with a proof": (0, 7, [R7], R7, R7),
    "backwards": (7, 3, STEP, R7, R3),
    "another first root": (3, 7, STEP, HASH, R7),
    "another second root": (3, 7, STEP, R3, HASH),
    "too short": (3, 7, STEP[:-1], R3, R7),
    "too long": (3, 7, [*STEP, HASH], R3, R7),
    "empty": (3, 7, [], R3, R7),
    "empty from a power of two": (4, 7, [], tree_root(many(4)), R7),
    "equal sizes with a proof": (3, 3, [HASH], R3, R3),
    "equal sizes, two roots": (3, 3, [], R3, R7),
    "a hash of no length": (3, 7, [b"", *STEP[1:]], R3, R7),
    "a root of no length": (3, 7, STEP, b"", R7),
    "true for 1": (True, 7, consistency_proof(1, 7, lookup(many(7))), many(1)[0], R7),
    "a huge size": (3, 2**60, STEP, R3, R7),
}


@pytest.mark.parametrize("case", CONSISTENCY.values(), ids=CONSISTENCY)
def test_consistency_refused(case: tuple) -> None:
    with pytest.raises(ProofError):
        verify_consistency(*case)


def test_consistency_with_itself() -> None:
    verify_consistency(3, 3, [], R3, R3)
