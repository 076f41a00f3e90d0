from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runtime.backends.retry import RetryPolicy, parse_retry_after

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)

HEADERS = [
    ("none", None, None),
    ("seconds", "7", 7),
    ("seconds with space", " 7 ", 7),
    ("zero", "0", 0),
    ("no more than a day", "99999999999999999999", 86400),
    ("negative", "-3", None),
    ("fraction", "1.5", None),
    ("underscore", "1_0", None),
    ("other digits", "٣", None),
    ("date", "Sat, 21 Nov 2026 12:00:30 GMT", 30),
    ("date in the past", "Sat, 21 Nov 2026 11:00:00 GMT", 0),
    ("date far away", "Sat, 21 Nov 2037 11:00:00 GMT", 86400),
    ("words", "soon", None),
    ("empty", "", None),
]


@pytest.mark.parametrize(("value", "expected"), [h[1:] for h in HEADERS], ids=[h[0] for h in HEADERS])
def test_retry_after(value: str | None, expected: int | None) -> None:
    assert parse_retry_after(value, NOW) == expected


DELAYS = [
    ("first, least", 0, None, 0.0, 0.25),
    ("first, most", 0, None, 0.999, 0.5),
    ("doubled", 1, None, 0.0, 0.5),
    ("capped", 5, None, 0.0, 2.0),
    ("asked for", 0, 3, 0.0, 3.0),
    ("asked for, never earlier", 0, 3, 0.5, 3.25),
    ("asked for too much", 0, 11, 0.0, None),
    ("used up", 6, None, 0.0, None),
]


@pytest.mark.parametrize(
    ("attempt", "asked", "jitter", "expected"), [d[1:] for d in DELAYS], ids=[d[0] for d in DELAYS]
)
def test_delay(attempt: int, asked: int | None, jitter: float, expected: float | None) -> None:
    delay = RetryPolicy(retries=6, base=0.5, cap=4.0, patience=10.0).delay(attempt, asked, jitter)
    assert delay == (None if expected is None else pytest.approx(expected, abs=0.001))
