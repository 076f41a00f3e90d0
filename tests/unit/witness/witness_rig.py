"""For the tests of the witness: a log in memory, proofs by the RFC's recursive definition, and a witness on a socket.

The proofs share no code with what they are put to.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.checkpoint import sign_checkpoint
from runtime.audit.notation import LOG_KEY, VerifierKey
from runtime.witness import store
from runtime.witness.app import create_app
from runtime.witness.protocol import AddCheckpoint, parse_request
from runtime.witness.state import WitnessState
from tests.unit.audit.log_rig import leaves_of, tree_root

ORIGIN = "log.example/test"
NAME = "witness.example/w1"
NOON = 1_800_014_400


def subproof(size: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162 §2.1.4.1, word for word."""
    if size == len(leaves):
        return [] if whole else [tree_root(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if size <= k:
        return [*subproof(size, leaves[:k], whole), tree_root(leaves[k:])]
    return [*subproof(size - k, leaves[k:], False), tree_root(leaves[:k])]


@dataclass
class MemoryLog:
    """A log whose line `i` is `<salt> <i>`: two with different salts are a fork from the first line on."""

    origin: str = ORIGIN
    salt: str = "line"
    shared: int = 0  # so many lines are those of the log with the salt `line`
    key: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes(32)))

    @property
    def vkey(self) -> str:
        return str(VerifierKey(self.origin, LOG_KEY, self.key.public_key().public_bytes_raw()))

    def leaves(self, size: int) -> list[bytes]:
        return leaves_of([f"{'line' if n < self.shared else self.salt} {n}".encode() for n in range(size)])

    def note(self, size: int) -> str:
        return sign_checkpoint(self.origin, size, tree_root(self.leaves(size)), self.key)

    def proof(self, old: int, size: int) -> list[bytes]:
        return subproof(old, self.leaves(size), True) if old else []

    def body(self, old: int, size: int, *, note: str | None = None, proof: list[bytes] | None = None) -> bytes:
        hashes = self.proof(old, size) if proof is None else proof
        lines = [f"old {old}", *(base64.b64encode(value).decode() for value in hashes), ""]
        return ("\n".join(lines) + "\n" + (self.note(size) if note is None else note)).encode()

    def request(self, old: int, size: int) -> AddCheckpoint:
        return parse_request(self.body(old, size))


def witness_for(directory: Path, *logs: MemoryLog) -> VerifierKey:
    """Make a witness that looks after these logs."""
    public = store.create(directory, NAME)
    for log in logs:
        store.add_log(directory, log.origin, log.vkey)
    return public


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Door:
    """A witness that listens."""

    port: int

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def add(self, body: bytes) -> Reply:
        return self.request("POST", "/add-checkpoint", body)


@contextlib.contextmanager
def serving(state: WitnessState, **more: Any) -> Iterator[Door]:
    """The real application on a loopback socket."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(state, **more), log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Door(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
