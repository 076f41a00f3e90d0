"""What verification carries along from one run of lines to the next: tree, last line, keys in force, open turns.

Judges what a run could not judge by itself (`scan`); the procedure, with the numbers used here, is `verify`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from runtime.audit.follow import TileFollower, TreeFollower
from runtime.audit.manifest import Manifest
from runtime.audit.merkle import HASH_SIZE
from runtime.audit.prune_check import Left, Retention
from runtime.audit.record import NO_PREV
from runtime.audit.report import Report
from runtime.audit.scan import Landmark, Scanned
from runtime.audit.survey import InForce

_MOST_OPEN = 100_000  # open turns that are remembered by name


class Walk:
    """The state of one verification between runs of lines.

    Attributes:
        tree, tiles: what the lines make up, compared as they come.
        in_force: which key manifest is in force where.
    """

    def __init__(self, report: Report, manifests: Sequence[Manifest], origin: str | None, tiles: Path) -> None:
        self.tree = TreeFollower(report)
        self.tiles = TileFollower(tiles, report)
        self.in_force = InForce(manifests, report)
        self._report = report
        self._origin = origin
        self._newest = manifests[-1] if manifests else None
        self._last_leaf = bytes.fromhex(NO_PREV)
        self._last_time = ""
        self._records = 0
        self._counts: Counter[str] = Counter()
        self._open: dict[str, int] = {}
        self._retention = Retention(report)

    def take(self, run: Scanned, *, broken: bool) -> None:
        """Judge the next run. `broken`: lines before it are missing or doubled."""
        report = self._report
        for code, facts in run.problems:
            report.problem(code, **facts)
        for code, facts in run.remarks:
            report.remark(code, **facts)
        for code, count in run.noted.items():
            report.more(code, count - sum(code == known for known, _ in (*run.problems, *run.remarks)))
        # (4) The keys in force, and chain and time across the border.
        end = run.first + len(run.leaves) // HASH_SIZE
        if run.first == 0 and all(index != 0 for index, _ in run.manifests):
            report.problem("keys.not_carried")
        for index, digest in run.manifests:
            self.in_force.carried(index, digest)
        changes = [index for index, _ in run.signers[1:]]
        for (index, keyid), until in zip(run.signers, [*changes, end], strict=False):
            self.in_force.judge(keyid, "record", self._origin, index, index + 1 if run.sparse else until)
        if not broken and run.prev is not None and run.prev != self._last_leaf.hex():
            report.problem("line.prev", index=run.first)
        if run.first_time and run.first_time < self._last_time:
            report.problem("line.time", index=run.first, found=run.first_time, before=self._last_time)
        self._last_leaf = run.leaves[-HASH_SIZE:]
        self._last_time = run.last_time or self._last_time
        # (5) (7)
        if broken:
            self.tree.lose()
            self.tiles.lose()
        for landmark in run.landmarks:
            self._mark(landmark)
        self.tree.add(run.leaves)
        self.tiles.add(run.leaves)
        self._count(run)
        self._retention.learn(run)

    def finish(self, *, complete: bool, pruned: Sequence[Left] = (), covered: int = 0) -> None:
        """What only shows at the end.

        Args:
            complete: all lines of the log were taken, not a part of them.
            pruned: the segments of which only remains were taken.
            covered: how many lines a signed checkpoint covers.
        """
        report, current = self._report, self.in_force.current
        if current is not None and self._newest is not None and current.version < self._newest.version:
            report.remark("keys.waiting", version=self._newest.version, current=current.version)
        # (8) The first start is no gap.
        if self._counts["log.started"] > 1 and complete:
            report.remark("gap.restarts", count=self._counts["log.started"] - 1)
        for gap in pruned:
            self._retention.judge(gap, covered)
        # (9)
        if self._open and complete:
            report.remark("turns.open", count=len(self._open), index=min(self._open.values()))
        report.facts |= {"records": self._records, "turns": self._counts["turn"]}

    def _mark(self, landmark: Landmark) -> None:
        if landmark.event == "log.recovered" and "closed_origin" in landmark.detail:
            pass  # what the manifest says of the closed origin is said by `origins.verify_closed`
        elif landmark.event == "log.recovered":
            lost = landmark.detail.get("torn_bytes", "?")
            self._report.remark("gap.recovered", index=landmark.index, time=landmark.time, bytes=lost)
        elif landmark.event == "segment.sealed":
            root = landmark.detail.get("root", "")
            if len(root) == 2 * HASH_SIZE and set(root) <= set("0123456789abcdef"):
                self.tree.expect(landmark.index, bytes.fromhex(root), f"segment.sealed {landmark.index}")

    def _count(self, run: Scanned) -> None:
        self._records += len(run.leaves) // HASH_SIZE
        self._counts.update(run.counts)
        if run.first_time:
            self._report.facts.setdefault("first_time", run.first_time)
            self._report.facts["last_time"] = run.last_time
        for turn in run.closed:
            self._open.pop(turn, None)
        for turn, index in run.opened.items():
            if len(self._open) < _MOST_OPEN:
                self._open.setdefault(turn, index)
