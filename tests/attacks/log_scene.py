"""Where attacks on a log take place: a copy of a rich honest history, what lies in it, and the table of attacks.

An attack is a function that does something to a `Scene`, at a place that it picks at random. It is registered with who
could do it and with what it must be caught as: one of these codes at least.
"""

from __future__ import annotations

import base64
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.checkpoint import sign_checkpoint
from runtime.audit.envelope import keyid_of, parse_line, seal
from runtime.audit.keys import load_private
from tests.attacks.log_forms import Tree
from tests.attacks.log_histories import Handed, History
from tests.attacks.log_oracle import OtherVerifier
from tests.unit.audit.forge import Edit, put, statement_of
from tests.unit.audit.log_rig import DAY, ORIGIN, Rig, leaves_of

#: Who can do it: somebody with the files alone; with a key of his own; with the record keys, present and past; with
#: the record keys and the log keys; the operator, who has all that and a clock; with the root key as well.
HOLDERS = ("files", "own key", "record keys", "both keys", "operator", "root key")


@dataclass(frozen=True)
class Attack:
    name: str
    holder: str
    caught: frozenset[str]
    act: Callable[[Scene], None]


ATTACKS: dict[str, Attack] = {}


def attack(name: str, holder: str, *caught: str) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    def register(act: Callable[[Scene], None]) -> Callable[[Scene], None]:
        assert name not in ATTACKS
        assert holder in HOLDERS
        ATTACKS[name] = Attack(name, holder, frozenset(caught), act)
        return act

    return register


def rich_history(home: Path, seed: int) -> History:
    """A log in which everything happened: segments, restarts, a kill, keys changed, holds, erasures, pruning."""
    history = History(home, seed, long=True)
    history.play_everything()
    return history


@dataclass
class Segment:
    """A file of lines; `first` is the index of the first one."""

    path: Path
    first: int
    lines: list[bytes]

    @property
    def end(self) -> int:
        return self.first + len(self.lines)

    def write(self) -> None:
        put(self.path, b"".join(line + b"\n" for line in self.lines))


