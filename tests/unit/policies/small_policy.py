"""Where the shipped policy lies, and a small one that tests change key by key."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from policies.bundle import Bundle, bundle_from_bytes
from policies.model import Principal

SHIPPED = Path(__file__).parents[3] / "config" / "policies.yaml"

LIMITS = {
    "requests_per_minute": 10,
    "tokens_per_day": 1000,
    "concurrent_turns": 2,
    "max_messages": 3,
    "max_chars": 20,
    "max_output_tokens": 64,
}
SMALL: dict[str, Any] = {
    "version": 1,
    "roles": {
        "user": {"permissions": ["chat.create", "conversation.*"], "limits": LIMITS},
        "viewer": {"permissions": ["conversation.read"], "limits": {**LIMITS, "requests_per_minute": 5}},
    },
    "forbid": [{"id": "viewer-no-chat", "roles": ["viewer"], "actions": ["chat.create"]}],
    "guards": [
        {"name": "size", "directions": ["in"], "parameters": {"max_messages": 5, "max_chars": 100}},
        {
            "name": "words",
            "use": "blocked_patterns",
            "directions": ["in", "out"],
            "parameters": {"groups": [{"id": "forbidden-fruit", "phrases": ["forbidden fruit"]}]},
        },
    ],
    "masking": {
        "names": ["PERSON"],
        "identifiers": ["EMAIL_ADDRESS"],
        "default": {
            "identifiers": {"in": {"local": "mask", "remote": "mask"}, "out": {"local": "mask", "remote": "mask"}},
            "names": {"in": {"local": "allow", "remote": "mask"}, "out": {"local": "allow", "remote": "allow"}},
        },
        "overrides": [],
    },
    "backends": {"local": ["user"], "remote": {"vllm": ["user"]}},
    "retention": {"decision_record_days": 30},
    "legal": {
        "purpose": "assistance",
        "purposes": ["assistance", "drafting"],
        "basis": "consent",
        "risk_class": "limited",
        "notice_id": "notice-1",
        "automated_decision": False,
    },
}

Change = Callable[[dict[str, Any]], Any]


def small_bytes(change: Change | None = None) -> bytes:
    """The small policy as YAML, after `change` has edited it."""
    data = copy.deepcopy(SMALL)
    if change:
        change(data)
    return yaml.safe_dump(data, sort_keys=False).encode()


def small(change: Change | None = None) -> Bundle:
    return bundle_from_bytes(small_bytes(change))


def principal(role: str) -> Principal:
    return Principal(ref="p_0123456789abcdef", role=role, auth_method="api_key", name="Somebody")
