"""Decides. Default deny, forbid overrides, and an error is a refusal.

The order of a question of access, as `authorize` does it:

1. an action or role that the policy does not know: deny;
2. forbid rules: any one that fits denies, whatever the permissions say. A condition on a fact that was not given fits;
3. permissions: the role's own; the decision names the one that granted it;
4. nothing granted it: deny.

Texts are read by the guards in the order of the policy; the first that refuses ends it, so that a text that is too
long is not read any further. Pure: no I/O, no clock, no state; counting against limits is the runtime's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from policies.bundle import Bundle, Forbid, Legal
from policies.egress import Egress, Leaving
from policies.guards.base import Guard, GuardRegistry, Verdict
from policies.model import (
    ACTIONS,
    BackendKind,
    Decision,
    Direction,
    Effect,
    Limits,
    MaskAction,
    Passage,
    Principal,
    Query,
)
from policies.reasons import REASONS

DEFAULT_DENY = "default.deny"
_MAX_RULES = 32  # what a record accepts, as is the form of a rule
_RULE = re.compile(r"[a-z][a-z0-9_.*-]{0,63}")


class PolicyEngine:
    """Answers questions under one bundle. Safe to share between threads and turns."""

    def __init__(self, bundle: Bundle, guards: Sequence[Guard] | None = None) -> None:
        """Take the bundle's guards, or `guards` in their stead.

        Raises:
            PolicyFault: two guards have the same name.
        """
        self._bundle = bundle
        self._guards = GuardRegistry(bundle.guards if guards is None else guards)

    @property
    def revision(self) -> str:
        """The revision of the policy in force, as records name it."""
        return self._bundle.revision

    @property
    def bundle(self) -> Bundle:
        """The policy in force, for whoever shows it."""
        return self._bundle

    @property
    def legal(self) -> Legal:
        """What records say about why personal data is processed."""
        return self._bundle.legal

    @property
    def decision_record_days(self) -> int:
        """How many days a decision record is kept, from its own time on (`legal.retain_until`)."""
        return self._bundle.decision_record_days

    @property
    def keep_reasoning(self) -> bool:
        """Whether a model's reasoning is stored and shown, masked and guarded; else only that there was some."""
        return self._bundle.keep_reasoning

    def authorize(self, query: Query) -> Decision:
        """May this principal do this? Steps 1 to 4 of the module's text."""
        try:
            return self._authorize(query)
        except Exception:
            return _deny("policy.error")

    def _authorize(self, query: Query) -> Decision:
        if query.action not in ACTIONS:
            return _deny("policy.unknown_action")
        role = self._bundle.roles.get(query.principal.role)
        if role is None:
            return _deny("policy.unknown_role")
        forbidding = [rule.id for rule in self._bundle.forbids if _fits(rule, query)]
        if forbidding:
            return _deny("policy.forbidden", *(f"forbid.{rule}" for rule in forbidding))
        if query.action not in role.grants:
            return _deny("policy.role_lacks_permission")
        return Decision(Effect.ALLOW, (f"role.{role.name}.{role.grants[query.action]}",), ())

    def may_use_backend(self, principal: Principal, backend: str, kind: BackendKind) -> Decision:
        """May this principal's texts go to that backend? A remote one must be listed by name."""
        try:
            if principal.role not in self._bundle.roles:
                return _deny("policy.unknown_role")
            if kind == "local":
                roles, rule = self._bundle.local_roles, f"backend.local.{principal.role}"
            else:
                remote = self._bundle.egress.remotes.get(backend)
                roles = frozenset() if remote is None else remote.roles
                rule = f"backend.remote.{backend}.{principal.role}"
            if principal.role in roles:
                return Decision(Effect.ALLOW, (rule,), ())
            return _deny("policy.backend_not_allowed")
        except Exception:
            return _deny("policy.error")

    def may_leave(self, leaving: Leaving) -> Decision:
        """May this prompt, with what is masked in it, go to that remote backend?"""
        try:
            forbidding = self._bundle.egress.forbidding(leaving)
            if forbidding:
                return _deny("policy.egress_forbidden", *(f"egress.{rule}" for rule in forbidding))
            return Decision(Effect.ALLOW, (f"egress.{leaving.backend}",), ())
        except Exception:
            return _deny("policy.error")

    @property
    def egress(self) -> Egress:
        """Where remote backends are, how conversations are classified, and who steps in for whom."""
        return self._bundle.egress

    def fits(self, principal: Principal, passages: Sequence[Passage]) -> Decision:
        """Is this request within what the principal's role may send at once (messages, characters)?"""
        try:
            role = self._bundle.roles.get(principal.role)
            if role is None:
                return _deny("policy.unknown_role")
            if len(passages) > role.limits.max_messages:
                return _deny("policy.too_many_messages", f"limit.{role.name}.max_messages")
            if sum(len(passage.text) for passage in passages) > role.limits.max_chars:
                return _deny("policy.too_many_characters", f"limit.{role.name}.max_chars")
            return Decision(Effect.ALLOW, (f"limit.{role.name}",), ())
        except Exception:
            return _deny("policy.error")

    def screen(self, direction: Direction, passages: Sequence[Passage]) -> Decision:
        """May these texts pass? Asks the guards of that direction in order, until one refuses."""
        asked: list[str] = []
        for guard in self._guards:
            rule = "guard"
            try:
                rule = f"guard.{guard.name}"
                if direction not in guard.directions:
                    continue
                verdict = guard.check(passages)
                if not verdict.passes:
                    return _refusal(verdict, rule)
            except Exception:
                return _deny("guard.error", rule)
            asked.append(rule)
        return Decision(Effect.ALLOW, tuple(asked), ())

    def limits(self, principal: Principal) -> Limits:
        """What the principal's role may use.

        Raises:
            PolicyFault: the policy has no such role.
        """
        return self._bundle.limits_for(principal.role)

    def restores(self, tool: str, entity: str) -> bool:
        """Whether a tool that the caller runs gets values of `entity`; tokens otherwise."""
        return self._bundle.masking.restores(tool, entity)

    def masking(self, entity: str, backend_kind: BackendKind, backend: str, direction: Direction) -> MaskAction:
        """What happens to `entity` on its way to (`in`) or from (`out`) that backend."""
        return self._bundle.masking.action(entity, backend_kind, backend, direction)


def _refusal(verdict: Verdict, rule: str) -> Decision:
    """The guard's own words as a decision, if they are codes; what is not could be a text, and stays here."""
    sound = all(reason in REASONS for reason in verdict.reasons) and all(
        known == rule or (known.startswith(f"{rule}.") and _RULE.fullmatch(known)) for known in verdict.rules
    )
    if not sound:
        return _deny("guard.error", rule)
    return Decision(Effect.DENY, (verdict.rules or (rule,))[:_MAX_RULES], verdict.reasons)


def _deny(reason: str, *rules: str) -> Decision:
    return Decision(Effect.DENY, (rules or (DEFAULT_DENY,))[:_MAX_RULES], (reason,))


def _fits(rule: Forbid, query: Query) -> bool:
    return (
        query.principal.role in rule.roles
        and query.action in rule.actions
        and all(_may_equal(query.resource, key, wanted) for key, wanted in rule.when.items())
    )


def _may_equal(resource: Mapping[str, str | int | bool], key: str, wanted: str | int | bool) -> bool:
    """Whether the fact is the wanted one, or unknown, or of a kind that cannot be compared (True is not 1)."""
    if key not in resource or type(resource[key]) is not type(wanted):
        return True
    return resource[key] == wanted
