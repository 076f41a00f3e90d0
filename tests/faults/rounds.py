"""Kills at random under load: clients that insist on an answer, and somebody who kills what serves them.

Every client repeats a request, with its Idempotency-Key, until it is answered: so each request must end as exactly one
answered turn, however often it was interrupted. Used by `test_kills.py` (a few rounds) and by `scripts/kill_rounds.py`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.faults.asking import NoReplyError, Reply, ask, question, until
from tests.faults.evidence import assert_no_alarm, assert_proven, assert_recorded, assert_settled
from tests.faults.machine import Machine, Served, machine
from tests.faults.processes import children

WORKERS = 2
CLIENTS = 4
#: In this order, again and again; `everything` in between, for the supervisor waits longer each time a child dies.
VICTIMS = (
    "writer", "worker", "writer", "housekeeper", "writer", "everything", "writer", "workers", "writer", "worker",
    "writer", "everything",
)  # fmt: skip
PROGRESS = 4  # answers between two kills


@dataclass
class Tally:
    """What the clients saw."""

    answers: list[tuple[str, bytes, dict[str, Any]]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)


class Rounds:
    """One home under load.

    Args:
        home: with the people `client 0` … `client N-1`.
        seed: of the moments at which somebody is killed.
    """

    def __init__(self, home: Machine, seed: int) -> None:
        self.tally = Tally()
        self._home = home
        self._chance = random.Random(seed)
        self._port = 0
        self._stop = threading.Event()
        self._served: Served | None = None

    def run(self, rounds: int, say: Callable[[str], None] = lambda _: None) -> Tally:
        """Kill `rounds` times, then let everything come to rest and judge."""
        self._start()
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(self._client, number) for number in range(CLIENTS)]
            try:
                for number, victim in zip(range(rounds), itertools.cycle(VICTIMS), strict=False):
                    self._wait_for_progress()
                    time.sleep(self._chance.uniform(0, 0.1))  # any moment will do: that is the point
                    self._kill(victim)
                    if number % 10 == 9:
                        assert_no_alarm(self._home)
                        say(f"{number + 1} kills, {len(self.tally.answers)} answers, {dict(self.tally.outcomes)}")
                self._wait_for_progress()
            finally:
                self._stop.set()
            for client in clients:
                client.result()
        self._home.settle()
        self._judge()
        return self.tally

    def _start(self) -> None:
        self._served = self._home.serve(workers=WORKERS, port=self._port or None)
        self._port = self._served.port

    def _wait_for_progress(self) -> None:
        wanted = len(self.tally.answers) + PROGRESS
        until(lambda: len(self.tally.answers) >= wanted, "answers in spite of the last kill")

    def _kill(self, victim: str) -> None:
        assert self._served is not None
        supervisor = self._served.process
        self.tally.kills[victim] += 1
        if victim == "everything":
            pids = [pid for found in children(supervisor.pid).values() for pid in found]
            supervisor.signal(signal.SIGKILL)
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            supervisor.wait()
            self._start()
            return
        for pid in children(supervisor.pid)[victim.removesuffix("s")][: None if victim == "workers" else 1]:
            supervisor.signal_child(pid, signal.SIGKILL)

    def _client(self, number: int) -> None:
        name = f"client {number}"
        for count in itertools.count():
            if self._stop.is_set():
                return
            body = question(f"Question {count} of {name}.", stream=count % 3 == 0)
            self.tally.answers.append((name, body, self._insist(name, body, f"{number}-{count}")))

    def _insist(self, name: str, body: bytes, once: str) -> dict[str, Any]:
        """Repeat a request until it is answered."""

        def answer() -> dict[str, Any] | None:
            try:
                reply = ask(self._port, self._home.keys[name], body, once=once)
            except NoReplyError:
                self.tally.outcomes["no answer"] += 1
                return None
            found = _whole(reply)
            self.tally.outcomes["answered" if found else f"refused {reply.status}"] += 1
            return found

        return until(answer, f"an answer to {once}", every=0.1)

    def _judge(self) -> None:
        home = self._home
        assert_settled(home)
        for _name, body, answer in self.tally.answers:
            assert_proven(home, answer, body)
        assert_recorded(home, [answer for _name, _body, answer in self.tally.answers])
        asked = Counter(name for name, _body, _answer in self.tally.answers)
        for name, count in asked.items():
            decided = Counter(decision for _ref, _state, decision in home.turns_of(name))
            assert decided["allow"] == count, f"{name}: {count} requests, {decided}"


def _whole(reply: Reply) -> dict[str, Any] | None:
    """The answer, where there is a whole one."""
    if reply.status != 200:
        return None
    if reply.headers["content-type"].startswith("text/event-stream"):
        found: dict[str, Any] | None = dict(reply.events).get("final")
        return found
    answer: dict[str, Any] = reply.json
    return answer


def run(rounds: int, seed: int, say: Callable[[str], None] = lambda _: None) -> Tally:
    """A fresh home, `rounds` kills, and the verdict: fails when an answer lacks its record or the verifier an excuse."""
    with machine(*(f"client {number}" for number in range(CLIENTS))) as home:
        return Rounds(home, seed).run(rounds, say)
