"""Whatever fails inside a turn becomes an error with a stable code, and none of its own words travel on."""

from __future__ import annotations

import asyncio

import pytest

from memory.errors import StorageBusy, StorageError, TurnNotOpen
from policies.model import PolicyFault
from runtime import failures
from runtime.audit.errors import AlreadyClosed, DraftRefused, LogDamaged, LogUnavailable
from runtime.backends.base import BackendError
from runtime.errors import BY_STATUS, FilAgentError, Forbidden
from runtime.redaction.errors import PiiUnavailable, TextTooLong

SAID = "jean.roy@courriel.example said 514-555-0142"
CASES: list[tuple[BaseException, int, str]] = [
    (LogUnavailable(SAID), 503, "evidence.unavailable"),
    (LogDamaged(SAID), 503, "evidence.unavailable"),
    (DraftRefused(SAID), 503, "evidence.unavailable"),
    (AlreadyClosed(SAID), 503, "evidence.unavailable"),
    (StorageError(SAID), 503, "storage.unavailable"),
    (StorageBusy(SAID), 503, "storage.unavailable"),
    (TurnNotOpen(SAID), 503, "storage.unavailable"),
    (PiiUnavailable(SAID), 503, "pii.unavailable"),
    (TextTooLong(SAID), 413, "pii.too_long"),
    (TimeoutError(SAID), 503, "pii.timeout"),
    (PolicyFault(SAID), 503, "policy.unavailable"),
    (asyncio.CancelledError(), 503, "server.stopping"),
    (asyncio.CancelledError("client.gone"), 503, "client.gone"),
    (asyncio.CancelledError(SAID), 503, "server.stopping"),
    (RuntimeError(SAID), 500, "internal.error"),
    (KeyError(SAID), 500, "internal.error"),
    (UnicodeEncodeError("utf-8", SAID, 0, 1, SAID), 500, "internal.error"),
    (MemoryError(SAID), 500, "internal.error"),
]


@pytest.mark.parametrize(
    ("failure", "status", "code"), CASES, ids=[f"{type(case[0]).__name__} {case[2]}" for case in CASES]
)
def test_a_failure_becomes_an_error_without_its_words(failure: BaseException, status: int, code: str) -> None:
    error = failures.translate(failure)
    assert (error.status, error.code) == (status, code)
    for word in ("jean", "courriel", "0142"):
        assert word not in f"{error} {error.detail} {error.args}"
    assert type(error) in {*BY_STATUS.values(), FilAgentError}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("upstream.timeout", 504),
        ("upstream.unreachable", 502),
        ("upstream.rate_limited", 503),
        ("upstream.rejected", 502),
        ("upstream.bad_response", 502),
        ("upstream.busy", 503),
        ("upstream.context_overflow", 422),
        ("upstream.unavailable", 503),
    ],
)
def test_a_backends_failure_keeps_its_code_and_gets_its_status(code: str, status: int) -> None:
    error = failures.translate(BackendError(code, "The provider said no.", retry_after=7))
    assert (error.status, error.code, error.retry_after) == (status, code, 7)


def test_our_own_errors_stay_themselves() -> None:
    error = Forbidden("policy.forbidden", "No.")
    assert failures.translate(error) is error
