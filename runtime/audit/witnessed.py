"""Checkpoints that somebody else vouched for or kept, taken into the verification of a log.

Two sources: `anchors/`, where the log itself keeps what its witnesses cosigned, and notes that the caller brings along
(from a witness, an auditor's safe, a mail of last year). Each has to be signed by a key of this log like any other;
the tree is compared with all of them, so one that is larger than the log shows that its end was cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runtime.audit.anchors import read_anchored
from runtime.audit.errors import CheckpointError
from runtime.audit.manifest import Manifest
from runtime.audit.report import Report
from runtime.audit.survey import Signed, check_signed, printable
from runtime.audit.witness_policy import WitnessPolicy, cosigned

#: (where it comes from, the signed note)
Kept = tuple[str, bytes]


class Witnessed:
    """What witnesses say of one log.

    Attributes:
        signed: the checkpoints that count as this log's.
    """

    def __init__(self, policy: WitnessPolicy, report: Report) -> None:
        self._policy = policy
        self._report = report
        self._vouched: list[tuple[int, dict[str, int]]] = []
        self.signed: list[Signed] = []

    def take_anchors(self, logs_dir: Path, origin: str, manifests: Sequence[Manifest]) -> None:
        """Read what the log keeps of its witnesses."""

        def fault(source: str, reason: str) -> None:
            self._report.problem("anchor.form", source=source, reason=reason)

        for anchored in read_anchored(logs_dir, origin, self._policy.witnesses, on_fault=fault):
            self._take(anchored.source, anchored.note.encode(), manifests)

    def take_kept(self, kept: Sequence[Kept], manifests: Sequence[Manifest]) -> None:
        """Read what was brought along."""
        for source, note in kept:
            self._take(printable(source), note, manifests)

    def judge(self, size: int) -> None:
        """Whether enough witnesses vouched for this log, and for how much of its `size` lines."""
        if not self._policy.witnesses:
            return
        newest: dict[str, int] = {}
        for vouched, times in self._vouched:
            for name in times:
                newest[name] = max(vouched, newest.get(name, 0))
        for witness in self._policy.witnesses:
            if witness.name in newest:
                self._report.remark("witness.vouched", witness=witness.name, size=newest[witness.name])
            else:
                self._report.remark("witness.absent", witness=witness.name)
        covered = self._policy.covered(self._vouched)
        if self._policy.quorum and not covered:
            self._report.problem("witness.quorum", quorum=self._policy.quorum, found=len(newest))
        elif self._policy.quorum:
            self._report.facts["witnessed"] = covered
            if covered < size:
                self._report.remark("witness.behind", count=size - covered, size=covered)

    def _take(self, source: str, note: bytes, manifests: Sequence[Manifest]) -> None:
        signed = check_signed(note, source, manifests, self._report)
        if signed is None:
            return
        self.signed.append(signed)
        try:
            self._vouched.append((signed.checkpoint.size, cosigned(signed.checkpoint, self._policy.witnesses)))
        except CheckpointError as error:
            self._report.problem("anchor.form", source=source, reason=str(error))
