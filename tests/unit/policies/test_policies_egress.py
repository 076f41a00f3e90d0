"""What may leave for a remote backend: purposes, classifications, and how much was masked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_policy import SHIPPED, small

from policies.bundle import Bundle, load_bundle
from policies.egress import Leaving
from policies.engine import PolicyEngine
from policies.model import Effect

RULES: list[dict[str, Any]] = [
    {"id": "high-stays", "classified": "high"},
    {"id": "not-for-viewers", "roles": ["viewer"]},
    {"id": "few-values", "backends": ["perplexity"], "masked_over": 3},
    {"id": "no-health", "entities": ["CA_RAMQ", "HEALTH_CARD"], "masked_over": 0},
    {"id": "drafts-stay", "purposes": ["drafting"], "backends": ["vllm"], "classified": "middle"},
]


def bundle() -> Bundle:
    def change(data: dict[str, Any]) -> None:
        data["backends"] = {
            "local": ["user"],
            "remote": {"vllm": ["user"], "perplexity": {"roles": ["user"], "purposes": ["assistance"]}},
            "egress": RULES,
        }
        data["classification"] = {"levels": ["low", "middle", "high"], "default": "low"}

    return small(change)


def leaving(**facts: Any) -> Leaving:
    return Leaving(
        **{"role": "user", "backend": "vllm", "purpose": "assistance", "classification": None, "masked": {}, **facts}
    )


@pytest.mark.parametrize(
    ("facts", "rules"),
    [
        ({}, ()),
        ({"classification": "low"}, ()),
        ({"classification": "middle"}, ()),
        ({"classification": "high"}, ("egress.high-stays",)),
        ({"classification": "removed-from-policy"}, ("egress.high-stays",)),
        ({"role": "viewer"}, ("egress.not-for-viewers",)),
        ({"masked": {"PERSON": 9}}, ()),
        ({"backend": "perplexity", "masked": {"PERSON": 3}}, ()),
        ({"backend": "perplexity", "masked": {"PERSON": 2, "EMAIL_ADDRESS": 2}}, ("egress.few-values",)),
        ({"masked": {"CA_RAMQ": 1}}, ("egress.no-health",)),
        ({"purpose": "drafting"}, ()),
        ({"purpose": "drafting", "classification": "middle"}, ("egress.drafts-stay",)),
        ({"backend": "perplexity", "purpose": "drafting"}, ("egress.purpose",)),
        ({"backend": "unnamed"}, ("egress.purpose",)),
        ({"classification": "high", "role": "viewer"}, ("egress.high-stays", "egress.not-for-viewers")),
    ],
)
def test_rules(facts: dict[str, Any], rules: tuple[str, ...]) -> None:
    decision = PolicyEngine(bundle()).may_leave(leaving(**facts))
    if rules:
        assert (decision.effect, decision.rules, decision.reasons) == (Effect.DENY, rules, ("policy.egress_forbidden",))
    else:
        assert (decision.effect, decision.reasons) == (Effect.ALLOW, ())


@given(
    st.sampled_from(["low", "middle", "high", "?", None]),
    st.dictionaries(st.sampled_from(["PERSON", "CA_RAMQ", "DATE"]), st.integers(0, 5)),
    st.sampled_from(["user", "viewer"]),
    st.sampled_from(["vllm", "perplexity", "x"]),
)
def test_more_to_hide_never_opens_a_way(level: str | None, masked: dict[str, int], role: str, backend: str) -> None:
    engine = PolicyEngine(bundle())
    before = leaving(classification=level, masked=masked, role=role, backend=backend)
    more = leaving(classification="high", masked={**masked, "CA_RAMQ": 9}, role=role, backend=backend)
    assert engine.may_leave(before).allowed or not engine.may_leave(more).allowed


def test_a_fault_refuses() -> None:
    assert not PolicyEngine(bundle()).may_leave(leaving(masked=None)).allowed


def test_a_policy_without_these_sections_lets_its_remotes_be_used() -> None:
    engine = PolicyEngine(small())
    assert engine.may_leave(leaving(masked={"PERSON": 50})).allowed
    assert engine.egress.levels == ("internal",)


def test_the_shipped_policy_keeps_what_is_restricted() -> None:
    engine = PolicyEngine(load_bundle(SHIPPED))
    for backend in engine.egress.remotes:
        assert engine.may_leave(leaving(backend=backend)).allowed
        assert not engine.may_leave(leaving(backend=backend, classification="restricted")).allowed
    assert engine.egress.remotes["perplexity"].jurisdiction == "US"
