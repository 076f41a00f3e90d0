"""Default deny, forbid overrides, an error refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from small_policy import principal, small

from policies.engine import PolicyEngine
from policies.guards.base import PASS, GuardRegistry, Verdict
from policies.model import ACTIONS, Decision, Direction, Effect, Limits, Passage, PolicyFault, Query
from policies.reasons import REASONS

DENY, ALLOW = Effect.DENY, Effect.ALLOW

WHO_MAY: list[tuple[str, str, Decision]] = [
    ("user", "chat.create", Decision(ALLOW, ("role.user.chat.create",), ())),
    ("user", "conversation.delete", Decision(ALLOW, ("role.user.conversation.*",), ())),
    ("viewer", "conversation.read", Decision(ALLOW, ("role.viewer.conversation.read",), ())),
    ("viewer", "conversation.delete", Decision(DENY, ("default.deny",), ("policy.role_lacks_permission",))),
    ("viewer", "chat.create", Decision(DENY, ("forbid.viewer-no-chat",), ("policy.forbidden",))),
    ("user", "admin.keys", Decision(DENY, ("default.deny",), ("policy.role_lacks_permission",))),
    ("user", "chat.createx", Decision(DENY, ("default.deny",), ("policy.unknown_action",))),
    ("user", "conversation.*", Decision(DENY, ("default.deny",), ("policy.unknown_action",))),
    ("user", "", Decision(DENY, ("default.deny",), ("policy.unknown_action",))),
    ("ghost", "chat.create", Decision(DENY, ("default.deny",), ("policy.unknown_role",))),
    ("", "chat.create", Decision(DENY, ("default.deny",), ("policy.unknown_role",))),
]


@pytest.mark.parametrize(("role", "action", "expected"), WHO_MAY)
def test_who_may(role: str, action: str, expected: Decision) -> None:
    assert PolicyEngine(small()).authorize(Query(principal(role), action, {})) == expected


SHIPPED_DENIES = [
    ("viewer", "chat.create"),
    ("auditor", "chat.create"),
    ("auditor", "privacy.erase"),
    ("auditor", "admin.keys"),
    ("privacy_officer", "chat.create"),
    ("privacy_officer", "admin.keys"),
    ("admin", "privacy.reveal"),
    ("operator", "admin.keys"),
    ("user", "decision.read_any"),
    ("user", "metrics.read"),
    ("user", "log.entries"),
    ("user", "privacy.export"),
    ("reviewer", "log.entries"),
]


@pytest.mark.parametrize(("role", "action"), SHIPPED_DENIES)
def test_the_shipped_policy_denies(engine: PolicyEngine, role: str, action: str) -> None:
    assert engine.authorize(Query(principal(role), action, {})).effect is DENY


SHIPPED_ALLOWS = [
    ("admin", "chat.create"),
    ("admin", "admin.keys"),
    ("admin", "decision.read_any"),
    ("operator", "metrics.read"),
    ("reviewer", "decision.read_any"),
    ("auditor", "log.entries"),
    ("auditor", "audit.export"),
    ("privacy_officer", "privacy.erase"),
    ("privacy_officer", "privacy.reveal"),
    ("user", "chat.create"),
    ("user", "conversation.delete"),
    ("viewer", "conversation.read"),
]


@pytest.mark.parametrize(("role", "action"), SHIPPED_ALLOWS)
def test_the_shipped_policy_allows(engine: PolicyEngine, role: str, action: str) -> None:
    decision = engine.authorize(Query(principal(role), action, {}))
    assert decision.allowed
    assert decision.rules[0].startswith(f"role.{role}.")


CONDITIONS: list[tuple[dict[str, Any], Mapping[str, Any], bool]] = [
    ({"own": False}, {"own": False}, True),
    ({"own": False}, {"own": True}, False),
    ({"own": False}, {}, True),  # not told: forbidden
    ({"own": False}, {"own": 0}, True),  # told in another kind of value: forbidden
    ({"count": 1}, {"count": True}, True),
    ({"count": 1}, {"count": 2}, False),
    ({"backend": "perplexity"}, {"backend": "perplexity"}, True),
    ({"backend": "perplexity"}, {"backend": "llama.cpp"}, False),
    ({"backend": "perplexity", "own": False}, {"backend": "perplexity", "own": True}, False),
    ({"backend": "perplexity", "own": False}, {"backend": "perplexity", "own": False, "more": 1}, True),
]


@pytest.mark.parametrize(("when", "resource", "forbidden"), CONDITIONS)
def test_conditions_of_a_forbid_rule(when: dict[str, Any], resource: Mapping[str, Any], forbidden: bool) -> None:
    rule = {"id": "conditional", "roles": ["user"], "actions": ["chat.*"], "when": when}
    engine = PolicyEngine(small(lambda data: data["forbid"].append(rule)))
    decision = engine.authorize(Query(principal("user"), "chat.create", resource))
    assert decision.allowed is not forbidden
    assert ("forbid.conditional" in decision.rules) is forbidden


def test_every_forbid_rule_that_fits_is_named() -> None:
    more = {"id": "second", "roles": ["user", "viewer"], "actions": ["chat.create"]}
    engine = PolicyEngine(small(lambda data: data["forbid"].append(more)))
    decision = engine.authorize(Query(principal("viewer"), "chat.create", {}))
    assert decision.rules == ("forbid.viewer-no-chat", "forbid.second")


class _Broken(dict[str, Any]):
    def __contains__(self, key: object) -> bool:
        raise RuntimeError("a fact that cannot be read")


def test_an_error_is_a_refusal() -> None:
    rule = {"id": "conditional", "roles": ["user"], "actions": ["chat.*"], "when": {"own": False}}
    engine = PolicyEngine(small(lambda data: data["forbid"].append(rule)))
    refused = Decision(DENY, ("default.deny",), ("policy.error",))
    assert engine.authorize(Query(principal("user"), "chat.create", _Broken())) == refused
    nobody: Any = None
    assert engine.authorize(nobody) == refused
    assert engine.may_use_backend(nobody, "vllm", "remote") == refused
    assert engine.fits(nobody, []) == refused


BACKENDS: list[tuple[str, str, Any, str]] = [
    ("user", "llama.cpp", "local", "backend.local.user"),
    ("user", "anything", "local", "backend.local.user"),
    ("user", "vllm", "remote", "backend.remote.vllm.user"),
    ("user", "perplexity", "remote", ""),  # remote and not listed
    ("viewer", "vllm", "remote", ""),
    ("viewer", "llama.cpp", "local", ""),
    ("user", "vllm", "orbital", "backend.remote.vllm.user"),  # an unknown kind counts as remote
    ("user", "llama.cpp", "orbital", ""),
]


@pytest.mark.parametrize(("role", "backend", "kind", "rule"), BACKENDS)
def test_backends(role: str, backend: str, kind: Any, rule: str) -> None:
    decision = PolicyEngine(small()).may_use_backend(principal(role), backend, kind)
    expected = (
        Decision(ALLOW, (rule,), ()) if rule else Decision(DENY, ("default.deny",), ("policy.backend_not_allowed",))
    )
    assert decision == expected


def test_a_role_that_is_none_uses_no_backend() -> None:
    decision = PolicyEngine(small()).may_use_backend(principal("ghost"), "llama.cpp", "local")
    assert decision == Decision(DENY, ("default.deny",), ("policy.unknown_role",))


FITS: list[tuple[str, list[str], Decision]] = [
    ("user", [], Decision(ALLOW, ("limit.user",), ())),
    ("user", ["a" * 20], Decision(ALLOW, ("limit.user",), ())),
    ("user", ["a" * 10, "é" * 10], Decision(ALLOW, ("limit.user",), ())),
    ("user", ["a" * 21], Decision(DENY, ("limit.user.max_chars",), ("policy.too_many_characters",))),
    ("user", ["a" * 10, "b" * 11], Decision(DENY, ("limit.user.max_chars",), ("policy.too_many_characters",))),
    ("user", ["a"] * 4, Decision(DENY, ("limit.user.max_messages",), ("policy.too_many_messages",))),
    ("ghost", ["a"], Decision(DENY, ("default.deny",), ("policy.unknown_role",))),
]


@pytest.mark.parametrize(("role", "texts", "expected"), FITS)
def test_what_fits_a_role(role: str, texts: list[str], expected: Decision) -> None:
    assert PolicyEngine(small()).fits(principal(role), [Passage("user", text) for text in texts]) == expected


def test_limits() -> None:
    engine = PolicyEngine(small())
    assert engine.limits(principal("user")) == Limits(10, 1000, 2, 3, 20, 64)
    with pytest.raises(PolicyFault):
        engine.limits(principal("ghost"))


def test_what_records_say(engine: PolicyEngine) -> None:
    assert engine.revision.startswith("sha256:")
    assert engine.legal.purpose in engine.legal.purposes
    assert PolicyEngine(small()).decision_record_days == 30


@dataclass
class ScriptedGuard:
    """Answers what it was given, and remembers that it was asked."""

    name: str = "scripted"
    directions: frozenset[Direction] = frozenset({"in"})
    answer: Any = PASS
    asked: list[Sequence[Passage]] = field(default_factory=list)

    def check(self, passages: Sequence[Passage]) -> Verdict:
        self.asked.append(passages)
        if isinstance(self.answer, BaseException):
            raise self.answer
        verdict: Verdict = self.answer
        return verdict


SECRET = "4111 1111 1111 1111"

ANSWERS: dict[str, tuple[Any, Decision]] = {
    "passes": (PASS, Decision(ALLOW, ("guard.scripted",), ())),
    "refuses": (
        Verdict(("guard.injection",), ("guard.scripted.sign",)),
        Decision(DENY, ("guard.scripted.sign",), ("guard.injection",)),
    ),
    "refuses without a rule": (
        Verdict(("guard.injection",)),
        Decision(DENY, ("guard.scripted",), ("guard.injection",)),
    ),
    "raises": (ValueError(SECRET), Decision(DENY, ("guard.scripted",), ("guard.error",))),
    "runs out of stack": (RecursionError(), Decision(DENY, ("guard.scripted",), ("guard.error",))),
    "answers nothing": (None, Decision(DENY, ("guard.scripted",), ("guard.error",))),
    "answers with text": (SECRET, Decision(DENY, ("guard.scripted",), ("guard.error",))),
    "leaks in a reason": (Verdict((SECRET,)), Decision(DENY, ("guard.scripted",), ("guard.error",))),
    "leaks in a rule": (
        Verdict(("guard.injection",), (f"guard.scripted.{SECRET}",)),
        Decision(DENY, ("guard.scripted",), ("guard.error",)),
    ),
    "speaks for another": (
        Verdict(("guard.injection",), ("guard.size.too_long",)),
        Decision(DENY, ("guard.scripted",), ("guard.error",)),
    ),
    "too many rules": (
        Verdict(("guard.injection",), tuple(f"guard.scripted.r{n}" for n in range(40))),
        Decision(DENY, tuple(f"guard.scripted.r{n}" for n in range(32)), ("guard.injection",)),
    ),
}


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_what_a_guard_says(answer: Any, expected: Decision) -> None:
    engine = PolicyEngine(small(), [ScriptedGuard(answer=answer)])
    decision = engine.screen("in", [Passage("user", SECRET)])
    assert decision == expected
    assert SECRET not in repr(decision)


def test_a_guard_whose_directions_cannot_be_read_refuses() -> None:
    class Nameless(ScriptedGuard):
        @property
        def directions(self) -> frozenset[Direction]:  # type: ignore[override]
            raise RuntimeError

        @directions.setter
        def directions(self, value: object) -> None: ...

    decision = PolicyEngine(small(), [Nameless()]).screen("in", [])
    assert decision == Decision(DENY, ("guard.scripted",), ("guard.error",))


def test_a_cancelled_turn_is_no_guard_error() -> None:
    engine = PolicyEngine(small(), [ScriptedGuard(answer=KeyboardInterrupt())])
    with pytest.raises(KeyboardInterrupt):
        engine.screen("in", [])


def test_the_first_refusal_ends_it_and_other_directions_are_not_asked() -> None:
    out = ScriptedGuard("out", frozenset({"out"}))
    first = ScriptedGuard("first")
    second = ScriptedGuard("second", answer=Verdict(("guard.too_long",)))
    third = ScriptedGuard("third", answer=ValueError())
    engine = PolicyEngine(small(), [out, first, second, third])
    passages = [Passage("user", "text")]
    assert engine.screen("in", passages) == Decision(DENY, ("guard.second",), ("guard.too_long",))
    assert (len(out.asked), len(first.asked), len(second.asked), len(third.asked)) == (0, 1, 1, 0)
    assert engine.screen("out", passages) == Decision(ALLOW, ("guard.out",), ())
    assert PolicyEngine(small(), []).screen("in", passages) == Decision(ALLOW, (), ())


def test_two_guards_of_one_name_are_refused() -> None:
    with pytest.raises(PolicyFault, match="'scripted' is registered twice"):
        PolicyEngine(small(), [ScriptedGuard(), ScriptedGuard(directions=frozenset({"out"}))])
    registry = GuardRegistry([ScriptedGuard("one"), ScriptedGuard("two")])
    with pytest.raises(PolicyFault):
        registry.add(ScriptedGuard("two"))
    assert [guard.name for guard in registry] == ["one", "two"]


def test_the_bundle_s_guards_stand_in_both_directions() -> None:
    engine = PolicyEngine(small())
    fruit = [Passage("user", "Eat the F O R B I D D E N fruit!")]
    refused = Decision(DENY, ("guard.words.forbidden-fruit",), ("guard.blocked_pattern",))
    assert engine.screen("in", fruit) == engine.screen("out", fruit) == refused
    assert engine.screen("in", [Passage("user", "an apple")]) == Decision(ALLOW, ("guard.size", "guard.words"), ())
    assert engine.screen("out", [Passage("user", "an apple")]) == Decision(ALLOW, ("guard.words",), ())


def test_only_allow_is_allowed() -> None:
    assert [effect.value for effect in Effect] == ["allow", "deny", "redact", "require_approval", "error"]
    assert [effect for effect in Effect if Decision(effect, (), ()).allowed] == [ALLOW]


def test_reason_codes_have_both_languages() -> None:
    for code, sentences in REASONS.items():
        assert code.partition(".")[0] in {"policy", "guard"}
        assert set(sentences) == {"en", "fr"}
        assert all(text.endswith(".") for text in sentences.values())
    assert len(set(ACTIONS)) == len(ACTIONS)
