"""What a turn's records say: drafts that the real log accepts, commitments that open with the right salt alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import pytest

from policies.model import Effect, Principal
from runtime.audit.fields import POSITIONS
from runtime.audit.record import prepare
from runtime.backends.base import Finished
from runtime.exchange import Caller, Message, TurnRequest
from runtime.recorder import Salts, StoredContent, TurnRecorder, commitment

POLICY = "sha256:" + "ab" * 32
REF = "t_" + "a" * 26
BODY = b'{"messages":[{"role":"user","content":"I am jean.roy@courriel.example"}]}'


def recorder(**changes: Any) -> TurnRecorder:
    caller = Caller(Principal("k" * 26, "user", "api_key", "Zacharie Quintal"), "A-1", "P-1")
    request = TurnRequest(caller=caller, door="chat", body=BODY, messages=(Message("user", "I am jean"),))
    made = TurnRecorder(
        request=request,
        policy_revision=POLICY,
        masker_revision="sha256:" + "cd" * 32,
        software={"version": "0.1.0", "digest": "sha256:" + "ef" * 32},
        turn_ref=REF,
        legal={"purpose": "assistance", "basis": "legitimate-interests", "automated_decision": False},
        salts=Salts(b"s" * 32),
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def stored(*names: str) -> dict[str, StoredContent]:
    return {name: StoredContent(name, f"{at:02x}" * 32, 500 + at) for at, name in enumerate(names)}


# salts -------------------------------------------------------------------------------------------------------------------


def test_salts_are_16_bytes_each_its_own_and_come_from_the_seed() -> None:
    salts = Salts(b"s" * 32)
    made = [salts.of(name) for name in ("input", "output", "view.1", "view.2")]
    assert {len(salt) for salt in made} == {16}
    assert len(set(made)) == 4
    assert [Salts(b"s" * 32).of("input"), Salts(b"t" * 32).of("input")] != [made[0]] * 2
    assert Salts(salts.seed).of("input") == made[0]


def test_seeds_are_drawn() -> None:
    seeds = {Salts().seed for _ in range(100)}
    assert len(seeds) == 100
    assert {len(seed) for seed in seeds} == {32}


def test_a_commitment_is_the_hash_of_salt_and_bytes() -> None:
    assert commitment(b"salt" * 4, b"exact") == hashlib.sha256(b"saltsaltsaltsaltexact").hexdigest()


# model.intent ------------------------------------------------------------------------------------------------------------


def test_an_intent_commits_to_request_view_and_exact_bytes() -> None:
    made = recorder(stored=stored("input", "view"), model={"provider": "scripted", "request_model": "m"})
    draft = made.intent(b"exact bytes")
    prepare(draft)
    assert draft.event == "model.intent"
    assert draft.predicate["step"] == 1
    assert [entry["name"] for entry in draft.predicate["content"]] == ["input", "view.1"]
    request, view = draft.predicate["content"]
    assert request["commit"] == commitment(made.salts.of("input"), BODY)
    assert view["commit"] == commitment(made.salts.of("view.1"), b"exact bytes")
    assert view["sha256"] == made.stored["view"].sha256
    assert {entry["key_ref"] for entry in (request, view)} == {REF}
    assert draft.subjects == (("input", made.stored["input"].sha256), ("view.1", made.stored["view"].sha256))


def test_steps_count_up_and_the_record_names_the_last_intent_that_is_durable() -> None:
    made = recorder(stored=stored("input", "view"))
    intents = [made.intent(b"one"), made.intent(b"two")]
    assert "parent_record_id" not in made.closing(Effect.ERROR, released=None, status="none").predicate
    made.last_intent = intents[1].record_id
    assert [draft.predicate["step"] for draft in intents] == [1, 2]
    assert intents[1].predicate["content"][1]["name"] == "view.2"
    closing = made.closing(Effect.ALLOW, released="x", status="complete")
    prepare(closing)
    assert closing.predicate["parent_record_id"] == intents[1].record_id
    assert closing.predicate["step"] == 2


# the decision record -------------------------------------------------------------------------------------------------------


def test_the_output_commitment_covers_exactly_what_was_released() -> None:
    made = recorder(stored=stored("input", "view", "output"))
    draft = made.closing(Effect.REDACT, released="Où ? 🦫", status="complete")
    prepare(draft)
    output = draft.predicate["content"][-1]
    assert output["name"] == "output"
    assert output["commit"] == commitment(made.salts.of("output"), "Où ? 🦫".encode())


@pytest.mark.parametrize(
    ("kept", "released", "names", "subjects"),
    [
        (("input", "view", "output"), "x", ["input", "view", "output"], ["input", "view", "output"]),
        (("input", "view"), "x", ["input", "view", "output"], ["input", "view"]),
        (("input", "view"), None, ["input", "view"], ["input", "view"]),
        ((), None, ["input"], ["policy"]),
    ],
    ids=["whole", "not stored", "nothing released", "refused at the door"],
)
def test_a_record_is_about_the_ciphertexts_or_else_the_policy(
    kept: tuple[str, ...], released: str | None, names: list[str], subjects: list[str]
) -> None:
    draft = recorder(stored=stored(*kept)).closing(Effect.DENY, released=released, status="none")
    prepare(draft)
    assert [entry["name"] for entry in draft.predicate["content"]] == names
    assert [name for name, _ in draft.subjects] == subjects
    if not kept:
        assert draft.subjects == (("policy", "ab" * 32),)


def test_a_record_holds_no_word_of_anybody() -> None:
    made = recorder(stored=stored("input", "view", "output"), conversation_ref="c_" + "b" * 26)
    for draft in (made.intent(BODY), made.closing(Effect.ALLOW, released="jean.roy", status="complete")):
        told = str(draft)
        for word in ("jean", "courriel", "Quintal", "A-1", "P-1"):
            assert word not in told


def test_the_actor_is_a_reference_of_the_conversation_once_there_is_one() -> None:
    refused = recorder().closing(Effect.DENY, released=None, status="none")
    opened = recorder(actor_ref="p_" + "c" * 26).closing(Effect.ALLOW, released="", status="complete")
    assert refused.predicate["actor"]["ref"] == "k" * 26
    assert opened.predicate["actor"]["ref"] == "p_" + "c" * 26
    assert "conversation_ref" not in refused.predicate


def test_rules_and_reasons_are_noted_once_in_order() -> None:
    made = recorder()
    made.note(("role.user", "guard.size"), ("guard.blocked_pattern",))
    made.note(("guard.size", "guard.injection"), ("guard.blocked_pattern", "internal.error"))
    draft = made.closing(Effect.DENY, released=None, status="none")
    assert draft.predicate["rules"] == ["role.user", "guard.size", "guard.injection"]
    assert draft.predicate["reasons"] == ["guard.blocked_pattern", "internal.error"]


def test_a_record_fits_the_log_however_much_happened() -> None:
    made = recorder(
        stored=stored("input", "view", "output"),
        model={"provider": "p", "request_model": "m"},
        subject_refs=tuple(f"s_{number:026}" for number in range(32)),
        redactions_in={f"ENTITY_{number}": 10**6 for number in range(48)},
        timings={f"stage_{number}": 10**6 for number in range(20)},
    )
    made.note(tuple(f"rule.{number}" for number in range(100)), tuple(f"reason.{number}" for number in range(100)))
    for step in range(20):
        prepare(made.intent(b"x" * step))
    many = {f"ENTITY_{number}": 10**6 for number in range(48)}
    made.asked(many, {}, dict.fromkeys(POSITIONS[:-2], many))
    made.answered(both(many, many), both())
    made.learn(Finished("stop", 2**62, 2**62, "m"))
    draft = made.closing(Effect.REDACT, released="x" * 10**6, status="complete")
    prepare(draft)
    assert len(draft.predicate["rules"]) == len(draft.predicate["reasons"]) == 32
    told = draft.predicate["redactions_at"]
    assert all(sum(counts.values()) == sum(many.values()) for counts in told.values())
    assert told["user"]["OTHER"] == sum(many.values()) - 10**6 * (len(told["user"]) - 1)


def both(answer: dict[str, int] | None = None, calls: dict[str, int] | None = None) -> dict[str, Counter[str]]:
    """What was masked in an answer and in calls of tools."""
    return {"answer": Counter(answer or {}), "calls": Counter(calls or {})}


def test_what_was_masked_is_told_by_where_it_stood() -> None:
    made = recorder()
    placed = {"system": {"PERSON": 1, "EMAIL_ADDRESS": 1}, "user": {"EMAIL_ADDRESS": 2}, "tools": {"PERSON": 1}}
    made.asked({"EMAIL_ADDRESS": 3}, {}, placed)
    assert made.redactions_at == {"system": {"EMAIL_ADDRESS": 1}, "user": {"EMAIL_ADDRESS": 2}}
    made.asked({"EMAIL_ADDRESS": 3, "PERSON": 2}, {})  # another backend stepped in, which may see less
    assert made.redactions_at == placed
    made.answered(both({"CA_SIN": 1}), both({"CA_SIN": 1}, {"IP_ADDRESS": 1}))
    made.learn(None)
    draft = made.closing(Effect.REDACT, released="half", status="partial")
    prepare(draft)
    assert draft.predicate["redactions"]["out"] == {"CA_SIN": 2, "IP_ADDRESS": 1}
    told = draft.predicate["redactions_at"]
    assert told == {**placed, "answer": {"CA_SIN": 2}, "calls": {"IP_ADDRESS": 1}}


def test_what_the_model_reported_is_learnt() -> None:
    made = recorder(model={"provider": "p", "request_model": "m"})
    made.answered(both({"EMAIL_ADDRESS": 1}), both())
    made.learn(Finished("stop", 7, 5, "m-2026"))
    assert made.usage == {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    assert made.model == {"provider": "p", "request_model": "m", "response_model": "m-2026"}
    assert made.redactions_out == {"EMAIL_ADDRESS": 1}


def test_a_model_that_never_ended_reported_nothing() -> None:
    made = recorder()
    made.answered(both({"EMAIL_ADDRESS": 1}), both())
    made.learn(None)
    draft = made.closing(Effect.ERROR, released="half", status="partial")
    prepare(draft)
    assert "usage" not in draft.predicate
    assert draft.predicate["redactions"] == {"in": {}, "out": {"EMAIL_ADDRESS": 1}}


def test_stages_that_repeat_add_up() -> None:
    made = recorder()
    made.timings["mask"] = 1000
    with made.stage("mask"):
        pass
    assert made.timings["mask"] >= 1000
    with pytest.raises(RuntimeError), made.stage("agent"):
        raise RuntimeError
    assert "agent" in made.timings
