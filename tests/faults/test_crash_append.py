"""The log writer dies between every two steps of an append, of a rotation and of a recovery.

In a turn: the writer serves a living worker whose provider is counted. Alone: a process appends, rotates and recovers;
what it was told is safe must be there afterwards.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.audit.keys import ROOT_PUBLIC, init_keys, load_public
from runtime.audit.verify import verify_log
from tests.fakes.provider import FakeProvider
from tests.faults.evidence import assert_proven, assert_settled, of_turn, records
from tests.faults.machine import ROOT, Machine, Worker, ask, get, machine, question

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


@dataclass
class Site:
    home: Machine
    provider: FakeProvider
    worker: Worker


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    people = [f"{step} {which}" for step in STEPS for which in RECORDS]
    with FakeProvider() as provider, machine(*people, backend_url=provider.url) as home:
        first = home.writer()
        home.housekeeper()
        worker = home.worker()
        first.stop()
        yield Site(home, provider, worker)


@pytest.mark.parametrize("which", RECORDS)
@pytest.mark.parametrize("step", STEPS)
def test_a_writer_that_dies_costs_an_answer_and_no_record(site: Site, step: str, which: str) -> None:
    home, worker, key = site.home, site.worker, site.home.keys[f"{step} {which}"]
    asked_before = len(site.provider.chats)
    body = question("Say hello.")
    armed = home.writer(f"{step}:{RECORDS[which]}")

    refused = ask(worker.port, key, body, once="one-and-only")

    assert armed.wait() == -9
    assert (refused.status, refused.json["code"]) == (503, "evidence.unavailable")
    # The intent was never acknowledged, so nothing may have left; with it, exactly this request had left.
    assert len(site.provider.chats) - asked_before == (0 if which == "intent" else 1)
    assert get(worker.port, "/ready").json["checks"]["evidence"] == "unavailable"

    mended = home.writer()
    home.settle()
    turn_ref, _state, decision = home.turns_of(f"{step} {which}")[0]
    events = [record["event"] for record in of_turn(home, turn_ref)]
    # What was written but not acknowledged may stand or not; the turn is closed, once, either way.
    written = step not in STEPS[:1]
    assert events == (["model.intent"] if written or which == "record" else []) + ["turn"]
    assert decision == ("allow" if written and which == "record" else "error")

    again = ask(worker.port, key, body, once="one-and-only")
    assert again.status == 200
    assert_proven(home, again.json, body)
    assert len(home.turns_of(f"{step} {which}")) == (1 if decision == "allow" else 2)
    home.settle()
    mended.stop()


def test_afterwards_everything_is_settled(site: Site) -> None:
    site.home.writer()
    site.home.settle()
    assert_settled(site.home)


# alone ---------------------------------------------------------------------------------------------------------------


class Log:
    """A log of its own, appended to by processes that may die."""

    def __init__(self, home: Path) -> None:
        self.logs, self.keys = home / "logs", home / "keys"
        self.logs.mkdir()
        self.keys.mkdir()
        init_keys(self.keys, self.logs, origin="log.test/faults")
        self.safe: list[tuple[int, str]] = []

    def append(self, count: int, crash: str | None = None) -> int:
        """Have `count` records appended; how the process ended."""
        environ = dict(os.environ) | ({"FILAGENT_CRASH_AT": crash} if crash else {})
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.appender", self.logs, self.keys, str(count), "6000"],
            cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
        self.safe += [(int(index), record_id) for index, record_id in map(str.split, done.stdout.splitlines())]
        return done.returncode

    def tear(self, data: bytes) -> None:
        """Leave half a line at the end, as a power cut does."""
        last = max((self.logs / "events").glob("events_*.jsonl"), key=lambda path: path.name.rpartition("_")[2])
        with last.open("ab") as file:
            file.write(data)

    def assert_whole(self) -> None:
        report = verify_log(self.logs, load_public((self.keys / ROOT_PUBLIC).read_bytes()), jobs=1)
        assert report.whole, report.problems
        found = {record["seq"]: record["record_id"] for record in records(self.logs)}
        assert [(index, found.get(index)) for index, _ in self.safe] == self.safe


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
