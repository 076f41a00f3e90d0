"""Whether segments that are not there were allowed to go, by what the log itself says. Pure: no I/O.

A segment may be pruned once the date that its last line, `segment.sealed`, names is over, and while no hold covers it;
`segment.pruned`, a later record, says that it was. Anything else that is missing was taken away.
"""

from __future__ import annotations

from runtime.audit.pruning import Holds, expired
from runtime.audit.report import Report
from runtime.audit.scan import Landmark

_MOST = 1_000_000  # records remembered; a log of a thousand years has fewer


class Retention:
    """What the records say of sealing, holds and pruning, and the verdict on each pruned segment."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._sealed: dict[int, Landmark] = {}
        self._pruned: dict[tuple[int, int], Landmark] = {}
        self._holds: list[Landmark] = []

    def learn(self, said: Landmark) -> None:
        """Take a record into account; called in the order of leaves."""
        if len(self._sealed) + len(self._pruned) + len(self._holds) >= _MOST:
            return
        first, last = said.detail.get("first"), said.detail.get("last")
        if said.event == "segment.sealed":
            self._sealed[said.index] = said
        elif said.event == "segment.pruned" and isinstance(first, int) and isinstance(last, int):
            # The first one counts: a crash may have it said twice.
            self._pruned.setdefault((first, last), said)
        elif said.event == "admin":
            self._holds.append(said)

    def judge(self, first: int, end: int) -> None:
        """Note how the segment with leaves [first, end) went: a remark if it was allowed, a problem if not."""
        range_ = {"first": first, "last": end - 1}
        record, seal = self._pruned.get((first, end - 1)), self._sealed.get(end - 1)
        if record is None or record.index < end:
            self._report.problem("pruned.undeclared", **range_)
            return
        until = seal.detail.get("retain_until") if seal is not None and seal.detail.get("first") == first else None
        if not isinstance(until, str):
            self._report.problem("pruned.seal", **range_)
        elif not expired(until, record.time):
            self._report.problem("pruned.early", **range_, index=record.index, until=until, time=record.time)
        elif self._held(first, end, record.index):
            self._report.problem("pruned.held", **range_, index=record.index)
        else:
            self._report.remark("gap.pruned", **range_, time=record.time, until=until)

    def _held(self, first: int, end: int, at: int) -> bool:
        holds = Holds()
        for said in self._holds:
            if said.index < at:
                holds.learn(said.event, said.detail)
        return holds.covers(first, end)
