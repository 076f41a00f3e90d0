"""Attacks on what leaves the machine: bundles and receipts. See `test_log_mutations`, which runs them.

Each changes a bundle (a directory) or a receipt (the object in an answer) that was honest, at a random place.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.envelope import keyid_of, parse_line, seal
from tests.attacks.log_scene import edited
from tests.unit.audit.forge import put, sign_manifest

Proofs = list[dict[str, Any]]
#: name -> (what is done to lines and proofs of a bundle, the codes of which one must be found)
BUNDLES: dict[str, tuple[Callable[[Path, random.Random], None], set[str]]] = {}
RECEIPTS: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any], random.Random], None], set[str]]] = {}


def on_lines(name: str, *caught: str) -> Any:
    """Register an attack on the lines and proofs of a bundle."""

    def register(change: Callable[[list[bytes], Proofs, random.Random], None]) -> Any:
        def act(folder: Path, chance: random.Random) -> None:
            lines = (folder / "events.jsonl").read_bytes().split(b"\n")[:-1]
            proofs = [json.loads(line) for line in (folder / "proofs.jsonl").read_text().splitlines()]
            change(lines, proofs, chance)
            put(folder / "events.jsonl", b"".join(line + b"\n" for line in lines))
            put(folder / "proofs.jsonl", "".join(json.dumps(proof) + "\n" for proof in proofs).encode())

        BUNDLES[name] = (act, set(caught))
        return change

    return register


def on_file(name: str, file: str, *caught: str) -> Any:
    """Register an attack on another file of a bundle."""

    def register(change: Callable[[str], str]) -> Any:
        def act(folder: Path, _: random.Random) -> None:
            put(folder / file, change((folder / file).read_text()).encode())

        BUNDLES[name] = (act, set(caught))
        return change

    return register


def with_hash(change: Callable[[list[str], int], None]) -> Callable[[list[str], random.Random], None]:
    """Change an inclusion proof at a random place."""
    return lambda proof, chance: change(proof, chance.randrange(len(proof)))


def put_at(proof: list[str], at: int, value: bytes) -> None:
    proof[at] = base64.b64encode(value).decode()


HASHES: dict[str, Callable[[list[str], random.Random], None]] = {
    "a hash of length zero": with_hash(lambda proof, at: put_at(proof, at, b"")),
    "all hashes of length zero": lambda proof, _: proof.__setitem__(slice(None), [""] * len(proof)),
    "a hash of 31 bytes": with_hash(lambda proof, at: put_at(proof, at, base64.b64decode(proof[at])[:-1])),
    "a hash of 64 bytes": with_hash(lambda proof, at: put_at(proof, at, base64.b64decode(proof[at]) * 2)),
    "another hash": with_hash(lambda proof, at: put_at(proof, at, b"\x55" * 32)),
    "a hash less": with_hash(lambda proof, at: proof.pop(at) and None),
    "a hash more": with_hash(lambda proof, at: proof.insert(at, proof[at])),
    "two hashes swapped": lambda proof, _: proof.reverse(),
    "no hashes": lambda proof, _: proof.clear(),
    "loose base64": with_hash(lambda proof, at: proof.__setitem__(at, proof[at].rstrip("="))),
    "a thousand hashes": lambda proof, _: proof.extend(proof[:1] * 1000),
}

for what, alter in HASHES.items():

    def act_on_bundle(_: list[bytes], proofs: Proofs, chance: random.Random, alter: Any = alter) -> None:
        alter(chance.choice(proofs)["inclusion"], chance)

    def act_on_receipt(receipt: dict[str, Any], _: dict[str, Any], chance: random.Random, alter: Any = alter) -> None:
        alter(receipt["inclusion"], chance)

    on_lines(f"a proof with {what}", "receipt.inclusion", "bundle.proof")(act_on_bundle)
    RECEIPTS[f"a proof with {what}"] = (act_on_receipt, {"receipt.inclusion"})


# Bundles


@on_lines("the proofs of two lines are swapped", "receipt.inclusion")
def swapped_proofs(_: list[bytes], proofs: Proofs, chance: random.Random) -> None:
    one, other = chance.sample(proofs, 2)
    one["inclusion"], other["inclusion"] = other["inclusion"], one["inclusion"]


@on_lines("two lines are swapped", "receipt.inclusion")
def swapped_lines(lines: list[bytes], _: Proofs, chance: random.Random) -> None:
    one, other = chance.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]


@on_lines("a line is left out with its proof", "bundle.incomplete")
def left_out(lines: list[bytes], proofs: Proofs, chance: random.Random) -> None:
    at = chance.randrange(len(lines) - 5, len(lines))
    del lines[at], proofs[at]


@on_lines("a line is left out and its proof is not", "bundle.lengths", "receipt.inclusion")
def line_left_out(lines: list[bytes], _: Proofs, chance: random.Random) -> None:
    del lines[chance.randrange(len(lines))]


@on_lines("a line is doubled with its proof", "bundle.order")
def doubled(lines: list[bytes], proofs: Proofs, chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    lines.insert(at, lines[at])
    proofs.insert(at, proofs[at])


@on_lines("a line is edited", "line.signature")
def edited_line(lines: list[bytes], _: Proofs, chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    lines[at] = edited(lines[at], lambda statement: statement["predicate"].update(decision="redact"))


@on_lines("every line says that it is the next one", "receipt.inclusion")
def shifted(_: list[bytes], proofs: Proofs, __: random.Random) -> None:
    for proof in proofs:
        proof["log_index"] += 1


@on_lines("the line that brought a later manifest into force is left out", "key.unknown", "bundle.incomplete")
def without_manifest(lines: list[bytes], proofs: Proofs, _: random.Random) -> None:
    first = json.loads((parse_line(lines[0])).payload)["subject"]
    for at in range(len(lines) - 1, 0, -1):
        subjects = json.loads(parse_line(lines[at]).payload)["subject"]
        if any(item["name"] == "keys.json" and item not in first for item in subjects):
            del lines[at], proofs[at]


on_file("the checkpoint claims another size", "checkpoint", "checkpoint.signature")(
    lambda text: text.replace("\n", "\n1", 1)
)
on_file("the checkpoint is empty", "checkpoint", "checkpoint.form")(lambda _: "")
on_file("the range is said to be longer", "bundle.json", "bundle.incomplete")(
    lambda text: text.replace('"first":', '"first":0,"was":')
)
on_file("another origin is claimed", "bundle.json", "bundle.index")(
    lambda text: text.replace('"origin":"', '"origin":"other.')
)
on_file("bundle.json is noise", "bundle.json", "bundle.index")(lambda _: "{")
on_file("keys.json is of another root", "keys.json", "keys.manifest")(
    lambda _: sign_manifest({}, Ed25519PrivateKey.generate()).decode()
)


# Receipts: (the receipt, another one of the same log, chance)


def on_receipt(name: str, *caught: str) -> Any:
    def register(act: Callable[[dict[str, Any], dict[str, Any], random.Random], None]) -> Any:
        RECEIPTS[name] = (act, set(caught))
        return act

    return register


for member, codes in {
    "inclusion": {"receipt.inclusion"},
    "envelope": {"receipt.inclusion"},
    "log_index": {"receipt.inclusion"},
    "record_id": {"receipt.id"},
    "checkpoint": {"receipt.inclusion", "checkpoint.signature"},
}.items():

    def of_another(receipt: dict[str, Any], other: dict[str, Any], _: random.Random, member: str = member) -> None:
        receipt[member] = other[member]

    RECEIPTS[f"the {member} is another receipt's"] = (of_another, codes)

for name, value in {"negative": -1, "a text": "1", "a truth": True, "huge": 2**70, "missing": None}.items():

    def set_index(receipt: dict[str, Any], _: dict[str, Any], __: random.Random, value: Any = value) -> None:
        receipt["log_index"] = value

    RECEIPTS[f"the index is {name}"] = (set_index, {"receipt.index", "receipt.inclusion"})


@on_receipt("the record is signed by another key under the true key's id", "line.signature")
def signed_by_another(receipt: dict[str, Any], _: dict[str, Any], __: random.Random) -> None:
    envelope = parse_line(receipt["envelope"].encode())
    receipt["envelope"] = seal(envelope.payload, Ed25519PrivateKey.generate(), envelope.keyid).decode()


@on_receipt("the record is signed by a key of somebody's own", "key.unknown")
def signed_by_own(receipt: dict[str, Any], _: dict[str, Any], __: random.Random) -> None:
    key = Ed25519PrivateKey.generate()
    payload = parse_line(receipt["envelope"].encode()).payload
    receipt["envelope"] = seal(payload, key, keyid_of(key.public_key())).decode()


@on_receipt("the checkpoint claims another size", "checkpoint.signature")
def other_size(receipt: dict[str, Any], _: dict[str, Any], __: random.Random) -> None:
    receipt["checkpoint"] = receipt["checkpoint"].replace("\n", "\n1", 1)


@on_receipt("the manifest is signed by another root", "keys.manifest")
def other_root(receipt: dict[str, Any], _: dict[str, Any], __: random.Random) -> None:
    manifest = json.loads(parse_line(receipt["keys"].encode()[:-1], max_bytes=1 << 20).payload)
    receipt["keys"] = sign_manifest(manifest, Ed25519PrivateKey.generate()).decode()


@on_receipt("there is no manifest", "receipt.keys")
def no_manifest(receipt: dict[str, Any], _: dict[str, Any], __: random.Random) -> None:
    del receipt["keys"]
