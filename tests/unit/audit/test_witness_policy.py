"""Who counts as a witness, how many are enough, and how far a quorum reaches over several checkpoints."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.checkpoint import parse_checkpoint, sign_checkpoint
from runtime.audit.cosignature import cosign, witness_key, write_signature
from runtime.audit.errors import CheckpointError, KeysError
from runtime.audit.notation import LOG_KEY, VerifierKey
from runtime.audit.witness_policy import WitnessPolicy, cosigned

LOG = Ed25519PrivateKey.from_private_bytes(bytes(32))
NOTE = sign_checkpoint("log.example", 7, bytes(32), LOG)
SECRETS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3)]
NAMES = ["witness.example/a", "witness.example/b", "witness.example/c"]
KEYS = tuple(witness_key(name, key) for name, key in zip(NAMES, SECRETS, strict=True))


def vouched(*numbers: int, note: str = NOTE) -> str:
    checkpoint = parse_checkpoint(note)
    return note + "".join(
        write_signature(cosign(checkpoint, NAMES[number], SECRETS[number], 100 + number)) for number in numbers
    )


@pytest.mark.parametrize("numbers", [(), (0,), (1, 2), (0, 1, 2)])
def test_who_vouched_and_when(numbers: tuple[int, ...]) -> None:
    assert cosigned(vouched(*numbers), KEYS) == {NAMES[number]: 100 + number for number in numbers}


def test_only_the_callers_witnesses_count() -> None:
    assert cosigned(vouched(0, 1, 2), KEYS[:1]) == {NAMES[0]: 100}
    assert cosigned(vouched(0, 1, 2), ()) == {}


@pytest.mark.parametrize(
    ("quorum", "numbers", "enough"),
    [
        (0, (), True),
        (1, (), False),
        (1, (2,), True),
        (2, (2,), False),
        (2, (0, 2), True),
        (3, (0, 1), False),
        (3, (0, 1, 2), True),
    ],
)
def test_a_quorum(quorum: int, numbers: tuple[int, ...], enough: bool) -> None:
    assert WitnessPolicy(KEYS, quorum).accepts(vouched(*numbers)) is enough


def test_two_lines_of_one_witness_are_one_witness() -> None:
    note = vouched(0) + write_signature(cosign(parse_checkpoint(NOTE), NAMES[0], SECRETS[0], 999))
    assert not WitnessPolicy(KEYS, 2).accepts(note)


def test_a_wrong_line_is_no_missing_line() -> None:
    with pytest.raises(CheckpointError):
        WitnessPolicy(KEYS, 0).accepts(vouched(0).replace("\n7\n", "\n8\n"))


def test_policies_are_written_with_verifier_keys() -> None:
    assert WitnessPolicy.from_vkeys([str(key) for key in KEYS], 2) == WitnessPolicy(KEYS, 2)


UNFIT = {
    "more than there are": (KEYS, 4),
    "a negative quorum": (KEYS, -1),
    "a quorum of nobody": ((), 1),
    "a name twice": ((KEYS[0], witness_key(NAMES[0], SECRETS[1])), 1),
    "a key under two names": ((KEYS[0], witness_key(NAMES[1], SECRETS[0])), 2),
    "a log's key": ((VerifierKey("log.example", LOG_KEY, bytes(32)),), 1),
}


@pytest.mark.parametrize(("keys", "quorum"), UNFIT.values(), ids=UNFIT)
def test_policies_that_would_deceive_are_refused(keys: tuple[VerifierKey, ...], quorum: int) -> None:
    with pytest.raises(KeysError):
        WitnessPolicy(keys, quorum)


A, B, C = NAMES


@pytest.mark.parametrize(
    ("quorum", "seen", "covered"),
    [
        (1, [], 0),
        (0, [(9, {A: 1})], 0),
        (1, [(9, {A: 1}), (5, {B: 1})], 9),
        (2, [(9, {A: 1}), (5, {B: 1})], 5),
        (2, [(9, {A: 1}), (5, {A: 1, B: 1}), (7, {C: 1})], 7),
        (3, [(9, {A: 1}), (5, {A: 1, B: 1})], 0),
        (2, [(9, {A: 1, "stranger": 1})], 0),
    ],
)
def test_how_far_a_quorum_reaches(quorum: int, seen: list[tuple[int, dict[str, int]]], covered: int) -> None:
    assert WitnessPolicy(KEYS, quorum).covered(seen) == covered
