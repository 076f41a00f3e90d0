"""Attacks with keys: of somebody's own, stolen ones of the writer, the root's. See `log_scene`."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.checkpoint import key_id, sign_checkpoint
from runtime.audit.envelope import keyid_of, parse_line, seal
from runtime.audit.keys import init_keys, load_private
from runtime.audit.record import Draft, build_statement, new_record_id
from tests.attacks.log_forms import Tree
from tests.attacks.log_scene import Scene, attack, nothing
from tests.unit.audit.forge import key_entry, put, sign_manifest, statement_of
from tests.unit.audit.log_rig import ORIGIN, turn

OWN, RECORD, BOTH, ROOT = "own key", "record keys", "both keys", "root key"


def changed_at(place: int, **changes: Any) -> Any:
    def edit(index: int, statement: dict[str, Any]) -> dict[str, Any]:
        if index == place:
            statement["predicate"].update(changes)
        return statement

    return edit


def one_more(scene: Scene, key: Ed25519PrivateKey, draft: Draft | None = None) -> None:
    """A line after the last one, which no checkpoint covers."""
    last = scene.segments[-1]
    time = statement_of(last.lines[-1])["predicate"]["time"]
    payload = build_statement(draft or turn(), scene.size, scene.leaves[-1].hex(), time)
    last.lines.append(seal(payload, key, keyid_of(key.public_key())))
    last.write()


# A key of one's own


@attack("a record is signed by another key under the true key's id", OWN, "line.signature")
def same_id(scene: Scene) -> None:
    segment, at = scene.any_line()
    envelope = parse_line(segment.lines[at])
    segment.lines[at] = seal(envelope.payload, Ed25519PrivateKey.generate(), envelope.keyid)
    segment.write()


@attack("everything from one record on is signed by a key that nobody lists", OWN, "key.unknown")
def unlisted_key(scene: Scene) -> None:
    scene.reseal(scene.chance.randrange(scene.first, scene.size), nothing, key=Ed25519PrivateKey.generate())


@attack("another key signs a checkpoint with the name and the id of the true one", OWN, "checkpoint.signature")
def same_name_and_id(scene: Scene) -> None:
    body = "\n".join((scene.logs / "checkpoint").read_text().split("\n")[:3]) + "\n"
    signature = Ed25519PrivateKey.generate().sign(body.encode())
    claimed = key_id(ORIGIN, scene.active("log").public_key()) + signature
    put(scene.logs / "checkpoint", f"{body}\n— {ORIGIN} {base64.b64encode(claimed).decode()}\n".encode())


@attack("a signature that does not hold stands before the true one", OWN, "checkpoint.signature")
def one_bad_signature(scene: Scene) -> None:
    text = (scene.logs / "checkpoint").read_text()
    claimed = key_id(ORIGIN, scene.active("log").public_key()) + bytes(64)
    put(
        scene.logs / "checkpoint",
        text.replace("\n\n", f"\n\n— {ORIGIN} {base64.b64encode(claimed).decode()}\n").encode(),
    )


@attack("a log of the same name with a root of its own", OWN, "keys.manifest")
def other_root(scene: Scene) -> None:
    home = scene.rig.home / "other"
    init_keys(home / "keys", home / "logs", origin=ORIGIN)
    for path in scene.logs.glob("keys*.json"):
        put(path, (home / "logs" / "keys.json").read_bytes())


@attack("a version of the manifest is edited and signed anew", OWN, "keys.manifest")
def edited_manifest(scene: Scene) -> None:
    name = scene.chance.choice(sorted(path.name for path in scene.logs.glob("keys*.json")))
    put(scene.logs / name, sign_manifest(scene.manifest(name), Ed25519PrivateKey.generate()))


# Stolen record keys, those of the past too


@attack("everything from one record on is written anew, the chain mended", RECORD, "tree.root")
def rewritten_suffix(scene: Scene) -> None:
    place = scene.chance.randrange(scene.first, scene.size)
    scene.reseal(place, changed_at(place, decision="error"))


@attack("the same, and the tail cut to an archived checkpoint", RECORD, "tree.root")
def rewritten_and_cut(scene: Scene) -> None:
    size = scene.chance.choice(scene.archived_at_a_border())
    place = scene.chance.randrange(scene.first, size)
    scene.reseal(place, changed_at(place, decision="error"))
    scene.set_back(size)


@attack("a record is put in, those after it renumbered and signed anew", RECORD, "tree.root")
def inserted(scene: Scene) -> None:
    segment, at = scene.any_line(before_last=True)
    place = segment.first + at
    segment.lines.insert(at, segment.lines[at])
    scene.leaves.insert(place, b"")
    for later in scene.segments[scene.segments.index(segment) + 1 :]:
        later.path.unlink()
        later.first += 1
        later.path = later.path.with_name(f"{later.path.name[:16]}{later.first:020d}.jsonl")

    def renumber(index: int, statement: dict[str, Any]) -> dict[str, Any]:
        predicate = statement["predicate"]
        predicate["seq"] = index
        if predicate["event"] == "segment.sealed":
            predicate.pop("detail")
        return statement

    scene.reseal(place, renumber)


@attack("a record key signs the checkpoint", RECORD, "checkpoint.signature")
def record_key_signs_checkpoint(scene: Scene) -> None:
    place = scene.chance.randrange(scene.first, scene.size)
    scene.reseal(place, changed_at(place, decision="error"))
    scene.sign_tree(key=scene.active("record"))


@attack("a retired record key signs one record more", RECORD, "key.validity")
def retired_key(scene: Scene) -> None:
    one_more(scene, scene.retired("record"))


@attack("a stolen record key brings an older manifest back into force", RECORD, "keys.order")
def older_manifest(scene: Scene) -> None:
    digest = hashlib.sha256((scene.logs / "keys.1.json").read_bytes()).hexdigest()
    draft = turn()
    one_more(scene, scene.active("record"), Draft(new_record_id(), "turn", draft.predicate, (("keys.json", digest),)))


@attack("a stolen record key puts a manifest into force that is nowhere", RECORD, "keys.unknown")
def nowhere_manifest(scene: Scene) -> None:
    draft = turn()
    one_more(scene, scene.active("record"), Draft(new_record_id(), "turn", draft.predicate, (("keys.json", "5" * 64),)))


# Record keys and log keys: whatever the files say, this may not be said


def rewritten(name: str, edit: Any, *caught: str) -> None:
    """Register an attack in which one record is changed, and everything after it written anew with all keys."""

    def act(scene: Scene) -> None:
        place = scene.chance.randrange(scene.first + 1, scene.size)
        scene.reseal(place, lambda index, statement: edit(scene, statement) if index == place else statement)
        scene.only_checkpoints(lambda archived: archived <= place)
        scene.sign_tree()

    attack(name, BOTH, *caught)(act)


def says(**changes: Any) -> Any:
    def edit(_: Scene, statement: dict[str, Any]) -> dict[str, Any]:
        statement["predicate"].update(changes)
        return statement

    return edit


def twice(_: Scene, statement: dict[str, Any]) -> bytes:
    return json.dumps(statement, separators=(",", ":")).replace('"seq":', '"event":"stop","seq":', 1).encode()


rewritten("a record does not name the one before it", says(prev="ab" * 32), "line.prev")
rewritten("a record has another number than its place", says(seq=7), "line.seq")
rewritten("a record's number is a text", says(seq="7"), "line.seq")
rewritten("time runs backwards", says(time="2020-01-01T00:00:00.000Z"), "line.time")
rewritten("a time that is none", says(time="yesterday"), "line.time_form")
rewritten("a statement says two things", twice, "line.statement")
rewritten("a statement that is none", lambda scene, statement: b"[]", "line.statement")
rewritten("a number that is no integer", says(step=1.5), "line.statement")


@attack("a sealed segment claims another root", BOTH, "tree.root")
def wrong_seal(scene: Scene) -> None:
    segment = scene.any_segment(sealed=True)

    def edit(index: int, statement: dict[str, Any]) -> dict[str, Any]:
        if index == segment.end - 1:
            statement["predicate"]["detail"]["root"] = scene.chance.choice(scene.leaves).hex()
        return statement

    scene.reseal(segment.end - 1, edit)
    scene.sign_tree()


@attack("the log key signs two histories", BOTH, "tree.root")
def forked(scene: Scene) -> None:
    path = scene.chance.choice([path for path in scene.archived() if int(path.name) > scene.first + 1])
    size = int(path.name)
    leaves = [*scene.leaves[: size - 1], b"\x11" * 32]
    # The key that signed it then: the one in force at that size.
    for key in scene.keys("log").values():
        note = sign_checkpoint(ORIGIN, size, Tree(leaves).root(size), key)
        if base64.b64decode(note.split(" ")[-1])[:4] == base64.b64decode(path.read_text().split(" ")[-1])[:4]:
            put(path, note.encode())


@attack("a retired log key signs the checkpoint", BOTH, "key.validity")
def retired_log_key(scene: Scene) -> None:
    scene.sign_tree(key=scene.retired("log"))


@attack("a record is signed by the log key", BOTH, "key.role")
def wrong_role(scene: Scene) -> None:
    scene.reseal(scene.size - 1, nothing, key=scene.active("log"))
    scene.sign_tree()


@attack("a new key signs records from before its manifest was in force", BOTH, "key.unknown", "key.validity")
def too_early(scene: Scene) -> None:
    """The whole log written anew with today's keys."""
    scene.reseal(scene.first, nothing, key=scene.active("record"))
    scene.sign_tree()


