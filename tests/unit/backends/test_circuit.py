"""The circuit breaker: by itself with a clock of its own, and around a backend that fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.backends.base import BackendError, TextDelta
from runtime.backends.circuit import Circuit, CircuitPolicy, State
from runtime.backends.retry import RetryPolicy
from tests.fakes.provider import FakeProvider
from tests.unit.backends.support import REQUEST, Gatekeeper, MakeClient, ask, failure

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def made(trials: int = 1) -> tuple[Circuit, Clock, list[State]]:
    clock, told = Clock(), list[State]()
    return Circuit(CircuitPolicy(3, 30, trials), clock=clock, on_change=told.append), clock, told


def refused(circuit: Circuit) -> int | None:
    with pytest.raises(BackendError) as caught:
        circuit.enter()
    assert (caught.value.code, caught.value.status) == ("upstream.circuit_open", 503)
    return caught.value.retry_after


def fail(circuit: Circuit, times: int = 1) -> None:
    for _ in range(times):
        circuit.enter()
        circuit.failed()


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    circuit, _, told = made()
    fail(circuit, 2)
    circuit.enter()
    circuit.succeeded()
    fail(circuit, 2)
    assert circuit.state == "closed"
    fail(circuit)
    assert (circuit.state, told) == ("open", ["closed", "open"])


def test_the_wait_is_said_and_nothing_passes_until_its_end() -> None:
    circuit, clock, _ = made()
    fail(circuit, 3)
    clock.now += 10.5
    assert refused(circuit) == 20
    clock.now += 19.4
    assert refused(circuit) == 1


@pytest.mark.parametrize(
    ("end", "state"), [(Circuit.succeeded, "closed"), (Circuit.failed, "open"), (Circuit.left, "half_open")]
)
def test_one_trial_decides(end: Callable[[Circuit], None], state: State) -> None:
    circuit, clock, told = made()
    fail(circuit, 3)
    clock.now += 30
    circuit.enter()
    assert refused(circuit) == 1, "a second trial beside the first"
    end(circuit)
    assert (circuit.state, told[:3]) == (state, ["closed", "open", "half_open"])
    if state == "open":
        assert refused(circuit) == 30
    else:
        circuit.enter()


def test_one_good_answer_does_not_make_a_backend_well() -> None:
    """Hysteresis: who comes and goes is left alone until it stays."""
    circuit, clock, told = made(trials=2)
    assert CircuitPolicy().trials == 2
    fail(circuit, 3)
    for end in (Circuit.succeeded, Circuit.failed):
        clock.now += 30
        circuit.enter()
        end(circuit)
        if end is Circuit.succeeded:
            assert circuit.state == "half_open"
    assert circuit.state == "open"
    clock.now += 30
    for _ in range(2):
        circuit.enter()
        assert refused(circuit) == 1, "one trial at a time"
        circuit.succeeded()
    assert (circuit.state, told[-1]) == ("closed", "closed")


def test_an_answer_to_a_question_from_before_is_no_trial() -> None:
    circuit, clock, _ = made()
    circuit.enter()
    fail(circuit, 3)
    circuit.succeeded()
    assert circuit.state == "open"
    clock.now += 30
    assert circuit.state == "half_open"


OUTCOMES = [
    ("upstream.timeout", "open"),
    ("upstream.unreachable", "open"),
    ("upstream.unavailable", "open"),
    ("upstream.bad_response", "open"),
    ("upstream.rate_limited", "closed"),
    ("upstream.rejected", "closed"),
    ("upstream.context_overflow", "closed"),
    ("upstream.busy", "closed"),
    ("upstream.model_unclear", "closed"),
]


@pytest.mark.parametrize(("code", "state"), OUTCOMES)
def test_what_counts_as_a_failure(code: str, state: State) -> None:
    circuit, _, _ = made()
    for _ in range(3):
        circuit.enter()
        circuit.settle(BackendError(code, "x"))  # type: ignore[arg-type]
    assert circuit.state == state


def test_what_is_ours_says_nothing_about_the_server() -> None:
    circuit, clock, _ = made()
    fail(circuit, 2)
    circuit.enter()
    circuit.settle(RuntimeError("the log is full"))
    fail(circuit)
    assert circuit.state == "open", "a failure of ours forgave those of the server"
    clock.now += 30
    circuit.enter()
    circuit.settle(GeneratorExit())
    assert circuit.state == "half_open"


async def test_an_open_circuit_sends_nothing_and_asks_no_gate(provider: FakeProvider, client: MakeClient) -> None:
    circuit, clock, told = made()
    backend = client(provider, circuit=circuit, retry=RetryPolicy(retries=0))
    provider.plan("error_500", "error_503", "drop_before_headers")
    for _ in range(3):
        await failure(backend)
    gate, before = Gatekeeper(), len(provider.requests)
    error = await failure(backend, gate)
    assert (error.code, error.retry_after) == ("upstream.circuit_open", 30)
    with pytest.raises(BackendError):
        await backend.health()
    assert (gate.passed, len(provider.requests)) == ([], before)
    clock.now += 30
    assert (await ask(backend, gate))[0] == "Bonjour le monde"
    assert told == ["closed", "open", "half_open", "closed"]


async def test_a_caller_who_leaves_the_trial_leaves_room_for_another(
    provider: FakeProvider, client: MakeClient
) -> None:
    circuit, clock, _ = made()
    backend = client(provider, circuit=circuit)
    fail(circuit, 3)
    clock.now += 30
    provider.mode = "hang_after_first"
    events = backend.chat(REQUEST, Gatekeeper())
    assert await anext(events) == TextDelta("Bonjour")
    await events.aclose()
    provider.mode = "ok"
    assert (await ask(backend))[0] == "Bonjour le monde"
    assert circuit.state == "closed"


async def test_a_gate_that_refuses_ends_a_trial_too(provider: FakeProvider, client: MakeClient) -> None:
    circuit, clock, _ = made()
    fail(circuit, 3)
    clock.now += 30
    backend = client(provider, circuit=circuit)
    with pytest.raises(RuntimeError, match="no room"):
        await ask(backend, Gatekeeper(RuntimeError("no room")))
    await ask(backend)
    assert circuit.state == "closed"
