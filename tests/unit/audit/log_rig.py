"""For the tests of the log: a log in a directory, drafts for it, a disk that fails on demand, and an oracle.

The oracle reads what is on the disk with nothing but `json`, `hashlib` and the bare Ed25519 key, after the letter of
docs/log-format.md, and shares no code with what it judges.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from runtime.audit.files import Files
from runtime.audit.keys import init_keys
from runtime.audit.record import Appended, Draft, new_record_id
from runtime.audit.writer import LogWriter

ROOT = Path(__file__).parents[3]
ORIGIN = "log.example/test"
SOFTWARE = {"version": "0.1.0"}
DAY = 86_400_000
NOON = 1_800_014_400_000  # 2027-01-15T12:00:00Z


def turn(number: int = 0, **more: Any) -> Draft:
    """A decision record; each has its own ids."""
    predicate: dict[str, Any] = {
        "actor": {"type": "principal", "ref": "p_" + "a" * 26, "role": "user", "auth_method": "api_key"},
        "door": "chat",
        "turn_ref": f"t_{os.urandom(13).hex()}",
        "decision": "allow",
        "rules": ["role.user"],
        "policy": {"revision": "sha256:" + "1" * 64},
        "usage": {"prompt_tokens": number},
        "content": [{"name": "input", "sha256": "2" * 64, "size": 512, "commit": "3" * 64}],
    }
    return Draft(new_record_id(), "turn", {**predicate, **more}, (("input", "2" * 64),))


def intent(**more: Any) -> Draft:
    return Draft(new_record_id(), "model.intent", {"turn_ref": "t_" + "b" * 26, "step": 1, **more}, ())


class FaultyFiles(Files):
    """The real disk, but it counts, and does what `plan` says at the N-th call of an operation (from 1)."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.plan: dict[tuple[str, int], OSError] = {}
        self.room: int | None = None  # bytes that lines may still take; None for no limit
        self.most = 1 << 30  # bytes that one write takes at most

    def fail(self, operation: str, error: int, *, after: int = 0) -> None:
        """Let the next call of `operation` but `after` fail."""
        self.plan[operation, self.calls[operation] + after + 1] = OSError(error, os.strerror(error))

    def _count(self, operation: str) -> None:
        self.calls[operation] += 1
        if (operation, self.calls[operation]) in self.plan:
            raise self.plan[operation, self.calls[operation]]

    def write(self, fd: int, data: bytes | memoryview) -> int:
        self._count("write")
        part = bytes(data)[: self.most]
        if self.room is None:
            return super().write(fd, part)
        if not self.room:
            raise OSError(28, os.strerror(28))
        count = super().write(fd, part[: self.room])
        self.room -= count
        return count

    def sync(self, fd: int) -> None:
        self._count("sync")
        super().sync(fd)

    def truncate(self, fd: int, size: int) -> None:
        self._count("truncate")
        super().truncate(fd, size)

    def swap(self, path: Path, data: bytes) -> None:
        self._count("swap")
        Files().swap(path, data)  # its own writes are not counted

    def open_append(self, path: Path, *, create: bool) -> int:
        self._count("create" if create else "open")
        return super().open_append(path, create=create)

    def remove(self, path: Path) -> None:
        if path.name == "ballast" and path.exists() and self.room is not None:
            self.room += path.stat().st_size
        super().remove(path)

    def free(self, path: Path) -> int:
        return super().free(path) if self.room is None else self.room

    def reserve(self, path: Path, size: int) -> None:
        self._count("reserve")
        if self.room is not None:
            self.room -= size
        super().reserve(path, size)


