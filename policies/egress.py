"""What may leave this machine for which backend, and which backend steps in for another.

Decides from facts: role, backend, purpose, the conversation's classification, how many values were masked. Whether a
backend is remote, and what was masked, is for the runtime to say. Fails closed: a remote backend that the policy does
not name is not used, and a classification that it does not know counts as the highest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from policies.schema import BackendsSection, ClassificationSection, EgressSection, PolicyFile, RemoteSection

LAST_RESORT = "template"
"""The name of the fixed answer of the degraded mode, as a fallback."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote backend that may be used: by which roles, where its provider is, and for which purposes (None: any)."""

    roles: frozenset[str]
    jurisdiction: str | None = None
    purposes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Leaving:
    """A prompt that is about to leave for a remote backend.

    Attributes:
        classification: the conversation's, None where nobody gave one.
        masked: how many different values the prompt holds as tokens, by entity; those that go in clear included.
    """

    role: str
    backend: str
    purpose: str
    classification: str | None
    masked: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class EgressRule:
    """Forbids what fits all of its conditions; a condition that is None fits anything."""

    id: str
    backends: frozenset[str] | None
    roles: frozenset[str] | None
    purposes: frozenset[str] | None
    from_level: int | None
    entities: frozenset[str] | None
    masked_over: int | None

    def fits(self, leaving: Leaving, level: int) -> bool:
        """Whether this rule forbids it; `level` is the rank of its classification."""
        return (
            (self.backends is None or leaving.backend in self.backends)
            and (self.roles is None or leaving.role in self.roles)
            and (self.purposes is None or leaving.purpose in self.purposes)
            and (self.from_level is None or level >= self.from_level)
            and (self.masked_over is None or self._masked(leaving.masked) > self.masked_over)
        )

    def _masked(self, masked: Mapping[str, int]) -> int:
        return sum(count for entity, count in masked.items() if self.entities is None or entity in self.entities)


@dataclass(frozen=True, slots=True)
class Egress:
    """The sections `backends` and `classification`, ready to answer.

    Attributes:
        levels: the classifications, lowest first.
        default: the one of a conversation that nobody classified.
        fallbacks: for each backend, those that are asked in its stead, in order.
    """

    remotes: Mapping[str, Remote]
    rules: tuple[EgressRule, ...]
    levels: tuple[str, ...]
    default: str
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def rank(self, classification: str | None) -> int:
        """The place of a classification among the levels; an unknown one is as high as the highest."""
        name = self.default if classification is None else classification
        return self.levels.index(name) if name in self.levels else len(self.levels) - 1

    def forbidding(self, leaving: Leaving) -> tuple[str, ...]:
        """The ids of the rules that forbid it; `purpose` first where the backend is not for that purpose."""
        remote = self.remotes.get(leaving.backend)
        level = self.rank(leaving.classification)
        found = tuple(rule.id for rule in self.rules if rule.fits(leaving, level))
        if remote is None or (remote.purposes is not None and leaving.purpose not in remote.purposes):
            return ("purpose", *found)
        return found


def egress(backends: BackendsSection, classification: ClassificationSection) -> Egress:
    """Freeze the sections of the file."""
    levels = tuple(classification.levels)
    return Egress(
        remotes=MappingProxyType({name: _remote(given) for name, given in backends.remote.items()}),
        rules=tuple(_rule(rule, levels) for rule in backends.egress),
        levels=levels,
        default=classification.default,
        fallbacks=MappingProxyType({name: tuple(names) for name, names in backends.fallback.items()}),
    )


def roles_of(given: Sequence[str] | RemoteSection) -> list[str]:
    """The roles of a remote backend, in either of its two spellings."""
    return list(given.roles if isinstance(given, RemoteSection) else given)


def egress_faults(file: PolicyFile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(path, message) of everything in these sections that names something else, and names it wrongly."""
    backends, levels = file.backends, file.classification.levels
    if file.classification.default not in levels:
        yield ("classification", "default"), "the default is not one of classification.levels"
    if len(set(levels)) != len(levels):
        yield ("classification", "levels"), "a level stands there twice"
    for name, remote in backends.remote.items():
        if isinstance(remote, RemoteSection):
            for purpose in set(remote.purposes or ()) - set(file.legal.purposes):
                yield ("backends", "remote", name, "purposes"), f"{purpose!r} is not one of legal.purposes"
    ids = [rule.id for rule in backends.egress]
    for position, rule in enumerate(backends.egress):
        path = ("backends", "egress", position)
        if rule.id in ids[:position] or rule.id == "purpose":
            yield (*path, "id"), f"{rule.id!r} is taken"
        if rule.classified is not None and rule.classified not in levels:
            yield (*path, "classified"), f"{rule.classified!r} is not one of classification.levels"
        for name in set(rule.backends or ()) - set(backends.remote):
            yield (*path, "backends"), f"{name!r} is not one of backends.remote"
        for purpose in set(rule.purposes or ()) - set(file.legal.purposes):
            yield (*path, "purposes"), f"{purpose!r} is not one of legal.purposes"
        if rule.entities is not None and rule.masked_over is None:
            yield (*path, "entities"), "how many of them? masked_over is missing"
    for name, others in backends.fallback.items():
        if name in others or len(set(others)) != len(others):
            yield ("backends", "fallback", name), "each backend once, and not the one that failed"


def _remote(given: Sequence[str] | RemoteSection) -> Remote:
    if not isinstance(given, RemoteSection):
        return Remote(frozenset(given))
    purposes = None if given.purposes is None else frozenset(given.purposes)
    return Remote(frozenset(given.roles), given.jurisdiction, purposes)


def _rule(section: EgressSection, levels: tuple[str, ...]) -> EgressRule:
    def some(given: list[str] | None) -> frozenset[str] | None:
        return None if given is None else frozenset(given)

    known = section.classified in levels
    return EgressRule(
        id=section.id,
        backends=some(section.backends),
        roles=some(section.roles),
        purposes=some(section.purposes),
        from_level=levels.index(section.classified) if section.classified is not None and known else None,
        entities=some(section.entities),
        masked_over=section.masked_over,
    )
