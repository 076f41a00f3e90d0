"""Cosignatures: what is signed, whose lines count, and that a line in a witness's name that it did not make is fatal."""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from runtime.audit.checkpoint import NoteSignature, parse_checkpoint, sign_checkpoint
from runtime.audit.cosignature import (
    MAX_TIME,
    add_cosignature,
    cosign,
    cosigned_at,
    signatures_by,
    time_of,
    witness_key,
    write_note,
    write_signature,
)
from runtime.audit.errors import CheckpointError, KeysError
from runtime.audit.notation import LOG_KEY, VerifierKey

ORIGIN = "log.example"
LOG = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG_PUBLIC = VerifierKey(ORIGIN, LOG_KEY, LOG.public_key().public_bytes_raw())
SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
NAME = "witness.example/w1"
WITNESS = witness_key(NAME, SECRET)
OTHER_SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
OTHER = witness_key("witness.example/w2", OTHER_SECRET)
NOTE = sign_checkpoint(ORIGIN, 1234, bytes(range(32)), LOG)
CHECKPOINT = parse_checkpoint(NOTE)
TIME = 1679315147


def line(time: int = TIME, *, name: str = NAME, key: Ed25519PrivateKey = SECRET) -> str:
    return write_signature(cosign(CHECKPOINT, name, key, time))


def test_what_is_signed_is_the_letter_of_the_specification() -> None:
    mark, name, value = line().removesuffix("\n").split(" ")
    data = base64.b64decode(value)
    raw = SECRET.public_key().public_bytes_raw()
    assert (mark, name) == ("—", NAME)
    assert data[:4] == hashlib.sha256(NAME.encode() + b"\n\x04" + raw).digest()[:4]
    assert struct.unpack(">Q", data[4:12]) == (TIME,)
    body = NOTE.split("\n\n")[0] + "\n"
    SECRET.public_key().verify(data[12:], b"cosignature/v1\ntime 1679315147\n" + body.encode())
    with pytest.raises(InvalidSignature):
        SECRET.public_key().verify(data[12:], body.encode())


@pytest.mark.parametrize("time", [1, TIME, MAX_TIME])
def test_times(time: int) -> None:
    note, at = add_cosignature(NOTE, line(time), WITNESS)
    assert at == time == cosigned_at(parse_checkpoint(note), WITNESS)


@pytest.mark.parametrize("time", [0, -1, MAX_TIME + 1, True])
def test_times_that_are_never_signed(time: int) -> None:
    with pytest.raises(CheckpointError):
        cosign(CHECKPOINT, NAME, SECRET, time)


def test_a_witness_has_a_name_that_notes_allow() -> None:
    with pytest.raises(KeysError):
        cosign(CHECKPOINT, "a b", SECRET, TIME)


def test_a_note_keeps_the_logs_line_and_gets_the_witnesses_after_it() -> None:
    note, _ = add_cosignature(NOTE, line(), WITNESS)
    assert note == NOTE + line()
    note, _ = add_cosignature(note, line(name=OTHER.name, key=OTHER_SECRET), OTHER)
    assert note == NOTE + line() + line(name=OTHER.name, key=OTHER_SECRET)
    assert [item.name for item in signatures_by(parse_checkpoint(note), [LOG_PUBLIC, WITNESS, OTHER])] == [
        ORIGIN,
        WITNESS.name,
        OTHER.name,
    ]


def test_a_later_cosignature_takes_the_place_of_an_earlier_one() -> None:
    note, _ = add_cosignature(NOTE, line(), WITNESS)
    assert add_cosignature(note, line(TIME + 1), WITNESS) == (NOTE + line(TIME + 1), TIME + 1)


def test_lines_of_others_in_an_answer_are_left_out() -> None:
    strange = write_signature(NoteSignature(NAME, b"abcd", b"whatever"))
    answer = strange + line(name=OTHER.name, key=OTHER_SECRET) + line()
    assert add_cosignature(NOTE, answer, WITNESS) == (NOTE + line(), TIME)


def test_of_several_the_latest_counts() -> None:
    note = NOTE + line(5) + line(7) + line(6)
    assert cosigned_at(parse_checkpoint(note), WITNESS) == 7
    assert add_cosignature(NOTE, line(5) + line(7) + line(6), WITNESS) == (NOTE + line(7), 7)


def forged(signature: NoteSignature) -> str:
    return write_signature(signature)


