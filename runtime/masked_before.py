"""What was found in the texts of a conversation's last turn, for those that are sent again with the next one.

A system prompt, tools and their schemas, a history that the caller keeps himself.

Kept are digests, positions and entities, no text. The digests are keyed with the key of that last turn, which the next
turn opens to read its history: erasure destroys the key, and with it the way from any text to what is kept here.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from memory.keys import ContentKey
    from runtime.redaction.spans import Span

_CONVERSATIONS = 256  # of one process
_TEXTS = 512  # of one turn
_DIGEST_BYTES = 16
_PURPOSE = b"masked before"


class _Turn(NamedTuple):
    turn_id: str
    found: dict[bytes, list[Span]]


class MaskedBefore:
    """The findings of the last turn of each conversation; the conversation unused for longest makes room.

    Args:
        revision: says which engine finds; another one finds anew.
        conversations: how many are kept.
    """

    def __init__(self, revision: Callable[[], str], *, conversations: int = _CONVERSATIONS) -> None:
        self._revision = revision
        self._most = conversations
        self._turns: OrderedDict[str, _Turn] = OrderedDict()

    def known(self, conversation: str, key: ContentKey | None, texts: Sequence[str]) -> list[list[Span] | None]:
        """What was found in each text, None where it must be looked for.

        Args:
            conversation: its reference.
            key: of the newest turn of the conversation, as its history was just read; None if there is none.
            texts: as they are read: with their labels.
        """
        turn = self._turns.get(conversation)
        if turn is None or key is None or turn.turn_id != key.owner_id:
            return [None] * len(texts)
        self._turns.move_to_end(conversation)
        return [turn.found.get(self._digest(key, text)) for text in texts]

    def keep(self, conversation: str, key: ContentKey, read: Sequence[tuple[str, list[Span]]]) -> None:
        """Keep what was found in the texts of a turn, in place of what its conversation had.

        Args:
            conversation: its reference.
            key: of the turn, once it is durable.
            read: the texts, and what was found in each.
        """
        found = {self._digest(key, text): spans for text, spans in read[:_TEXTS]}
        self._turns[conversation] = _Turn(key.owner_id, found)
        self._turns.move_to_end(conversation)
        while len(self._turns) > self._most:
            self._turns.popitem(last=False)

    def _digest(self, key: ContentKey, text: str) -> bytes:
        data = self._revision().encode() + b"\0" + text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, key=key.secret, person=_PURPOSE, digest_size=_DIGEST_BYTES).digest()
