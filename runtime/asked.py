"""Everything that a caller's request brings to a model: messages, the schema of the answer, tools. Pure.

Each of its texts is a caller's text like any other: limits and guards read it, it is masked, and counts for egress
rules. `texts` names them all, in a fixed order; `with_texts` puts others in their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from memory.recall import Message
from policies.model import Passage
from runtime import json_output, said
from runtime.backends.base import Tool
from runtime.exchange import TurnRequest
from runtime.json_leaves import Leaf, words


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a model, in one view: as it came, masked, or a backend's."""

    messages: tuple[Message, ...] = ()
    schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] = ()

    @classmethod
    def of(cls, request: TurnRequest) -> Asked:
        """As the caller sent it; tools that must not be called are not offered."""
        tools = () if request.tool_choice.mode == "none" else request.tools
        return cls(tuple(map(said.from_caller, request.messages)), request.json_schema, tools)

    def texts(self) -> list[Leaf]:
        """Every text."""
        found = [leaf for message in self.messages for leaf in said.texts(message)]
        return found + self.form()

    def positions(self) -> list[str]:
        """Where each of the texts stands: a message's role, `schema` or `tools`."""
        found = [message.role for message in self.messages for _ in said.texts(message)]
        schema = 0 if self.schema is None else len(json_output.texts(self.schema))
        return [*found, *["schema"] * schema, *["tools"] * (len(self.form()) - schema)]

    def form(self) -> list[Leaf]:
        """Every text of the schema and the tools."""
        found = [] if self.schema is None else json_output.texts(self.schema)
        for tool in self.tools:
            found += [Leaf(tool.description), *json_output.texts(tool.parameters)]
        return found

    def names(self) -> list[Leaf]:
        """What the names of the tools say, as words; names are not replaced."""
        return [Leaf(words(tool.name)) for tool in self.tools]

    def with_texts(self, new: Sequence[str]) -> Asked:
        """The same with other texts, in the order of `texts`."""
        messages, at = [], 0
        for message in self.messages:
            count = len(said.texts(message))
            messages.append(said.with_texts(message, new[at : at + count]))
            at += count
        return replace(self.with_form(new[at:]), messages=tuple(messages))

    def with_form(self, new: Sequence[str]) -> Asked:
        """The same with other texts in schema and tools, in the order of `form`."""
        at, schema, tools = 0, self.schema, []
        if schema is not None:
            at = len(json_output.texts(schema))
            schema = json_output.with_texts(schema, list(new[:at]))
        for tool in self.tools:
            end = at + 1 + len(json_output.texts(tool.parameters))
            parameters = json_output.with_texts(tool.parameters, list(new[at + 1 : end]))
            tools.append(replace(tool, description=new[at], parameters=parameters))
            at = end
        return replace(self, schema=schema, tools=tuple(tools))

    def passages(self) -> list[Passage]:
        """Every text as limits and guards read it; those of schema and tools count as one message of the user's."""
        found = [
            Passage(message.role, "\n".join(leaf.text for leaf in said.texts(message))) for message in self.messages
        ]
        if form := [leaf.text for leaf in self.form() if leaf.text]:
            found.append(Passage("user", "\n".join(form)))
        return found

    def characters(self) -> int:
        """How long all of it is."""
        return sum(len(leaf.text) for leaf in self.texts())
