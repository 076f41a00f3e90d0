"""The policy in force: config/policies.yaml, read once, checked whole, and frozen.

`load_bundle` is the only I/O of this package. It refuses the file rather than guess, and says where and why: a process
without a policy does not start. What the rules decide is in `policies.engine`.
"""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from policies.document import Document, DocumentPath, parse
from policies.egress import Egress, egress, egress_faults, roles_of
from policies.guards.base import Guard, kind
from policies.masking import ALWAYS_MASKED, MaskingRules, masking_rules
from policies.model import ACTIONS, Limits, PolicyFault
from policies.schema import PolicyFile

MAX_BYTES = 1 << 20

_NAMES_OUT = "answers are read for identifiers, not for names: this could not be kept"
_AREAS = frozenset(action.partition(".")[0] for action in ACTIONS)


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its limits, and for each action it may do the permission that says so."""

    name: str
    grants: Mapping[str, str]
    limits: Limits


@dataclass(frozen=True, slots=True)
class Forbid:
    """A rule that overrides every permission for these roles and actions, where `when` holds for the resource."""

    id: str
    roles: frozenset[str]
    actions: frozenset[str]
    when: Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Legal:
    """What records say about the processing, and the purposes that a caller may name instead of the default."""

    purpose: str
    purposes: tuple[str, ...]
    basis: str
    risk_class: str
    notice_id: str
    automated_decision: bool


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked policy.

    Attributes:
        revision: `sha256:` and the hex digest of the file's bytes; what records name.
        forbids, guards: in the order of the file.
        local_roles: roles that may use backends on this machine.
        egress: which remote backends may be used at all, by whom and what for, and who steps in for whom.
        keep_reasoning: whether what a model says to itself is stored and shown to the caller, masked and guarded.
        decision_record_days: how long a decision record is kept unless law or a hold says longer.
    """

    version: int
    revision: str
    roles: Mapping[str, Role]
    forbids: tuple[Forbid, ...]
    guards: tuple[Guard, ...]
    masking: MaskingRules
    local_roles: frozenset[str]
    egress: Egress
    decision_record_days: int
    legal: Legal
    keep_reasoning: bool = False

    def limits_for(self, role: str) -> Limits:
        """The limits of `role`.

        Raises:
            PolicyFault: there is no such role.
        """
        if role not in self.roles:
            raise PolicyFault("the policy has no such role")
        return self.roles[role].limits


