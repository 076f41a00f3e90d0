"""The Merkle tree of RFC 9162 §2.1: hashes, an append state, proofs and their verification. Pure: no I/O.

Which bytes make a leaf, where hashes are stored and who signs a root is decided elsewhere (`envelope`, `tiles`,
`checkpoint`). All hashes are SHA-256 digests of 32 bytes; all sizes and indexes are counted in leaves from 0.

A subtree (level, index) is the perfect one over leaves [index << level, (index + 1) << level). The functions that make
proofs are given a way to look such hashes up and ask for O(log size) of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from runtime.audit.errors import ProofError

HASH_SIZE = 32
MAX_SIZE = 2**53 - 1  # the largest integer a record may hold
EMPTY_ROOT = sha256(b"").digest()

GetSubtree = Callable[[int, int], bytes]


def leaf_hash(line: bytes) -> bytes:
    """The hash of one log line, given without its LF."""
    return sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The roots of the perfect subtrees that make up a tree, largest first: all that appending needs."""

    __slots__ = ("_hashes", "_size")

    def __init__(self) -> None:
        self._hashes: list[bytes] = []
        self._size = 0

    @classmethod
    def from_state(cls, size: int, hashes: Sequence[bytes]) -> CompactRange:
        """Continue from a stored state; `hashes` as `CompactRange.hashes` gave them.

        Raises:
            ProofError: as many hashes as `size` has one-bits were expected, each of 32 bytes.
        """
        _check_number(size)
        _check_hashes(hashes)
        if len(hashes) != size.bit_count():
            raise ProofError(f"{len(hashes)} hashes cannot make a tree of {size} leaves")
        tree = cls()
        tree._hashes, tree._size = list(hashes), size
        return tree

    @property
    def size(self) -> int:
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the right."""
        _check_hashes((leaf,))
        below, carried = self._size, leaf
        while below & 1:
            carried = node_hash(self._hashes.pop(), carried)
            below >>= 1
        self._hashes.append(carried)
        self._size += 1

    def root(self) -> bytes:
        return _fold(self._hashes)


def root_of(size: int, get_subtree: GetSubtree) -> bytes:
    """The root of the tree over the first `size` leaves."""
    _check_number(size)
    return _range_root(0, size, get_subtree) if size else EMPTY_ROOT


def inclusion_proof(
    index: int, size: int, get_subtree: GetSubtree, memo: dict[tuple[int, int], bytes] | None = None
) -> list[bytes]:
    """PATH(index, D[size]) of RFC 9162 §2.1.3.1, the sibling of the leaf first.

    Args:
        index: the leaf.
        size: of the tree.
        get_subtree: looks hashes up.
        memo: kept between calls for one tree, it saves most of the work for leaves that are near each other.

    Raises:
        ProofError: there is no such leaf in a tree of that size.
    """
    _check_number(size)
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size} leaves")
    known = {} if memo is None else memo
    proof: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        sibling = (middle, high) if index < middle else (low, middle)
        if sibling not in known:
            known[sibling] = _range_root(*sibling, get_subtree)
        proof.append(known[sibling])
        low, high = (low, middle) if index < middle else (middle, high)
    proof.reverse()
    return proof


def consistency_proof(size1: int, size2: int, get_subtree: GetSubtree) -> list[bytes]:
    """PROOF(size1, D[size2]) of RFC 9162 §2.1.4.1.

    Raises:
        ProofError: not 1 <= size1 <= size2 (every tree extends the empty one: such a proof would prove nothing).
    """
    _check_sizes(size1, size2)
    proof: list[bytes] = []
    low, high, whole = 0, size2, True
    while high != size1:
        middle = low + _split(high - low)
        if size1 <= middle:
            proof.append(_range_root(middle, high, get_subtree))
            high = middle
        else:
            proof.append(_range_root(low, middle, get_subtree))
            low, whole = middle, False
    if not whole:
        proof.append(_range_root(low, high, get_subtree))
    proof.reverse()
    return proof


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 §2.1.3.2, after checking every length and number.

    Raises:
        ProofError: the proof does not show that `leaf` is leaf `index` of the tree with that size and root.
    """
    _check_number(size)
    _check_number(index)
    _check_hashes((leaf, root))
    _check_hashes(proof)
    if index >= size:
        raise ProofError(f"no leaf {index} in a tree of {size} leaves")
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("inclusion proof too long")
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            result = node_hash(result, sibling)
        node >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("inclusion proof too short")
    if result != root:
        raise ProofError("inclusion proof leads to another root")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """RFC 9162 §2.1.4.2, after checking every length and number.

    Raises:
        ProofError: the proof does not show that the tree (size2, root2) extends the tree (size1, root1); also for
            size1 = 0, from which nothing can be shown.
    """
    _check_sizes(size1, size2)
    _check_hashes((root1, root2))
    _check_hashes(proof)
    if size1 == size2:
        if proof:
            raise ProofError("consistency proof too long")
        if root1 != root2:
            raise ProofError("two roots for one size")
        return
    path = list(proof)
    if size1 & (size1 - 1) == 0:
        path.insert(0, root1)
    if not path:
        raise ProofError("consistency proof too short")
    node, last = size1 - 1, size2 - 1
    while node & 1:
        node >>= 1
        last >>= 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("consistency proof too long")
        if node & 1 or node == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            newer = node_hash(newer, sibling)
        node >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("consistency proof too short")
    if older != root1:
        raise ProofError("consistency proof leads to another first root")
    if newer != root2:
        raise ProofError("consistency proof leads to another second root")


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (k in the RFC); size > 1."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_root(low: int, high: int, get_subtree: GetSubtree) -> bytes:
    """The root over leaves [low, high), where `low` is a multiple of the largest power of two within the range."""
    parts: list[bytes] = []
    while low < high:
        level = (high - low).bit_length() - 1
        parts.append(get_subtree(level, low >> level))
        low += 1 << level
    return _fold(parts)


def _fold(parts: Sequence[bytes]) -> bytes:
    if not parts:
        return EMPTY_ROOT
    result = parts[-1]
    for left in reversed(parts[:-1]):
        result = node_hash(left, result)
    return result


def _check_number(number: int) -> None:
    # bool is an int to Python and never a size.
    if type(number) is not int or not 0 <= number <= MAX_SIZE:
        raise ProofError("sizes and indexes are integers from 0 to 2^53-1")


def _check_sizes(size1: int, size2: int) -> None:
    _check_number(size1)
    _check_number(size2)
    if not 1 <= size1 <= size2:
        raise ProofError(f"no consistency proof from {size1} to {size2} leaves")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    for value in hashes:
        if type(value) is not bytes or len(value) != HASH_SIZE:
            raise ProofError("a hash is 32 bytes")
