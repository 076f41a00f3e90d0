from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.models.fair_queue import FairQueue, QueueFullError

ORDERS = [
    # what is put, as owner and number; how it leaves
    ("one owner keeps his order", "a1 a2 a3", "a1 a2 a3"),
    ("two take turns", "a1 a2 a3 b1 b2", "a1 b1 a2 b2 a3"),
    ("a latecomer waits for one answer", "a1 a2 a3 a4 c1", "a1 c1 a2 a3 a4"),
    ("three take turns", "a1 a2 b1 c1 c2", "a1 b1 c1 a2 c2"),
]


def _filled(capacity: int, items: str) -> FairQueue[str]:
    queue: FairQueue[str] = FairQueue(capacity)
    for item in items.split():
        queue.put(item[0], item)
    return queue


def _emptied(queue: FairQueue[str]) -> str:
    items = []
    while (item := queue.get()) is not None:
        items.append(item)
    assert len(queue) == 0
    return " ".join(items)


@pytest.mark.parametrize(("given_items", "expected"), [o[1:] for o in ORDERS], ids=[o[0] for o in ORDERS])
def test_turns(given_items: str, expected: str) -> None:
    assert _emptied(_filled(10, given_items)) == expected


FULL = [
    # held, newcomer, displaced ("-": nobody, the newcomer is refused), what remains
    ("the owner who filled it is refused", "a1 a2 a3", "a4", "-", "a1 a2 a3"),
    ("another displaces his latest", "a1 a2 a3", "b1", "a3", "a1 b1 a2"),
    ("as long as he holds two more", "a1 a2 b1", "b2", "-", "a1 b1 a2"),
    ("from the greediest", "a1 b1 b2", "c1", "b2", "a1 b1 c1"),
    ("not among equals", "a1 b1 c1", "d1", "-", "a1 b1 c1"),
]


@pytest.mark.parametrize(("held", "newcomer", "displaced", "rest"), [f[1:] for f in FULL], ids=[f[0] for f in FULL])
def test_full(held: str, newcomer: str, displaced: str, rest: str) -> None:
    queue = _filled(3, held)
    if displaced == "-":
        with pytest.raises(QueueFullError):
            queue.put(newcomer[0], newcomer)
    else:
        assert queue.put(newcomer[0], newcomer) == displaced
    assert _emptied(queue) == rest


def test_remove_takes_one_out_by_identity() -> None:
    queue: FairQueue[list[int]] = FairQueue(5)
    first, second = [1], [1]
    queue.put("a", first)
    queue.put("a", second)
    assert queue.remove(second)
    assert not queue.remove(second)
    assert queue.get() is first
    assert queue.get() is None


def test_drain_and_iteration() -> None:
    queue = _filled(9, "a1 b1 a2")
    assert sorted(queue) == ["a1", "a2", "b1"]
    assert sorted(queue.drain()) == ["a1", "a2", "b1"]
    assert queue.get() is None


def test_room_for_nobody_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="capacity"):
        FairQueue(0)


@given(st.lists(st.sampled_from("abcd"), max_size=40), st.integers(1, 12))
def test_nothing_is_lost_and_nobody_waits_for_more_than_a_round(owners: list[str], capacity: int) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(capacity)
    inside: set[tuple[str, int]] = set()
    for number, owner in enumerate(owners):
        try:
            displaced = queue.put(owner, (owner, number))
        except QueueFullError:
            continue
        inside.add((owner, number))
        if displaced is not None:
            inside.remove(displaced)
    assert len(queue) == len(inside) <= capacity
    served = []
    while (item := queue.get()) is not None:
        served.append(item)
    assert set(served) == inside
    for owner in "abcd":
        mine = [number for name, number in served if name == owner]
        assert mine == sorted(mine)
        for before, after in itertools.pairwise(mine):
            between = [n for n, _ in served[served.index((owner, before)) + 1 : served.index((owner, after))]]
            assert len(between) == len(set(between))
