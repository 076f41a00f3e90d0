"""Collects what one turn did and drafts its records.

Drafts hold enums, codes, numbers, random references and salted commitments, never text (docs/log-format.md).
Appending them is `runtime/turn.py`'s business; judging their form is the log writer's.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from policies.model import Effect
from runtime.audit.fields import MOST_AT
from runtime.audit.record import Draft, new_record_id
from runtime.backends.base import Finished
from runtime.exchange import Extras, TurnRequest
from runtime.prices import Cost, decimal_of

_MOST_TOKENS = 10**12
_CHARS_PER_TOKEN = 4
NO_EXTRAS = Extras()


def commitment(salt: bytes, exact: bytes) -> str:
    """SHA-256(salt ‖ exact bytes) in hex: provable by whoever holds both, guessable by nobody else."""
    return hashlib.sha256(salt + exact).hexdigest()


SEED_BYTES = 32


class Salts:
    """All salts of one turn, derived from one seed of 32 bytes that lives only inside the turn's ciphertexts.

    A salt handed to the caller (input, output) tells nothing about the seed or about the other salts.
    """

    def __init__(self, seed: bytes | None = None) -> None:
        self.seed = secrets.token_bytes(SEED_BYTES) if seed is None else seed

    def of(self, name: str) -> bytes:
        """The salt of 16 bytes for `name` (input, output, view.1, view.2 …)."""
        return hmac.digest(self.seed, name.encode(), "sha256")[:16]


@dataclass(frozen=True, slots=True)
class StoredContent:
    """A ciphertext in the database, as a record refers to it."""

    name: str
    sha256: str
    size: int


@dataclass(slots=True)
class TurnRecorder:
    """What is known of one turn so far; every step adds to it."""

    request: TurnRequest
    policy_revision: str
    masker_revision: str
    software: Mapping[str, str]
    turn_ref: str
    legal: dict[str, Any]
    conversation_ref: str | None = None
    actor_ref: str | None = None
    subject_refs: tuple[str, ...] = ()
    salts: Salts = field(default_factory=Salts)
    step: int = 0
    last_intent: str | None = None  # set by whoever has made it durable
    rules: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    model: dict[str, Any] | None = None
    redactions_in: dict[str, int] = field(default_factory=dict)
    redactions_out: dict[str, int] = field(default_factory=dict)
    redactions_at: dict[str, dict[str, int]] = field(default_factory=dict)
    placed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    masked_in: bool = False
    masked_out: bool = False
    usage: dict[str, int | str] = field(default_factory=dict)
    reasoning: dict[str, Any] | None = None
    stored: dict[str, StoredContent] = field(default_factory=dict)
    timings: dict[str, int] = field(default_factory=dict)
    detail: dict[str, str | bool | int] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    _nanos: int = 0

    @property
    def redacted(self) -> bool:
        """Whether anything was masked, in either direction; what is only counted was not."""
        return self.masked_in or self.masked_out

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure one stage; repeated stages add up (milliseconds)."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.timings[name] = self.timings.get(name, 0) + round((time.monotonic() - begun) * 1000)

    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self.started) * 1000)

    def note(self, rules: tuple[str, ...], reasons: tuple[str, ...]) -> None:
        """Remember which rules fired and why, each once, in order."""
        self.rules.extend(rule for rule in rules if rule not in self.rules)
        self.reasons.extend(reason for reason in reasons if reason not in self.reasons)

    def asked(
        self,
        masked: Mapping[str, int],
        passed: Mapping[str, int],
        placed: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        """What was masked, or only counted, on the way in; by where all that was found stood (None: as said before)."""
        self.redactions_in = dict(Counter(masked) + Counter(passed))
        self.masked_in = bool(masked)
        self.placed = self.placed if placed is None else placed
        self.redactions_at = {}
        for position, found in self.placed.items():
            if told := {entity: count for entity, count in found.items() if entity in self.redactions_in}:
                self.redactions_at[position] = _most(told)

    def answered(self, masked: Mapping[str, Counter[str]], passed: Mapping[str, Counter[str]]) -> None:
        """What was masked, or only counted, on the way out, by where it stood.

        That is the `answer`, `calls` of tools, `reasoning`, `citations`.
        """
        placed = {position: masked[position] + passed[position] for position in masked}
        self.redactions_out = dict(sum(placed.values(), Counter()))
        self.redactions_at |= {position: _most(found) for position, found in placed.items() if found}
        self.masked_out = any(masked.values())

    def learn(self, finished: Finished | None) -> None:
        """What the model reported when it ended (None: it did not)."""
        if finished is None:
            return
        # A provider may report anything; what a record cannot hold must not cost the turn its record.
        prompt, completion = (
            min(count, _MOST_TOKENS) for count in (finished.prompt_tokens, finished.completion_tokens)
        )
        self.usage |= {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        billed = {
            "cached_prompt_tokens": finished.cached_prompt_tokens,
            "citation_tokens": finished.citation_tokens,
            "search_queries": finished.search_queries,
        }
        self.usage |= {name: min(count, _MOST_TOKENS) for name, count in billed.items() if count}
        if finished.reasoning_tokens:
            self.reasoning = {"tokens": min(finished.reasoning_tokens, _MOST_TOKENS), "estimated": False}
        self.refer(finished.provider_request_id)
        self.model = {**(self.model or {}), "response_model": finished.response_model}

    def learn_extras(self, extras: Extras, reasoning_chars: int) -> None:
        """How many sources were released and how many did not pass; that the model reasoned, and in how many tokens.

        Tokens that the provider did not count are estimated from the characters.
        """
        if reasoning_chars or self.reasoning is not None:
            self.reasoning = self.reasoning or {"tokens": -(-reasoning_chars // _CHARS_PER_TOKEN), "estimated": True}
            self.usage["reasoning_tokens"] = self.reasoning["tokens"]
        counts = {
            "citations": len(extras.citations),
            "citations_dropped": extras.citations_dropped,
            "tool_calls": len(extras.tool_calls),
        }
        self.usage |= {name: count for name, count in counts.items() if count}

    def learn_cost(self, cost: Cost, prices_date: str) -> None:
        """What a request of the turn cost, and by which table; the costs of one turn add up."""
        self._nanos += cost.nanos
        self.usage[f"cost_{cost.currency.lower()}"] = decimal_of(self._nanos)
        estimated = cost.estimated or bool(self.detail.get("cost_estimated"))
        self.detail |= {"prices": prices_date, "cost_estimated": estimated}

    def refer(self, provider_request_id: str | None) -> None:
        """The provider's own reference of the last request; a safe one."""
        if provider_request_id is not None:
            self.detail["provider_request"] = provider_request_id

    def intent(self, exact: bytes) -> Draft:
        """The record that must be durable before `exact` is handed to the backend's transport."""
        self.step += 1
        name = f"view.{self.step}"
        content = [self._content("input"), {**self._content("view"), "name": name}]
        content[1]["commit"] = commitment(self.salts.of(name), exact)
        draft = self._draft("model.intent", content)
        draft.predicate["step"] = self.step
        return draft

    def closing(self, effect: Effect, *, released: str | None, status: str, extras: Extras = NO_EXTRAS) -> Draft:
        """The decision record of the turn.

        Args:
            effect: what was decided.
            released: exactly the text handed to the caller's socket, or None when nothing was.
            status: complete, partial (a stream was cut) or none.
            extras: what was released beside it.
        """
        content = [self._content("input")]
        if "view" in self.stored:
            content.append(self._content("view"))
        if released is not None:
            content.append({**self._content("output"), "commit": self.output_commit(released)})
        for name, exact in extras.exact().items():
            content.append({**self._content(name), "commit": commitment(self.salts.of(name), exact.encode())})
        draft = self._draft("turn", content)
        draft.predicate.update(
            {
                "decision": effect.value,
                "rules": self.rules[:32],
                "reasons": self.reasons[:32],
                "redactions": {"in": dict(self.redactions_in), "out": dict(self.redactions_out)},
                "redactions_at": {position: dict(found) for position, found in self.redactions_at.items()} or None,
                "effect": {"status": status},
                "timings_ms": {**self.timings, "total": self.elapsed_ms()},
                "legal": self.legal,
            }
        )
        if self.usage:
            draft.predicate["usage"] = dict(self.usage)
        if self.last_intent is not None:
            draft.predicate["parent_record_id"] = self.last_intent
            draft.predicate["step"] = self.step
        return draft

    def output_commit(self, released: str) -> str:
        return commitment(self.salts.of("output"), released.encode())

    def _content(self, name: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": name}
        stored = self.stored.get(name)
        if stored is not None:
            entry.update(sha256=stored.sha256, size=stored.size, key_ref=self.turn_ref)
        if name == "input":
            entry["commit"] = commitment(self.salts.of("input"), self.request.body)
        return entry

    def _draft(self, event: str, content: list[dict[str, Any]]) -> Draft:
        principal = self.request.caller.principal
        predicate: dict[str, Any] = {
            "actor": {
                "type": "principal",
                "ref": self.actor_ref or principal.ref,
                "role": principal.role,
                "auth_method": principal.auth_method,
            },
            "door": self.request.door,
            "data_subject_refs": list(self.subject_refs),
            "turn_ref": self.turn_ref,
            "policy": {"revision": self.policy_revision},
            "software": dict(self.software),
            "masker": {"revision": self.masker_revision},
            "content": content,
        }
        if self.conversation_ref is not None:
            predicate["conversation_ref"] = self.conversation_ref
        if self.model is not None:
            predicate["model"] = dict(self.model)
        if self.detail:
            predicate["detail"] = dict(self.detail)
        return Draft(record_id=new_record_id(), event=event, predicate=predicate, subjects=self._subjects(content))

    def _subjects(self, content: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
        """The turn's ciphertexts; where none exists (a refusal), the policy that decided (docs/log-format.md)."""
        named = tuple((item["name"], item["sha256"]) for item in content if "sha256" in item)
        return named or (("policy", self.policy_revision.removeprefix("sha256:")),)


def _most(found: Mapping[str, int]) -> dict[str, int]:
    """The counts as a record may tell them of one position: the rarest of many entities together, as `OTHER`."""
    if len(found) <= MOST_AT:
        return dict(found)
    told = dict(Counter(found).most_common(MOST_AT - 1))
    return {**told, "OTHER": sum(found.values()) - sum(told.values())}
