"""What a caller supplied himself, so that it may go back to him: the values of his vault, and the words he wrote.

A value that the rules missed on the way in has no token. Where an answer repeats it beside other words the rules may
find it there; it is still the caller's own, and is not taken from him. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from memory.recall import Message
from runtime import said
from runtime.asked import Asked
from runtime.redaction.tokens import TokenMap


class OwnWords:
    """Answers whether a value is the caller's own.

    Args:
        tokens: the conversation's map.
        brought: his request, as it came.
        recalled: the conversation's earlier messages, in their strictest view.
    """

    def __init__(self, tokens: TokenMap, brought: Asked, recalled: Iterable[Message]) -> None:
        self._tokens = tokens
        self._brought = brought
        self._recalled = tuple(message for message in recalled if message.source == "caller")
        self._texts: list[str] | None = None

    def has(self, value: str) -> bool:
        """Whether he supplied it: in any spelling if it was found then, else letter by letter, as whole words."""
        return self._tokens.has_value(value) or any(_stands_in(text, value) for text in self._all())

    def _all(self) -> list[str]:
        if self._texts is None:
            earlier = [leaf.text for message in self._recalled for leaf in said.texts(message)]
            self._texts = [leaf.text for leaf in self._brought.texts()] + [self._tokens.restore(one) for one in earlier]
        return self._texts


def _stands_in(text: str, value: str) -> bool:
    low = text.find(value)
    while low >= 0:
        high = low + len(value)
        if not (value[0].isalnum() and text[low - 1 : low].isalnum()) and not (
            value[-1].isalnum() and text[high : high + 1].isalnum()
        ):
            return True
        low = text.find(value, low + 1)
    return False
