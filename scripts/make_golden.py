"""Makes the golden data of a release: `.venv/bin/python scripts/make_golden.py [--out DIR]`.

Two logs with bundles, receipts and proofs of them, in `tests/golden/<version>/`; what they went through is told in
tests/golden/README.md. The content is always the same, the keys are made for it and thrown away: only public halves
stay. A release is made once: nothing is written over. `expected.json` beside them says what a verifier must find; it is
written by hand, and tests/conformance/test_golden.py holds every later verifier to it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from runtime.audit import origins  # noqa: E402 - the checkout is not installed for this script
from runtime.audit.anchors import Anchors  # noqa: E402
from runtime.audit.bundle import Selection, export_bundle  # noqa: E402
from runtime.audit.checkpoint import vkey  # noqa: E402
from runtime.audit.cosignature import add_cosignature  # noqa: E402
from runtime.audit.errors import AuditError  # noqa: E402
from runtime.audit.keys import ROOT_KEY, ROOT_PUBLIC, init_keys, load_keyring, load_private  # noqa: E402
from runtime.audit.proofs import proof_for  # noqa: E402
from runtime.audit.pruning import Holds  # noqa: E402
from runtime.audit.reader import read_line  # noqa: E402
from runtime.audit.receipt import make_receipt, read_hashes  # noqa: E402
from runtime.audit.record import Appended, Draft, prepare  # noqa: E402
from runtime.audit.rotation import Succession  # noqa: E402
from runtime.audit.tlog_proof import write_tlog_proof  # noqa: E402
from runtime.audit.writer import LogWriter  # noqa: E402
from runtime.software import VERSION  # noqa: E402
from runtime.witness import store  # noqa: E402
from runtime.witness.protocol import AddCheckpoint  # noqa: E402
from runtime.witness.state import WitnessState  # noqa: E402

DAY = 86_400_000  # milliseconds
BEGIN = 1_782_896_400_000  # 2026-07-01T09:00:00Z
SOFTWARE = {"version": VERSION}
OPERATOR = {"type": "system", "ref": "operator.shell", "role": "admin", "auth_method": "shell"}
ALICE, BOB = "s_" + "a" * 26, "s_" + "b" * 26
WITNESS = "witness.example/w1"
SUMS = "SHA256SUMS"
# The writer's own, nothing that a verifier wants.
_NOT_KEPT = shutil.ignore_patterns("lock", "ballast", ".*")


class Story:
    """One log and its keys in a directory of its own, by a clock that is told what time it is.

    Args:
        home: where both are made.
        origin: of the log.
        offline: whether the root's private key is kept elsewhere.
    """

    def __init__(self, home: Path, origin: str, *, offline: bool) -> None:
        self.logs, self.keys = home / "logs", home / "keys"
        root_out = home / "safe" if offline else self.keys
        init_keys(self.keys, self.logs, origin=origin, root_out=root_out)
        self.root = load_private(root_out / ROOT_KEY, None)
        self.origin = origin
        self.now = BEGIN
        self._numbers = 0
        self._writer: LogWriter | None = None

    @property
    def writer(self) -> LogWriter:
        """The open log, opened where it is closed."""
        if self._writer is None:
            self._writer = LogWriter(self.logs, self.keys, software=SOFTWARE, now_ms=lambda: self.now)
        return self._writer

    def close(self) -> None:
        self.writer.close()
        self._writer = None

    def date(self, days: int) -> str:
        return datetime.fromtimestamp((self.now + days * DAY) / 1000, UTC).date().isoformat()

    def record(self, event: str, *subjects: tuple[str, str], **predicate: Any) -> Appended:
        """Append one record, a second after the one before."""
        self.now += 1000
        self._numbers += 1
        record_id = f"DR-{self.now >> 16:08x}-{self.now & 0xFFFF:04x}-7000-8000-{self._numbers:012x}"
        (result,) = self.writer.commit([prepare(Draft(record_id, event, {"software": SOFTWARE} | predicate, subjects))])
        if isinstance(result, AuditError):
            raise result
        return result

    def own(self, event: str, subject: str, **detail: Any) -> Appended:
        """A record of something outside a turn."""
        return self.record(event, (subject, _digest(subject, detail)), actor=OPERATOR, detail=detail)

    def intent(self, turn: str, conversation: str, person: str) -> Appended:
        found = {"actor": _actor(person), "turn_ref": turn, "conversation_ref": conversation, "step": 1}
        return self.record("model.intent", ("view.1", _digest(turn)), door="chat", data_subject_refs=[person], **found)

    def turn(self, name: str, conversation: str, person: str, question: str, answer: str, *, days: int) -> _Turn:
        """An intent and the decision record of a turn, to be kept for so many days."""
        turn = f"t_{name:0>26}"
        self.intent(turn, conversation, person)
        request = json.dumps({"messages": [{"role": "user", "content": question}]}, ensure_ascii=False).encode()
        salts = {part: bytes.fromhex(_digest(turn, part))[:16] for part in ("input", "output")}
        exact = {"input": request, "output": answer.encode()}
        content = [
            {
                "name": part,
                "sha256": _digest(turn, part, "ciphertext"),
                "size": 512,
                "commit": sha256(salts[part] + exact[part]).hexdigest(),
            }
            for part in ("input", "output")
        ]
        appended = self.record(
            "turn",
            *((str(item["name"]), str(item["sha256"])) for item in content),
            actor=_actor(person),
            door="chat",
            data_subject_refs=[person],
            conversation_ref=conversation,
            turn_ref=turn,
            decision="allow",
            rules=["role.user.chat.create"],
            reasons=[],
            policy={"revision": "sha256:" + _digest("policy")},
            model={"provider": "llama_cpp", "request_model": "smollm2-135m", "mode": "fast", "seed": 42},
            legal={"purpose": "support", "basis": "consent", "retain_until": self.date(days)},
            content=content,
        )
        keys = (self.logs / "keys.json").read_bytes()
        receipt = make_receipt(appended, appended.line.encode(), keys, salts)
        return _Turn(
            turn, appended, request, {"content": answer, "decision_id": appended.record_id, "receipt": receipt}
        )


class _Turn:
    """A turn as its caller keeps it: what was asked, and the answer with its receipt."""

    def __init__(self, ref: str, appended: Appended, request: bytes, answer: dict[str, Any]) -> None:
        self.ref, self.appended, self.request, self.answer = ref, appended, request, answer

    def save(self, folder: Path, name: str) -> None:
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.request.json").write_bytes(self.request)
        (folder / f"{name}.json").write_text(json.dumps(self.answer, indent=1, ensure_ascii=False) + "\n", "utf-8")


def full_log(scratch: Path, out: Path) -> None:
    """A log to which everything happened that a log is made for, with its root key kept elsewhere."""
    story = Story(scratch / "full", "golden.example/full", offline=True)
    # The first day fills a segment that is pruned later: 256 lines, all that a hash tile holds.
    story.own("admin", "hold", action="log.hold.placed", hold="case-1", first=0, last=255)
    for number in range(120):
        question, answer = f"Question {number}?", f"Answer {number}."
        story.turn(f"first{number}", f"c_{number // 10:0>20}", BOB, question, answer, days=2)
    story.own("erasure.intent", "erasure", turns=1, contents=3, vault_entries=1, blind_indexes=1, purged=0)
    story.own("erasure.completed", "erasure", turns=1, contents=3, vault_entries=1, blind_indexes=1, purged=1)
    while story.writer.size < 255:  # the seal is the 256th
        story.own("policy.loaded", "policy", number=story.writer.size)
    _write(out / "kept" / "checkpoint", story.writer.checkpoint)

    # The second day: new keys in the middle of the day, a crash in the middle of a line.
    story.now += DAY
    early = story.turn("early", "c_" + "e" * 20, ALICE, "Bonjour, êtes-vous là ?", "Oui, bonjour à vous.", days=30)
    Succession(story.keys, story.logs, story.root).rotate(
        ("record", "log"), origin=story.origin, size=story.writer.size
    )
    story.writer.reload_keys()
    story.turn("middle", "c_" + "e" * 20, BOB, "And after that?", "After that comes the next one.", days=30)
    size = story.writer.size
    story.close()
    last = max((story.logs / "events").iterdir(), key=lambda path: path.name[-26:])
    with last.open("ab") as file:
        file.write((read_line(story.logs, size - 1) or b"")[:100])
    story.own("admin", "hold", action="log.hold.placed", hold="case-2", first=256, last=10**9)

    # A week later: the first hold is released, the first segment goes.
    story.now += 7 * DAY
    story.own("admin", "hold", action="log.hold.released", hold="case-1")
    (cut,) = story.writer.prepare_pruning(Holds(), frozenset(), 8)
    story.writer.prune(cut, Holds())
    late = story.turn("late", "c_" + "f" * 20, ALICE, "Is my record still there?", "It is, and it verifies.", days=30)
    cosigned = _witness(story, scratch / "witness", out / "witness.vkey")
    story.own("anchor", "checkpoint", witness=WITNESS, status="ok", size=cosigned, cosigned_size=cosigned)
    story.intent("t_" + "open".zfill(26), "c_" + "f" * 20, BOB)
    story.close()

    early.save(out / "receipts", "early")
    late.save(out / "receipts", "late")
    _export(story, out / "bundles", "range.zip", Selection(first=256, end=264))
    _export(story, out / "bundles", "turn.tar.gz", Selection(turn_ref=late.ref))
    _export(story, out / "bundles", "conversation", Selection(conversation_ref="c_" + "e" * 20))
    _export(story, out / "bundles", "subject.tar", Selection(subject_refs=frozenset({ALICE})))
    _tlog_proof(story, out / "proofs", late.appended.index)
    _keep(story, out)


def moved_log(scratch: Path, out: Path) -> None:
    """A log that lost its end and went on under a new origin; its root key beside it, as in an evaluation."""
    story = Story(scratch / "moved", "golden.example/one", offline=False)
    for number in range(4):
        kept = story.turn(
            f"before{number}", "c_" + "b" * 20, ALICE, f"Question {number}?", f"Answer {number}.", days=30
        )
    kept.save(out / "receipts", "before")
    story.close()
    (segment,) = (story.logs / "events").iterdir()
    segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:-3]))
    origins.begin(story.logs, story.keys, story.root, name="golden.example/two", reason="damage")
    story.now += DAY
    story.turn("after", "c_" + "c" * 20, ALICE, "Still there?", "Most of it.", days=30).save(out / "receipts", "after")
    story.close()
    _keep(story, out)


def _witness(story: Story, home: Path, vkey_file: Path) -> int:
    """Let a witness cosign the newest checkpoint, keep that in the log's anchors; the size."""
    public = store.create(home, WITNESS)
    log_key = load_keyring(story.keys, story.logs).log_key.public_key()
    store.add_log(home, story.origin, vkey(story.origin, log_key))
    note = story.writer.checkpoint
    with WitnessState(home, clock=lambda: story.now / 1000) as state:
        outcome = state.add_checkpoint(AddCheckpoint(0, (), note))
    cosigned, _ = add_cosignature(note, outcome.text, public)
    Anchors(story.logs).keep(cosigned, public, now=story.now // 1000)
    _write(vkey_file, f"{public}\n")
    return outcome.size


def _tlog_proof(story: Story, folder: Path, index: int) -> None:
    found, line = proof_for(story.logs, index), read_line(story.logs, index)
    if found is None or line is None:
        raise SystemExit("the log lacks a record that was just made")
    hashes = read_hashes(found["inclusion"])
    _write(folder / "late.tlog-proof", write_tlog_proof(index, hashes, found["checkpoint"]))
    _write(folder / "late.line", line.decode("ascii"))
    log_key = load_keyring(story.keys, story.logs).log_key.public_key()
    _write(folder / "log.vkey", vkey(story.origin, log_key) + "\n")


def _export(story: Story, folder: Path, name: str, selection: Selection) -> None:
    export_bundle(story.logs, folder / name, selection)


def _keep(story: Story, out: Path) -> None:
    shutil.copytree(story.logs, out / "log", ignore=_NOT_KEPT)
    shutil.copy(story.keys / ROOT_PUBLIC, out / ROOT_PUBLIC)


def _actor(person: str) -> dict[str, str]:
    return {"type": "principal", "ref": "p" + person[1:], "role": "user", "auth_method": "api_key"}


def _digest(*parts: object) -> str:
    return sha256("\0".join(map(str, parts)).encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def make(out: Path) -> None:
    """Write both logs and what was taken from them below `out`."""
    parts: dict[str, Callable[[Path, Path], None]] = {"full": full_log, "moved": moved_log}
    with tempfile.TemporaryDirectory(prefix="filagent-golden-") as scratch:
        for name, tell in parts.items():
            (out / name).mkdir(parents=True)
            tell(Path(scratch), out / name)
    files = sorted(path for name in parts for path in (out / name).rglob("*") if path.is_file())
    for path in files:
        path.chmod(0o644)
    sums = [f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out).as_posix()}\n" for path in files]
    _write(out / SUMS, "".join(sums))


def main() -> int:
    parser = argparse.ArgumentParser(description="makes the golden data of a release, once")
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "golden" / VERSION, help="a new directory")
    out = parser.parse_args().out
    if (out / "full").exists():
        print(f"{out} is there already: golden data is added, never made anew", file=sys.stderr)
        return 2
    make(out)
    files = [path for path in out.rglob("*") if path.is_file()]
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files):,} bytes in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
