"""The witness over HTTP: status, body and content type of every answer, on a real socket."""

from __future__ import annotations

import errno
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from witness_rig import ORIGIN, Door, MemoryLog, serving, witness_for

from runtime.audit.anchors import origin_hash
from runtime.audit.checkpoint import parse_checkpoint
from runtime.audit.cosignature import add_cosignature, cosigned_at
from runtime.audit.notation import VerifierKey
from runtime.witness import store
from runtime.witness.protocol import MAX_BODY
from runtime.witness.state import WitnessState
from tests.unit.audit.log_rig import FaultyFiles

LOG = MemoryLog()
READ = f"/{origin_hash(ORIGIN)}/checkpoint"


@pytest.fixture
def witness(tmp_path: Path) -> VerifierKey:
    return witness_for(tmp_path / "w", LOG)


@pytest.fixture
def door(tmp_path: Path, witness: VerifierKey) -> Iterator[Door]:
    with WitnessState(tmp_path / "w") as state, serving(state) as running:
        yield running


def test_growth(door: Door, witness: VerifierKey) -> None:
    before = 0
    for size in (1, 5, 5, 16, 40):
        reply = door.add(LOG.body(before, size))
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("text/plain")
        assert reply.text.startswith("— witness.example/w1 ")
        assert reply.text.endswith("\n")
        note, _ = add_cosignature(LOG.note(size), reply.text, witness)
        assert door.request("GET", READ).text == note
        before = size


def test_a_conflict_names_the_size(door: Door) -> None:
    assert (door.add(LOG.body(3, 7)).status, door.add(LOG.body(3, 7)).body) == (409, b"0\n")
    door.add(LOG.body(0, 5))
    reply = door.add(LOG.body(3, 7))
    assert (reply.status, reply.headers["content-type"], reply.body) == (409, "text/x.tlog.size", b"5\n")


REFUSED = {
    "a fork": (422, MemoryLog(salt="fork").body(5, 8)),
    "the same size with another root": (422, MemoryLog(salt="fork").body(5, 5)),
    "a proof for another size": (422, LOG.body(5, 8, proof=LOG.proof(4, 8))),
    "no proof": (422, LOG.body(5, 8, proof=[])),
    "a rollback": (409, LOG.body(0, 3)),
    "an old size larger than the new": (400, LOG.body(5, 4, proof=[])),
    "an unknown log": (404, MemoryLog(origin="log.example/unknown").body(0, 8)),
    "another key": (403, LOG.body(5, 8, note=MemoryLog(key=Ed25519PrivateKey.generate()).note(8))),
    "a line that is wrong": (403, LOG.body(5, 8, note=LOG.note(8) + LOG.note(9).partition("\n\n")[2])),
    "nothing": (400, b""),
    "noise": (400, b"\x00\xff" * 50),
    "a page": (400, b"<html>"),
    "JSON": (400, b'{"old": 5}'),
    "a note alone": (400, LOG.note(8).encode()),
    "no note": (400, b"old 5\n\n"),
    "no LF at the end": (400, LOG.body(5, 8)[:-1]),
    "CR": (400, LOG.body(5, 8).replace(b"\n", b"\r\n")),
    "an extension line": (400, LOG.body(5, 8).replace(b"\n8\n", b"\n8\n\n")),
    "a size with a sign": (400, LOG.body(5, 8).replace(b"\n8\n", b"\n+8\n")),
    "an old size with a zero before": (400, LOG.body(5, 8).replace(b"old 5", b"old 05")),
    "64 hashes": (400, LOG.body(5, 8, proof=[bytes(32)] * 64)),
    "a hash too short": (400, LOG.body(5, 8, proof=[bytes(31)])),
    "too long": (413, LOG.body(5, 8) + b"x" * MAX_BODY),
}


@pytest.mark.parametrize(("status", "body"), REFUSED.values(), ids=REFUSED)
def test_refusals(door: Door, status: int, body: bytes) -> None:
    door.add(LOG.body(0, 5))
    before = door.request("GET", READ).body
    reply = door.add(body)
    assert reply.status == status
    assert ORIGIN not in reply.text
    assert "unknown" not in reply.text
    # Nothing of it was remembered.
    assert door.request("GET", READ).body == before
    assert door.add(LOG.body(5, 8)).status == 200


def test_paths_and_methods(door: Door) -> None:
    assert door.request("GET", "/add-checkpoint").status == 405
    assert door.request("PUT", READ, b"x").status == 405
    for path in (
        "/",
        "/checkpoint",
        READ.upper(),
        READ + "/",
        "/..%2fkey.pem/checkpoint",
        "/%2e%2e/checkpoint",
        "/docs",
    ):
        assert door.request("GET", path).status == 404


def test_nothing_vouched_for_yet(door: Door) -> None:
    assert door.request("GET", READ).status == 404
    assert door.request("GET", f"/{'0' * 64}/checkpoint").status == 404


def test_what_is_read_is_a_checkpoint_with_both_signatures(door: Door, witness: VerifierKey) -> None:
    door.add(LOG.body(0, 5))
    checkpoint = parse_checkpoint(door.request("GET", READ).text)
    assert [item.name for item in checkpoint.signatures] == [ORIGIN, witness.name]
    assert cosigned_at(checkpoint, witness)


def test_a_body_in_pieces_without_a_length(door: Door) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=30)
    body = LOG.body(0, 5)
    connection.request(
        "POST",
        "/add-checkpoint",
        iter([body[:40], body[40:]]),
        encode_chunked=True,
        headers={"Transfer-Encoding": "chunked"},
    )
    assert connection.getresponse().status == 200
    connection.close()


def test_an_endless_body_is_cut_off(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
        for _ in range(9):
            connection.sendall(piece)
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_client_that_leaves_changes_nothing(door: Door) -> None:
    body = LOG.body(0, 5)
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as connection:
        head = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: %d\r\n\r\n" % len(body)
        connection.sendall(head + body[:-10])
    assert door.request("GET", READ).status == 404
    assert door.add(body).status == 200


def test_connections_are_kept(door: Door) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=30)
    for old, size in ((0, 1), (1, 2), (2, 3)):
        connection.request("POST", "/add-checkpoint", LOG.body(old, size))
        response = connection.getresponse()
        response.read()
        assert response.status == 200
    connection.close()


def test_a_damaged_list_of_keys_is_no_vouching(door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (store.log_dir(tmp_path / "w", ORIGIN) / store.KEYS_FILE).write_bytes(b"\xff")
    reply = door.add(LOG.body(0, 5))
    assert reply.status == 500
    assert str(tmp_path) not in reply.text
    assert "keys" in capsys.readouterr().err


def test_a_slow_body_is_not_waited_for(tmp_path: Path, witness: VerifierKey) -> None:
    with (
        WitnessState(tmp_path / "w") as state,
        serving(state, body_seconds=0.05) as door,
        socket.create_connection(("127.0.0.1", door.port), timeout=30) as connection,
    ):
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 1000\r\n\r\nold 0\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 408")


def test_a_disk_that_fails_ends_the_server(tmp_path: Path, witness: VerifierKey) -> None:
    files = FaultyFiles()
    ended: list[str] = []
    with (
        WitnessState(tmp_path / "w", files=files) as state,
        serving(state, on_failure=lambda: ended.append("x")) as door,
    ):
        assert door.add(LOG.body(0, 5)).status == 200
        assert ended == []
        files.fail("sync", errno.EIO)
        assert (door.add(LOG.body(5, 8)).status, ended) == (500, ["x"])
        assert door.add(LOG.body(5, 8)).status == 500
        assert parse_checkpoint(door.request("GET", READ).text).size == 5
