"""A few rounds of kills at random under load; `python scripts/kill_rounds.py 1000` runs many."""

from __future__ import annotations

from tests.faults.rounds import run


def test_every_request_ends_as_one_answer_with_its_record() -> None:
    tally = run(rounds=10, seed=20261121)
    assert sum(tally.kills.values()) == 10
    assert len(tally.answers) >= 50
    # Somebody must have been interrupted, or nothing was tested.
    assert tally.outcomes.total() > tally.outcomes["answered"]
