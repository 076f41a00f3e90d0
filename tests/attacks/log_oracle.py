"""A second verifier of logs, written after docs/log-format.md alone, to be compared with the product's.

It shares no code with what it judges: `json`, `hashlib` and the bare Ed25519 key are all it has. It is slow, holds
everything in memory, and believes nothing but the root's public key. What is wrong it says in words for whoever reads
a failed test; nobody should rely on the wording.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.attacks.log_forms import Envelope, Fault, Tree, demand, holds, keyid, read_envelope, strict, unbase64

KEYS = "application/vnd.filagent.keys+json"
STATEMENT = "application/vnd.in-toto+json"


@dataclass
class Line:
    index: int
    envelope: Envelope
    predicate: dict[str, Any] = field(default_factory=dict)
    subjects: list[Any] = field(default_factory=list)

    @property
    def event(self) -> Any:
        return self.predicate.get("event")

    @property
    def detail(self) -> dict[str, Any]:
        found = self.predicate.get("detail")
        return found if isinstance(found, dict) else {}

    def digest_of(self, name: str) -> str | None:
        found = [item["digest"]["sha256"] for item in self.subjects if item.get("name") == name]
        return str(found[0]) if found else None


class OtherVerifier:
    """One log, read and judged. `faults` is empty if it is whole.

    Attributes:
        leaves: the leaf hash of every line, pruned ones from their tiles.
        lines: what is still there, by index.
    """

    def __init__(self, logs: Path, root: Ed25519PublicKey) -> None:
        self.logs = logs
        self.root = root
        self.faults: list[str] = []
        self.leaves: list[bytes] = []
        self.lines: dict[int, bytes] = {}
        self.tree = Tree(self.leaves)
        self.manifests: list[dict[str, Any]] = []
        self.digests: list[str] = []
        self.in_force: list[tuple[int, int]] = []  # (from this leaf on, number of the version)
        try:
            self._keys()
            notes = self._notes()
            read, gaps = self._segments()
            self._lines(read)
            self._signed(notes, read)
            self._tiles()
            for first, end, kept in gaps:
                self._pruned(first, end, kept, read)
        except (Fault, OSError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            self.faults.append(f"{type(error).__name__}: {error}")

    def _keys(self) -> None:
        files = [path for path in self.logs.iterdir() if re.fullmatch(r"keys\.[1-9][0-9]*\.json", path.name)]
        found: dict[int, bytes] = {}
        for path in (*files, self.logs / "keys.json"):
            data = path.read_bytes()
            demand(data.endswith(b"\n"), f"{path.name} is no line")
            envelope = read_envelope(data[:-1], 1 << 20)
            demand(envelope.keyid == keyid(self.root) and envelope.kind == KEYS, f"{path.name} of another root")
            demand(envelope.signed_by(self.root), f"{path.name} is not signed by the root")
            version = strict(envelope.payload)["version"]
            demand(path.name in ("keys.json", f"keys.{version}.json"), f"{path.name} is version {version}")
            demand(found.setdefault(version, data) == data, f"version {version} twice")
        demand(sorted(found) == list(range(1, len(found) + 1)), "versions with a gap")
        previous = None
        for version in sorted(found):
            manifest = strict(read_envelope(found[version][:-1], 1 << 20).payload)
            demand(manifest["previous"] == previous, f"version {version} does not follow")
            previous = hashlib.sha256(found[version]).hexdigest()
            self.manifests.append(manifest)
            self.digests.append(previous)

    def key(self, name: str, role: str, origin: str, index: int) -> Ed25519PublicKey:
        """The key of that id that may sign there, by the version in force."""
        number = max((number for since, number in self.in_force if since <= index), default=0)
        for entry in self.manifests[number]["keys"]:
            if (entry["role"], entry["keyid"], entry["origin"]) == (role, name, origin):
                until = entry["not_after"]
                demand(entry["not_before"] <= index and (until is None or index < until), f"{role} key at {index}")
                key = load_der_public_key(base64.b64decode(entry["public"]))
                assert isinstance(key, Ed25519PublicKey)
                demand(keyid(key) == name, "a key that is not its id's")
                return key
        raise Fault(f"no such {role} key in force at {index}")

    def note(self, text: str) -> tuple[str, int, bytes]:
        """(origin, size, root) of a checkpoint that a log key of the time signed (§6)."""
        body, _, signatures = text.partition("\n\n")
        origin, size, root = body.split("\n")
        demand(str(int(size)) == size and text.endswith("\n"), "a loose checkpoint")
        hashed = unbase64(root)
        for line in signatures[:-1].split("\n"):
            mark, name, value = line.split(" ")
            demand(mark == "—", "no signature line")
            signed = unbase64(value)
            for entry in {entry["keyid"]: entry for manifest in self.manifests for entry in manifest["keys"]}.values():
                key = load_der_public_key(base64.b64decode(entry["public"]))
                assert isinstance(key, Ed25519PublicKey)
                mine = hashlib.sha256(origin.encode() + b"\n\x01" + key.public_bytes_raw()).digest()[:4]
                if name == origin and entry["role"] == "log" and entry["origin"] == origin and mine == signed[:4]:
                    demand(holds(key, f"{body}\n".encode(), signed[4:]), "a forged checkpoint")
                    self.key(entry["keyid"], "log", origin, max(0, int(size) - 1))
                    return origin, int(size), hashed
        raise Fault("a checkpoint that no log key signed")

    def _notes(self) -> list[str]:
        paths = [path for path in (self.logs / "checkpoints").glob("*") if re.fullmatch(r"[0-9]{20}", path.name)]
        paths.append(self.logs / "checkpoint")
        texts = [path.read_bytes() for path in paths if path.exists()]
        return [text.decode() for text in texts if text.strip(b"\0")]

    def _segments(self) -> tuple[list[tuple[int, bytes]], list[tuple[int, int, Path]]]:
        """Every line that there is, and the ranges that are said to have been pruned; fills `leaves`."""
        names = [
            re.fullmatch(r"events_([0-9]{8})_([0-9]{20})\.jsonl", path.name)
            for path in (self.logs / "events").iterdir()
        ]
        starts = sorted((int(match[2]), match[0]) for match in names if match)
        kept = {}
        for path in (self.logs / "kept").glob("*"):
            match = re.fullmatch(r"([0-9]{20})_([0-9]{20})\.jsonl", path.name)
            if match and int(match[1]) not in dict(starts):
                kept[int(match[1])] = (int(match[2]), path)
        read: list[tuple[int, bytes]] = []
        gaps = []
        for number, (first, name) in enumerate(starts):
            data = (self.logs / "events" / name).read_bytes()
            while len(self.leaves) < first and len(self.leaves) in kept:
                start = len(self.leaves)
                end, path = kept[start]
                self.leaves += [self._tile_leaf(index) for index in range(start, end)]
                of_gap = [
                    (strict(read_envelope(line).payload)["predicate"]["seq"], line)
                    for line in path.read_bytes().split(b"\n")[:-1]
                ]
                demand(
                    of_gap == sorted(of_gap) and all(start <= index < end for index, _ in of_gap), "kept out of range"
                )
                read += of_gap
                gaps.append((start, end, path))
            demand(not data or len(self.leaves) == first, f"segment {first} where {len(self.leaves)} is next")
            *lines, rest = data.split(b"\n")
            demand(not rest or number == len(starts) - 1, f"segment {first} is torn")
            for line in lines:
                read.append((len(self.leaves), line))
                self.leaves.append(hashlib.sha256(b"\x00" + line).digest())
        return read, gaps

    def _tile_leaf(self, index: int) -> bytes:
        path = self.logs / "tile" / "0" / f"{index // 256:03d}"
        data = path.read_bytes()
        demand(len(data) == 8192, "a tile of pruned lines is not whole")
        return data[index % 256 * 32 :][:32]

    def _lines(self, read: list[tuple[int, bytes]]) -> None:
        time = ""
        for index, line in read:
            demand(hashlib.sha256(b"\x00" + line).digest() == self.leaves[index], f"kept line {index} is not the leaf")
            envelope = read_envelope(line)
            demand(envelope.kind == STATEMENT, "no statement")
            statement = strict(envelope.payload)
            parsed = Line(index, envelope, statement["predicate"], statement.get("subject", []))
            carried = parsed.digest_of("keys.json")
            if carried is not None:
                number = self.digests.index(carried)
                demand(number >= max((number for _, number in self.in_force), default=0), "an older manifest again")
                self.in_force.append((index, number))
            demand(index or carried, "no manifest at leaf 0")
            key = self.key(envelope.keyid, "record", self.origin, index)
            demand(envelope.signed_by(key), f"line {index} is not signed")
            before = self.leaves[index - 1].hex() if index else "0" * 64
            demand(
                parsed.predicate["seq"] == index and parsed.predicate["prev"] == before, f"line {index} out of place"
            )
            demand(re.fullmatch(r"[0-9T:-]{19}\.[0-9]{3}Z", parsed.predicate["time"]), f"time of {index}")
            demand(parsed.predicate["time"] >= time, f"line {index} is older than the one before")
            time = parsed.predicate["time"]
            self.lines[index] = line

    @property
    def origin(self) -> str:
        return str(self.manifests[0]["origins"][0]["origin"])

    def parsed(self, index: int) -> Line | None:
        if index not in self.lines:
            return None
        envelope = read_envelope(self.lines[index])
        statement = strict(envelope.payload)
        return Line(index, envelope, statement["predicate"], statement["subject"])

    def _signed(self, notes: list[str], read: list[tuple[int, bytes]]) -> None:
        demand(notes, "no checkpoint")
        for text in notes:
            self.agrees(text)
        for index, _ in read:
            line = self.parsed(index)
            if line and line.event == "segment.sealed" and "root" in line.detail:
                demand(line.detail["root"] == self.tree.root(index).hex(), f"the seal at {index}")

    def agrees(self, text: str) -> int:
        """The size of a checkpoint that this log is the log of. Raises: Fault."""
        origin, size, root = self.note(text)
        demand(origin == self.origin, "a checkpoint of another log")
        demand(size <= len(self.leaves), f"{size} lines were signed, {len(self.leaves)} are there")
        demand(self.tree.root(size) == root, f"another tree at {size}")
        return size

    def _tiles(self) -> None:
        for path in (self.logs / "tile").glob("?/???"):
            level, index, data = int(path.parent.name), int(path.name), path.read_bytes()
            if len(data) != 8192 or not data.strip(b"\0"):
                continue
            span = 256**level
            demand((index + 1) * 256 * span <= len(self.leaves), "a tile for lines that are not there")
            hashes = [self.tree.mth(at * span, (at + 1) * span) for at in range(index * 256, (index + 1) * 256)]
            demand(b"".join(hashes) == data, f"tile {level}/{index}")

    def _pruned(self, first: int, end: int, kept: Path, read: list[tuple[int, bytes]]) -> None:
        """Was it allowed: declared later, after the date of the seal, under no hold, and all that was kept is there."""
        seal = self.parsed(end - 1)
        demand(seal and seal.event == "segment.sealed" and seal.detail.get("first") == first, "no seal")
        assert seal is not None
        held: dict[Any, tuple[int, int]] = {}
        for index, _ in read:
            line = self.parsed(index)
            assert line is not None
            detail = line.detail
            if line.event == "admin" and detail.get("action") == "log.hold.placed":
                held[detail["hold"]] = (detail["first"], detail["last"])
            elif line.event == "admin" and detail.get("action") == "log.hold.released":
                held.pop(detail["hold"], None)
            elif line.event == "segment.pruned" and (detail["first"], detail["last"]) == (first, end - 1):
                until = str(seal.detail["retain_until"])
                demand(index >= end and until < line.predicate["time"][: len(until)], f"{first} pruned early")
                demand(
                    not any(low < end and first <= high for low, high in held.values()), f"{first} pruned under hold"
                )
                demand(line.digest_of("kept") == hashlib.sha256(kept.read_bytes()).hexdigest(), f"kept of {first}")
                return
        raise Fault(f"nothing says that {first} was pruned")
