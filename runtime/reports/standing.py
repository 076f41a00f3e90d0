"""How far the log behind a report can be believed: the verifier's verdict, and the size and root it is about.

A report is about the first `size` entries of a log. The verifier judges the whole log as it is; the walk that counted
the entries must lead to the root of a checkpoint that the verifier compared, so that what was counted is what was
judged. Of a page for one's own decision only the records on it are verified, by their proofs, and it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit import words
from runtime.audit.checkpoint import parse_checkpoint
from runtime.audit.errors import LogDamaged, RecordError
from runtime.audit.manifest import MANIFEST_SUBJECT
from runtime.audit.proofs import latest_checkpoint, proof_for
from runtime.audit.receipt import check_answer
from runtime.audit.report import Report
from runtime.audit.verify import verify_log
from runtime.reports.document import Notice
from runtime.reports.tongue import Tongue
from runtime.reports.walk import Entry, Progress, Walked

_SHOWN = 5  # problems that are put into words on the page


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a report is measured against: the newest checkpoint as it was when the report was begun.

    Attributes:
        note: the signed note.
        top: how many entries it covers.
        root: over all of them.
        size: how many of them the report is about.
    """

    note: str
    origin: str
    top: int
    root: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The verdict.

    Attributes:
        scope: whether the log was verified as a whole, or the records on the page alone.
        root: hex root over the first `size` entries, "" where it could not be computed.
        root_key: fingerprint of the key that the verdict rests on.
        custody: where that key's private half is, by the operator's word: logging-host or offline, "" unknown.
        problems: (code, facts) of what the verifier found wrong, the first few of each kind.
    """

    scope: Literal["log", "records"]
    whole: bool
    origin: str
    size: int
    root: str
    root_key: str
    custody: str
    report: Report

    def as_json(self) -> dict[str, Any]:
        return {
            "scope": self.scope,
            "whole": self.whole,
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "root_key": self.root_key,
            "custody": self.custody,
            "problems": [{"code": note.code, "facts": note.facts} for note in self.report.problems],
        }

    def notices(self, say: Tongue) -> tuple[Notice, ...]:
        """The first lines of every report."""
        return (self._verdict(say), *self._custody(say))

    def _verdict(self, say: Tongue) -> Notice:
        if not self.whole:
            said = " ".join(words.note_text(note, say.language) for note in self.report.problems[:_SHOWN])
            return Notice(
                "bad",
                say(
                    "NOT VERIFIED. The log behind this page is not what its keys signed; nothing on this page can be "
                    "relied upon. {said}",
                    "NON VÉRIFIÉ. Le journal dont cette page est tirée n'est pas ce que ses clés ont signé ; rien de "
                    "ce qu'elle dit n'est fiable. {said}",
                    said=said.replace("`", "'"),
                ),
            )
        if self.scope == "records":
            return Notice(
                "good",
                say(
                    "Verified: every record on this page, by its signature and its proof in the log `{origin}` as it "
                    "stood at {size} entries. The log as a whole was not verified for this page.",
                    "Vérifié : chaque enregistrement de cette page, par sa signature et sa preuve dans le journal "
                    "`{origin}` tel qu'il était à {size} entrées. Le journal entier n'a pas été vérifié pour cette "
                    "page.",
                    origin=self.origin,
                    size=self.size,
                ),
            )
        return Notice(
            "good",
            say(
                "Verified: the log `{origin}` is whole, and this page was computed from its first {size} entries.",
                "Vérifié : le journal `{origin}` est intact, et cette page a été calculée sur ses {size} premières "
                "entrées.",
                origin=self.origin,
                size=self.size,
            ),
        )

    def _custody(self, say: Tongue) -> tuple[Notice, ...]:
        if self.custody != "logging-host":
            return ()
        return (
            Notice(
                "warning",
                say(
                    "Evaluation mode: the root key is held on the logging host. Whoever controls that machine could "
                    "have made another log that verifies as well. This page is no evidence towards others.",
                    "Mode d'évaluation : la clé racine est conservée sur la machine du journal. Qui contrôle cette "
                    "machine aurait pu faire un autre journal tout aussi vérifiable. Cette page ne prouve rien à des "
                    "tiers.",
                ),
            ),
        )


def anchor(logs_dir: Path, size: int | None = None) -> Anchor:
    """The newest checkpoint, and how many of its entries a report is about.

    Args:
        logs_dir: the log.
        size: of them all by default.

    Raises:
        LogDamaged: there is no checkpoint, or it covers fewer entries.
    """
    note = latest_checkpoint(logs_dir)
    if note is None:
        raise LogDamaged("there is no checkpoint yet")
    signed = parse_checkpoint(note)
    if size is not None and size > signed.size:
        raise LogDamaged(f"the log has {signed.size} entries under its checkpoint, not {size}")
    return Anchor(note, signed.origin, signed.size, signed.root, signed.size if size is None else size)


def of_log(
    logs_dir: Path,
    root: Ed25519PublicKey,
    at: Anchor,
    *,
    jobs: int | None = None,
    progress: Progress = lambda _done, _size: None,
) -> Report:
    """The verifier's report on the log as a whole. The checkpoint of `at` is one that the log must agree with.

    Raises:
        AuditError: the verification itself failed.
    """
    return verify_log(logs_dir, root, jobs=jobs, kept=[("checkpoint", at.note.encode())], on_progress=progress)


def judged(report: Report, at: Anchor, walked: Walked) -> Standing:
    """The verdict of `of_log`, and that the walk went over the very entries that it is about."""
    if report.whole and (walked.broken or walked.roots.get(at.top, at.root if not at.top else b"") != at.root):
        report.problem("tree.root", source="checkpoint", size=at.top)
    reached = walked.roots.get(at.size)
    return _standing("log", report, at, reached.hex() if reached is not None else "")


def shortened(stands: Standing, size: int, root: bytes) -> Standing:
    """The same verdict for a report about fewer entries: a period that ended earlier."""
    return replace(stands, size=size, root=root.hex() if stands.root else "")


def of_records(logs_dir: Path, root: Ed25519PublicKey, at: Anchor, entries: Sequence[Entry]) -> Standing:
    """The verdict on these records alone: key manifest, checkpoint, inclusion, signature, as of a receipt.

    Raises:
        LogDamaged: lines and tiles do not lead to the root that was signed.
    """
    whole = Report("receipt")
    keys = (logs_dir / MANIFEST_SUBJECT).read_text("ascii")
    for entry in entries:
        proof = proof_for(logs_dir, entry.index, at.top)
        receipt = {
            "record_id": entry.record_id,
            "log_index": entry.index,
            "envelope": entry.line,
            "inclusion": proof["inclusion"] if proof else [],
            "checkpoint": at.note,
            "keys": keys,
        }
        try:
            found, _ = check_answer({"receipt": receipt}, root)
        except RecordError as error:
            whole.problem("receipt.record", reason=str(error))
            continue
        whole.facts |= found.facts
        whole.problems += found.problems
    return _standing("records", whole, at, at.root.hex())


def _standing(scope: Literal["log", "records"], report: Report, at: Anchor, root: str) -> Standing:
    return Standing(
        scope=scope,
        whole=report.whole,
        origin=at.origin,
        size=at.size,
        root=root,
        root_key=str(report.facts.get("root", "")),
        custody=str(report.facts.get("custody", "")),
        report=report,
    )
