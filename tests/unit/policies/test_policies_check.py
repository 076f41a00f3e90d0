"""The policy in words."""

from __future__ import annotations

import pytest
from small_policy import principal, small

from policies.bundle import Bundle
from policies.check import describe, explain
from policies.engine import PolicyEngine
from policies.model import ACTIONS, Decision, Effect, Query
from policies.reasons import REASONS, Language, sentence


def cells(text: str) -> dict[tuple[str, str], str]:
    """The table of permissions: (role, action) -> sign."""
    lines = text.splitlines()
    head = next(line for line in lines if line.startswith("action "))
    roles = head.split()[1:]
    rows = [line.split() for line in lines if line.split() and line.split()[0] in ACTIONS]
    return {(role, row[0]): sign for row in rows for role, sign in zip(roles, row[1:], strict=True)}


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_table_says_what_the_engine_decides(shipped: Bundle, lang: Language) -> None:
    engine = PolicyEngine(shipped)
    table = cells(describe(shipped, lang))
    assert len(table) == len(ACTIONS) * len(shipped.roles)
    for (role, action), sign in table.items():
        decision = engine.authorize(Query(principal(role), action, {}))
        assert decision.allowed is (sign == "x")
        assert (decision.reasons == ("policy.forbidden",)) is (sign == "!")


def test_a_rule_with_a_condition_is_shown_as_depending() -> None:
    rule = {"id": "others", "roles": ["user"], "actions": ["conversation.*", "turn.read"], "when": {"own": False}}
    table = cells(describe(small(lambda data: data["forbid"].append(rule))))
    assert table["user", "conversation.read"] == "?"
    assert table["user", "turn.read"] == "."
    assert table["viewer", "conversation.read"] == "x"


def test_everything_else_is_described() -> None:
    def change(data: dict[str, object]) -> None:
        masking = data["masking"]
        assert isinstance(masking, dict)
        masking["overrides"] = [
            {"entity": "SECRET", "direction": "in", "backend": "vllm", "action": "block"},
            {"entity": "DATE", "action": "count"},
        ]
        masking["allow"] = ["info@example.org", {"text": "Jean Talon", "entity": "PERSON"}]
        masking["deny"] = [{"text": "Project Falcon", "entity": "CODE_NAME"}]
        masking["tools"] = [
            {"tool": "find_*", "restore": []},
            {"tool": "mail", "restore": ["PERSON"]},
            {"tool": "*", "restore": "all"},
        ]
        data["backends"] = {
            "local": ["user"],
            "remote": {"vllm": [], "perplexity": {"roles": ["user"], "jurisdiction": "US", "purposes": ["drafting"]}},
            "egress": [
                {"id": "stays", "classified": "high", "backends": ["perplexity"], "roles": ["user"]},
                {"id": "many", "masked_over": 3, "entities": ["PERSON"]},
                {"id": "nothing"},
            ],
            "fallback": {"vllm": ["llama_cpp", "template"]},
        }
        data["classification"] = {"levels": ["low", "high"], "default": "low"}

    bundle = small(change)
    english, french = describe(bundle, "en"), describe(bundle, "fr")
    for line in (
        f"Policy revision: {bundle.revision}",
        "size: before the model",
        "words: before the model, behind the model",
        "exception SECRET (in, vllm): turn refused",
        "exception DATE (everywhere): passes, counted",
        "never masked: info@example.org",
        "never masked: Jean Talon (PERSON)",
        "always masked: Project Falcon (CODE_NAME)",
        "values for the caller's tools, find_*: none, tokens only",
        "values for the caller's tools, mail: PERSON",
        "values for the caller's tools, *: all",
        "local: user",
        "remote, vllm: nobody",
        "remote, perplexity (US): user; only for drafting",
        "does not leave, rule stays: to perplexity; asked by user; classified at least high",
        "does not leave, rule many: masked values over 3 (PERSON)",
        "does not leave, rule nothing: everywhere",
        "steps in for vllm: llama_cpp, template",
        "decision records are kept 30 days",
        "purpose unless one is named: assistance",
    ):
        assert line in english.splitlines()
    assert "requests per minute     10    5" in english
    assert "exception DATE (partout): passe, compté" in french
    assert "distants, vllm: personne" in french
    assert "jetons par jour" in french


def test_a_decision_in_words() -> None:
    refused = Decision(Effect.DENY, ("forbid.viewer-no-chat",), ("policy.forbidden",))
    assert explain(refused) == (
        "Refused\n"
        "  decided by: forbid.viewer-no-chat\n"
        "  policy.forbidden: A rule of the policy forbids this, whatever the role's permissions.\n"
    )
    assert explain(Decision(Effect.ALLOW, ("role.user.chat.create",), ()), "fr") == (
        "Permis\n  décidé par: role.user.chat.create\n"
    )


def test_sentences() -> None:
    assert all(sentence(code, lang) == text for code, texts in REASONS.items() for lang, text in texts.items())
    assert sentence("budget.exhausted", "fr") == "budget.exhausted"
