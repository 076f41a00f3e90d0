"""Refuses what no message needs: too much of it, control characters, and broken Unicode.

Stands first: the other guards read in linear time, but need not read five megabytes. The limits of a role are the
engine's (`PolicyEngine.fits`); these are the limits for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from policies.guards.base import PASS, GuardParameters, Verdict
from policies.model import Direction, Passage

# Everything of Unicode's category Cc except tab and what ends a line or a page: texts from PDF files hold those.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Parameters(GuardParameters):
    """Upper bounds, whoever asks."""

    max_messages: int = Field(ge=1, le=10_000, description="messages in one request")
    max_chars: int = Field(ge=1, le=2_000_000, description="characters over all messages of one request")


@dataclass(frozen=True, slots=True)
class SizeGuard:
    """Counts messages and characters, and looks for characters that may not be there."""

    name: str
    directions: frozenset[Direction]
    max_messages: int
    max_chars: int

    def check(self, passages: Sequence[Passage]) -> Verdict:
        if len(passages) > self.max_messages:
            return self._refuse("too_many_messages")
        if sum(len(passage.text) for passage in passages) > self.max_chars:
            return self._refuse("too_long")
        if any(_SURROGATE.search(passage.text) for passage in passages):
            return self._refuse("lone_surrogate")
        if any(_CONTROL.search(passage.text) for passage in passages):
            return self._refuse("control_character")
        return PASS

    def _refuse(self, what: str) -> Verdict:
        return Verdict((f"guard.{what}",), (f"guard.{self.name}.{what}",))


def build(name: str, directions: frozenset[Direction], parameters: Parameters) -> SizeGuard:
    """Make the guard."""
    return SizeGuard(name, directions, parameters.max_messages, parameters.max_chars)
