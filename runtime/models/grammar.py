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


def grammar(schema: Mapping[str, Any]) -> str:
    """The grammar of a checked schema; its root rule is `root`."""
    rules: list[str] = []
    root = _rule(schema, rules)
    named = [f"{name} ::= {text}" for name, text in _PRIMITIVES.items()]
    return "\n".join([f"root ::= {root}", *rules, *named]) + "\n"


def _rule(schema: Mapping[str, Any], rules: list[str]) -> str:
    """The name of the rule for a schema, after adding it."""
    if "anyOf" in schema:
        text = " | ".join(_rule(option, rules) for option in schema["anyOf"])
    elif "const" in schema or "enum" in schema:
        choices = [schema["const"]] if "const" in schema else schema["enum"]
        text = " | ".join(_literal(json.dumps(choice, ensure_ascii=False)) for choice in choices)
    else:
        text = _typed(schema, rules)
    return _add(text, rules)


def _typed(schema: Mapping[str, Any], rules: list[str]) -> str:
    kind: str = schema["type"]
    if kind == "string" and ("minLength" in schema or "maxLength" in schema):
        return rf'"\"" char{{{schema.get("minLength", 0)},{schema.get("maxLength", "")}}} "\""'
    if kind == "array":
        item = _rule(schema["items"], rules) if "items" in schema else "value"
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if most == 0:
            return '"[" ws "]"'
        more = f'{item} ws ("," ws {item} ws){{{max(0, least - 1)},{"" if most is None else most - 1}}}'
        return f'"[" ws {more if least else f"({more})?"} "]"'
    if kind == "object" and (schema.get("properties") or not schema.get("additionalProperties", True)):
        return f'"{{" ws {_members(schema, rules)} "}}"'
    return kind


def _members(schema: Mapping[str, Any], rules: list[str]) -> str:
    """The properties in their order. From the last to the first: what may follow each, with and without a comma."""
    required = set(schema.get("required", ()))
    first = more = _add('""', rules)
    for name, below in reversed(schema.get("properties", {}).items()):
        pair = _add(f'{_literal(json.dumps(name, ensure_ascii=False))} ws ":" ws {_rule(below, rules)} ws', rules)
        here, after = f"{pair} {more}", f'"," ws {pair} {more}'
        if name not in required:
            here, after = f"{here} | {first}", f"{after} | {more}"
        first, more = _add(here, rules), _add(after, rules)
    return first


def _add(text: str, rules: list[str]) -> str:
    name = f"r{len(rules)}"
    rules.append(f"{name} ::= {text}")
    return name


def _literal(text: str) -> str:
    """A text as a literal of the grammar."""
    return '"' + "".join(char if char.isascii() and char.isalnum() else f"\\U{ord(char):08X}" for char in text) + '"'
