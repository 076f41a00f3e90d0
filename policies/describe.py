"""The policy in force as data: what `GET /policy` answers, so that a console can show it as tables.

From a bundle that has been checked; nothing is decided here. The same in lines of text is `policies.check`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any, Literal

from policies.actions import in_words
from policies.bundle import Bundle, Role
from policies.egress import EgressRule
from policies.masking import MaskingRules
from policies.model import ACTIONS
from policies.reasons import Language

Standing = Literal["allowed", "forbidden", "depends", "not_allowed"]


def standing(bundle: Bundle, role: Role, action: str) -> Standing:
    """How a role stands to an action: a `forbid` rule without a condition settles it, one with a condition may."""
    rules = [rule for rule in bundle.forbids if role.name in rule.roles and action in rule.actions]
    if any(not rule.when for rule in rules):
        return "forbidden"
    if action not in role.grants:
        return "not_allowed"
    return "depends" if rules else "allowed"


def policy_json(bundle: Bundle, language: Language = "en") -> dict[str, Any]:
    """The whole policy but for the parameters of its guards (what they look for is told to nobody who might evade it).

    Returns:
        `revision`, `roles` (with limits), `actions` (with how each role stands to it), `forbid`, `guards`, `masking`,
        `backends`, `egress`, `fallbacks`, `classification`, `retention` and `legal`.
    """
    roles = list(bundle.roles.values())
    egress = bundle.egress
    return {
        "revision": bundle.revision,
        "roles": [{"role": role.name, "limits": asdict(role.limits)} for role in roles],
        "actions": [
            {
                "action": action,
                "text": in_words(action, language),
                "roles": {role.name: standing(bundle, role, action) for role in roles},
            }
            for action in ACTIONS
        ],
        "forbid": [
            {"id": rule.id, "roles": sorted(rule.roles), "actions": sorted(rule.actions), "when": dict(rule.when)}
            for rule in bundle.forbids
        ],
        "guards": [{"name": guard.name, "directions": sorted(guard.directions)} for guard in bundle.guards],
        "masking": _masking(bundle.masking),
        "backends": {
            "local": sorted(bundle.local_roles),
            "remote": [
                {
                    "backend": name,
                    "roles": sorted(remote.roles),
                    "jurisdiction": remote.jurisdiction,
                    "purposes": _sorted(remote.purposes),
                }
                for name, remote in egress.remotes.items()
            ],
        },
        "egress": [_rule(rule, egress.levels) for rule in egress.rules],
        "fallbacks": {name: list(others) for name, others in egress.fallbacks.items()},
        "classification": {"levels": list(egress.levels), "default": egress.default},
        "retention": {"decision_record_days": bundle.decision_record_days},
        "legal": asdict(bundle.legal),
    }


def _masking(rules: MaskingRules) -> dict[str, Any]:
    return {
        "names": sorted(rules.names),
        "identifiers": sorted(rules.identifiers),
        "default": [
            {
                "direction": direction,
                "kind": kind,
                "identifiers": rules.for_identifiers[direction, kind],
                "names": rules.for_names[direction, kind],
            }
            for direction, kind in rules.for_names
        ],
        "overrides": [asdict(override) for override in rules.overrides],
    }


def _rule(rule: EgressRule, levels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id": rule.id,
        "backends": _sorted(rule.backends),
        "roles": _sorted(rule.roles),
        "purposes": _sorted(rule.purposes),
        "classified": None if rule.from_level is None else levels[rule.from_level],
        "entities": _sorted(rule.entities),
        "masked_over": rule.masked_over,
    }


def _sorted(values: Collection[str] | None) -> list[str] | None:
    return None if values is None else sorted(values)
