"""Finding records: filters, pages that stay right while the log grows, and the index of a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.audit.pruning import Holds
from runtime.audit.search import Filter, first_at, search
from tests.unit.audit.log_rig import DAY, NOON, Rig, intent, make_rig, turn

TURNS: list[dict[str, Any]] = [
    {"decision": "allow", "model": {"provider": "llama.cpp", "request_model": "small"}},
    {"decision": "deny", "rules": ["role.user", "guard.size"], "reasons": ["guard.too_long"]},
    {"decision": "redact", "redactions": {"in": {"EMAIL_ADDRESS": 1}, "out": {}}, "conversation_ref": "c_" + "x" * 20},
    {"decision": "redact", "redactions": {"in": {}, "out": {"PERSON": 2}}, "model": {"provider": "vllm"}},
    {"decision": "error", "reasons": ["upstream.timeout"], "model": {"provider": "vllm", "response_model": "large-2"}},
    {"decision": "allow", "actor": {"type": "principal", "ref": "p_" + "z" * 26, "role": "user"}},
]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    made = make_rig(tmp_path_factory.mktemp("search"))
    writer = made.open()
    for number in range(60):
        writer.append(turn(number, **TURNS[number % len(TURNS)]))
        writer.append(intent())
    writer.close()
    return made


def everything(rig: Rig, wanted: Filter, **more: Any) -> list[int]:
    """The indexes on all pages."""
    found: list[int] = []
    before = more.pop("before", None)
    while True:
        page, before = search(rig.logs, wanted, before=before, **{"limit": 7, "lines": 20, **more})
        found += [record["seq"] for record in page]
        if before is None:
            return found


@pytest.mark.parametrize(
    ("wanted", "which"),
    [
        (Filter(event="turn"), range(6)),
        (Filter(decision="deny"), [1]),
        (Filter(rule="guard.size"), [1]),
        (Filter(rule="role.user"), range(6)),
        (Filter(reason="upstream.timeout"), [4]),
        (Filter(model="small"), [0]),
        (Filter(model="large-2"), [4]),
        (Filter(provider="vllm"), [3, 4]),
        (Filter(actor_ref="p_" + "z" * 26), [5]),
        (Filter(entity="EMAIL_ADDRESS"), [2]),
        (Filter(entity="PERSON"), [3]),
        (Filter(conversation_ref="c_" + "x" * 20), [2]),
        (Filter(decision="redact", provider="vllm"), [3]),
        (Filter(decision="allow", reason="upstream.timeout"), []),
        (Filter(rule="user"), []),
    ],
    ids=str,
)
def test_filters(rig: Rig, wanted: Filter, which: list[int]) -> None:
    turns = [record["seq"] for record in search(rig.logs, Filter(event="turn"), limit=1000, lines=1000)[0]][::-1]
    assert everything(rig, wanted) == [turns[number] for number in range(60) if number % 6 in which][::-1]


@pytest.mark.parametrize(("limit", "lines"), [(1, 1), (1, 1000), (200, 3), (7, 20), (200, 1000)])
def test_pages_of_any_size_hold_the_same(rig: Rig, limit: int, lines: int) -> None:
    wanted = Filter(decision="redact")
    assert everything(rig, wanted, limit=limit, lines=lines) == everything(rig, wanted, limit=1000, lines=1000)


def test_a_lower_bound(rig: Rig) -> None:
    whole = everything(rig, Filter(event="turn"))
    assert everything(rig, Filter(event="turn"), start=whole[10]) == whole[:11]
    assert search(rig.logs, Filter(), start=10_000, limit=5, lines=5) == ([], None)


@pytest.mark.parametrize("record", [{}, {"model": 3, "redactions": [], "actor": None, "rules": "x", "reasons": {}}])
def test_a_strange_record_is_not_wanted(record: dict[str, Any]) -> None:
    for wanted in (Filter(rule="x"), Filter(reason="x"), Filter(model="x"), Filter(actor_ref="x"), Filter(entity="X")):
        assert not wanted.wants(record)


def test_pages_stay_right_while_the_log_grows(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    writer = rig.open()
    for number in range(20):
        writer.append(turn(number))
    before_all = everything(rig, Filter(event="turn"))
    found: list[int] = []
    before = None
    while True:
        page, before = search(rig.logs, Filter(event="turn"), before=before, limit=3, lines=4)
        found += [record["seq"] for record in page]
        if before is None:
            break
        for number in range(5):
            writer.append(turn(number))
    assert found == before_all
    writer.close()


def moment(milliseconds: int) -> str:
    days, rest = divmod(milliseconds - NOON, DAY)
    seconds, ms = divmod(rest, 1000)
    hours = 12 + seconds // 3600
    return (
        f"2027-01-{15 + days + hours // 24:02d}T{hours % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}Z"
    )


def test_the_index_of_a_moment(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    assert first_at(rig.logs, moment(NOON)) == 0
    times = []
    for day in range(4):
        rig.now = NOON + day * DAY
        writer = rig.open()
        for number in range(30):
            rig.now += number % 3 * 1000
            writer.append(turn(number))
        writer.close()
    times = [record["time"] for record in search(rig.logs, Filter(), limit=10_000, lines=10_000)[0]][::-1]
    for wanted in (*sorted(set(times)), moment(NOON + 1), moment(NOON - 1), "2020-01-01T00:00:00.000Z", "2999"):
        assert first_at(rig.logs, wanted) == sum(time < wanted for time in times), wanted


def test_the_index_of_a_moment_over_pruned_segments(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    for day in range(5):
        rig.now = NOON + day * DAY
        writer = rig.open()
        for number in range(90):
            writer.append(turn(number, legal={"purpose": "support", "retain_until": "2027-01-17"}))
        writer.close()
    whole = search(rig.logs, Filter(), limit=10_000, lines=10_000)[0][::-1]
    rig.now = NOON + 40 * DAY
    writer = rig.open()
    holds = Holds()
    assert [writer.prune(cut, holds) for cut in writer.prepare_pruning(holds, frozenset(), 32)]
    left = {record["seq"] for record in search(rig.logs, Filter(), limit=10_000, lines=10_000)[0]}
    assert len(left) < len(whole)
    for day in range(5):
        wanted = moment(NOON + day * DAY + 1)
        old = sum(record["time"] < wanted for record in whole)
        found = first_at(rig.logs, wanted)
        between = range(min(found, old), max(found, old))
        assert not left & set(between), day  # the same place among what is left
    writer.close()
