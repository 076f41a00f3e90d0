"""The words that policy is spoken in: who asks, what for, what was decided and why.

Values only. How they are decided stands in `policies.engine`, what the reasons mean to a person in
`policies.reasons`, and how a decision is recorded is left to the runtime.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Direction = Literal["in", "out"]
BackendKind = Literal["local", "remote"]
MaskAction = Literal["mask", "block", "allow", "count"]

ACTIONS: tuple[str, ...] = (
    "chat.create",
    "tool.offer",
    "conversation.list",
    "conversation.read",
    "conversation.rename",
    "conversation.delete",
    "turn.read",
    "decision.list",
    "decision.read_own",
    "decision.read_any",
    "log.checkpoint",
    "log.tile",
    "log.entries",
    "metrics.read",
    "privacy.erase",
    "privacy.export",
    "privacy.reveal",
    "admin.keys",
    "admin.users",
    "admin.policy",
    "admin.system",
    "audit.export",
    "audit.verify",
    "report.own",
    "report.any",
    "incident.record",
    "mask.try",
    "model.list",
)
"""Every action that a door may ask about. Asking about another one is refused."""


class PolicyFault(Exception):
    """The policy cannot be used: its file, a guard or a reference in it is wrong. Nothing starts with it.

    Not an answer to a question of access: those are `Decision`s.
    """


class Effect(StrEnum):
    """The values of `decision` in a record."""

    ALLOW = "allow"
    DENY = "deny"
    REDACT = "redact"
    REQUIRE_APPROVAL = "require_approval"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    Attributes:
        ref: random and opaque; the only part of a principal that a record may hold beside role and method.
        role: a role of the bundle.
        auth_method: how the caller proved itself, for example `api_key`.
        name: for people; never reaches a log.
    """

    ref: str
    role: str
    auth_method: str
    name: str


@dataclass(frozen=True, slots=True)
class Query:
    """May this principal do this action (one of `ACTIONS`), given these facts about its object?"""

    principal: Principal
    action: str
    resource: Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided.

    Attributes:
        effect: the policy itself only allows or denies; the other values are for the runtime's records.
        rules: identifiers of what decided, for example `role.user.chat.create` or `forbid.viewer-no-chat`;
            `[a-z0-9_.*-]` only, at most 64 characters, at most 32 of them (what a record accepts).
        reasons: codes of `policies.reasons`, empty for a plain allow. Never text that a guard has read.
    """

    effect: Effect
    rules: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """True only for `ALLOW`: whoever forgets the other effects refuses."""
        return self.effect is Effect.ALLOW


@dataclass(frozen=True, slots=True)
class Limits:
    """What one principal of a role may use. Counting is the runtime's; 0 means none at all.

    Attributes:
        max_messages: messages in one request.
        max_chars: characters (code points) over all messages of one request.
        max_output_tokens: tokens that one answer may have.
    """

    requests_per_minute: int
    tokens_per_day: int
    concurrent_turns: int
    max_messages: int
    max_chars: int
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that a guard reads: whole, raw, with the role its sender claims."""

    role: str
    text: str
