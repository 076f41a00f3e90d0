"""A circuit breaker: a backend that fails again and again is left alone for a while. Pure but for its clock.

closed      calls pass; `failures` failed ones in a row open it.
open        calls are refused without a word to the backend, until `seconds` have passed.
half_open   one call at a time is let through as a trial: `trials` good ones in a row close the circuit, so that a
            backend that comes and goes is not asked in between; a failed one opens it for as long again.

One circuit for each backend of a process, shared by all its turns. What counts as a failure is the caller's to say: a
refusal by a server that is well is none, and neither is a caller who leaves.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from runtime.backends.base import BackendError

State = Literal["closed", "half_open", "open"]

FAILURE_CODES = frozenset({"upstream.timeout", "upstream.unreachable", "upstream.unavailable", "upstream.bad_response"})
"""What speaks against a server's health; every other answer of it speaks for it."""
NEUTRAL_CODES = frozenset({"upstream.busy", "upstream.circuit_open", "upstream.model_unclear"})
"""What was never put to the server."""


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """After how many failures in a row, for how many seconds, and after how many good trials it is over."""

    failures: int = 5
    seconds: float = 30.0
    trials: int = 2


class Circuit:
    """The state for one backend.

    Args:
        clock: seconds, never going back.
        on_change: told each new state; metrics hang on it.
    """

    def __init__(
        self,
        policy: CircuitPolicy | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[State], object] = lambda _state: None,
    ) -> None:
        self._policy = policy or CircuitPolicy()
        self._clock = clock
        self._on_change = on_change
        self._failed = 0
        self._good = 0
        self._until: float | None = None
        self._trying = False
        self._said: State = "closed"
        on_change("closed")

    @property
    def state(self) -> State:
        """As it stands now; the passing of time alone makes open half-open."""
        now: State = "closed"
        if self._until is not None:
            now = "half_open" if self._clock() >= self._until else "open"
        if now != self._said:
            self._said = now
            self._on_change(now)
        return now

    def enter(self) -> None:
        """A call begins; `succeeded`, `failed` or `left` must follow.

        Raises:
            BackendError: `upstream.circuit_open`.
        """
        state = self.state
        if state == "half_open" and not self._trying:
            self._trying = True
        elif state != "closed":
            raise self._refusal()

    def demand(self) -> None:
        """Raise what `enter` would, without beginning anything.

        Raises:
            BackendError: `upstream.circuit_open`.
        """
        if self.state == "open":
            raise self._refusal()

    def succeeded(self) -> None:
        """The server is there and does its work."""
        self._good += self._trying
        if self._until is None or self._good >= self._policy.trials:
            self._failed, self._good, self._until = 0, 0, None
        self._trying = False
        self._tell()

    def failed(self) -> None:
        """It did not answer, or not as it should."""
        self._failed, self._good = self._failed + 1, 0
        if self._trying or self._failed >= self._policy.failures:
            self._until = self._clock() + self._policy.seconds
        self._trying = False
        self._tell()

    def left(self) -> None:
        """The call ended without saying anything about the server."""
        self._trying = False

    def settle(self, error: BaseException | None) -> None:
        """End a call by how it ended: None for an answer."""
        if error is None:
            self.succeeded()
        elif not isinstance(error, BackendError) or error.code in NEUTRAL_CODES:
            self.left()
        elif error.code in FAILURE_CODES:
            self.failed()
        else:
            self.succeeded()

    def _tell(self) -> None:
        _ = self.state

    def _refusal(self) -> BackendError:
        left = 1.0 if self._until is None else self._until - self._clock()
        return BackendError(
            "upstream.circuit_open",
            "the provider failed several times in a row and is left alone for a while",
            retry_after=max(1, math.ceil(left)),
        )
