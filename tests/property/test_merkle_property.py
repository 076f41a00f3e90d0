"""Trees of any size against the recursive definitions of RFC 9162 §2.1; altered proofs are never accepted."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.audit.errors import ProofError
from runtime.audit.merkle import (
    CompactRange,
    consistency_proof,
    inclusion_proof,
    root_of,
    verify_consistency,
    verify_inclusion,
)


def split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    k = 1
    while 2 * k < count:
        k *= 2
    return k


def mth(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), mth(leaves[k:])]
    return [*path(index - k, leaves[k:]), mth(leaves[:k])]


def subproof(first: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    if first == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if first <= k:
        return [*subproof(first, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(first - k, leaves[k:], whole=False), mth(leaves[:k])]


def lookup(leaves: list[bytes]):
    return lambda level, index: mth(leaves[index << level : (index + 1) << level])


sizes = st.integers(1, 300)


def leaves_of(size: int) -> list[bytes]:
    return [sha256(b"%d" % number).digest() for number in range(size)]


@given(sizes)
def test_roots(size: int) -> None:
    leaves = leaves_of(size)
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    assert tree.root() == mth(leaves) == root_of(size, lookup(leaves))


@given(sizes, st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    proof = inclusion_proof(index, size, lookup(leaves))
    assert proof == path(index, leaves)
    verify_inclusion(leaves[index], index, size, proof, mth(leaves))


@given(sizes, st.data())
def test_consistency(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size))
    leaves = leaves_of(size)
    proof = consistency_proof(first, size, lookup(leaves))
    assert proof == subproof(first, leaves)
    verify_consistency(first, size, proof, mth(leaves[:first]), mth(leaves))


def altered(proof: list[bytes], data: st.DataObject) -> list[bytes]:
    """The proof with one hash changed, dropped, doubled, shortened or moved."""
    at = data.draw(st.integers(0, len(proof) - 1))
    kind = data.draw(st.sampled_from(["change", "drop", "double", "shorten", "empty", "move"]))
    copy = list(proof)
    if kind == "change":
        bit = data.draw(st.integers(0, 255))
        copy[at] = (int.from_bytes(copy[at], "big") ^ (1 << bit)).to_bytes(32, "big")
    elif kind == "drop":
        del copy[at]
    elif kind == "double":
        copy.insert(at, copy[at])
    elif kind == "shorten":
        copy[at] = copy[at][:-1]
    elif kind == "empty":
        copy[at] = b""
    else:
        copy.append(copy.pop(at))
    return copy


@given(st.integers(2, 300), st.data())
def test_an_altered_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    proof = path(index, leaves)
    wrong = altered(proof, data)
    if wrong != proof:
        with pytest.raises(ProofError):
            verify_inclusion(leaves[index], index, size, wrong, mth(leaves))
    other = data.draw(st.integers(0, size - 1).filter(lambda value: value != index))
    with pytest.raises(ProofError):
        verify_inclusion(leaves[index], other, size, proof, mth(leaves))


@given(st.integers(2, 300), st.data())
def test_an_altered_consistency_proof_is_refused(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size - 1))
    leaves = leaves_of(size)
    proof = subproof(first, leaves)
    wrong = altered(proof, data)
    if wrong != proof:
        with pytest.raises(ProofError):
            verify_consistency(first, size, wrong, mth(leaves[:first]), mth(leaves))
    fork = [*leaves[: first - 1], b"\x00" * 32, *leaves[first:]]
    with pytest.raises(ProofError):
        verify_consistency(first, size, proof, mth(leaves[:first]), mth(fork))
