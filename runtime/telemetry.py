"""Metrics and traces: counts, codes and durations, never content.

Prometheus in multiprocess mode (each worker writes to files under `run/metrics`, any of them can answer for all),
so that the numbers are right with N workers. OpenTelemetry spans follow the GenAI conventions with content off;
nothing is exported unless the operator configures the SDK.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from runtime.backends.circuit import State
from runtime.prices import Cost

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_CIRCUIT: dict[State, int] = {"closed": 0, "half_open": 1, "open": 2}
_WITNESS_STATES = ("new", "ok", "silent", "disagrees")
_tracer = trace.get_tracer("filagent")


@dataclass
class Telemetry:
    """The metrics of this process; one instance, made by the composition root."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.requests = Counter(
            "filagent_requests", "Requests by door and outcome", ["door", "status"], registry=self.registry
        )
        self.duration = Histogram(
            "filagent_request_duration_seconds", "Whole requests", ["door"], buckets=_BUCKETS, registry=self.registry
        )
        self.tokens = Counter(
            "filagent_model_tokens", "Tokens by kind and backend", ["backend", "kind"], registry=self.registry
        )
        self.cost = Counter(
            "filagent_model_cost", "Cost by backend, from the price table", ["backend", "currency"],
            registry=self.registry,
        )  # fmt: skip
        self.circuit = Gauge(
            "filagent_backend_circuit", "0 closed, 1 half open, 2 open; the worst of all workers", ["backend"],
            registry=self.registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self.errors = Counter("filagent_errors", "Failures by stable code", ["code"], registry=self.registry)
        self.token_refusals = Counter(
            "filagent_token_refusals", "Tokens of the OpenID provider that were not accepted, by reason", ["reason"],
            registry=self.registry,
        )  # fmt: skip
        self.fallbacks = Counter(
            "filagent_fallbacks", "Turns that another backend took over", ["failed", "instead"], registry=self.registry
        )
        self.redactions = Counter(
            "filagent_redactions",
            "Masked spans by entity, direction and position",
            ["entity", "direction", "position"],
            registry=self.registry,
        )
        self.stages = Histogram(
            "filagent_stage_duration_seconds", "Stages of a turn", ["stage"], buckets=_BUCKETS, registry=self.registry
        )
        self.witness_size = self._gauge("filagent_witness_size", "Records that a witness vouched for", "witness")
        self.witness_time = self._gauge(
            "filagent_witness_cosigned_timestamp_seconds", "When a witness vouched last, by its clock", "witness"
        )
        self.witness_state = self._gauge(
            "filagent_witness_state", "1 for the state that a witness is in", "witness", "state"
        )

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        # Set by one process, read through any: after a restart the newest value counts, not one for each process.
        return Gauge(name, text, labels, registry=self.registry, multiprocess_mode="mostrecent")

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage of a turn, as a metric and as a span."""
        begun = perf_counter()
        # The text of an exception may carry content, and a span would keep it.
        with _tracer.start_as_current_span(f"filagent.{name}", record_exception=False, set_status_on_exception=False):
            try:
                yield
            finally:
                self.stages.labels(name).observe(perf_counter() - begun)

    def count_redactions(self, placed: Mapping[str, Mapping[str, int]], direction: str) -> None:
        """Count masked spans by position and entity; `direction` is in or out."""
        for position, counts in placed.items():
            for entity, count in counts.items():
                self.redactions.labels(entity, direction, position).inc(count)

    def count_tokens(self, backend: str, usage: Mapping[str, int | str]) -> None:
        """Count a turn's prompt and completion tokens."""
        for kind in ("prompt", "completion"):
            self.tokens.labels(backend, kind).inc(int(usage.get(f"{kind}_tokens", 0)))

    def count_cost(self, backend: str, cost: Cost) -> None:
        """Count what a turn cost."""
        self.cost.labels(backend, cost.currency).inc(float(cost.decimal))

    def circuit_state(self, backend: str, state: State) -> None:
        """Note a circuit breaker's state in this worker."""
        self.circuit.labels(backend).set(_CIRCUIT[state])

    def witness(self, name: str, state: str, size: int, cosigned: int) -> None:
        """How it stands with a witness; `cosigned` is in seconds since 1970, 0 for never."""
        self.witness_size.labels(name).set(size)
        self.witness_time.labels(name).set(cosigned)
        for each in _WITNESS_STATES:
            self.witness_state.labels(name, each).set(each == state)

    def exposition(self) -> bytes:
        """All workers' metrics in the Prometheus text format."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        merged = CollectorRegistry()
        MultiProcessCollector(merged)  # type: ignore[no-untyped-call]
        return generate_latest(merged)