GOOD = cosign(CHECKPOINT, NAME, SECRET, TIME)
FORGED = {
    "a bit of the signature": replace(GOOD, signature=GOOD.signature[:-1] + bytes([GOOD.signature[-1] ^ 1])),
    "another time": replace(GOOD, signature=struct.pack(">Q", TIME + 1) + GOOD.signature[8:]),
    "no time": replace(GOOD, signature=bytes(8) + SECRET.sign(b"cosignature/v1\ntime 0\n" + CHECKPOINT.body)),
    "a time beyond 2^63": replace(
        GOOD,
        signature=struct.pack(">Q", 2**63) + SECRET.sign(b"cosignature/v1\ntime %d\n%b" % (2**63, CHECKPOINT.body)),
    ),
    "without a time": replace(GOOD, signature=SECRET.sign(CHECKPOINT.body)),
    "a byte too long": replace(GOOD, signature=GOOD.signature + b"x"),
    "a byte too short": replace(GOOD, signature=GOOD.signature[:-1]),
    "another key's": replace(cosign(CHECKPOINT, NAME, OTHER_SECRET, TIME), key_id=GOOD.key_id),
    "of another checkpoint": cosign(parse_checkpoint(NOTE.replace("1234", "1235")), NAME, SECRET, TIME),
    "the log's way of signing": replace(GOOD, signature=SECRET.sign(CHECKPOINT.body) + bytes(8)),
}


@pytest.mark.parametrize("item", FORGED.values(), ids=FORGED)
def test_a_line_in_its_name_that_the_witness_did_not_make_refuses_the_note(item: NoteSignature) -> None:
    note = NOTE + write_signature(item)
    with pytest.raises(CheckpointError):
        cosigned_at(parse_checkpoint(note), WITNESS)
    with pytest.raises(CheckpointError):  # a good one beside it does not help
        cosigned_at(parse_checkpoint(NOTE + line() + write_signature(item)), WITNESS)
    with pytest.raises(CheckpointError):
        add_cosignature(NOTE, write_signature(item), WITNESS)


UNKNOWN = {
    "the name with another id": replace(GOOD, key_id=b"abcd"),
    "the id under another name": replace(GOOD, name="witness.example/w9"),
}


@pytest.mark.parametrize("item", UNKNOWN.values(), ids=UNKNOWN)
def test_lines_of_unknown_keys_are_ignored(item: NoteSignature) -> None:
    assert cosigned_at(parse_checkpoint(NOTE + write_signature(item)), WITNESS) is None
    with pytest.raises(CheckpointError):
        add_cosignature(NOTE, write_signature(item), WITNESS)


ANSWERS = {
    "nothing": "",
    "a line feed": "\n",
    "no line feed": line()[:-1],
    "CR": line().replace("\n", "\r\n"),
    "an empty line before": "\n" + line(),
    "an empty line after": line() + "\n",
    "a page": "<html>\n",
    "a whole note": NOTE + line(),
    "a hyphen": line().replace("—", "-"),
    "a hundred lines": line() * 100,
    "a surrogate": line().replace("w1", "\ud800"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_answers_that_are_no_signature_lines(answer: str) -> None:
    with pytest.raises(CheckpointError):
        add_cosignature(NOTE, answer, WITNESS)


@pytest.mark.parametrize("key", [LOG_PUBLIC, WITNESS])
def test_a_log_key_does_not_cosign_and_a_witness_does_not_sign(key: VerifierKey) -> None:
    """One Ed25519 key under both types: neither kind of line passes for the other."""
    twin = Ed25519PrivateKey.from_private_bytes(bytes(range(32))) if key is LOG_PUBLIC else SECRET
    cosigned = replace(cosign(CHECKPOINT, key.name, twin, TIME), key_id=key.key_id)
    signed = NoteSignature(key.name, key.key_id, twin.sign(CHECKPOINT.body))
    wrong = cosigned if key.kind == LOG_KEY else signed
    with pytest.raises(CheckpointError):
        signatures_by(parse_checkpoint(write_note(CHECKPOINT, [wrong])), [key])


def test_a_note_without_signatures_is_none() -> None:
    with pytest.raises(CheckpointError):
        write_note(CHECKPOINT, [])


@given(st.binary(min_size=5, max_size=90), st.sampled_from([NAME, OTHER.name, ORIGIN]))
def test_whatever_stands_in_a_line_is_judged_and_nothing_else_happens(data: bytes, name: str) -> None:
    note = NOTE + write_signature(NoteSignature(name, data[:4], data[4:]))
    parsed = parse_checkpoint(note)
    assert write_note(parsed, parsed.signatures) == note
    try:
        found = signatures_by(parsed, [WITNESS, OTHER])
    except CheckpointError:
        return
    assert found == ()


@given(st.text(max_size=200))
def test_any_answer_is_a_cosignature_or_refused(answer: str) -> None:
    with pytest.raises(CheckpointError):
        add_cosignature(NOTE, answer, WITNESS)


def test_the_time_is_read_from_the_line() -> None:
    assert time_of(GOOD) == TIME
