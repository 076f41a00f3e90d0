"""Tools and tool calls in request bodies, as OpenAI's API writes them; what a model may be offered is judged here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StringConstraints, ValidationInfo, field_validator

from runtime.api.turns import Identifier, StrictModel
from runtime.backends.base import ANY_TOOL, Tool, ToolCall, ToolChoice
from runtime.errors import Invalid
from runtime.exchange import Message
from runtime.json_leaves import parse
from runtime.json_output import SchemaRefused, check_schema

MOST_TOOLS = 32
_MOST_CALLS = 16
_NO_PARAMETERS = {"type": "object", "properties": {}, "additionalProperties": False}

# Names reach models and records as they are: no room for a number that identifies somebody.
_NAME = r"^[A-Za-z][A-Za-z_-]*(?:[0-9]{1,4}[A-Za-z_-]+)?[0-9]{0,4}$"
ToolName = Annotated[str, StringConstraints(pattern=_NAME, max_length=64)]


class Function(StrictModel):
    """A function that the caller can call."""

    name: ToolName
    description: Annotated[str, StringConstraints(max_length=4096)] = ""
    parameters: dict[str, Any] | None = None
    strict: StrictBool | None = None


class OfferedTool(StrictModel):
    """A tool that the model may ask for. Arguments are held to the schema whether `strict` says so or not."""

    type: Literal["function"]
    function: Function

    def as_tool(self) -> Tool:
        """The tool.

        Raises:
            Invalid: `request.schema_unsupported`.
        """
        parameters = self.function.parameters or _NO_PARAMETERS
        try:
            if check_schema(parameters).get("type") != "object":
                raise SchemaRefused("the schema must be an object's")
        except SchemaRefused as error:
            raise Invalid("request.schema_unsupported", f"tools: {error}") from error
        return Tool(self.function.name, self.function.description, parameters)


class CalledFunction(StrictModel):
    """What was called, and with what: the text of a JSON object."""

    name: ToolName
    arguments: str


class MadeCall(StrictModel):
    """A call in an assistant's message."""

    id: Identifier
    type: Literal["function"] = "function"
    function: CalledFunction


class NamedTool(StrictModel):
    """The name of the one tool that must be called."""

    name: ToolName


class NamedChoice(StrictModel):
    """That one tool must be called."""

    type: Literal["function"]
    function: NamedTool


Tools = Annotated[tuple[OfferedTool, ...], Field(max_length=MOST_TOOLS)]
Choice = Literal["auto", "none", "required"] | NamedChoice


class ChatMessage(StrictModel):
    """One message of a conversation; what an assistant called and what a tool answered belong to it."""

    role: Literal["system", "user", "assistant", "tool"]
    tool_calls: Annotated[list[MadeCall], Field(min_length=1, max_length=_MOST_CALLS)] | None = None
    tool_call_id: Identifier | None = None
    content: Annotated[str, Field(strict=True)] | None = Field(None, validate_default=True)

    @field_validator("content")
    @classmethod
    def _said(cls, content: str | None, info: ValidationInfo) -> str | None:
        if not content and info.data.get("role") != "tool" and not info.data.get("tool_calls"):
            raise ValueError("a text of at least one character")
        return content

    def as_message(self) -> Message:
        """The message.

        Raises:
            Invalid: `request.invalid`, its parts do not belong together.
        """
        if self.tool_calls is not None and self.role != "assistant":
            raise Invalid("request.invalid", "messages: tool_calls belong to an assistant's message")
        if (self.tool_call_id is not None) != (self.role == "tool"):
            raise Invalid("request.invalid", "messages: tool_call_id belongs to a tool's message, and it needs one")
        calls = tuple(self._call(call) for call in self.tool_calls or ())
        return Message(self.role, self.content or "", calls, self.tool_call_id)

    @staticmethod
    def _call(call: MadeCall) -> ToolCall:
        try:
            good = isinstance(parse(call.function.arguments), dict)
        except ValueError:
            good = False
        if not good:
            raise Invalid("request.invalid", "messages: the arguments of a tool call are the text of a JSON object")
        return ToolCall(call.id, call.function.name, call.function.arguments)


def offered(tools: Sequence[OfferedTool]) -> tuple[Tool, ...]:
    """The tools.

    Raises:
        Invalid: a name stands twice; as `OfferedTool.as_tool`.
    """
    made = tuple(tool.as_tool() for tool in tools)
    if len({tool.name for tool in made}) != len(made):
        raise Invalid("request.invalid", "tools: a name stands twice")
    return made


def chosen(choice: Choice | None, tools: Sequence[Tool]) -> ToolChoice:
    """What the model may or must do with them.

    Raises:
        Invalid: a choice without tools, or of a tool that is not offered.
    """
    if choice is None:
        return ANY_TOOL
    if not tools:
        raise Invalid("request.invalid", "tool_choice: there are no tools")
    if isinstance(choice, NamedChoice):
        if all(tool.name != choice.function.name for tool in tools):
            raise Invalid("request.invalid", "tool_choice: the tool is not offered")
        return ToolChoice("named", choice.function.name)
    return ToolChoice(choice)
