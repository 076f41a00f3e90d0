"""Refuses phrases that the policy blocks, under every disguise that `policies.text` undoes.

The phrases are the policy's: what they mean, and which harmless sentences contain them, is for its author to weigh.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field, field_validator, model_validator

from policies.guards.base import PASS, GuardParameters, Verdict
from policies.model import Direction, Passage
from policies.text.canonical import readings
from policies.text.phrases import PhraseBook, PhraseSet, compile_set

IDENTIFIER = r"[a-z0-9]+(-[a-z0-9]+)*"
MAX_IDENTIFIER = 36  # so that `guard.<name>.<id>` fits a record


class PatternGroup(GuardParameters):
    """Phrases that mean one thing."""

    id: str = Field(pattern=f"^{IDENTIFIER}$", max_length=MAX_IDENTIFIER, description="names the rule in records")
    phrases: list[str] = Field(min_length=1, max_length=200, description="what is refused")
    unless_after: list[str] = Field(
        default_factory=list, max_length=100, description="words after which a phrase is talked about, not said"
    )

    @model_validator(mode="after")
    def _phrases_compile(self) -> PatternGroup:
        self.compiled()
        return self

    def compiled(self) -> PhraseSet:
        """The group, ready to search."""
        return compile_set(self.id, self.phrases, self.unless_after)


class Parameters(GuardParameters):
    """The groups, each with its own identifier."""

    groups: list[PatternGroup] = Field(min_length=1, max_length=100, description="groups of phrases")

    @field_validator("groups")
    @classmethod
    def _identifiers_differ(cls, groups: list[PatternGroup]) -> list[PatternGroup]:
        names = [group.id for group in groups]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two groups are called {', '.join(doubled)}")
        return groups


@dataclass(frozen=True, slots=True)
class BlockedPatternsGuard:
    """Searches each passage in all its readings, and the whole request read in one go."""

    name: str
    directions: frozenset[Direction]
    phrases: PhraseBook

    def check(self, passages: Sequence[Passage]) -> Verdict:
        read = [readings(passage.text) for passage in passages]
        texts = [text for reading in read for text in reading]
        if len(passages) > 1:  # a phrase may be cut in two messages
            texts.append(" ".join(reading[0] for reading in read))
        matched = tuple(f"guard.{self.name}.{found}" for found in self.phrases.found_in(texts))
        return Verdict(("guard.blocked_pattern",), matched) if matched else PASS


def build(name: str, directions: frozenset[Direction], parameters: Parameters) -> BlockedPatternsGuard:
    """Make the guard."""
    return BlockedPatternsGuard(name, directions, PhraseBook([group.compiled() for group in parameters.groups]))
