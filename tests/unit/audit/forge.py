"""What an attacker can do to a log, with and without its keys: for tests of verification.

Everything here is done with the primitives (or with bare bytes), on a copy of an honest log that the real writer made.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runtime.audit.checkpoint import sign_checkpoint
from runtime.audit.envelope import keyid_of, parse_line, seal
from runtime.audit.keys import load_private, load_public
from runtime.audit.manifest import MANIFEST_TYPE
from runtime.audit.record import prepare
from runtime.audit.report import Report
from runtime.audit.verify import verify_log
from tests.unit.audit.log_rig import ORIGIN, Rig, leaves_of, make_rig, tree_root, turn

Edit = Callable[[int, dict[str, Any]], Any]


def honest(home: Path, turns: int = 40, restarts: int = 2, max_segment: int = 12_000) -> Rig:
    """A log with several segments, restarts and a torn line that was set aside."""
    rig = make_rig(home)
    each = turns // (restarts + 1)
    for number in range(restarts + 1):
        writer = rig.open(max_segment=max_segment)
        for start in range(0, each, 8):
            writer.commit([prepare(turn(item)) for item in range(start, min(start + 8, each))])
        writer.close()
        if number == 0:
            with rig.segments()[-1].open("ab") as file:
                file.write(b'{"payload":"torn')
    return rig


def copy(rig: Rig, home: Path) -> Rig:
    shutil.copytree(rig.home, home)
    return Rig(home)


def verified(rig: Rig, **more: Any) -> Report:
    """Verified with the root key of the home it was made in."""
    return verify_log(rig.logs, load_public((rig.keys / "root.pub.pem").read_bytes()), jobs=1, **more)


def codes(report: Report) -> set[str]:
    return {note.code for note in report.problems}


def private(rig: Rig, role: str) -> Ed25519PrivateKey:
    """A key that leaked."""
    path = rig.keys / "root.pem" if role == "root" else next(rig.keys.glob(f"{role}-*.pem"))
    return load_private(path, None)


def write_lines(rig: Rig, lines: list[bytes]) -> None:
    """Put these lines in place of the old ones, in the segments there are, which keep their numbers of lines.

    What is more goes to the last one.
    """
    segments = rig.segments()
    counts = [path.read_bytes().count(b"\n") for path in segments]
    for number, path in enumerate(segments):
        taken = lines if path is segments[-1] else lines[: counts[number]]
        lines = lines[len(taken) :]
        put(path, b"".join(line + b"\n" for line in taken))


def put(path: Path, data: bytes) -> None:
    """Whatever the mode of the file: root and owner can."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def statement_of(line: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(parse_line(line).payload)
    return parsed


def reseal(rig: Rig, edit: Edit, *, key: Ed25519PrivateKey | None = None, keyid: str | None = None) -> list[bytes]:
    """All lines signed again with a stolen record key after `edit`, the chain mended.

    Args:
        rig: the log.
        edit: gets index and statement; gives a changed statement, raw payload bytes, or the statement as it was.
        key: another key; by default the record key.
        keyid: what the lines say signed them; by default the key's own.
    """
    key = key or private(rig, "record")
    lines: list[bytes] = []
    prev = "0" * 64
    for index, line in enumerate(rig.lines()):
        statement = statement_of(line)
        statement["predicate"]["prev"] = prev
        changed = edit(index, statement)
        payload = changed if isinstance(changed, bytes) else json.dumps(changed, separators=(",", ":")).encode()
        lines.append(seal(payload, key, keyid or keyid_of(key.public_key())))
        prev = leaves_of(lines[-1:])[0].hex()
    return lines


def sign_tree(rig: Rig, lines: list[bytes], *, role: str = "log", origin: str = ORIGIN) -> None:
    """A checkpoint over these lines in place of all others, tiles gone: what whoever holds the log key can do."""
    for path in (rig.logs / "checkpoints").iterdir():
        path.unlink()
    shutil.rmtree(rig.logs / "tile")
    put(
        rig.logs / "checkpoint",
        sign_checkpoint(origin, len(lines), tree_root(leaves_of(lines)), private(rig, role)).encode(),
    )


def rewrite(rig: Rig, edit: Edit, **more: Any) -> None:
    """A whole history made anew with all of the writer's keys."""
    lines = reseal(rig, edit, **more)
    write_lines(rig, lines)
    sign_tree(rig, lines)


def manifest_of(rig: Rig, name: str = "keys.json") -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(parse_line((rig.logs / name).read_bytes()[:-1], max_bytes=1 << 20).payload)
    return parsed


def sign_manifest(manifest: dict[str, Any], root: Ed25519PrivateKey) -> bytes:
    payload = json.dumps(manifest, separators=(",", ":")).encode()
    return seal(payload, root, keyid_of(root.public_key()), MANIFEST_TYPE) + b"\n"


def key_entry(key: Ed25519PrivateKey, role: str, not_before: int, not_after: int | None = None) -> dict[str, Any]:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "role": role,
        "keyid": keyid_of(key.public_key()),
        "public": base64.b64encode(der).decode(),
        "origin": ORIGIN,
        "not_before": not_before,
        "not_after": not_after,
    }
