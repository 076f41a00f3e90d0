"""Requests and sizes on the wire: the specification's example is read, everything else is refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.audit.errors import CheckpointError
from runtime.witness.protocol import AddCheckpoint, parse_request, parse_size, write_request, write_size

NOTE = "origin\n1\nroot\n\n— origin sig\n"
HASH = base64.b64encode(bytes(range(32))).decode()
BODY = f"old 7\n{HASH}\n{HASH}\n\n{NOTE}".encode()


def test_a_request() -> None:
    assert parse_request(BODY) == AddCheckpoint(7, (bytes(range(32)),) * 2, NOTE)
    assert write_request(7, [bytes(range(32))] * 2, NOTE) == BODY
    assert write_request(0, [], NOTE) == f"old 0\n\n{NOTE}".encode()
    assert parse_request(write_request(0, [], NOTE)) == AddCheckpoint(0, (), NOTE)


@pytest.mark.parametrize("count", [0, 1, 63])
def test_as_many_hashes_as_a_proof_can_have(count: int) -> None:
    hashes = [bytes([number]) * 32 for number in range(count)]
    assert parse_request(write_request(1, hashes, NOTE)).proof == tuple(hashes)


BAD = {
    "empty": b"",
    "a note alone": NOTE.encode(),
    "no empty line": BODY.replace(b"\n\n", b"\n"),
    "no old size": BODY.removeprefix(b"old 7\n"),
    "another word": BODY.replace(b"old", b"new"),
    "capitals": BODY.replace(b"old", b"Old"),
    "no space": BODY.replace(b"old 7", b"old7"),
    "two spaces": BODY.replace(b"old 7", b"old  7"),
    "no number": BODY.replace(b"old 7", b"old "),
    "a zero before": BODY.replace(b"old 7", b"old 07"),
    "a sign": BODY.replace(b"old 7", b"old +7"),
    "negative": BODY.replace(b"old 7", b"old -7"),
    "an underscore": BODY.replace(b"old 7", b"old 1_0"),
    "other digits": BODY.replace(b"old 7", "old ٧".encode()),
    "beyond 2^53": BODY.replace(b"old 7", b"old 9007199254740992"),
    "a very long number": BODY.replace(b"old 7", b"old " + b"9" * 10_000),
    "a space before": b" " + BODY,
    "a byte order mark": b"\xef\xbb\xbf" + BODY,
    "CR": BODY.replace(b"\n", b"\r\n"),
    "a hash of no bytes": BODY.replace(HASH.encode() + b"\n", b"\n", 1),
    "a hash of 31 bytes": BODY.replace(HASH.encode(), base64.b64encode(bytes(31)), 1),
    "a hash of 33 bytes": BODY.replace(HASH.encode(), base64.b64encode(bytes(33)), 1),
    "a hash in hex": BODY.replace(HASH.encode(), b"0" * 64, 1),
    "base64 that is not canonical": BODY.replace(b"Hh8=", b"Hh9=", 1),
    "64 hashes": write_request(1, [bytes(32)] * 64, NOTE),
    "not UTF-8": BODY.replace(b"origin", b"\xff\xfe"),
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_other_spellings_are_refused(body: bytes) -> None:
    """The empty hash line of one of these makes it end early: what follows is then no note, which the state refuses."""
    assert body != BODY
    if body.startswith(b"old 7\n\n"):
        assert parse_request(body).note.startswith(HASH)
        return
    with pytest.raises(CheckpointError):
        parse_request(body)


@given(st.binary(max_size=300), st.integers(0, len(BODY)), st.integers(0, 60))
def test_any_body_is_read_as_it_stands_or_refused(noise: bytes, at: int, cut: int) -> None:
    body = BODY[:at] + noise + BODY[at + cut :]
    try:
        request = parse_request(body)
    except CheckpointError:
        return
    assert write_request(request.old_size, request.proof, request.note) == body


@pytest.mark.parametrize("size", [0, 1, 2**53 - 1])
def test_sizes(size: int) -> None:
    assert parse_size(write_size(size)) == size


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"7", b"7\n\n", b"7\r\n", b" 7\n", b"07\n", b"-7\n", b"7.0\n", b"\xff\n", b"9" * 40 + b"\n"]
)
def test_what_is_no_size(body: bytes) -> None:
    with pytest.raises(CheckpointError):
        parse_size(body)
