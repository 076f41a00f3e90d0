"""Ids sort by time; references tell nothing."""

from __future__ import annotations

import re
import time
import uuid

from memory.ids import random_ref, uuid7


def test_an_id_is_a_uuid_of_version_7_with_the_time_of_its_making() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(uuid7("T-").removeprefix("T-"))
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert before <= made.int >> 80 <= after


def test_ids_are_unique_and_those_of_one_process_sort_as_they_were_made() -> None:
    made = []
    for _ in range(2_000):
        made.append(uuid7(""))
        start = time.time_ns()
        while time.time_ns() < start + 500:  # the resolution of an id is 244 ns
            pass
    assert len(set(made)) == 2_000
    assert made == sorted(made)


def test_a_reference_is_128_random_bits() -> None:
    made = {random_ref("t_") for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(re.fullmatch(r"t_[a-z2-7]{26}", ref) for ref in made)
