"""Whatever a record of a turn can give as a reason has a sentence of its own, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policies.reasons import REASONS
from runtime.reason_words import reason_text, summary

ROOT = Path(__file__).parents[3]
LISTED = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", (ROOT / "docs" / "errors.md").read_text("utf-8"), re.MULTILINE)
# Of these families every code can end in a record; of the others those that come after the turn is known.
FAMILIES = {
    "policy",
    "guard",
    "limit",
    "budget",
    "evidence",
    "storage",
    "pii",
    "upstream",
    "agent",
    "client",
    "server",
    "internal",
}
ALSO = [
    *("request.backend_unknown", "request.model_unknown", "request.purpose_unknown", "request.classification_unknown"),
    *("request.thinking_unsupported", "request.greedy_refused", "request.schema_unsupported", "auth.invalid"),
    *("conversation.not_found", "idempotency.in_progress", "idempotency.mismatch", "turn.interrupted", "content.lost"),
]
CODES = sorted({*REASONS, *ALSO, *(code for code in LISTED if code.partition(".")[0] in FAMILIES)})


def test_the_list_is_not_empty() -> None:
    assert {"agent.not_json", "budget.exhausted", "upstream.circuit_open", "policy.egress_forbidden"} <= set(CODES)
    assert set(ALSO) <= set(LISTED)


@pytest.mark.parametrize("code", CODES)
def test_it_has_a_sentence(code: str) -> None:
    english, french = reason_text(code, "en"), reason_text(code, "fr")
    assert len({code, english, french}) == 3
    assert english.endswith(".")
    assert french.endswith(".")


def test_no_two_reasons_share_a_sentence() -> None:
    said = [reason_text(code, "en") for code in CODES]
    assert len(set(said)) == len(said)


def test_a_code_of_a_later_version_stands_as_it_is() -> None:
    assert reason_text("later.thing", "fr") == "later.thing"
    assert summary({"decision": "deny", "reasons": ["later.thing"]}, "en") == "The request was refused. later.thing"
