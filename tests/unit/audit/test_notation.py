"""Verifier keys, numbers and hashes: one spelling each, and what cannot be one is refused."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.checkpoint import vkey
from runtime.audit.errors import CheckpointError, KeysError
from runtime.audit.notation import LOG_KEY, WITNESS_KEY, VerifierKey, parse_vkey, read_base64, read_hash, read_number

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
RAW = KEY.public_bytes_raw()
WITNESS = VerifierKey("witness.example/w1", WITNESS_KEY, RAW)
LOG = VerifierKey("log.example", LOG_KEY, RAW)


def test_a_log_key_is_what_checkpoints_are_published_with() -> None:
    assert str(LOG) == vkey("log.example", KEY)


@pytest.mark.parametrize("key", [WITNESS, LOG])
def test_round_trip(key: VerifierKey) -> None:
    assert parse_vkey(str(key), key.kind) == key


def test_one_key_has_two_ids_by_what_it_signs() -> None:
    assert VerifierKey("log.example", WITNESS_KEY, RAW).key_id != LOG.key_id


def spelled(name: str, key_id: str, data: bytes) -> str:
    return f"{name}+{key_id}+{base64.b64encode(data).decode()}"


GOOD = str(WITNESS)
ID = WITNESS.key_id.hex()
BAD = {
    "empty": "",
    "two parts": GOOD.rpartition("+")[0],
    "a log's": str(LOG),
    "an id in capitals": GOOD.replace(ID, ID.upper() if ID.upper() != ID else "ABCDEF01"),
    "an id too short": GOOD.replace(ID, ID[:7]),
    "another's id": GOOD.replace(ID, LOG.key_id.hex()),
    "another name": GOOD.replace("w1", "w2"),
    "no name": GOOD.removeprefix("witness.example/w1"),
    "a space in the name": GOOD.replace("w1", "w 1"),
    "a name that is not ASCII": GOOD.replace("w1", "wé"),
    "a space before": " " + GOOD,
    "a line feed after": GOOD + "\n",
    "a key of 31 bytes": spelled(WITNESS.name, ID, b"\x04" + RAW[:31]),
    "a key of 33 bytes": spelled(WITNESS.name, ID, b"\x04" + RAW + b"x"),
    "no key": spelled(WITNESS.name, ID, b"\x04"),
    "nothing": f"{WITNESS.name}+{ID}+",
    "base64 without its padding": GOOD + "=",
    "base64 for URLs": GOOD[:-4] + "-_-_",
    "ML-DSA": spelled(WITNESS.name, ID, b"\x06" + bytes(1312)),
    "very long": GOOD + "A" * 1000,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_other_spellings_are_refused(text: str) -> None:
    assert text != GOOD
    with pytest.raises(KeysError):
        parse_vkey(text, WITNESS_KEY)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "é", "a\n", "x" * 256])
def test_names_that_no_key_has(name: str) -> None:
    with pytest.raises(KeysError):
        VerifierKey(name, WITNESS_KEY, RAW)


@pytest.mark.parametrize("text", ["0", "1", "10", str(2**53 - 1)])
def test_numbers(text: str) -> None:
    assert str(read_number(text)) == text


@pytest.mark.parametrize(
    "text", ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "1.0", "١", "1\n", str(2**53), "9" * 99]
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(CheckpointError):
        read_number(text)


def test_hashes() -> None:
    assert read_hash(base64.b64encode(RAW).decode()) == RAW
    assert read_base64("") == b""


@pytest.mark.parametrize(
    "text", ["", "AA==", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode()]
)
def test_what_is_no_hash(text: str) -> None:
    with pytest.raises(CheckpointError):
        read_hash(text)


@pytest.mark.parametrize("text", ["AB==", "A", "AA", "AAA", "AA==\n", "A A=", "ÄÄ==", "-_==", "AA==AA=="])
def test_base64_that_is_not_canonical(text: str) -> None:
    with pytest.raises(CheckpointError):
        read_base64(text)