def load_bundle(path: Path) -> Bundle:
    """Read and check the policy file.

    Raises:
        PolicyFault: it is missing or wrong; the message has a line for each finding, with file, line and key.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PolicyFault(f"no policy: {path} cannot be read ({error.strerror})") from error
    return bundle_from_bytes(raw, path.name)


def bundle_from_bytes(raw: bytes, name: str = "policies.yaml") -> Bundle:
    """What `load_bundle` does once it has the bytes; `name` is what messages call the file.

    Raises:
        PolicyFault: as `load_bundle`.
    """
    if len(raw) > MAX_BYTES:
        raise PolicyFault(f"{name}: larger than {MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PolicyFault(f"{name}: not UTF-8 at byte {error.start}") from error
    document = parse(text, name)
    if not isinstance(document.data, dict):
        raise PolicyFault(f"{name}: no policy in it: a mapping of sections is expected")
    try:
        file = PolicyFile.model_validate(document.data)
    except ValidationError as error:
        raise PolicyFault("\n".join(_explained(error, document))) from error
    guards, faults = _guards(file, document)
    faults += _references(file, document)
    if faults:
        raise PolicyFault("\n".join(faults))
    legal = file.legal
    return Bundle(
        version=file.version,
        revision="sha256:" + hashlib.sha256(raw).hexdigest(),
        roles=MappingProxyType(
            {
                role: Role(
                    role,
                    MappingProxyType({action: given for given in section.permissions for action in covered(given)}),
                    Limits(**section.limits.model_dump()),
                )
                for role, section in file.roles.items()
            }
        ),
        forbids=tuple(
            Forbid(
                rule.id,
                frozenset(rule.roles),
                frozenset(action for given in rule.actions for action in covered(given)),
                MappingProxyType(dict(rule.when)),
            )
            for rule in file.forbid
        ),
        guards=guards,
        masking=masking_rules(file.masking),
        local_roles=frozenset(file.backends.local),
        egress=egress(file.backends, file.classification),
        decision_record_days=file.retention.decision_record_days,
        legal=Legal(
            legal.purpose,
            tuple(legal.purposes),
            legal.basis,
            legal.risk_class,
            legal.notice_id,
            legal.automated_decision,
        ),
        keep_reasoning=file.keep_reasoning,
    )


def covered(permission: str) -> tuple[str, ...]:
    """The actions that `permission` names: itself, or for `area.*` all of the area; none if it is unknown."""
    area, _, rest = permission.partition(".")
    if rest == "*" and area in _AREAS:
        return tuple(action for action in ACTIONS if action.startswith(area + "."))
    return (permission,) if permission in ACTIONS else ()


def _guards(file: PolicyFile, document: Document) -> tuple[tuple[Guard, ...], list[str]]:
    """Build the guards of the file in order, collecting what is wrong with them."""
    guards: dict[str, Guard] = {}
    faults: list[str] = []
    for position, section in enumerate(file.guards):
        path: DocumentPath = ("guards", position)
        try:
            module = kind(section.use or section.name)
            parameters = module.Parameters.model_validate(section.parameters)
            guard = module.build(section.name, frozenset(section.directions), parameters)
        except ValidationError as error:
            faults += _explained(error, document, (*path, "parameters"))
            continue
        except PolicyFault as error:
            faults.append(document.complain((*path, "use" if section.use else "name"), str(error)))
            continue
        if section.name in guards:
            faults.append(document.complain((*path, "name"), f"a second guard is called {section.name!r}"))
        guards[section.name] = guard
    return tuple(guards.values()), faults


def _references(file: PolicyFile, document: Document) -> list[str]:
    """Everything in the file that names something else, and names it wrongly."""
    faults: list[str] = []

    def permissions(path: DocumentPath, given: Sequence[str]) -> None:
        known = [*ACTIONS, *(f"{area}.*" for area in sorted(_AREAS))]
        for position, permission in enumerate(given):
            if not covered(permission):
                near = difflib.get_close_matches(permission, known, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                faults.append(document.complain((*path, position), f"unknown permission {permission!r}{hint}"))
        _no_doubles(path, given)

    def roles(path: DocumentPath, given: Sequence[str]) -> None:
        for position, role in enumerate(given):
            if role not in file.roles:
                faults.append(document.complain((*path, position), f"unknown role {role!r}"))
        _no_doubles(path, given)

    def _no_doubles(path: DocumentPath, given: Iterable[str]) -> None:
        faults.extend(document.complain(path, f"{word!r} stands there twice") for word in doubled(given))

    for name, section in file.roles.items():
        permissions(("roles", name, "permissions"), section.permissions)
    for position, rule in enumerate(file.forbid):
        roles(("forbid", position, "roles"), rule.roles)
        permissions(("forbid", position, "actions"), rule.actions)
    _no_doubles(("forbid",), [rule.id for rule in file.forbid])
    roles(("backends", "local"), file.backends.local)
    for name, allowed in file.backends.remote.items():
        roles(("backends", "remote", name), roles_of(allowed))
    faults += [document.complain(path, message) for path, message in egress_faults(file)]
    for position, refusing in enumerate(file.backends.egress):
        roles(("backends", "egress", position, "roles"), refusing.roles or [])
    _no_doubles(("masking",), [*file.masking.names, *file.masking.identifiers])
    for position, override in enumerate(file.masking.overrides):
        if override.entity == "LITERAL":
            path = ("masking", "overrides", position, "entity")
            faults.append(document.complain(path, "LITERAL keeps typed look-alikes of our tokens inert: always masked"))
        if override.entity in file.masking.names and override.direction != "in" and override.action != "allow":
            path = ("masking", "overrides", position, "direction")
            faults.append(document.complain(path, _NAMES_OUT + "; give `direction: in`"))
    for kind_of_backend, action in file.masking.default.names.out:
        if action != "allow":
            faults.append(document.complain(("masking", "default", "names", "out", kind_of_backend), _NAMES_OUT))
    faults += _listed(file, document)
    if file.legal.purpose not in file.legal.purposes:
        faults.append(document.complain(("legal", "purpose"), "the default is not one of legal.purposes"))
    return faults


def _listed(file: PolicyFile, document: Document) -> list[str]:
    """What is wrong with the texts that are never or always masked."""
    faults: list[str] = []
    rules = masking_rules(file.masking)
    for position, (_, entity) in enumerate(rules.deny):
        path: DocumentPath = ("masking", "deny", position, "entity")
        if entity == ALWAYS_MASKED:
            faults.append(
                document.complain(path, "LITERAL is for typed look-alikes of our tokens: take another entity")
            )
        elif not rules.masks_everywhere(entity):
            faults.append(
                document.complain(path, f"{entity} is not masked everywhere: a denied text needs an entity that is")
            )
    denied = {text.casefold() for text, _ in rules.deny}
    for position, (text, kept) in enumerate(rules.allow):
        if text.casefold() in denied:
            faults.append(document.complain(("masking", "allow", position), "the same text is denied, too"))
        if kept == ALWAYS_MASKED:
            faults.append(document.complain(("masking", "allow", position, "entity"), "LITERAL is always masked"))
    for key, texts in (("allow", rules.allow), ("deny", rules.deny)):
        twice = doubled(f"{text.casefold()}/{entity}" for text, entity in texts)
        faults.extend(document.complain(("masking", key), f"{one!r} stands there twice") for one in twice)
    return faults


def doubled(words: Iterable[str]) -> list[str]:
    """The words that stand there more than once, each once, sorted."""
    return sorted(word for word, times in Counter(words).items() if times > 1)


def _explained(error: ValidationError, document: Document, base: DocumentPath = ()) -> list[str]:
    """One line for each finding of pydantic's, with our paths and words."""
    lines = []
    for finding in error.errors(include_url=False, include_input=False):
        path: DocumentPath = (*base, *finding["loc"])
        while finding["type"] != "missing" and path not in document.lines:  # pydantic's own marks, such as a type
            path = path[:-1]
        lines.append(document.complain(path, _words(finding["type"], finding["msg"], path)))
    return lines


def _words(kind_of_error: str, message: str, path: DocumentPath) -> str:
    key: Any = path[-1] if path else "the file"
    if kind_of_error == "extra_forbidden":
        return f"unknown key {key!r}"
    if kind_of_error == "missing":
        return f"the key {key!r} is missing"
    if kind_of_error == "too_short" and key == "permissions":
        return "a role without permissions"
    return message.removeprefix("Value error, ")
