"""The log writer dies between every two steps of an append, of a rotation and of a recovery.

In a turn: the writer serves a living worker whose provider is counted. Alone: a process appends, rotates and recovers;
what it was told is safe must be there afterwards.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from runtime.audit.keys import ROOT_PUBLIC, init_keys, load_public
from runtime.audit.verify import verify_log
from tests.fakes.provider import FakeProvider
from tests.faults import appender
from tests.faults.asking import Reply, ask, get, question
from tests.faults.evidence import assert_proven, assert_recorded, assert_settled, of_turn, records
from tests.faults.machine import Machine, machine
from tests.faults.processes import Fork

STEPS = (
    "audit.append.before_write",
    "audit.append.after_write",
    "audit.append.after_sync",
    "audit.append.after_tree",
    "audit.append.after_checkpoint",
    "audit.append.before_reply",
)
#: A writer's first append is its own `log.started`; then comes the turn's intent, then its record.
RECORDS = {"intent": 2, "record": 3}
ALONE = (
    *((step, number) for step in STEPS for number in (1, 2, 9)),
    *((f"audit.rotate.{step}", number) for step in ("before_seal", "after_seal", "after_create") for number in (1, 2)),
)


CASES = [(step, which) for step in STEPS for which in RECORDS]
each = pytest.mark.parametrize(("step", "which"), CASES)
BODY = question("Say hello.")


@dataclass
class Outcome:
    """What a turn met whose writer died: its answer, how often its provider was asked, the retry's answer."""

    code: int
    reply: Reply
    asked: int
    evidence: str
    retry: Reply | None = None


@dataclass
class Site:
    home: Machine
    outcomes: dict[tuple[str, str], Outcome]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with FakeProvider() as provider, machine(*(" ".join(case) for case in CASES), backend_url=provider.url) as home:
        worker = home.worker()
        outcomes = {}
        for step, which in CASES:
            before = len(provider.chats)
            armed = home.writer(f"{step}:{RECORDS[which]}")
            reply = ask(worker.port, home.keys[f"{step} {which}"], BODY, once="one-and-only")
            evidence = get(worker.port, "/ready").json["checks"]["evidence"]
            outcomes[step, which] = Outcome(armed.wait(), reply, len(provider.chats) - before, evidence)
        # Only now: what it appends would shift the passages that the writers die at.
        home.writer()
        home.housekeeper()
        home.settle()
        for step, which in CASES:
            outcomes[step, which].retry = ask(worker.port, home.keys[f"{step} {which}"], BODY, once="one-and-only")
        home.settle()
        yield Site(home, outcomes)


@each
def test_a_writer_that_dies_costs_the_answer(site: Site, step: str, which: str) -> None:
    outcome = site.outcomes[step, which]
    assert outcome.code == -9
    assert (outcome.reply.status, outcome.reply.json["code"]) == (503, "evidence.unavailable")
    assert outcome.evidence == "unavailable"


@each
def test_the_provider_is_asked_only_what_was_recorded(site: Site, step: str, which: str) -> None:
    # The intent was never acknowledged, so nothing may have left; with it, exactly this request had left.
    assert site.outcomes[step, which].asked == (0 if which == "intent" else 1)


@each
def test_the_turn_is_closed_once(site: Site, step: str, which: str) -> None:
    turn_ref, _state, decision = site.home.turns_of(f"{step} {which}")[0]
    events = [record["event"] for record in of_turn(site.home, turn_ref)]
    # What was written but not acknowledged may stand; whatever stands is closed.
    written = step != "audit.append.before_write"
    assert events == (["model.intent"] if written or which == "record" else []) + ["turn"]
    assert decision == ("allow" if written and which == "record" else "error")


@each
def test_the_same_request_gets_its_one_answer(site: Site, step: str, which: str) -> None:
    retry = site.outcomes[step, which].retry
    assert retry is not None
    assert retry.status == 200
    assert_proven(site.home, retry.json, BODY)
    assert_recorded(site.home, [retry.json])
    decisions = [decision for *_, decision in site.home.turns_of(f"{step} {which}")]
    assert decisions in (["allow"], ["error", "allow"])


def test_the_home_is_settled(site: Site) -> None:
    assert_settled(site.home)


# alone ---------------------------------------------------------------------------------------------------------------


class Log:
    """A log of its own, appended to by processes that may die."""

    def __init__(self, home: Path) -> None:
        self.logs, self.keys = home / "logs", home / "keys"
        self.logs.mkdir()
        self.keys.mkdir()
        init_keys(self.keys, self.logs, origin="log.test/faults")
        self._notes = home / "safe.txt"

    def append(self, count: int, crash: str | None = None) -> int:
        """Have a process append `count` records; how it ended."""
        append = partial(appender.append, self.logs, self.keys, self._notes, count, 6000)
        return Fork(append, os.environ, self.logs.parent / "stderr.txt", crash, "an appender").wait()

    @property
    def safe(self) -> list[tuple[int, str]]:
        """(index, record id) of all that was acknowledged."""
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        return [(int(index), record_id) for index, record_id in map(str.split, lines)]

    def tear(self, data: bytes) -> None:
        """Leave half a line at the end, as a power cut does."""
        last = max((self.logs / "events").glob("events_*.jsonl"), key=lambda path: path.name.rpartition("_")[2])
        with last.open("ab") as file:
            file.write(data)

    def assert_whole(self) -> None:
        report = verify_log(self.logs, load_public((self.keys / ROOT_PUBLIC).read_bytes()), jobs=1)
        assert report.whole, report.problems
        found = {record["seq"]: record["record_id"] for record in records(self.logs)}
        safe = self.safe
        assert [(index, found.get(index)) for index, _ in safe] == safe


@pytest.fixture
def log() -> Iterator[Log]:
    with tempfile.TemporaryDirectory(prefix="filagent-faults-") as home:
        yield Log(Path(home))


@pytest.mark.parametrize(("step", "number"), ALONE)
def test_what_was_acknowledged_is_there(log: Log, step: str, number: int) -> None:
    assert log.append(20, f"{step}:{number}") == -9
    assert log.append(3) == 0
    log.assert_whole()
    assert len(log.safe) >= 3


@pytest.mark.parametrize("step", ["audit.recover.after_set_aside", "audit.recover.after_cut", *STEPS])
def test_a_recovery_that_is_interrupted_is_made_again(log: Log, step: str) -> None:
    assert log.append(4) == 0
    log.tear(b'{"payload":"torn')
    assert log.append(4, step) == -9
    assert log.append(4) == 0
    log.assert_whole()
    told = [record for record in records(log.logs) if record["event"] == "log.recovered"]
    assert {record["detail"]["torn_bytes"] for record in told} == {len(b'{"payload":"torn')}
    assert list((log.logs / "torn").glob("*.pending")) == []
