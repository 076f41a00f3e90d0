"""Which entity is masked towards which backend. Finding entities, and replacing them, is left to the redaction.

Fails closed: an entity that the policy does not name is an identifier, and a kind of backend that is not `local`
counts as remote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from policies.model import BackendKind, Direction, MaskAction
from policies.schema import MaskingOverrideSection, MaskingSection

ALWAYS_MASKED = "LITERAL"
"""The entity of texts that look like one of our own tokens: if one were not masked, it could be taken for a token."""

KINDS: tuple[BackendKind, ...] = ("local", "remote")
DIRECTIONS: tuple[Direction, ...] = ("in", "out")
Defaults = Mapping[tuple[Direction, BackendKind], MaskAction]


@dataclass(frozen=True, slots=True)
class MaskingOverride:
    """An exception for one entity; None stands for any."""

    entity: str
    direction: Direction | None
    kind: BackendKind | None
    backend: str | None
    action: MaskAction

    def fits(self, entity: str, kind: BackendKind, backend: str, direction: Direction) -> bool:
        """Whether this exception is about that case."""
        return (
            self.entity == entity
            and self.direction in {None, direction}
            and self.kind in {None, kind}
            and self.backend in {None, backend}
        )


@dataclass(frozen=True, slots=True)
class MaskingRules:
    """The masking section, ready to answer.

    Attributes:
        allow: exact texts, each with the entity that it is never masked as (None: any).
        deny: exact texts, each with the entity that it counts as.
        tools: patterns of tools' names, each with the entities that are restored for them (None: all).
    """

    names: frozenset[str]
    identifiers: frozenset[str]
    for_identifiers: Defaults
    for_names: Defaults
    overrides: tuple[MaskingOverride, ...]
    allow: tuple[tuple[str, str | None], ...] = ()
    deny: tuple[tuple[str, str], ...] = ()
    tools: tuple[tuple[str, frozenset[str] | None], ...] = ()

    def restores(self, tool: str, entity: str) -> bool:
        """Whether a tool of the caller's gets values of this entity; the first pattern that fits its name decides."""
        for pattern, entities in self.tools:
            if fnmatchcase(tool, pattern):
                return entities is None or entity in entities or entity == ALWAYS_MASKED
        return False

    def masks_everywhere(self, entity: str) -> bool:
        """Whether `entity` is in clear for no backend, in no direction."""
        backends = {override.backend for override in self.overrides} | {None}
        return all(
            self.action(entity, kind, backend or "*", direction) in {"mask", "block"}
            for kind in KINDS
            for direction in DIRECTIONS
            for backend in backends
        )

    def action(self, entity: str, kind: BackendKind, backend: str, direction: Direction) -> MaskAction:
        """What happens to `entity` on its way to (`in`) or from (`out`) that backend."""
        if entity == ALWAYS_MASKED:
            return "mask"
        for override in self.overrides:
            if override.fits(entity, kind, backend, direction):
                return override.action
        defaults = self.for_names if entity in self.names else self.for_identifiers
        return defaults[direction, "local" if kind == "local" else "remote"]


def masking_rules(section: MaskingSection) -> MaskingRules:
    """Freeze the section of the file."""
    return MaskingRules(
        names=frozenset(section.names),
        identifiers=frozenset(section.identifiers),
        for_identifiers=_defaults(section, "identifiers"),
        for_names=_defaults(section, "names"),
        overrides=tuple(_override(override) for override in section.overrides),
        allow=tuple((one, None) if isinstance(one, str) else (one.text, one.entity) for one in section.allow),
        deny=tuple((one.text, one.entity) for one in section.deny),
        tools=tuple((one.tool, None if one.restore == "all" else frozenset(one.restore)) for one in section.tools),
    )


def _defaults(section: MaskingSection, group: str) -> Defaults:
    directions = section.default.identifiers if group == "identifiers" else section.default.names
    return MappingProxyType(
        {
            ("in", "local"): directions.in_.local,
            ("in", "remote"): directions.in_.remote,
            ("out", "local"): directions.out.local,
            ("out", "remote"): directions.out.remote,
        }
    )


def _override(section: MaskingOverrideSection) -> MaskingOverride:
    return MaskingOverride(section.entity, section.direction, section.kind, section.backend, section.action)
