"""What goes into the tables and comes out: frozen values shared by the repository, the vault and recall.

Nothing here is readable by itself: contents and vault entries are ciphertexts, keys are wrapped, indexes are MACs.
Times are integer milliseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class TurnState(StrEnum):
    """open: running. closing: one closer has claimed it, its record may already be in the log. closed: it is."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A content key as it is stored: AES-KW (RFC 3394, 40 bytes) under the epoch key named by `epoch`."""

    epoch: str
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Content:
    """One sealed content of a turn: what is stored, and what a record commits to.

    Attributes:
        name: input, view, output…: bound into the ciphertext.
        ciphertext: compact JWE.
        sha256: of the ciphertext, 64 hex digits.
        size: of the ciphertext, bytes.
    """

    name: str
    ciphertext: bytes = field(repr=False)
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class VaultEntry:
    """A token's value, sealed, to be stored. `blind` is the value's index (`KeyRing.identifier_index`)."""

    token: str
    entity: str
    ciphertext: bytes = field(repr=False)
    blind: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one step of a turn stores.

    Attributes:
        contents: input, view, output…; a name may be stored once per turn.
        vault: tokens that this turn gave; their blind indexes are entered with them.
        blinds: indexes of the values that it mentions by tokens given earlier, so that erasing a value finds it.
    """

    contents: tuple[Content, ...] = ()
    vault: tuple[VaultEntry, ...] = ()
    blinds: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class VaultRow:
    """A stored token. Without ciphertext and key its value was destroyed and the token is only reserved."""

    token: str
    entity: str
    turn_id: str
    ciphertext: bytes | None = field(repr=False)
    key: WrappedKey | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a turn consumed."""

    prompt_tokens: int
    completion_tokens: int

    @property
    def total(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class HistoryTurn:
    """A closed turn of a conversation with the contents that were asked for; newest first in a `History`."""

    turn_id: str
    position: int
    key: WrappedKey
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What a conversation holds, still sealed: the newest turns first, and every token ever given in it."""

    conversation_id: str
    turns: tuple[HistoryTurn, ...]
    vault: tuple[VaultRow, ...]


@dataclass(frozen=True, slots=True)
class TurnRow:
    """A turn as stored, without contents. `key` is None before the input is committed and after erasure."""

    turn_id: str
    turn_ref: str
    conversation_id: str | None
    conversation_ref: str | None
    principal_id: str | None
    principal_ref: str | None
    subject_refs: tuple[str, ...]
    state: TurnState
    worker: str
    lease_expires: int
    created: int
    closed_at: int | None
    key: WrappedKey | None
    decision: str | None
    record_id: str | None
    log_index: int | None
    receipt: str | None
    usage: Usage | None
    model: str | None
    degraded: bool
    released: int | None
    erased_at: int | None


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A turn with its contents and the vault of its conversation, for its owner."""

    turn: TurnRow
    contents: tuple[Content, ...]
    vault: tuple[VaultRow, ...]


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation of its owner. The title is sealed under its own key, bound to the conversation's id."""

    conversation_id: str
    ref: str
    turns: int
    created: int
    updated: int
    title: bytes | None = field(repr=False)
    title_key: WrappedKey | None
    classification: str | None = None
