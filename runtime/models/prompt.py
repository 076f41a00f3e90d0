"""From messages to tokens, so that nobody can write a control token into a prompt.

The usual way renders the chat template with the messages in it and tokenises the whole with special tokens parsed: a
user who types `<|im_end|>` then ends his own message and begins the system's. Here instead

1. the template (from the model file) is rendered with placeholders in place of the contents, so that no content ever
   reaches the template engine;
2. the rendered text is cut at the placeholders; the template's own pieces are tokenised with special tokens parsed;
3. each content is tokenised by itself as plain text. Where the vocabulary would still give a marker for it (markers of
   a user-defined or wrongly declared type are parsed even in plain text), the content is cut inside the spelling, so
   that it becomes the ordinary tokens of the same characters.

What it does not do: a template whose own marks are ordinary text (`### Instruction:`) can be imitated by ordinary text.
Vocabularies that put a space before every piece of text do so before every content.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Protocol


class TemplateError(Exception):
    """The model's template has no place for these messages (an order of roles that it refuses, a role it drops)."""


class Vocabulary(Protocol):
    """What is needed of a tokeniser.

    Attributes:
        markers: token id to spelling, for every token that structures a prompt or ends an answer.
        leading: the token that every prompt begins with, or None.
    """

    @property
    def markers(self) -> dict[int, str]: ...

    @property
    def leading(self) -> int | None: ...

    def tokenize(self, text: str, *, special: bool) -> list[int]: ...


Render = Callable[[list[dict[str, str]], bool | None], str]
"""The chat template: messages of `role` and `content` in, and whether the model shall think (None: as the template has
it); prompt text out. May raise on messages it refuses."""

_THINKING = "<think>"
_EDGE = "\x1f"  # white space to str.strip and to templates that trim, and in no template


class PromptBuilder:
    """Builds prompts for one model.

    Attributes:
        opened: the mark with which the last prompt opened the model's reasoning for it, or nothing.
    """

    def __init__(self, render: Render, vocabulary: Vocabulary) -> None:
        self._render = render
        self._vocabulary = vocabulary
        self.opened = ""
        spellings = sorted(vocabulary.markers.values(), key=len, reverse=True)
        self._spelling = re.compile("|".join(map(re.escape, spellings))) if spellings else None

    def build(self, messages: Iterable[tuple[str, str]], *, thinking: bool | None = None) -> list[int]:
        """Tokens for (role, content) messages, up to where the answer begins.

        Raises:
            TemplateError: the template refuses them or leaves one out.
        """
        given = list(messages)
        mark = f"\ue000{secrets.token_hex(8)}."
        placeholders = [
            {"role": role, "content": f"{_EDGE}{mark}{position}\ue001{_EDGE}"}
            for position, (role, _content) in enumerate(given)
        ]
        try:
            text = self._render(placeholders, thinking)
        except Exception as refused:
            raise TemplateError("the model's chat template refuses this sequence of messages") from refused

        self.opened = _THINKING if text.rstrip().endswith(_THINKING) else ""
        tokens: list[int] = []
        used: set[int] = set()
        pieces = re.split(f"({_EDGE}?){re.escape(mark)}(\\d+)\ue001({_EDGE}?)", text)
        tokens += self._structure(pieces[0])
        for before, number, after, literal in zip(pieces[1::4], pieces[2::4], pieces[3::4], pieces[4::4], strict=True):
            content = given[int(number)][1]
            content = content if before else content.lstrip()  # a template that trims has taken the edge away
            content = content if after else content.rstrip()
            tokens += self._plain(content)
            tokens += self._structure(literal)
            used.add(int(number))
        if len(used) != len(given):
            raise TemplateError("the model's chat template has no place for a message of this role")
        leading = self._vocabulary.leading
        if leading is not None and tokens[:1] != [leading]:
            tokens.insert(0, leading)
        return tokens

    def _structure(self, literal: str) -> list[int]:
        return self._vocabulary.tokenize(literal, special=True) if literal else []

    def _plain(self, content: str) -> list[int]:
        if not content:
            return []
        tokens = self._vocabulary.tokenize(content, special=False)
        if self._spelling is None or not any(token in self._vocabulary.markers for token in tokens):
            return tokens
        cuts = [0, *(found.start() + 1 for found in self._spelling.finditer(content)), len(content)]
        pieces: Sequence[str] = [content[start:end] for start, end in pairwise(cuts) if start < end]
        if len(pieces) < 2:
            raise TemplateError("a message cannot be written without control tokens")
        return [token for piece in pieces for token in self._plain(piece)]
