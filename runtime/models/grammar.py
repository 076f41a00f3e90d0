"""JSON of a schema as a grammar for llama.cpp (GBNF), so that the model can write nothing else.

Takes what `runtime.json_output.check_schema` takes. What the grammar lets through keeps to the schema; it does not let
everything through that would (properties come in the schema's order, and no further ones). Its size grows with the
schema's, whatever is nested in what.
Source: llama.cpp, grammars/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

_HEX: Final = "[0-9a-fA-F]"
_PRIMITIVES: Final = {
    # No lone surrogates: half a character is no text.
    "char": rf'[^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" ([0-9a-cefA-CEF] {_HEX}{{3}} | [dD] [0-7] {_HEX}{{2}}))',
    "ws": '" "?',  # where a model may indent as it likes, a small one does nothing else
    "string": r'"\"" char* "\""',
    "integer": '"-"? ("0" | [1-9] [0-9]{0,14})',
    "number": 'integer ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?',
    "boolean": '"true" | "false"',
    "null": '"null"',
    "object": r'"{" ws (string ws ":" ws value ws ("," ws string ws ":" ws value ws)*)? "}"',
    "array": r'"[" ws (value ws ("," ws value ws)*)? "]"',
    "value": "string | number | boolean | null | object | array",
}


class Grammar:
    """A grammar in the making."""

    def __init__(self) -> None:
        self._rules: list[str] = []

    def text(self, root: str, **named: str) -> str:
        """The whole grammar with `root` as its root rule; `named` are further rules that it uses."""
        further = [f"{name} ::= {text}" for name, text in {**_PRIMITIVES, **named}.items()]
        return "\n".join([f"root ::= {root}", *self._rules, *further]) + "\n"

    def add(self, text: str) -> str:
        """Add a rule; its name."""
        name = f"r{len(self._rules)}"
        self._rules.append(f"{name} ::= {text}")
        return name

    def rule(self, schema: Mapping[str, Any]) -> str:
        """The name of the rule for a schema that was checked, after adding it."""
        if "anyOf" in schema:
            return self.add(" | ".join(self.rule(option) for option in schema["anyOf"]))
        if "const" in schema or "enum" in schema:
            choices = [schema["const"]] if "const" in schema else schema["enum"]
            return self.add(" | ".join(self.literal(json.dumps(choice, ensure_ascii=False)) for choice in choices))
        return self.add(self._typed(schema))

    @staticmethod
    def literal(text: str) -> str:
        """A text as a literal of the grammar."""
        escaped = (char if char.isascii() and char.isalnum() else f"\\U{ord(char):08X}" for char in text)
        return '"' + "".join(escaped) + '"'

    def _typed(self, schema: Mapping[str, Any]) -> str:
        kind: str = schema["type"]
        if kind == "string" and ("minLength" in schema or "maxLength" in schema):
            return rf'"\"" char{{{schema.get("minLength", 0)},{schema.get("maxLength", "")}}} "\""'
        if kind == "array":
            item = self.rule(schema["items"]) if "items" in schema else "value"
            least, most = schema.get("minItems", 0), schema.get("maxItems")
            if most == 0:
                return '"[" ws "]"'
            more = f'{item} ws ("," ws {item} ws){{{max(0, least - 1)},{"" if most is None else most - 1}}}'
            return f'"[" ws {more if least else f"({more})?"} "]"'
        if kind == "object" and (schema.get("properties") or not schema.get("additionalProperties", True)):
            return f'"{{" ws {self._members(schema)} "}}"'
        return kind

    def _members(self, schema: Mapping[str, Any]) -> str:
        """The properties in their order. From the last to the first: what may follow each, with and without a comma."""
        required = set(schema.get("required", ()))
        first = more = self.add('""')
        for name, below in reversed(schema.get("properties", {}).items()):
            label = self.literal(json.dumps(name, ensure_ascii=False))
            pair = self.add(f'{label} ws ":" ws {self.rule(below)} ws')
            here, after = f"{pair} {more}", f'"," ws {pair} {more}'
            if name not in required:
                here, after = f"{here} | {first}", f"{after} | {more}"
            first, more = self.add(here), self.add(after)
        return first


def grammar(schema: Mapping[str, Any]) -> str:
    """The grammar of a checked schema; its root rule is `root`."""
    made = Grammar()
    return made.text(made.rule(schema))
