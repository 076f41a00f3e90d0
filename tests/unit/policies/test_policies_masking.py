"""Which entity is masked where."""

from __future__ import annotations

from typing import Any

import pytest
from small_policy import small

from policies.engine import PolicyEngine

LISTED = {
    "allow": ["info@example.org", {"text": "Jean Talon", "entity": "PERSON"}],
    "deny": [{"text": "Project Falcon", "entity": "CODE_NAME"}],
}

IDENTIFIERS = (
    "EMAIL_ADDRESS", "PHONE_NUMBER", "CA_SIN", "CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS", "US_SSN", "CA_RAMQ",
    "CA_POSTAL_CODE", "CRYPTO", "URL_CREDENTIALS", "SECRET", "FR_NIR", "MAC_ADDRESS",
)  # fmt: skip
NAMES = ("PERSON", "LOCATION")
WAYS: tuple[tuple[Any, Any], ...] = (("local", "in"), ("local", "out"), ("remote", "in"), ("remote", "out"))


@pytest.mark.parametrize("entity", [*IDENTIFIERS, "NOT_IN_ANY_LIST", "", "person", "LITERAL"])
def test_identifiers_and_whatever_is_unknown_are_masked_everywhere(engine: PolicyEngine, entity: str) -> None:
    assert {engine.masking(entity, kind, "any", direction) for kind, direction in WAYS} == {"mask"}


@pytest.mark.parametrize("entity", NAMES)
def test_names_are_masked_towards_remote_backends_only(engine: PolicyEngine, entity: str) -> None:
    actions = {(kind, direction): engine.masking(entity, kind, "any", direction) for kind, direction in WAYS}
    assert actions == {
        ("local", "in"): "allow",
        ("local", "out"): "allow",
        ("remote", "in"): "mask",
        ("remote", "out"): "allow",
    }


def test_an_unknown_kind_counts_as_remote(engine: PolicyEngine) -> None:
    kind: Any = "orbital"
    assert engine.masking("PERSON", kind, "any", "in") == "mask"


OVERRIDES: list[dict[str, Any]] = [
    {"entity": "SECRET", "direction": "in", "kind": "remote", "action": "block"},
    {"entity": "PERSON", "backend": "vllm", "direction": "in", "action": "allow"},
    {"entity": "PERSON", "kind": "local", "direction": "in", "action": "mask"},
    {"entity": "DATE", "action": "count"},
    {"entity": "DATE", "kind": "remote", "action": "block"},  # never reached: the one before fits everything
]

OVERRIDDEN = [
    ("SECRET", "remote", "vllm", "in", "block"),
    ("SECRET", "remote", "vllm", "out", "mask"),
    ("SECRET", "local", "llama.cpp", "in", "mask"),
    ("PERSON", "remote", "vllm", "in", "allow"),
    ("PERSON", "remote", "perplexity", "in", "mask"),
    ("PERSON", "remote", "*", "in", "mask"),
    ("PERSON", "local", "llama.cpp", "in", "mask"),
    ("PERSON", "local", "vllm", "in", "allow"),
    ("PERSON", "remote", "vllm", "out", "allow"),
    ("DATE", "local", "llama.cpp", "in", "count"),
    ("DATE", "remote", "perplexity", "out", "count"),
    ("LITERAL", "remote", "vllm", "in", "mask"),
]


@pytest.mark.parametrize(("entity", "kind", "backend", "direction", "action"), OVERRIDDEN)
def test_the_first_override_that_fits_wins(entity: str, kind: Any, backend: str, direction: Any, action: str) -> None:
    engine = PolicyEngine(small(lambda data: data["masking"]["overrides"].extend(OVERRIDES)))
    assert engine.masking(entity, kind, backend, direction) == action


def test_listed_texts_are_handed_on() -> None:
    def change(data: dict[str, Any]) -> None:
        data["masking"].update(LISTED)

    rules = small(change).masking
    assert rules.allow == (("info@example.org", None), ("Jean Talon", "PERSON"))
    assert rules.deny == (("Project Falcon", "CODE_NAME"),)
    assert (small().masking.allow, small().masking.deny) == ((), ())


def test_what_is_masked_everywhere() -> None:
    def change(data: dict[str, Any]) -> None:
        data["masking"]["overrides"] = [
            {"entity": "SHOWN", "backend": "vllm", "direction": "out", "action": "count"},
            {"entity": "BLOCKED", "action": "block"},
            {"entity": "GROUP", "action": "mask"},
        ]

    rules = small(change).masking
    assert not rules.masks_everywhere("SHOWN")
    assert all(map(rules.masks_everywhere, ("BLOCKED", "GROUP", "CODE_NAME", "LITERAL")))
    assert not small().masking.masks_everywhere("PERSON")
