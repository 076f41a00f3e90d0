"""Whether segments that are not there were allowed to go, by what the log itself says. Pure: no I/O.

A segment may be pruned once the date that its last line, `segment.sealed`, names is over, and while no hold covers it;
`segment.pruned`, a later record, says that it was. Anything else that is missing was taken away.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.audit.pruning import Holds
from runtime.audit.report import Fact, Report
from runtime.audit.scan import Landmark, Scanned, plain
from runtime.audit.terms import expired, later

_MOST = 1_000_000  # records remembered; a log of a thousand years has fewer


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a segment with leaves [first, end): the hex SHA-256 of the file with the lines that were kept."""

    first: int
    end: int
    sha256: str


class Retention:
    """What the records say of sealing, holds and pruning, and the verdict on each pruned segment."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._sealed: dict[int, Landmark] = {}
        self._pruned: dict[tuple[int, int], Landmark] = {}
        self._holds: list[Landmark] = []
        self._latest = ""  # until when the records since the last seal must be kept

    def learn(self, run: Scanned) -> None:
        """Take a run of lines into account; called in the order of leaves."""
        for said in run.retention:
            if len(self._sealed) + len(self._pruned) + len(self._holds) >= _MOST:
                return
            first, last, until = (said.detail.get(name) for name in ("first", "last", "retain_until"))
            if said.event == "segment.sealed":
                self._sealed[said.index] = said
                latest = later(self._latest, said.latest)
                if isinstance(until, str) and later(until, latest) != until and not run.sparse:
                    self._report.problem("sealed.early", index=said.index, until=plain(until), latest=latest)
                self._latest = ""
            elif said.event == "segment.pruned" and isinstance(first, int) and isinstance(last, int):
                # The first one counts: a crash may have it said twice.
                self._pruned.setdefault((first, last), said)
            elif said.event == "admin":
                self._holds.append(said)
        self._latest = later(self._latest, run.retain_until)

    def judge(self, gap: Left, covered: int) -> None:
        """Note how a segment that is gone went: a remark if it was allowed, a problem if not.

        Args:
            gap: what is left of it.
            covered: how many lines a signed checkpoint covers; what stands behind them excuses nothing.
        """
        range_: dict[str, Fact] = {"first": gap.first, "last": gap.end - 1}
        record, seal = self._pruned.get((gap.first, gap.end - 1)), self._sealed.get(gap.end - 1)
        if record is None or not gap.end <= record.index < covered:
            self._report.problem("pruned.undeclared", **range_)
            return
        until = seal.detail.get("retain_until") if seal is not None and seal.detail.get("first") == gap.first else None
        if record.subjects.get("kept") != gap.sha256:
            self._report.problem("pruned.changed", **range_, index=record.index)
        elif not isinstance(until, str):
            self._report.problem("pruned.seal", **range_)
        elif not expired(until, record.time):
            self._report.problem("pruned.early", **range_, index=record.index, until=plain(until), time=record.time)
        elif self._held(gap.first, gap.end, record.index):
            self._report.problem("pruned.held", **range_, index=record.index)
        else:
            self._report.remark("gap.pruned", **range_, time=record.time, until=plain(until))

    def _held(self, first: int, end: int, at: int) -> bool:
        holds = Holds()
        for said in self._holds:
            if said.index < at:
                holds.learn(said.event, said.detail)
        return holds.covers(first, end)
