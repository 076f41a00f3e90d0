"""Opening what the repository loaded: the history that fits into a turn's budget, and the conversation's tokens.

Pure but for the keys: nothing here touches the database (`repository.reading` loads, and only for the owner) or decides
what a backend may see (the stored view is the strictest; `runtime/turn.py` restores from it by policy). Run it in a
thread: a long conversation is some milliseconds of decryption.

Messages are stored as a UTF-8 JSON list of [role, source, content], oldest first; those that have to do with a tool
have a fourth member (`Message.tools`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from memory.errors import Unreadable
from memory.vault import open_content, open_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from memory.keys import ContentKey, KeyRing
    from memory.rows import History, HistoryTurn, StoredTurn, VaultRow, WrappedKey

SOURCES: Final = frozenset({"caller", "model", "tool", "operator"})


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message. `source` says who wrote it: an assistant's message may be the caller's own.

    Attributes:
        tools: JSON text, empty for most: the calls that an assistant asked for, or whose result a tool's message is.
            What it says is its writer's business (`runtime/said.py`).
    """

    role: str
    source: str
    content: str = field(repr=False)
    tools: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class VaultValue:
    """A token of the conversation with the value that it stands for."""

    token: str
    entity: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a conversation, oldest first.

    Attributes:
        values: those that can be restored.
        reserved: (token, entity) of those whose value was destroyed; never to be given to another value.
    """

    values: tuple[VaultValue, ...] = ()
    reserved: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a turn remembers.

    Attributes:
        messages: whole turns, oldest first, in the stored (masked) view.
        turns: how many turns they are.
        complete: whether the loaded turns all fitted.
        lengths: how many messages each of the turns has, oldest first.
        last_key: of the newest turn that was loaded, None if there is none.
    """

    messages: tuple[Message, ...]
    tokens: Tokens
    turns: int
    complete: bool
    lengths: tuple[int, ...] = ()
    last_key: ContentKey | None = field(default=None, repr=False)

    def newest(self, turns: int) -> Recalled:
        """The same with the newest `turns` turns only; all tokens stay."""
        lengths = self.lengths[len(self.lengths) - turns :]
        messages = self.messages[len(self.messages) - sum(lengths) :]
        return replace(self, messages=messages, turns=turns, complete=False, lengths=lengths)


def characters(message: Message) -> int:
    """The default cost of a message: its characters and what surrounds it in a chat template."""
    return len(message.content) + len(message.tools) + 16


def encode_messages(messages: Iterable[Message]) -> bytes:
    """Messages as the plaintext of a content."""
    rows = [
        [message.role, message.source, message.content, *([message.tools] if message.tools else [])]
        for message in messages
    ]
    return json.dumps(rows, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def decode_messages(plaintext: bytes) -> tuple[Message, ...]:
    """What `encode_messages` made.

    Raises:
        Unreadable: of another form.
    """
    try:
        rows = json.loads(plaintext)
        if not isinstance(rows, list):
            raise Unreadable("a content is not a list of messages")
        messages = tuple(Message(*row) for row in rows if 3 <= len(row) <= 4)
        if len(messages) != len(rows):
            raise Unreadable("a content is not a list of messages")
    except (ValueError, TypeError) as error:
        raise Unreadable("a content is not a list of messages") from error
    for message in messages:
        texts = (message.role, message.content, message.tools)
        if message.source not in SOURCES or not all(isinstance(text, str) for text in texts):
            raise Unreadable("a content is not a list of messages")
    return messages


def recall(
    history: History,
    ring: KeyRing,
    *,
    budget: int,
    names: Sequence[str] = ("view", "output"),
    cost: Callable[[Message], int] = characters,
) -> Recalled:
    """The newest whole turns whose messages cost at most `budget` together, and all tokens.

    Args:
        history: from `load_conversation`.
        ring: the keys.
        budget: in units of `cost`; characters by default.
        names: the contents of a turn, in the order in which they were said.
        cost: of one message; give a tokenizer's count where there is one.

    Raises:
        Unreadable: a content was altered or moved. Nothing is recalled around a hole that nobody declared.
        KeysUnavailable: an epoch key is missing.
    """
    keys = _Keys(ring)
    chosen: list[tuple[Message, ...]] = []
    left = budget
    for turn in history.turns:
        messages = _messages_of(turn, keys, names)
        left -= sum(cost(message) for message in messages)
        if left < 0:
            break
        chosen.append(messages)
    return Recalled(
        messages=tuple(message for messages in reversed(chosen) for message in messages),
        tokens=_open_vault(history.vault, keys),
        turns=len(chosen),
        complete=len(chosen) == len(history.turns),
        lengths=tuple(len(messages) for messages in reversed(chosen)),
        last_key=keys.of(history.turns[0].turn_id, history.turns[0].key) if history.turns else None,
    )


def open_stored(stored: StoredTurn, ring: KeyRing) -> tuple[Mapping[str, bytes], Tokens]:
    """The plaintext of each content of a turn by name, and its conversation's tokens.

    A destroyed turn has no contents. Raises as `recall`.
    """
    keys = _Keys(ring)
    if stored.turn.key is None:
        return {}, _open_vault(stored.vault, keys)
    key = keys.of(stored.turn.turn_id, stored.turn.key)
    return {content.name: open_content(key, content) for content in stored.contents}, _open_vault(stored.vault, keys)


class _Keys:
    """Each turn's key, unwrapped once."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._keys: dict[str, ContentKey] = {}

    def of(self, turn_id: str, wrapped: WrappedKey) -> ContentKey:
        key = self._keys.get(turn_id)
        if key is None:
            key = self._keys[turn_id] = self._ring.unwrap(turn_id, wrapped)
        return key


def _messages_of(turn: HistoryTurn, keys: _Keys, names: Sequence[str]) -> tuple[Message, ...]:
    key = keys.of(turn.turn_id, turn.key)
    by_name = {content.name: content for content in turn.contents}
    return tuple(
        message for name in names if name in by_name for message in decode_messages(open_content(key, by_name[name]))
    )


def _open_vault(rows: Sequence[VaultRow], keys: _Keys) -> Tokens:
    values: list[VaultValue] = []
    reserved: list[tuple[str, str]] = []
    for row in rows:
        if row.ciphertext is None or row.key is None:
            reserved.append((row.token, row.entity))
        else:
            key = keys.of(row.turn_id, row.key)
            values.append(VaultValue(row.token, row.entity, open_value(key, row.token, row.entity, row.ciphertext)))
    return Tokens(tuple(values), tuple(reserved))
