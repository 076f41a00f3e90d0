"""Counting the log segment by segment: the same numbers however, whenever and by whomever they are counted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime import stats
from runtime.audit.pruning import Holds
from runtime.audit.record import Draft, new_record_id
from runtime.digests import Digests
from tests.unit.audit.log_rig import DAY, NOON, Rig, make_rig, turn

BEGIN = datetime.fromtimestamp(NOON / 1000, UTC).replace(hour=0)
pytestmark = pytest.mark.anyio

TURNS: list[dict[str, Any]] = [
    {
        "decision": "allow",
        "timings_ms": {"total": 40},
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "cost_usd": "0.000125"},
    },
    {"decision": "deny", "reasons": ["guard.too_long"], "timings_ms": {"total": 1}, "usage": {}},
    {
        "decision": "redact",
        "redactions": {"in": {"PERSON": 2}, "out": {"EMAIL_ADDRESS": 1}},
        "timings_ms": {"total": 0},
    },
    {
        "decision": "error",
        "reasons": ["upstream.timeout"],
        "usage": {},
        "model": {"provider": "vllm", "request_model": "m"},
    },
]
DENIALS = Draft(
    new_record_id(), "denials.counted", {"actor": {"type": "system", "ref": "system"}, "detail": {"auth.missing": 7}}
)


def loaded(revision: str) -> Draft:
    predicate = {"actor": {"type": "system", "ref": "system"}, "policy": {"revision": revision}}
    return Draft(new_record_id(), "policy.loaded", predicate, (("policy", revision[7:]),))


def day(rig: Rig, number: int, *, turns: int = 8) -> None:
    """One day: a segment with turns an hour apart."""
    rig.now = NOON + number * DAY
    writer = rig.open()
    for each in range(turns):
        rig.now += 3_600_000
        writer.append(turn(0, **TURNS[each % len(TURNS)]))
    writer.close()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = make_rig(tmp_path)
    for number in range(4):
        day(made, number)
    return made


@pytest.fixture
def digests(rig: Rig) -> Iterator[Digests]:
    made = Digests(rig.logs, rig.home / "digests", seconds=60)
    yield made
    made.close()


async def ask(digests: Digests, *, days: int = 5, bucket: stats.Bucket = "day") -> dict[str, Any]:
    return await digests.summary(BEGIN, BEGIN + timedelta(days=days), bucket)


async def test_the_numbers_are_those_of_the_records(rig: Rig, digests: Digests) -> None:
    told = await ask(digests)
    assert told["complete"] is True
    total = told["total"]
    assert total["requests"] == 32
    assert total["decisions"] == {"allow": 8, "deny": 8, "redact": 8, "error": 8}
    assert (total["refusals"], total["failures"]) == ({"guard.too_long": 8}, {"upstream.timeout": 8})
    assert total["tokens"] == {"prompt": 24, "completion": 40}
    assert total["masked"] == {"in": {"PERSON": 16}, "out": {"EMAIL_ADDRESS": 8}}
    assert total["cost"] == {"usd": "0.001"}
    assert total["latency_ms"]["p50"] == 0
    assert 40 <= total["latency_ms"]["p95"] <= 42
    assert [one["requests"] for one in told["buckets"]] == [8, 8, 8, 8, 0]
    assert {(one["backend"], one["model"]): one["requests"] for one in told["models"]} == {
        (None, None): 24,
        ("vllm", "m"): 8,
    }


@pytest.mark.parametrize("bucket", ["minute", "hour", "day"])
async def test_buckets_add_up_to_the_total(rig: Rig, digests: Digests, bucket: stats.Bucket) -> None:
    days = 1 if bucket == "minute" else 4
    told = await digests.summary(BEGIN, BEGIN + timedelta(days=days), bucket)
    assert sum(one["requests"] for one in told["buckets"]) == told["total"]["requests"] == 8 * days
    assert sum(one["requests"] for one in told["models"]) == told["total"]["requests"]


async def test_of_a_period_only_what_is_in_it(rig: Rig, digests: Digests) -> None:
    told = await digests.summary(BEGIN + timedelta(days=1, hours=13), BEGIN + timedelta(days=1, hours=15), "hour")
    assert told["total"]["decisions"] == {"allow": 1, "deny": 1}


async def test_counted_again_from_the_disk_and_by_others(rig: Rig, digests: Digests) -> None:
    first = {bucket: await ask(digests, days=1 if bucket == "minute" else 5, bucket=bucket) for bucket in stats.SECONDS}
    kept = sorted((rig.home / "digests").iterdir())
    assert len(kept) == 2 * 3  # hours and minutes of each sealed segment
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept)
    other = Digests(rig.logs, rig.home / "digests", seconds=60)
    for bucket in ("day", "minute", "hour"):
        assert await ask(other, days=1 if bucket == "minute" else 5, bucket=bucket) == first[bucket], bucket
    other.close()


async def test_what_is_on_the_disk_is_read_and_not_counted_again(rig: Rig, digests: Digests) -> None:
    await ask(digests)
    path = min((rig.home / "digests").glob("*.hours.json"))
    path.write_text(path.read_text().replace('"deny":1', '"deny":100'))
    other = Digests(rig.logs, rig.home / "digests", seconds=60)
    assert (await ask(other))["total"]["decisions"]["deny"] == 206
    other.close()


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '{"version":1,"first":0,"next":1}', '{"version":2}'])
async def test_what_is_spoilt_is_counted_again(rig: Rig, digests: Digests, text: str) -> None:
    first = await ask(digests)
    for path in (rig.home / "digests").iterdir():
        path.write_text(text)
    other = Digests(rig.logs, rig.home / "digests", seconds=60)
    assert await ask(other) == first
    other.close()


async def test_what_is_appended_is_in_the_next_answer(rig: Rig, digests: Digests) -> None:
    await ask(digests)
    writer = rig.open()
    for number in range(3):
        writer.append(turn(0, **TURNS[0]))
        assert (await ask(digests))["total"]["decisions"]["allow"] == 9 + number
    writer.append(DENIALS)
    assert (await ask(digests))["total"]["refused_at_the_door"] == {"auth.missing": 7}
    writer.close()
    day(rig, 4)  # the next day seals it
    told = await ask(digests, days=6)
    assert told["total"]["requests"] == 32 + 3 + 8


async def test_no_time_is_said_and_the_next_question_goes_on(rig: Rig) -> None:
    hasty = Digests(rig.logs, rig.home / "digests", seconds=0)
    assert (await ask(hasty))["complete"] is False
    assert (await hasty.policy_since("sha256:" + "a" * 64)).exact is False
    hasty.close()
    # Segments are read in turn, and what was read of one stays read.
    short = Digests(rig.logs, rig.home / "digests", seconds=60)
    full = await ask(short)
    short._seconds = 0
    assert await ask(short) == full
    short.close()


async def test_what_was_pruned_is_not_counted_and_leaves_nothing(rig: Rig, digests: Digests) -> None:
    home = rig.home / "pruned"
    home.mkdir()
    other = make_rig(home)
    for number in range(5):
        other.now = NOON + number * DAY
        writer = other.open()
        for each in range(90):
            writer.append(turn(each, legal={"purpose": "support", "retain_until": "2027-01-17"}))
        writer.close()
    counted = Digests(other.logs, home / "digests", seconds=60)
    assert (await ask(counted, days=6))["total"]["requests"] == 450
    other.now = NOON + 40 * DAY
    writer = other.open()
    holds = Holds()
    gone = [writer.prune(cut, holds) for cut in writer.prepare_pruning(holds, frozenset(), 32)]
    assert gone
    assert (await ask(counted, days=6))["total"]["requests"] < 450
    assert not [path for path in (home / "digests").iterdir() if int(path.name[:20]) in gone]
    writer.close()
    counted.close()


async def test_since_when_a_policy_is_in_force(rig: Rig, digests: Digests) -> None:
    old, new = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    assert (await digests.policy_since(old)).time is None
    times = []
    for number, revision in enumerate((old, new, old, new, new, new), start=4):
        rig.now = NOON + number * DAY
        writer = rig.open()
        times.append(writer.append(loaded(revision)).time)
        writer.close()
    since = await digests.policy_since(new)
    assert (since.time, since.exact) == (times[3], True)
    assert (await digests.policy_since(old)).time is None
    assert os.listdir(rig.home / "digests")


def test_a_percentile_is_at_most_five_percent_too_high() -> None:
    for exact in (1, 2, 7, 19, 20, 21, 99, 100, 101, 997, 5000, 12_345, 600_000):
        table: stats.Table = {}
        stats.count(table, 0, {"event": "turn", "decision": "allow", "timings_ms": {"total": exact}})
        told = stats.summary([table], 0, 60, "minute")["total"]["latency_ms"]["p50"]
        assert exact * 0.999 - 1 <= told <= exact * 1.05 + 1, exact
