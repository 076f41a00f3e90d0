"""Who comes by while a history of a log goes on: people with turns, auditors who look at it, exports."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit.bundle import Selection, export_bundle
from runtime.audit.bundle_check import verify_bundle
from runtime.audit.errors import AuditError
from runtime.audit.record import Draft
from runtime.audit.verify import verify_log
from tests.unit.audit.log_rig import DAY, intent, turn

OPERATOR = {"type": "system", "ref": "operator.shell"}
PEOPLE = [f"p_{name * 26}" for name in "cdefgh"]


def any_draft(chance: random.Random, now: int, *, dated: bool) -> Draft:
    """A turn, or the intent of one. Args: the dice; Unix milliseconds; whether it names until when it must be kept."""
    number = chance.randrange(10_000)
    more: dict[str, Any] = {}
    if dated or chance.random() < 0.3:
        # A date, or a moment of that day.
        day = datetime.fromtimestamp((now + chance.randint(-2, 4) * DAY) / 1000, UTC).date().isoformat()
        moment = chance.choice(["", "", "", "T00:00:00Z", "T23:59:59.999Z"])
        more["legal"] = {"purpose": "support", "retain_until": day + moment}
    if chance.random() < 0.2:
        more["data_subject_refs"] = chance.sample(PEOPLE, chance.randint(1, 3))
    if chance.random() < 0.3:
        more["conversation_ref"] = "c_" + chance.choice("abc") * 20
    return intent(**more) if chance.random() < 0.15 else turn(number, **more)


def assert_no_alarm(logs: Path, root: Ed25519PublicKey) -> None:
    """A log as it is, in use or dead, is whole. Only where a power loss took every checkpoint has one to be told."""
    report = verify_log(logs, root, jobs=1)
    found = {note.code for note in report.problems}
    checkpoints = [path for path in (logs / "checkpoint", *(logs / "checkpoints").iterdir()) if path.exists()]
    lost = not any(path.read_bytes().strip(b"\0") for path in checkpoints)
    assert not found or (lost and found == {"checkpoint.none"}), report.problems


def assert_bundle(logs: Path, root: Ed25519PublicKey, home: Path, chance: random.Random, size: int) -> None:
    """Export something of a log of `size` lines in some form: it proves itself, unless lines of it were pruned."""
    first = chance.randrange(size)
    selection = chance.choice(
        [
            Selection(first=first, end=chance.randint(first + 1, size)),
            Selection(conversation_ref="c_" + "a" * 20),
            Selection(subject_refs=frozenset(chance.sample(PEOPLE, 2))),
        ]
    )
    out = home / f"bundle{chance.choice(['', '.zip', '.tar', '.tar.gz'])}"
    try:
        export_bundle(logs, out, selection)
    except AuditError as error:
        assert "pruned" in str(error) or "no record" in str(error), error
        return
    report = verify_bundle(out, root)
    shutil.rmtree(out) if out.is_dir() else out.unlink()
    assert report.whole, report.problems
