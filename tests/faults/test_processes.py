"""What `filagent serve` keeps alive dies, and what must not run twice is started twice.

One served home for all of it, its provider counted: whatever happens, a prompt leaves only after its intent.
"""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.fakes.provider import FakeProvider
from tests.faults.asking import NoReplyError, ask, question, until
from tests.faults.evidence import assert_proven, assert_settled, of_turn, records
from tests.faults.machine import Machine, Served, machine
from tests.faults.processes import await_end, children

BODY = question("Say hello.")


@dataclass
class Site:
    home: Machine
    provider: FakeProvider
    served: Served
    unsent: int = 0  # intents whose worker died before the bytes left

    @property
    def key(self) -> str:
        return self.home.keys["admin"]

    def ask(self, once: str | None = None) -> int:
        """One question; its status, 0 when the connection broke."""
        try:
            return ask(self.served.port, self.key, BODY, once=once).status
        except NoReplyError:
            return 0

    def child(self, name: str) -> int:
        return until(lambda: children(self.served.process.pid)[name], f"a {name}")[0]

    def intents(self) -> int:
        return [record["event"] for record in records(self.home.settings.logs_dir)].count("model.intent")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with FakeProvider() as provider, machine(backend_url=provider.url) as home:
        yield Site(home, provider, home.serve())


@pytest.fixture(autouse=True)
def _settled_afterwards(site: Site) -> Iterator[None]:
    assert site.ask() == 200
    yield
    until(lambda: site.ask() == 200, "answers as before")
    site.home.settle()
    assert_settled(site.home)
    assert len(site.provider.chats) == site.intents() - site.unsent


def test_without_its_writer_nothing_is_asked_and_nothing_answered(site: Site) -> None:
    before = len(site.provider.chats)
    killed = site.child("writer")
    for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first: nothing it had begun is finished any more
        site.served.process.signal_child(killed, number)
    await_end([killed])
    statuses = [site.ask()]
    while statuses[-1] != 200:
        statuses.append(until(site.ask, "an answer"))
    assert set(statuses) <= {503, 200}
    assert len(site.provider.chats) - before == 1
    assert site.child("writer") != killed


def test_a_killed_housekeeper_comes_back_and_closes_what_was_left(site: Site) -> None:
    killed = site.child("housekeeper")
    worker = site.home.worker("turn.after_intent")
    site.served.process.signal_child(killed, signal.SIGKILL)
    with pytest.raises(NoReplyError):
        ask(worker.port, site.key, BODY)
    site.unsent += 1
    site.home.settle()
    assert site.child("housekeeper") != killed
    assert records(site.home.settings.logs_dir)[-1]["reasons"] == ["turn.interrupted"]


def test_a_turn_that_cannot_be_closed_does_not_keep_the_others_open(site: Site) -> None:
    killed = site.child("housekeeper")
    workers = [site.home.worker("turn.committed") for _ in range(2)]
    site.served.process.signal_child(killed, signal.SIGSTOP)
    for worker in workers:
        with pytest.raises(NoReplyError):
            ask(worker.port, site.key, BODY)
    (spoilt, ref), _ = site.home.rows("SELECT id, ref FROM turns WHERE closed_at IS NULL ORDER BY id")
    path = site.home.home / "data" / "filagent.sqlite"
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("UPDATE turns SET ref = 'not a reference' WHERE id = ?", (spoilt,))
        connection.commit()
        site.served.process.signal_child(killed, signal.SIGCONT)
        until(lambda: site.home.unclosed() == 1, "the other turn is closed")
        connection.execute("UPDATE turns SET ref = ? WHERE id = ?", (ref, spoilt))
        connection.commit()


def test_a_second_server_is_refused_and_changes_nothing(site: Site) -> None:
    site.home.settle()
    before = records(site.home.settings.logs_dir)
    second = site.home.serve(ready=False)
    assert second.process.wait() == 2
    assert "another FilAgent already serves this home" in second.process.complaint()
    assert records(site.home.settings.logs_dir) == before


def test_a_second_log_writer_is_refused_and_changes_nothing(site: Site) -> None:
    site.home.settle()
    before = records(site.home.settings.logs_dir)
    second = site.home.writer(ready=False)
    assert second.wait() == 2
    assert "another process writes this log" in second.complaint()
    assert records(site.home.settings.logs_dir) == before


def test_without_its_supervisor_everything_ends_and_starts_again(site: Site) -> None:
    # A crash point that the whole server has: whoever passes it dies, and is started again.
    site.served.process.stop()
    site.served = site.home.serve(crash="turn.after_intent")
    assert site.ask("one-and-only") == 0
    site.unsent += 1
    orphans = until(lambda: _all_children(site, 3), "the whole server")

    site.served.process.kill()
    site.served = site.home.serve()
    await_end(orphans)
    site.home.settle()
    answer = ask(site.served.port, site.key, BODY, once="one-and-only")
    assert answer.status == 200
    assert_proven(site.home, answer.json, BODY)
    interrupted, answered = [ref for ref, *_ in site.home.turns_of("admin")][-2:]
    for ref, decision in ((interrupted, "error"), (answered, "allow")):
        events = of_turn(site.home, ref)
        assert [record["event"] for record in events] == ["model.intent", "turn"]
        assert events[-1]["decision"] == decision


def _all_children(site: Site, count: int) -> list[int] | None:
    pids = [pid for found in children(site.served.process.pid).values() for pid in found]
    return pids if len(pids) == count else None


def test_a_server_that_is_stopped_finishes_what_it_has_begun(site: Site) -> None:
    site.provider.plan("stepped")
    asked = len(site.provider.chats)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(ask, site.served.port, site.key, BODY)
        until(lambda: len(site.provider.chats) > asked, "a prompt upstream")
        site.served.process.signal(signal.SIGTERM)
        until(lambda: not children(site.served.process.pid)["housekeeper"], "the end of whom nothing holds up")
        site.provider.step(len(site.provider.deltas) + 1)
        answer = running.result()
    assert answer.status == 200
    assert_proven(site.home, answer.json, BODY)
    assert site.served.process.wait() == 0
    assert site.home.unclosed() == 0
    site.served = site.home.serve()