@dataclass
class Rig:
    """A log and its keys."""

    home: Path
    now: int = NOON
    opened: list[LogWriter] = field(default_factory=list)

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def socket(self) -> Path:
        return self.home / "log.sock"

    def open(self, **more: Any) -> LogWriter:
        writer = LogWriter(self.logs, self.keys, software=SOFTWARE, now_ms=lambda: self.now, **more)
        self.opened.append(writer)
        return writer

    def closed(self, count: int) -> list[Appended]:
        """A log of `count` turns and its start, closed in good order."""
        writer = self.open()
        receipts = [writer.append(turn(number)) for number in range(count)]
        writer.close()
        return receipts

    def segments(self) -> list[Path]:
        return sorted((self.logs / "events").iterdir(), key=lambda path: path.name[-26:])

    def lines(self) -> list[bytes]:
        data = b"".join(path.read_bytes() for path in self.segments())
        assert data.endswith(b"\n")
        return data[:-1].split(b"\n")

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(base64.b64decode(json.loads(line)["payload"]))["predicate"] for line in self.lines()]

    def events(self) -> list[str]:
        return [record["event"] for record in self.records()]

    def spawn(self, *arguments: str, crash_at: str = "", **more: Any) -> subprocess.Popen[bytes]:
        """The real writer process; the caller waits for `ready` and ends it."""
        command = [sys.executable, "-m", "runtime.audit.writer"]
        command += ["--logs", str(self.logs), "--keys", str(self.keys), "--socket", str(self.socket), *arguments]
        environment = {**os.environ, "FILAGENT_CRASH_AT": crash_at, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, **more)


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
    """Send a signal, wait, and give the exit code."""
    process.send_signal(number)
    code = process.wait(timeout=30)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    return code


def make_rig(home: Path) -> Rig:
    rig = Rig(home)
    init_keys(rig.keys, rig.logs, origin=ORIGIN)
    return rig


# The oracle.


def tree_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162 §2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + tree_root(leaves[:k]) + tree_root(leaves[k:])).digest()


def leaves_of(lines: list[bytes]) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + line).digest() for line in lines]


def path_root(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to, by the recursive definition of PATH."""
    if size == 1:
        assert not proof
        return leaf
    k = 1
    while 2 * k < size:
        k *= 2
    if index < k:
        left, right = path_root(leaf, index, k, proof[:-1]), proof[-1]
    else:
        left, right = proof[-1], path_root(leaf, index - k, size - k, proof[:-1])
    return hashlib.sha256(b"\x01" + left + right).digest()


def listed_keys(logs: Path) -> Iterator[tuple[str, str, Ed25519PublicKey]]:
    """(role, keyid, key) of the manifest, whose own signature other tests judge."""
    manifest = json.loads(base64.b64decode(json.loads((logs / "keys.json").read_bytes())["payload"]))
    for entry in manifest["keys"]:
        key = load_der_public_key(base64.b64decode(entry["public"]))
        assert isinstance(key, Ed25519PublicKey)
        yield entry["role"], entry["keyid"], key


def signed_size(logs: Path, note: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint whose signature holds."""
    key = next(key for role, _, key in listed_keys(logs) if role == "log")
    body, _, signature = note.partition("\n\n")
    origin, size, root = body.split("\n")
    mark, name, value = signature.removesuffix("\n").split(" ")
    assert (origin, mark, name) == (ORIGIN, "—", ORIGIN)
    key.verify(base64.b64decode(value)[4:], (body + "\n").encode())
    return int(size), base64.b64decode(root)


def check_whole(rig: Rig, receipts: list[Appended] | None = None) -> None:
    """Everything on the disk is as the format wants it, and every receipt proves its line."""
    record_keys = {keyid: key for role, keyid, key in listed_keys(rig.logs) if role == "record"}
    lines = rig.lines()
    prev, before = "0" * 64, ""
    for index, line in enumerate(lines):
        envelope = json.loads(line)
        payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
        (signature,) = envelope["signatures"]
        pae = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
        record_keys[signature["keyid"]].verify(base64.b64decode(signature["sig"]), pae)
        predicate = json.loads(payload)["predicate"]
        assert (predicate["seq"], predicate["prev"]) == (index, prev)
        assert predicate["time"] >= before
        prev, before = hashlib.sha256(b"\x00" + line).hexdigest(), predicate["time"]
    ids = [record["record_id"] for record in rig.records()]
    assert len(set(ids)) == len(ids)
    assert rig.events()[0] == "log.started"
    leaves = leaves_of(lines)
    size, root = signed_size(rig.logs, (rig.logs / "checkpoint").read_text())
    assert root == tree_root(leaves[:size])
    first = 0
    for path in rig.segments():
        assert int(path.name[-26:-6]) == first
        first += path.read_bytes().count(b"\n")
    for receipt in receipts or []:
        assert ids[receipt.index] == receipt.record_id
        assert hashlib.sha256(lines[receipt.index]).hexdigest() == receipt.line_sha256
        size, root = signed_size(rig.logs, receipt.checkpoint)
        assert size == receipt.tree_size
        proof = [base64.b64decode(item) for item in receipt.inclusion]
        assert path_root(leaves[receipt.index], receipt.index, size, proof) == root == tree_root(leaves[:size])


Change = Callable[[bytes], bytes]