@attack("the checkpoint is one of a log that the manifest does not list", BOTH, "checkpoint.origin")
def hidden_origin(scene: Scene) -> None:
    root = Tree(scene.leaves).root(scene.size)
    put(
        scene.logs / "checkpoint", sign_checkpoint("log.example/hidden", scene.size, root, scene.active("log")).encode()
    )


# Manifests: their files, and the root key


@attack("a version of the manifest is missing", "files", "keys.gap")
def missing_version(scene: Scene) -> None:
    (scene.logs / f"keys.{scene.chance.randint(1, scene.manifest()['version'] - 1)}.json").unlink()


@attack("the newest versions of the manifest are hidden", "files", "keys.unknown")
def hidden_version(scene: Scene) -> None:
    version = scene.manifest()["version"]
    keep = scene.chance.randint(1, version - 1)
    for number in range(keep + 1, version + 1):
        (scene.logs / f"keys.{number}.json").unlink()
    put(scene.logs / "keys.json", (scene.logs / f"keys.{keep}.json").read_bytes())


@attack("two versions of the manifest change places", "files", "keys.version")
def swapped_versions(scene: Scene) -> None:
    one, other = scene.chance.sample(range(1, scene.manifest()["version"] + 1), 2)
    first, second = ((scene.logs / f"keys.{number}.json").read_bytes() for number in (one, other))
    put(scene.logs / f"keys.{one}.json", second)
    put(scene.logs / f"keys.{other}.json", first)


