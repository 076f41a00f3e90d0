"""What a message says, text by text: its content, the arguments of calls in it, and the leaves of a tool's JSON result.

A message is masked, restored or shown by changing its texts and putting them back (`texts`, `with_texts`). What it has
to do with tools stands in `Message.tools` as JSON, `{"calls":[{"id","name","arguments"}]}` for an assistant's message
and `{"answers":id}` for a tool's; names and references in it are no texts. Pure.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from memory.recall import Message
from runtime import exchange
from runtime.backends.base import ChatMessage, ToolCall
from runtime.json_leaves import Leaf, compact, leaves, numbers_hidden, parse, replaced


def from_caller(message: exchange.Message) -> Message:
    """A caller's message as it is kept; whatever its role, it is his.

    Arguments that are no JSON object are kept as the text of one member, so that nothing escapes masking.
    """
    tools: dict[str, Any] = {}
    if message.tool_calls:
        tools["calls"] = [
            {"id": call.id, "name": call.name, "arguments": _object(call.arguments)} for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        tools["answers"] = message.tool_call_id
    return Message(message.role, "caller", message.content, compact(tools) if tools else "")


def of_model(calls: Iterable[ToolCall]) -> Message:
    """What a model asked for, as it is kept: arguments are JSON objects."""
    listed = [{"id": call.id, "name": call.name, "arguments": parse(call.arguments)} for call in calls]
    return Message("assistant", "model", "", compact({"calls": listed}))


def calls_of(message: Message) -> tuple[ToolCall, ...]:
    """The calls in a message, as they are kept there."""
    listed = parse(message.tools).get("calls", ()) if message.tools else ()
    return tuple(ToolCall(call["id"], call["name"], compact(call["arguments"])) for call in listed)


def answers(message: Message) -> str | None:
    """Whose result it is."""
    found = parse(message.tools).get("answers") if message.tools else None
    return None if found is None else str(found)


def texts(message: Message) -> list[Leaf]:
    """Every text of a message, in a fixed order."""
    said = _result(message)
    found = [Leaf(message.content)] if said is None else leaves(said)
    for call in _calls(message):
        found += leaves(call["arguments"])
    return found


def with_texts(message: Message, new: Sequence[str]) -> Message:
    """The message with other texts, in the order of `texts`."""
    rest = iter(new)
    said = _result(message)
    content = next(rest) if said is None else compact(replaced(said, rest))
    if not (calls := _calls(message)):
        return replace(message, content=content)
    changed = [{**call, "arguments": replaced(call["arguments"], rest)} for call in calls]
    return replace(message, content=content, tools=compact({"calls": changed}))


def changed(message: Message, change: Callable[[str], str]) -> Message:
    """The message with each of its texts changed."""
    return with_texts(message, [change(leaf.text) for leaf in texts(message)])


def sealed(message: Message, new: Sequence[str]) -> Message:
    """A message of the model's calls with other texts, so that `unsealed` gives back every number as a number."""
    arguments = [call["arguments"] for call in _calls(message)]
    count = len(texts(message))
    hidden = numbers_hidden(arguments, list(new[1:count]))
    tools = parse(with_texts(message, new[:count]).tools)
    return replace(message, content=new[0], tools=compact({**tools, "numbers": hidden} if hidden else tools))


def unsealed(message: Message, change: Callable[[str], str]) -> Message:
    """Any message with each text changed back; one that was `sealed` with its numbers."""
    if not _calls(message):
        return changed(message, change)
    numbers = frozenset(parse(message.tools).get("numbers", ()))
    calls = _calls(message)
    new = iter([change(leaf.text) for leaf in leaves([call["arguments"] for call in calls])])
    arguments = replaced([call["arguments"] for call in calls], new, numbers=numbers.__contains__)
    listed = [{**call, "arguments": value} for call, value in zip(calls, arguments, strict=True)]
    return replace(message, content=change(message.content), tools=compact({"calls": listed}))


def for_model(messages: Iterable[Message]) -> tuple[ChatMessage, ...]:
    """Messages as a backend takes them.

    References of calls are numbered anew (nothing that somebody chose goes out in them, and every server takes nine
    letters and digits). Results whose call is not there are left out, and so are assistants that said nothing; what one
    said and what it asked for become one message.
    """
    numbers: dict[str, str] = {}
    made: list[ChatMessage] = []
    for message in messages:
        calls = tuple(
            replace(call, id=numbers.setdefault(call.id, f"call{len(numbers) + 1:05d}")) for call in calls_of(message)
        )
        if (reference := answers(message)) is not None:
            if reference in numbers:
                made.append(ChatMessage(message.role, message.content, tool_call_id=numbers[reference]))
        elif calls and not message.content and made and made[-1].role == "assistant" and not made[-1].tool_calls:
            made[-1] = replace(made[-1], tool_calls=calls)
        elif calls or message.content or message.role != "assistant":
            made.append(ChatMessage(message.role, message.content, calls))
    return tuple(made)


def unanswerable(before: Iterable[Message], messages: Iterable[Message]) -> bool:
    """Whether one of `messages` is the result of a call that is neither in an earlier one nor in `before`."""
    asked = {call.id for message in before for call in calls_of(message)}
    for message in messages:
        asked |= {call.id for call in calls_of(message)}
        if (reference := answers(message)) is not None and reference not in asked:
            return True
    return False


def _calls(message: Message) -> list[dict[str, Any]]:
    found = parse(message.tools).get("calls", []) if message.tools else []
    return list(found)


def _result(message: Message) -> Any:
    """A tool's result where it is a JSON object or list; else None, and it is a text like any other."""
    if message.role == "tool" and message.content.lstrip()[:1] in {"{", "["}:
        with contextlib.suppress(ValueError):
            return parse(message.content)
    return None


def _object(arguments: str) -> Any:
    with contextlib.suppress(ValueError):
        if isinstance(value := parse(arguments), dict):
            return value
    return {"text": arguments}
