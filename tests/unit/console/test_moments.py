"""What is typed into a field for a time: read, or refused; never left out."""

from __future__ import annotations

import pytest

from console.moments import day, moment


@pytest.mark.parametrize(
    ("typed", "begins", "ends"),
    [
        ("", "", ""),
        ("   ", "", ""),
        ("2026-11-21", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),  # a day alone is in a period as a whole
        ("2026-12-31", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2026-11-21 14:30", "2026-11-21T14:30:00Z", "2026-11-21T14:30:00Z"),
        (" 2026-11-21  14:30:05 ", "2026-11-21T14:30:05Z", "2026-11-21T14:30:05Z"),
        ("2026-11-21T14:30:05Z", "2026-11-21T14:30:05Z", "2026-11-21T14:30:05Z"),
    ],
)
def test_a_time_or_a_day(typed: str, begins: str, ends: str) -> None:
    assert (moment(typed), moment(typed, end=True)) == (begins, ends)
    assert moment(None) == ""


@pytest.mark.parametrize(
    "typed", ["tomorrow", "21/11/2026", "2026-02-30", "2026-11-21 25:00", "14:30", "9999-12-31", "2026-11-21 14:30 EST"]
)
def test_what_is_no_time_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        moment(typed, end=True)


def test_a_day() -> None:
    assert (day("2026-11-20 "), day(""), day(None)) == ("2026-11-20", "", "")
    with pytest.raises(ValueError):
        day("2026-11-20 14:30")
