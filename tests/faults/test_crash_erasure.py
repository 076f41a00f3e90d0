"""An erasure dies between every two steps, in the command that began it and in the housekeeper that resumes it.

Nothing may be destroyed before `erasure.intent` stands in the log, `erasure.completed` may not stand there before
everything is destroyed, each stands there once, and the log verifies as before: erasing breaks no proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from memory.erasure import STEPS
from tests.faults.asking import ask, question, until
from tests.faults.evidence import assert_proven, assert_recorded, assert_settled, records
from tests.faults.machine import Machine, machine

#: The writer dies instead: while it records the intent (its second record after its own start), or the completion.
WRITER = {"intent": "audit.append.after_sync:2", "completion": "audit.append.before_write:3"}
CASES = (*STEPS, *WRITER)
each = pytest.mark.parametrize("case", CASES)
BODY = {case: question("Remember me.", data_subjects=[f"the one of {case}"]) for case in CASES}


@dataclass(frozen=True)
class Seen:
    """What stood where when the erasure was cut: contents and key of the person's turn, its two records."""

    code: int
    contents: int
    has_key: bool
    intent: bool
    completed: bool


@dataclass
class Site:
    home: Machine
    answers: dict[str, Any]
    cut: dict[str, Seen]
    erasures: dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with machine("somebody") as home:
        writer, worker = home.writer(), home.worker()
        answers = {case: ask(worker.port, home.keys["somebody"], BODY[case]).json for case in CASES}
        home.settle()
        made = Site(home, answers, {}, {})
        for step in STEPS:
            _cut(made, step, home.command("privacy", "erase", "--subject", f"the one of {step}", crash=step))
        writer.stop()
        for case, step in WRITER.items():
            writer = home.writer(step)
            _cut(made, case, home.command("privacy", "erase", "--subject", f"the one of {case}"))
            assert writer.wait() == -9
        home.writer()
        for step in STEPS[1:]:  # what resumes may die as well, at the oldest unfinished one each time
            assert home.housekeeper(step).wait() == -9
        home.housekeeper()
        until(lambda: home.rows("SELECT id FROM erasures WHERE state != 'done'") == [], "every erasure is finished")
        yield made


def _cut(site: Site, case: str, code: int) -> None:
    """Look at what an erasure left behind that was cut just now."""
    home, turn_id = site.home, site.answers[case]["turn_id"]
    _, intent, completed = home.rows(
        "SELECT id, intent_record_id, completed_record_id FROM erasures ORDER BY id DESC LIMIT 1"
    )[0]
    recorded = {record["record_id"] for record in records(home.settings.logs_dir)}
    contents = home.rows("SELECT count(*) FROM contents WHERE turn_id = ?", turn_id)[0][0]
    key = home.rows("SELECT wrapped_key FROM turns WHERE id = ?", turn_id)[0][0]
    site.erasures[case] = (intent, completed)
    site.cut[case] = Seen(code, contents, key is not None, intent in recorded, completed in recorded)


@each
def test_it_was_cut_in_that_order(site: Site, case: str) -> None:
    seen = site.cut[case]
    reached = {"intent": 0, "completion": 4}.get(case, STEPS.index(case) if case in STEPS else 0)
    assert seen.code == (2 if case in WRITER else -9)
    assert seen.intent == (reached >= 1 or case == "intent")  # written, though never acknowledged
    assert (seen.contents == 0) == (not seen.has_key) == (reached >= 2)
    assert seen.completed == (reached >= 5)


@each
def test_it_is_finished_and_recorded_once(site: Site, case: str) -> None:
    found = [record["record_id"] for record in records(site.home.settings.logs_dir)]
    intent, completed = site.erasures[case]
    assert (found.count(intent), found.count(completed)) == (1, 1)
    assert found.index(intent) < found.index(completed)
    turn_id = site.answers[case]["turn_id"]
    assert site.home.rows("SELECT name FROM contents WHERE turn_id = ?", turn_id) == []
    assert site.home.rows("SELECT wrapped_key, erased_at IS NULL FROM turns WHERE id = ?", turn_id) == [(None, 0)]


@each
def test_who_is_erased_cannot_be_found_again(site: Site, case: str) -> None:
    assert site.home.command("privacy", "erase", "--subject", f"the one of {case}") == 1


def test_no_proof_is_broken(site: Site) -> None:
    assert_settled(site.home)
    for case, answer in site.answers.items():
        assert_proven(site.home, answer, BODY[case])
    assert_recorded(site.home, list(site.answers.values()))
