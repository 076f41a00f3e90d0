"""Answers that must be JSON of a schema: which schemas are taken, and whether an answer keeps to one.

A subset of JSON Schema 2020-12 that every backend understands the same way and that no text can blow up: no
references, patterns or formats, bounded in size, depth and counts. What is outside it is refused, never ignored.
Texts and numbers of a schema (names, descriptions, choices) are a caller's text like any other: `texts` and
`with_texts` let them be masked. Pure.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from runtime.errors import UpstreamFailed
from runtime.json_leaves import Leaf, free_name, words

MAX_BYTES: Final = 16_384
_MAX_DEPTH: Final = 8
_MAX_NODES: Final = 200
_MAX_CHOICES: Final = 64
_TYPES: Final[dict[str, Any]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "object": dict,
    "array": list,
}
_BOUNDS: Final = {"minItems": 64, "maxItems": 64, "minLength": 256, "maxLength": 256}
_KEYS: Final = {
    "string": {"minLength", "maxLength"},
    "array": {"items", "minItems", "maxItems"},
    "object": {"properties", "required", "additionalProperties"},
}
_NOTES: Final = {"title", "description"}
ANY_OBJECT: Final[Mapping[str, Any]] = {"type": "object"}


class SchemaRefused(Exception):
    """This schema is not one of ours; the message says where and why, in our words only."""


def check_schema(schema: object) -> dict[str, Any]:
    """`schema` if it is of the subset.

    Raises:
        SchemaRefused: it is not.
    """
    if not isinstance(schema, dict):
        raise SchemaRefused("the schema must be an object")
    if len(json.dumps(schema)) > MAX_BYTES:
        raise SchemaRefused(f"the schema may have {MAX_BYTES} bytes at the most")
    if _check(schema, "schema", 1) > _MAX_NODES:
        raise SchemaRefused(f"the schema may have {_MAX_NODES} parts at the most")
    return schema


def conforms(text: str, schema: Mapping[str, Any]) -> bool:
    """Whether `text` is JSON, read strictly, and keeps to a schema that `check_schema` took."""
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return _fits(value, schema)


def require(text: str, schema: Mapping[str, Any] | None, *, masked: bool = False) -> None:
    """Let pass an answer that keeps to its schema, or has none.

    `masked` says whether something in it was masked on its way out.

    Raises:
        UpstreamFailed: `agent.not_json`; an answer that was cut at its longest is not JSON either. `agent.masked_form`
            where masking may be what took its form.
    """
    if schema is not None and not conforms(text, schema):
        if masked:
            raise masked_form()
        raise UpstreamFailed(
            "agent.not_json", "The model's answer is no JSON of this schema, or was cut at max_tokens."
        )


def masked_form() -> UpstreamFailed:
    """What is said where an identifier that the caller did not supply was masked, and the form did not survive it."""
    return UpstreamFailed(
        "agent.masked_form",
        "Personal data that the caller did not supply was masked, and what is left does not keep to the schema.",
    )


def texts(schema: Mapping[str, Any]) -> list[Leaf]:
    """Every text and number of the caller's in a schema, in a fixed order: names, choices, descriptions.

    A property's name announces what stands below it.
    """
    found: list[Leaf] = []

    def keep(leaf: Leaf) -> str:
        found.append(leaf)
        return leaf.text

    _map(schema, "", keep)
    return found


def with_texts(schema: Mapping[str, Any], new: Sequence[str]) -> dict[str, Any]:
    """The schema with its texts replaced, in the order of `texts`; a number that is replaced becomes a string."""
    rest = iter(new)
    return _map(schema, "", lambda _leaf: next(rest))


def fitted(value: Any, schema: Mapping[str, Any], may: Callable[[str], bool]) -> Any:
    """A value in which strings are numbers where the schema wants numbers: a model cannot write a token as one.

    Args:
        value: JSON.
        schema: what it should keep to.
        may: of which strings that may be made.
    """
    if isinstance(value, str) and may(value) and not _fits(value, schema):
        with contextlib.suppress(ValueError, RecursionError):
            number = json.loads(value.replace(" ", ""), parse_constant=_no_constant)
            if type(number) in (int, float) and _fits(number, schema):
                return number
        return value
    if isinstance(value, list) and isinstance(below := schema.get("items"), dict):
        return [fitted(item, below, may) for item in value]
    if isinstance(value, dict) and isinstance(below := schema.get("properties"), dict):
        return {name: fitted(item, below[name], may) if name in below else item for name, item in value.items()}
    return value


def compact(schema: Mapping[str, Any]) -> str:
    """As it goes to a backend."""
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


def escaped(value: str) -> str:
    """A value as it stands inside a JSON string."""
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _check(schema: Mapping[str, Any], where: str, depth: int) -> int:
    """How many parts it has. Raises: SchemaRefused."""
    if depth > _MAX_DEPTH:
        raise SchemaRefused(f"{where}: nested deeper than {_MAX_DEPTH}")
    if any(not isinstance(schema.get(note, ""), str) for note in _NOTES):
        raise SchemaRefused(f"{where}: title and description are texts")
    keys = schema.keys() - _NOTES
    if "anyOf" in keys:
        options = schema["anyOf"]
        if keys != {"anyOf"} or not isinstance(options, list) or not 1 <= len(options) <= 8:
            raise SchemaRefused(f"{where}: anyOf stands alone, with one to eight schemas")
        return 1 + sum(_below(option, f"{where}.anyOf", depth) for option in options)
    if "const" in keys or "enum" in keys:
        choices = [schema["const"]] if "const" in keys else schema["enum"]
        if not isinstance(choices, list) or not 1 <= len(choices) <= _MAX_CHOICES:
            raise SchemaRefused(f"{where}: enum is a list of one to {_MAX_CHOICES} values")
        if not all(isinstance(value, str | bool | int | None) for value in choices):
            raise SchemaRefused(f"{where}: enum and const take strings, integers, booleans and null")
        if keys - {"const", "enum", "type"} or {"const", "enum"} <= keys:
            raise SchemaRefused(f"{where}: enum or const stands alone, but for its type")
        if "type" in keys and schema["type"] not in _TYPES:
            raise SchemaRefused(f"{where}: type is one of {', '.join(_TYPES)}")
        return 1
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise SchemaRefused(f"{where}: type is one of {', '.join(_TYPES)}")
    unknown = keys - {"type"} - _KEYS.get(kind, set())
    if unknown:
        raise SchemaRefused(f"{where}: {len(unknown)} keyword(s) that are not supported here")
    _check_bounds(schema, where)
    if kind == "object":
        return 1 + _check_object(schema, where, depth)
    return 1 + (_below(schema["items"], f"{where}.items", depth) if "items" in schema else 0)


def _check_bounds(schema: Mapping[str, Any], where: str) -> None:
    for name, most in _BOUNDS.items():
        value = schema.get(name, 0)
        if type(value) is not int or not 0 <= value <= most:
            raise SchemaRefused(f"{where}: {name} is an integer from 0 to {most}")
    for thing in ("Items", "Length"):
        if schema.get(f"min{thing}", 0) > schema.get(f"max{thing}", _BOUNDS[f"max{thing}"]):
            raise SchemaRefused(f"{where}: min{thing} is more than max{thing}")


def _check_object(schema: Mapping[str, Any], where: str, depth: int) -> int:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, dict):
        raise SchemaRefused(f"{where}: properties is an object")
    if not isinstance(required, list) or any(not isinstance(name, str) or name not in properties for name in required):
        raise SchemaRefused(f"{where}: required lists names of properties")
    if not isinstance(schema.get("additionalProperties", False), bool):
        raise SchemaRefused(f"{where}: additionalProperties is true or false")
    return sum(_below(value, f"{where}.properties", depth) for value in properties.values())


def _below(schema: object, where: str, depth: int) -> int:
    if not isinstance(schema, dict):
        raise SchemaRefused(f"{where}: a schema must be an object")
    return _check(schema, where, depth + 1)


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    if "anyOf" in schema:
        return any(_fits(value, option) for option in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        choices = [schema["const"]] if "const" in schema else schema["enum"]
        return any(type(value) is type(choice) and value == choice for choice in choices)
    kind = schema["type"]
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind in ("integer", "number")):
        return False
    if kind == "string":
        return bool(schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)))
    if kind == "array":
        within = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return within and ("items" not in schema or all(_fits(item, schema["items"]) for item in value))
    if kind == "object":
        properties = schema.get("properties", {})
        closed = not schema.get("additionalProperties", not properties)
        return (
            set(schema.get("required", ())) <= value.keys()
            and (not closed or value.keys() <= properties.keys())
            and all(_fits(item, properties[name]) for name, item in value.items() if name in properties)
        )
    return True


def _map(schema: Mapping[str, Any], label: str, change: Callable[[Leaf], str]) -> dict[str, Any]:
    """The same schema with every text of the caller's changed; a name that stands twice is changed twice, alike."""
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _NOTES:
            made[key] = change(Leaf(value, label))
        elif key == "properties":
            below: dict[str, Any] = {}
            for name, part in value.items():
                free = free_name(change(Leaf(name)), below)
                below[free] = _map(part, words(name), change)
            made[key] = below
        elif key == "required":
            made[key] = [change(Leaf(name)) for name in value]
        elif key == "items":
            made[key] = _map(value, label, change)
        elif key == "anyOf":
            made[key] = [_map(option, label, change) for option in value]
        elif key == "enum":
            made[key] = [_choice(choice, label, change) for choice in value]
        elif key == "const":
            made[key] = _choice(value, label, change)
        else:
            made[key] = value
    choices = made.get("enum", [made["const"]] if "const" in made else [])
    if made.get("type") in ("integer", "number") and any(isinstance(choice, str) for choice in choices):
        del made["type"]  # a number that was masked is none any more
    return made


def _choice(value: Any, label: str, change: Callable[[Leaf], str]) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return change(Leaf(value, label))
    text = json.dumps(value)
    return value if (new := change(Leaf(text, label))) == text else new


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _no_constant(name: str) -> float:
    raise ValueError(name)
