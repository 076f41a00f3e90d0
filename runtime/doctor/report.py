"""What a check found: parts with evidence, and the outcome they add up to. Pure; the sentences are `words`'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["pass", "fail", "not_applicable"]
Fact = str | int | float


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that was looked at.

    Attributes:
        reason: a key of `words.EVIDENCE`, and of `words.ADVICE` where there is something to do.
        facts: what was found, for the sentence.
    """

    reason: str
    outcome: Outcome
    facts: dict[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered check of the list, by its code there (QW-01 … QW-10)."""

    code: str
    parts: tuple[Part, ...]

    @property
    def outcome(self) -> Outcome:
        """Fail when a part fails; pass when one passes and none fails."""
        found = {part.outcome for part in self.parts}
        return "fail" if "fail" in found else "pass" if "pass" in found else "not_applicable"


def passed(reason: str, **facts: Fact) -> Part:
    return Part(reason, "pass", facts)


def failed(reason: str, **facts: Fact) -> Part:
    return Part(reason, "fail", facts)


def not_applicable(reason: str, **facts: Fact) -> Part:
    return Part(reason, "not_applicable", facts)


def exit_code(checks: Sequence[Check]) -> int:
    """1 when a check fails, else 0."""
    return int(any(check.outcome == "fail" for check in checks))