@attack("a version of the manifest stands there under another number too", "files", "keys.version")
def doubled_version(scene: Scene) -> None:
    version = scene.manifest()["version"]
    put(
        scene.logs / f"keys.{version + 1}.json",
        (scene.logs / f"keys.{scene.chance.randint(1, version)}.json").read_bytes(),
    )


@attack("keys.json is missing", "files", "keys.missing")
def no_manifest(scene: Scene) -> None:
    (scene.logs / "keys.json").unlink()


def with_root(scene: Scene, manifest: dict[str, Any]) -> bytes:
    return sign_manifest(manifest, load_private(scene.rig.keys / "root.pem", None))


@attack("the root signs a second form of a version", ROOT, "keys.two", "keys.unknown")
def second_form(scene: Scene) -> None:
    manifest = scene.manifest() | {"created": "2020-01-01T00:00:00.000Z"}
    put(scene.logs / "keys.json", with_root(scene, manifest))


@attack("the root signs a version that does not continue the one before", ROOT, "keys.previous")
def fork_of_manifests(scene: Scene) -> None:
    manifest = scene.manifest() | {"previous": "0" * 64}
    manifest["version"] += 1
    put(scene.logs / f"keys.{manifest['version']}.json", with_root(scene, manifest))


def back_dated(scene: Scene) -> Ed25519PrivateKey:
    """A new version, signed by the root, with a record key that is said to have been valid from the first leaf on."""
    fresh = Ed25519PrivateKey.generate()
    manifest = scene.manifest()
    before = (scene.logs / f"keys.{manifest['version']}.json").read_bytes()
    manifest |= {"version": manifest["version"] + 1, "previous": hashlib.sha256(before).hexdigest()}
    manifest["keys"].append(key_entry(fresh, "record", 0))
    data = with_root(scene, manifest)
    put(scene.logs / f"keys.{manifest['version']}.json", data)
    put(scene.logs / "keys.json", data)
    return fresh


@attack("the root back-dates a key, which signs the past anew", ROOT, "key.unknown")
def back_dated_key(scene: Scene) -> None:
    scene.reseal(scene.chance.randrange(scene.first, scene.size), nothing, key=back_dated(scene))
    scene.sign_tree()


@attack("the root slips an earlier validity into an old version", ROOT, "keys.previous", "keys.unknown")
def earlier_not_before(scene: Scene) -> None:
    number = scene.chance.randint(2, scene.manifest()["version"])
    manifest = scene.manifest(f"keys.{number}.json")
    manifest["keys"][-1]["not_before"] = 0
    data = with_root(scene, manifest)
    put(scene.logs / f"keys.{number}.json", data)
    if number == scene.manifest()["version"]:
        put(scene.logs / "keys.json", data)
