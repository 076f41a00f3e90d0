"""What somebody may do to a log, each attack with what it must be caught as.

Each says what the attacker holds: the files alone, a key of his own, or stolen keys of the writer.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.checkpoint import sign_checkpoint
from runtime.audit.envelope import keyid_of, seal
from tests.unit.audit import forge
from tests.unit.audit.forge import key_entry, manifest_of, private, put, reseal, rewrite, sign_manifest
from tests.unit.audit.log_rig import ORIGIN, Rig, leaves_of, tree_root

Attack = Callable[[Rig], None]
ATTACKS: dict[str, tuple[Attack, str]] = {}


def attack(name: str, caught_as: str) -> Callable[[Attack], Attack]:
    def register(function: Attack) -> Attack:
        assert name not in ATTACKS
        ATTACKS[name] = (function, caught_as)
        return function

    return register


def edited(index: int, **changes: Any) -> forge.Edit:
    def edit(at: int, statement: dict[str, Any]) -> dict[str, Any]:
        if at == index:
            statement["predicate"].update(changes)
        return statement

    return edit


def no_checkpoints_but(rig: Rig, *kept: str) -> None:
    for path in (rig.logs / "checkpoints").iterdir():
        if path.name not in kept:
            path.unlink()


def archived(rig: Rig) -> list[Path]:
    return sorted((rig.logs / "checkpoints").iterdir())


def roll_back(rig: Rig) -> None:
    """Cut the log to an archived checkpoint, leaving no trace of what came after."""
    older = next(path for path in archived(rig) if int(path.name) == int(rig.segments()[2].name[-26:-6]))
    for path in rig.segments()[2:]:
        path.unlink()
    no_checkpoints_but(rig, *(path.name for path in archived(rig) if path.name <= older.name))
    put(rig.logs / "checkpoint", older.read_bytes())
    shutil.rmtree(rig.logs / "tile")
    (rig.logs / "tile").mkdir()


# With the files alone


@attack("a record is edited", "line.signature")
def edit_a_record(rig: Rig) -> None:
    lines = rig.lines()
    envelope = json.loads(lines[77])
    payload = base64.b64decode(envelope["payload"]).replace(b'"decision":"allow"', b'"decision":"error"')
    envelope["payload"] = base64.b64encode(payload).decode()
    lines[77] = json.dumps(envelope, separators=(",", ":")).encode()
    forge.write_lines(rig, lines)


@attack("one bit is flipped", "line.form")
def flip_a_bit(rig: Rig) -> None:
    path = rig.segments()[1]
    data = bytearray(path.read_bytes())
    data[5000] ^= 0x80
    put(path, bytes(data))


@attack("a record in the middle is deleted", "line.seq")
def delete_a_record(rig: Rig) -> None:
    lines = rig.segments()[2].read_bytes().splitlines(keepends=True)
    put(rig.segments()[2], b"".join(lines[:5] + lines[6:]))


@attack("the first record is deleted", "line.seq")
def delete_the_first(rig: Rig) -> None:
    forge.write_lines(rig, rig.lines()[1:])


@attack("two records are swapped", "line.seq")
def swap_records(rig: Rig) -> None:
    lines = rig.lines()
    lines[40], lines[41] = lines[41], lines[40]
    forge.write_lines(rig, lines)


@attack("a record is doubled", "line.seq")
def double_a_record(rig: Rig) -> None:
    lines = rig.lines()
    forge.write_lines(rig, [*lines[:50], lines[49], *lines[50:]])


@attack("a blank line is put in", "line.form")
def blank_line(rig: Rig) -> None:
    path = rig.segments()[-1]
    put(path, path.read_bytes() + b"\n")


@attack("a line is spelled with spaces", "line.form")
def respell(rig: Rig) -> None:
    lines = rig.lines()
    lines[3] = json.dumps(json.loads(lines[3])).encode()
    forge.write_lines(rig, lines)


@attack("the members of a line are in another order", "line.form")
def reorder(rig: Rig) -> None:
    lines = rig.lines()
    lines[3] = json.dumps(dict(reversed(json.loads(lines[3]).items())), separators=(",", ":")).encode()
    forge.write_lines(rig, lines)


@attack("base64 is spelled another way", "line.form")
def respell_base64(rig: Rig) -> None:
    lines = rig.lines()
    at = next(index for index, line in enumerate(lines) if b'=","payloadType' in line)
    payload = json.loads(lines[at])["payload"]
    body = payload.rstrip("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = body[:-1] + alphabet[alphabet.index(body[-1]) + 1] + "=" * (len(payload) - len(body))
    assert base64.b64decode(other) == base64.b64decode(payload)
    lines[at] = lines[at].replace(payload.encode(), other.encode())
    forge.write_lines(rig, lines)


@attack("line ends become CRLF", "line.form")
def crlf(rig: Rig) -> None:
    put(rig.segments()[0], rig.segments()[0].read_bytes().replace(b"\n", b"\r\n"))


@attack("the last record is cut off", "lines.missing")
def cut_one(rig: Rig) -> None:
    data = rig.segments()[-1].read_bytes()
    put(rig.segments()[-1], data[: data[:-1].rfind(b"\n") + 1])


@attack("the last record is cut in its middle", "lines.missing")
def cut_half(rig: Rig) -> None:
    put(rig.segments()[-1], rig.segments()[-1].read_bytes()[:-40])


@attack("the last quarter is cut off", "lines.missing")
def cut_quarter(rig: Rig) -> None:
    for path in rig.segments()[-len(rig.segments()) // 4 :]:
        path.unlink()


@attack("the last quarter is cut off and the checkpoint set back, archived ones kept", "lines.missing")
def cut_and_set_back(rig: Rig) -> None:
    rig.segments()[-1].unlink()
    end = int(rig.segments()[-1].name[-26:-6]) + rig.segments()[-1].read_bytes().count(b"\n")
    older = next(path for path in archived(rig) if int(path.name) == end)
    put(rig.logs / "checkpoint", older.read_bytes())


@attack("the tail is cut off with every later checkpoint, tiles kept", "tile.ahead")
def cut_but_tiles(rig: Rig) -> None:
    roll_back(rig)
    tile = rig.logs / "tile" / "0" / "001"
    tile.parent.mkdir(parents=True, exist_ok=True)
    tile.write_bytes(bytes(range(32)) * 256)


@attack("a segment is missing", "segment.missing")
def missing_segment(rig: Rig) -> None:
    rig.segments()[3].unlink()


@attack("the first segment is missing", "segment.missing")
def missing_first(rig: Rig) -> None:
    rig.segments()[0].unlink()


@attack("a segment stands there twice", "segment.overlap")
def doubled_segment(rig: Rig) -> None:
    path = rig.segments()[2]
    shutil.copy(path, path.with_name(path.name.replace("events_2027", "events_2028")))


@attack("two segments are swapped", "line.seq")
def swapped_segments(rig: Rig) -> None:
    one, two = rig.segments()[1:3]
    first, second = one.read_bytes(), two.read_bytes()
    put(one, second)
    put(two, first)


@attack("a segment is renumbered to hide a gap", "line.seq")
def renumbered_segment(rig: Rig) -> None:
    third, fourth = rig.segments()[2:4]
    name = third.name
    third.unlink()
    fourth.rename(fourth.with_name(name))


@attack("a segment in the middle loses its end", "segment.torn")
def torn_segment(rig: Rig) -> None:
    put(rig.segments()[1], rig.segments()[1].read_bytes()[:-9])


@attack("a line has no end", "line.endless")
def endless_line(rig: Rig) -> None:
    put(rig.segments()[1], b"x" * (5 << 20))


@attack("a tile is altered", "tile.wrong")
def altered_tile(rig: Rig) -> None:
    path = rig.logs / "tile" / "0" / "001"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    put(path, bytes(data))


@attack("the checkpoint claims fewer records", "checkpoint.signature")
def forged_checkpoint(rig: Rig) -> None:
    origin, size, rest = (rig.logs / "checkpoint").read_text().split("\n", 2)
    put(rig.logs / "checkpoint", f"{origin}\n{int(size) - 1}\n{rest}".encode())


@attack("the checkpoint is cut off", "checkpoint.form")
def truncated_checkpoint(rig: Rig) -> None:
    put(rig.logs / "checkpoint", (rig.logs / "checkpoint").read_bytes()[:-20])


@attack("the checkpoint loses its signature", "checkpoint.form")
def unsigned_checkpoint(rig: Rig) -> None:
    put(rig.logs / "checkpoint", (rig.logs / "checkpoint").read_bytes().partition(b"\xe2\x80\x94")[0])


@attack("an archived checkpoint is forged", "checkpoint.signature")
def forged_archive(rig: Rig) -> None:
    path = archived(rig)[2]
    text = path.read_text()
    put(path, text.replace(text.split("\n")[2], base64.b64encode(bytes(32)).decode()).encode())


@attack("all checkpoints are deleted", "checkpoint.none")
def no_checkpoint(rig: Rig) -> None:
    no_checkpoints_but(rig)
    (rig.logs / "checkpoint").unlink()


@attack("everything is deleted but the keys", "checkpoint.none")
def nothing_left(rig: Rig) -> None:
    for name in ("events", "checkpoints", "tile"):
        shutil.rmtree(rig.logs / name)
    (rig.logs / "checkpoint").unlink()


@attack("the manifest is edited", "keys.manifest")
def edited_manifest(rig: Rig) -> None:
    put(rig.logs / "keys.json", sign_manifest(manifest_of(rig), Ed25519PrivateKey.generate()))


@attack("the manifest is deleted", "keys.missing")
def no_manifest(rig: Rig) -> None:
    (rig.logs / "keys.json").unlink()


@attack("another log of the same name, with keys of its own", "keys.manifest")
def key_swap(rig: Rig) -> None:
    """Same origin, same structure, everything consistent in itself: only the pinned root key tells."""
    other = forge.honest(rig.home.with_name("other"), turns=20)
    shutil.rmtree(rig.logs)
    shutil.copytree(other.logs, rig.logs)


# With a key of their own that claims to be ours


@attack("a record is signed again by another key under the old key's id", "line.signature")
def same_id(rig: Rig) -> None:
    lines = rig.lines()
    fake = reseal(
        rig,
        edited(60, decision="error"),
        key=Ed25519PrivateKey.generate(),
        keyid=keyid_of(private(rig, "record").public_key()),
    )
    lines[60] = fake[60]
    forge.write_lines(rig, lines)


@attack("a record is signed again by a key that nobody lists", "key.unknown")
def unlisted_key(rig: Rig) -> None:
    lines = rig.lines()
    lines[60] = reseal(rig, edited(60, decision="error"), key=Ed25519PrivateKey.generate())[60]
    forge.write_lines(rig, lines)


@attack("a record is signed by the log key", "key.role")
def wrong_role(rig: Rig) -> None:
    lines = reseal(rig, lambda _, statement: statement)
    payload = base64.b64decode(json.loads(lines[60])["payload"])
    log_key = private(rig, "log")
    lines[60] = seal(payload, log_key, keyid_of(log_key.public_key()))
    forge.write_lines(rig, lines)


# With the stolen record key


@attack("everything from one record on is signed again, the chain mended", "tree.root")
def rewritten_suffix(rig: Rig) -> None:
    forge.write_lines(rig, reseal(rig, edited(300, decision="deny")))


@attack("the same, and the tail cut to an archived checkpoint", "tree.root")
def rewritten_and_cut(rig: Rig) -> None:
    lines = reseal(rig, edited(20, decision="deny"))
    end = int(rig.segments()[2].name[-26:-6])
    for path in rig.segments()[2:]:
        path.unlink()
    forge.write_lines(rig, lines[:end])
    shutil.rmtree(rig.logs / "tile")
    no_checkpoints_but(rig, f"{end:020d}")
    put(rig.logs / "checkpoint", (rig.logs / "checkpoints" / f"{end:020d}").read_bytes())


@attack("records are appended without the log key", "tree.root")
def appended_and_covered_by_an_old_root(rig: Rig) -> None:
    """The record key alone cannot extend the log: the record key may sign no checkpoint either."""
    lines = reseal(rig, lambda _, statement: statement)
    forge.write_lines(rig, lines[:-1] + reseal(rig, edited(len(lines) - 1, decision="deny"))[-1:])


@attack("the checkpoint is signed with the record key", "checkpoint.signature")
def record_key_signs_checkpoint(rig: Rig) -> None:
    lines = reseal(rig, edited(300, decision="deny"))
    forge.write_lines(rig, lines)
    forge.sign_tree(rig, lines, role="record")


# With both of the writer's keys: the files say a new history, what it may not say is caught


@attack("the log key signs two histories", "tree.root")
def forked(rig: Rig) -> None:
    size = int(archived(rig)[1].name)
    fork = leaves_of(reseal(rig, edited(5, decision="deny"))[:size])
    put(archived(rig)[1], sign_checkpoint(ORIGIN, size, tree_root(fork), private(rig, "log")).encode())


@attack("a statement says two things", "line.statement")
def two_things(rig: Rig) -> None:
    def edit(index: int, statement: dict[str, Any]) -> Any:
        text = json.dumps(statement, separators=(",", ":"))
        return (
            text.replace('"decision":"allow"', '"decision":"allow","decision":"deny"').encode()
            if index == 9
            else statement
        )

    rewrite(rig, edit)


@attack("a record does not name the one before it", "line.prev")
def broken_chain(rig: Rig) -> None:
    rewrite(rig, edited(30, prev="ab" * 32))


@attack("a record has another number than its place", "line.seq")
def wrong_number(rig: Rig) -> None:
    rewrite(rig, edited(30, seq=31))


@attack("time runs backwards", "line.time")
def backwards(rig: Rig) -> None:
    rewrite(rig, edited(30, time="2026-01-01T00:00:00.000Z"))


@attack("a sealed segment claims another root", "tree.root")
def wrong_seal(rig: Rig) -> None:
    def edit(_: int, statement: dict[str, Any]) -> dict[str, Any]:
        if statement["predicate"]["event"] == "segment.sealed":
            statement["predicate"]["detail"]["root"] = "0" * 64
        return statement

    rewrite(rig, edit)


@attack("the first record carries no key manifest", "keys.not_carried")
def not_carried(rig: Rig) -> None:
    def edit(_: int, statement: dict[str, Any]) -> dict[str, Any]:
        statement["subject"] = [item for item in statement["subject"] if item["name"] != "keys.json"]
        return statement

    rewrite(rig, edit)


@attack("a record puts an unknown key manifest into force", "keys.unknown")
def unknown_manifest(rig: Rig) -> None:
    def edit(index: int, statement: dict[str, Any]) -> dict[str, Any]:
        if index == 0:
            statement["subject"].append({"name": "keys.json", "digest": {"sha256": "0" * 64}})
        return statement

    rewrite(rig, edit)


@attack("the log claims an origin that the manifest does not list", "checkpoint.origin")
def hidden_origin(rig: Rig) -> None:
    forge.sign_tree(rig, rig.lines(), origin="log.example/hidden")


# Around the validity of keys


def rotated(rig: Rig, not_before: int, retired_at: int | None) -> tuple[Ed25519PrivateKey, str]:
    """Manifest version 2 with a second record key, and the digest that a leaf has to carry."""
    fresh = Ed25519PrivateKey.generate()
    manifest = manifest_of(rig)
    before = (rig.logs / "keys.1.json").read_bytes()
    manifest |= {"version": 2, "previous": tree_digest(before)}
    for entry in manifest["keys"]:
        if entry["role"] == "record" and retired_at is not None:
            entry["not_after"] = retired_at
    manifest["keys"].append(key_entry(fresh, "record", not_before))
    data = sign_manifest(manifest, private(rig, "root"))
    (rig.logs / "keys.2.json").write_bytes(data)
    put(rig.logs / "keys.json", data)
    return fresh, tree_digest(data)


def tree_digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sign_in_turn(rig: Rig, digest: str, carrier: int, switch: int, fresh: Ed25519PrivateKey) -> None:
    """A history in which leaf `carrier` carries the manifest and lines from `switch` on are signed by the fresh key."""
    old = private(rig, "record")

    def edit(index: int, statement: dict[str, Any]) -> dict[str, Any]:
        subjects = [item for item in statement["subject"] if index == 0 or item["name"] != "keys.json"]
        if index == carrier:
            subjects.append({"name": "keys.json", "digest": {"sha256": digest}})
        statement["subject"] = subjects
        if statement["predicate"]["event"] == "segment.sealed":
            statement["predicate"].pop("detail")
        return statement

    lines: list[bytes] = []
    prev = "0" * 64
    for index, line in enumerate(rig.lines()):
        statement = edit(index, forge.statement_of(line))
        statement["predicate"]["prev"] = prev
        key = fresh if index >= switch else old
        lines.append(seal(json.dumps(statement, separators=(",", ":")).encode(), key, keyid_of(key.public_key())))
        prev = leaves_of(lines[-1:])[0].hex()
    forge.write_lines(rig, lines)
    forge.sign_tree(rig, lines)


@attack("a new key signs before it is valid", "key.validity")
def too_early(rig: Rig) -> None:
    fresh, digest = rotated(rig, not_before=200, retired_at=None)
    sign_in_turn(rig, digest, 100, 150, fresh)


@attack("a back-dated key signs before the leaf that brings it into force", "key.unknown")
def back_dated(rig: Rig) -> None:
    fresh, digest = rotated(rig, not_before=0, retired_at=None)
    sign_in_turn(rig, digest, 300, 150, fresh)


@attack("a retired key goes on signing", "key.validity")
def retired(rig: Rig) -> None:
    fresh, digest = rotated(rig, not_before=100, retired_at=100)
    sign_in_turn(rig, digest, 100, 10**6, fresh)


@attack("the manifest is set back to an older version", "keys.unknown")
def manifest_set_back(rig: Rig) -> None:
    fresh, digest = rotated(rig, not_before=100, retired_at=None)
    sign_in_turn(rig, digest, 100, 120, fresh)
    put(rig.logs / "keys.json", (rig.logs / "keys.1.json").read_bytes())
    (rig.logs / "keys.2.json").unlink()


@attack("an older version of the manifest is missing", "keys.gap")
def manifest_gap(rig: Rig) -> None:
    fresh, digest = rotated(rig, not_before=100, retired_at=None)
    sign_in_turn(rig, digest, 100, 120, fresh)
    (rig.logs / "keys.1.json").unlink()


@attack("two manifests of one version", "keys.two")
def two_manifests(rig: Rig) -> None:
    manifest = manifest_of(rig) | {"created": "2026-01-01T00:00:00.000Z"}
    put(rig.logs / "keys.json", sign_manifest(manifest, private(rig, "root")))


@attack("a manifest that does not continue the one before", "keys.previous")
def manifest_fork(rig: Rig) -> None:
    manifest = manifest_of(rig) | {"version": 2, "previous": "0" * 64}
    (rig.logs / "keys.2.json").write_bytes(sign_manifest(manifest, private(rig, "root")))
