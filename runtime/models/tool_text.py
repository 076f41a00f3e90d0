"""Tools for models that know only text: how they are told of them, how a call is written, and how one is read.

The form is the one that most open models are trained on: the tools as JSON in the system message, a call as
`<tool_call>{"name":…,"arguments":{…}}</tool_call>`, a result as a user's message in `<tool_response>`. A grammar holds
the model to it (`call_grammar`), so that a call which was begun is one of the tools offered, with arguments of its
schema, or was cut. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Final

from runtime.json_output import check_schema
from runtime.models.grammar import Grammar
from runtime.models.wire import Message, ToolOffer

OPEN: Final = "<tool_call>"
CLOSE: Final = "</tool_call>"
MOST_AT_ONCE: Final = 8
_SPACE: Final = r"[ \n]{0,2}"
_NAME: Final = Grammar.literal('"name"')
_ARGUMENTS: Final = Grammar.literal('"arguments"')

_INTRODUCTION: Final = (
    "You can call tools. They are listed here, one JSON object a line:\n<tools>\n{tools}\n</tools>\n"
    "To call one, write nothing but "
    '{open}{{"name": the name of the tool, "arguments": an object of its parameters}}{close}. '
    "Its result comes back in <tool_response></tool_response>. {must}"
)
_MAY: Final = "Where no tool is needed, answer in plain words."
_MUST: Final = "You must call one now."


def told(messages: Sequence[Message], tools: Sequence[ToolOffer], *, forced: bool) -> list[tuple[str, str]]:
    """(role, content) of each message as the chat template takes it, tools and calls spelled out.

    Results that follow each other become one message; what a system message says comes before the tools.
    """
    made: list[tuple[str, str]] = []
    answering = False
    for message in messages:
        follows, answering = answering, message.role == "tool"
        if message.role == "tool":
            text = f"<tool_response>\n{message.content}\n</tool_response>"
            if follows:
                made[-1] = "user", f"{made[-1][1]}\n{text}"
            else:
                made.append(("user", text))
        else:
            calls = [
                f'{OPEN}\n{{"name": {json.dumps(c.name)}, "arguments": {c.arguments}}}\n{CLOSE}' for c in message.calls
            ]
            made.append((message.role, "\n".join([*([message.content] if message.content else []), *calls])))
    if not tools:
        return made
    offered = _INTRODUCTION.format(
        tools="\n".join(map(_described, tools)), open=OPEN, close=CLOSE, must=_MUST if forced else _MAY
    )
    if made and made[0][0] == "system":
        return [("system", f"{made[0][1]}\n\n{offered}"), *made[1:]]
    return [("system", offered), *made]


def call_grammar(tools: Sequence[ToolOffer], name: str | None, *, forced: bool) -> str:
    """The grammar of an answer: one call where it is `forced`, else calls or plain text; `name` allows one tool alone.

    Raises:
        SchemaRefused, ValueError: a tool's parameters are no schema of ours.
    """
    made = Grammar()
    calls = []
    for tool in tools:
        if name in (None, tool.name):
            arguments = made.rule(check_schema(json.loads(tool.parameters)))
            named, given = f"{made.literal(json.dumps(tool.name))} ws", f"{arguments} ws"
            members = f'{_NAME} ws ":" ws {named} "," ws {_ARGUMENTS} ws ":" ws {given}'
            calls.append(made.add(f'"{OPEN}" nl "{{" ws {members} "}}" nl "{CLOSE}"'))
    call = made.add(" | ".join(calls))
    if forced:
        return made.text(call, nl=_SPACE)
    # Plain text is whatever does not begin as a call does.
    plain = r'[^<] any* | "<" [^t] any* | "<t" [^o] any*'
    return made.text(f"{call} (nl {call}){{0,{MOST_AT_ONCE - 1}}} | {plain}", nl=_SPACE, any=r"[^\x00]")


class _State(Enum):
    START = 1  # a call, or white space before one, may still come
    INSIDE = 2
    TEXT = 3


class CallReader:
    """Tells calls from text while an answer is being written; the same for every way of cutting it into chunks.

    Calls stand at the beginning of an answer; marks in the middle of a text are text, because answers speak of them.
    """

    def __init__(self) -> None:
        self._state = _State.START
        self._held = ""

    def feed(self, text: str) -> tuple[str, list[str]]:
        """(text, calls as they were written between their marks) that are decided now."""
        self._held += text
        return self._decide(last=False)

    def flush(self) -> tuple[str, list[str]]:
        """The rest, at the end."""
        return self._decide(last=True)

    @property
    def cut(self) -> bool:
        """Whether a call was begun and not ended."""
        return self._state is _State.INSIDE

    def _decide(self, *, last: bool) -> tuple[str, list[str]]:
        calls: list[str] = []
        while True:
            if self._state is _State.INSIDE:
                end = self._end()
                if end < 0:
                    return "", calls
                calls.append(self._held[:end])
                self._held, self._state = self._held[end + len(CLOSE) :], _State.START
            elif self._state is _State.START:
                bare = self._held.lstrip()
                if bare.startswith(OPEN):
                    self._held, self._state = bare[len(OPEN) :], _State.INSIDE
                elif OPEN.startswith(bare) and not last:
                    return "", calls
                else:
                    self._state = _State.TEXT
                    self._held = self._held if bare or not calls else ""
            else:
                text, self._held = self._held, ""
                return text, calls

    def _end(self) -> int:
        """Where the call ends: at the first mark with a whole call before it, since a text in it may hold the mark."""
        end = self._held.find(CLOSE)
        while end >= 0 and read_call(self._held[:end]) is None:
            end = self._held.find(CLOSE, end + 1)
        return end


def read_call(written: str) -> tuple[str, str] | None:
    """The name and arguments of a call that was written between its marks; None where it is none."""
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", {})
    return (value["name"], json.dumps(arguments, ensure_ascii=False)) if isinstance(arguments, dict) else None


def offers(tools: Iterable[Any]) -> list[ToolOffer]:
    """Tools as the host's line has them."""
    return [
        ToolOffer(
            name=tool.name, description=tool.description, parameters=json.dumps(tool.parameters, ensure_ascii=False)
        )
        for tool in tools
    ]


def _described(tool: ToolOffer) -> str:
    about = {"name": tool.name, "description": tool.description, "parameters": json.loads(tool.parameters)}
    return json.dumps({"type": "function", "function": about}, ensure_ascii=False)