@dataclass
class Scene:
    """A copy of a log to do damage to.

    Attributes:
        leaves: of every line, of pruned ones too.
        handed: receipts that were given out while the log was honest.
        segments: what is there, to be changed and written back.
    """

    rig: Rig
    chance: random.Random
    leaves: list[bytes]
    handed: list[Handed]
    segments: list[Segment] = field(default_factory=list)

    @property
    def logs(self) -> Path:
        return self.rig.logs

    @property
    def size(self) -> int:
        return len(self.leaves)

    @property
    def first(self) -> int:
        """The index of the first line that is there, kept ones apart."""
        return self.segments[0].first

    def any_segment(self, *, sealed: bool = False, skip: int = 0) -> Segment:
        return self.chance.choice(self.segments[skip : -1 if sealed else None])

    def any_line(self, *, event: str | None = None, before_last: bool = False) -> tuple[Segment, int]:
        """(segment, position in it) of a line, anywhere."""
        places = [
            (segment, at)
            for segment in self.segments
            for at, line in enumerate(segment.lines)
            if (event is None or statement_of(line)["predicate"]["event"] == event)
            and not (before_last and segment.first + at == self.size - 1)
        ]
        return self.chance.choice(places)

    def archived(self) -> list[Path]:
        """The archived checkpoints that no power loss emptied."""
        return sorted(path for path in (self.logs / "checkpoints").iterdir() if path.read_bytes().strip(b"\0"))

    def archived_at_a_border(self, *, any_time: bool = False) -> list[int]:
        """Sizes of archived checkpoints at which a segment that is there begins; none from before the last pruning."""
        sizes = {int(path.name) for path in self.archived()}
        pruned = self.last_of("segment.pruned")
        return sorted(
            size for size in sizes & {segment.first for segment in self.segments[1:]} if any_time or size > pruned
        )

    def last_of(self, event: str) -> int:
        """The index of the last record of an event that is there, -1 where there is none."""
        found = [
            segment.first + at
            for segment in self.segments
            for at, line in enumerate(segment.lines)
            if statement_of(line)["predicate"]["event"] == event
        ]
        return max(found, default=-1)

    def kept(self) -> list[Path]:
        """What is left of the segments that were pruned."""
        there = {segment.first for segment in self.segments}
        return sorted(path for path in (self.logs / "kept").glob("*.jsonl") if int(path.name[:20]) not in there)

    # Keys

    def keys(self, role: str) -> dict[str, Ed25519PrivateKey]:
        """Every private key of a role that there ever was, by its id."""
        found = [load_private(path, None) for path in self.rig.keys.glob(f"{role}-*.pem")]
        return {keyid_of(key.public_key()): key for key in found}

    def active(self, role: str) -> Ed25519PrivateKey:
        manifest = self.manifest()
        entry = next(item for item in manifest["keys"] if item["role"] == role and item["not_after"] is None)
        return self.keys(role)[entry["keyid"]]

    def of_the_last_line(self) -> Ed25519PrivateKey:
        return self.keys("record")[parse_line(self.segments[-1].lines[-1]).keyid]

    def retired(self, role: str) -> Ed25519PrivateKey:
        manifest = self.manifest()
        ids = [item["keyid"] for item in manifest["keys"] if item["role"] == role and item["not_after"] is not None]
        return self.keys(role)[self.chance.choice(ids)]

    def manifest(self, name: str = "keys.json") -> dict[str, Any]:
        line = (self.logs / name).read_bytes()[:-1]
        parsed: dict[str, Any] = json.loads(parse_line(line, max_bytes=1 << 20).payload)
        return parsed

    # Writing another history

    def reseal(self, start: int, edit: Edit, *, key: Ed25519PrivateKey | None = None) -> None:
        """All lines from `start` on signed again after `edit` (by the keys that signed them), the chain mended."""
        keys = self.keys("record")
        prev = self.leaves[start - 1].hex() if start else "0" * 64
        for segment in self.segments:
            for at in range(max(0, start - segment.first), len(segment.lines)):
                line = segment.lines[at]
                statement = statement_of(line)
                statement["predicate"]["prev"] = prev
                changed = edit(segment.first + at, statement)
                payload = changed if isinstance(changed, bytes) else json.dumps(changed, separators=(",", ":")).encode()
                signer = key or keys[parse_line(line).keyid]
                segment.lines[at] = seal(payload, signer, keyid_of(signer.public_key()))
                self.leaves[segment.first + at] = leaves_of(segment.lines[at : at + 1])[0]
                prev = self.leaves[segment.first + at].hex()
            segment.write()

    def sign_tree(self, *, key: Ed25519PrivateKey | None = None, size: int | None = None) -> None:
        """A checkpoint over the lines as they are now in place of every later one; tiles of lines that are there go."""
        size = self.size if size is None else size
        self.only_checkpoints(lambda archived: archived <= self.first)
        for path in (self.logs / "tile" / "0").iterdir():
            if int(path.name) * 256 >= self.first:
                path.unlink()
        shutil.rmtree(self.logs / "tile" / "1", ignore_errors=True)
        root = Tree(self.leaves).root(size)
        put(self.logs / "checkpoint", sign_checkpoint(ORIGIN, size, root, key or self.active("log")).encode())

    def only_checkpoints(self, wanted: Callable[[int], bool]) -> None:
        for path in self.archived():
            if not wanted(int(path.name)):
                path.unlink()

    def set_back(self, size: int) -> None:
        """Everything after `size` (where a segment begins) is gone, with every trace of it."""
        for segment in [segment for segment in self.segments if segment.first >= size]:
            segment.path.unlink()
            self.segments.remove(segment)
        put(self.logs / "checkpoint", (self.logs / "checkpoints" / f"{size:020d}").read_bytes())
        self.only_checkpoints(lambda archived: archived <= size)
        del self.leaves[size:]
        for path in (self.logs / "tile" / "0").iterdir():
            if (int(path.name) + 1) * 256 > size:
                path.unlink()
        shutil.rmtree(self.logs / "tile" / "1", ignore_errors=True)


@dataclass
class Stage:
    """A rich honest history, to be copied for each attack."""

    history: History

    def __post_init__(self) -> None:
        other = OtherVerifier(self.history.logs, self.history.root)
        assert not other.faults, other.faults
        self._leaves = other.leaves

    def scene(self, home: Path, chance: random.Random) -> Scene:
        shutil.copytree(self.history.rig.home, home)
        rig = Rig(home, self.history.rig.now)
        scene = Scene(rig, chance, list(self._leaves), self.history.handed)
        for path in rig.segments():
            scene.segments.append(Segment(path, int(path.name[-26:-6]), path.read_bytes().split(b"\n")[:-1]))
        return scene


def edited(line: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """A line whose statement was changed and whose signature was not."""
    envelope = json.loads(line)
    statement = json.loads(base64.b64decode(envelope["payload"]))
    change(statement)
    envelope["payload"] = base64.b64encode(json.dumps(statement, separators=(",", ":")).encode()).decode()
    return json.dumps(envelope, separators=(",", ":")).encode()


def nothing(_: int, statement: dict[str, Any]) -> dict[str, Any]:
    """Nothing is changed but signature and chain."""
    return statement


__all__ = ["ATTACKS", "DAY", "Attack", "Scene", "Segment", "Stage", "attack", "edited", "nothing", "rich_history"]
