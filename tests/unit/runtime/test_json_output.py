"""Schemas of the subset and of none; answers that keep to them; their texts, to be masked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import UpstreamFailed
from runtime.json_leaves import Leaf
from runtime.json_output import (
    SchemaRefused,
    check_schema,
    compact,
    conforms,
    escaped,
    fitted,
    require,
    texts,
    with_texts,
)

PERSON = {
    "type": "object",
    "description": "Who wrote to us",
    "properties": {
        "name": {"type": "string", "maxLength": 40},
        "age": {"type": "integer"},
        "mood": {"enum": ["glad", "cross", None]},
        "letters": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "maxItems": 2},
        "score": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    },
    "required": ["name", "letters"],
}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


REFUSED: dict[str, Any] = {
    "no object": [],
    "no type": {},
    "unknown type": {"type": "date"},
    "list of types": {"type": ["string", "null"]},
    "a reference": {"$ref": "https://example.com/schema"},
    "a pattern": {"type": "string", "pattern": "(a+)+$"},
    "a format": {"type": "string", "format": "email"},
    "additional schema": {"type": "object", "additionalProperties": {"type": "string"}},
    "too many items": {"type": "array", "maxItems": 10**9},
    "items below zero": {"type": "array", "minItems": -1},
    "items as text": {"type": "array", "minItems": "1"},
    "min over max": {"type": "string", "minLength": 3, "maxLength": 2},
    "a long text": {"type": "string", "maxLength": 100_000},
    "required and unknown": {"type": "object", "required": ["a"]},
    "empty enum": {"enum": []},
    "enum of objects": {"enum": [{}]},
    "enum of fractions": {"enum": [0.5]},
    "enum with bounds": {"enum": ["a"], "maxLength": 2},
    "enum and const": {"enum": ["a"], "const": "a"},
    "anyOf and type": {"anyOf": [{"type": "null"}], "type": "null"},
    "no options": {"anyOf": []},
    "options that are none": {"anyOf": ["x"]},
    "too deep": nested(9),
    "too many parts": {"type": "object", "properties": {f"p{n}": {"type": "null"} for n in range(300)}},
    "too long": {"type": "string", "description": "x" * 20_000},
    "description that is no text": {"type": "string", "description": {"a": 1}},
    "a keyword of another type": {"type": "string", "items": {"type": "null"}},
    "properties that are none": {"type": "object", "properties": [1]},
    "a property that is none": {"type": "object", "properties": {"a": "string"}},
}


def test_a_schema_of_the_subset_is_taken() -> None:
    assert check_schema(PERSON) is PERSON
    assert check_schema(nested(7)) == nested(7)
    assert json.loads(compact(PERSON)) == PERSON


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_outside_is_refused(name: str) -> None:
    with pytest.raises(SchemaRefused):
        check_schema(REFUSED[name])


def test_a_refusal_quotes_nothing() -> None:
    with pytest.raises(SchemaRefused) as caught:
        check_schema({"type": "object", "properties": {"Jean Tremblay": {"type": "Jean Tremblay"}}})
    assert "Jean" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"name":"A","letters":["x"]}', True),
        ('{"name":"A","letters":["x"],"age":3,"mood":null,"score":0.5}', True),
        (' {"name":"A","letters":["x","y"]}\n', True),
        ('{"name":"A"}', False),
        ('{"name":"A","letters":[]}', False),
        ('{"name":"A","letters":["x","y","z"]}', False),
        ('{"name":"A","letters":[""]}', False),
        ('{"name":"A","letters":["x"],"age":true}', False),
        ('{"name":"A","letters":["x"],"age":3.0}', False),
        ('{"name":"A","letters":["x"],"mood":"sad"}', False),
        ('{"name":"A","letters":["x"],"more":1}', False),
        ('{"name":"' + "A" * 41 + '","letters":["x"]}', False),
        ('{"name":"A","name":"B","letters":["x"]}', False),
        ('{"name":"A","letters":["x"],"score":NaN}', False),
        ('{"name":"A","letters":["x"]', False),
        ('Here it is: {"name":"A","letters":["x"]}', False),
        ("[" * 100_000, False),
        ("", False),
    ],
)
def test_answers(text: str, kept: bool) -> None:
    assert conforms(text, PERSON) is kept


def test_an_object_without_properties_is_any_object() -> None:
    assert conforms('{"a":[1,{}]}', {"type": "object"})
    assert not conforms("[1]", {"type": "object"})
    assert not conforms('{"a":1}', {"type": "object", "additionalProperties": False})


def test_texts_go_and_come_back() -> None:
    found = [leaf.text for leaf in texts(PERSON)]
    assert {"Who wrote to us", "name", "glad"} <= set(found)
    assert "string" not in found
    assert with_texts(PERSON, found) == PERSON
    changed = check_schema(with_texts(PERSON, [text.upper() for text in found]))
    assert changed["required"] == ["NAME", "LETTERS"]
    assert set(changed["properties"]) == {"NAME", "AGE", "MOOD", "LETTERS", "SCORE"}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_value_inside_a_json_string(value: str) -> None:
    assert json.loads(f'{{"a":"{escaped(value)}"}}') == {"a": value}


SCHEMAS = st.recursive(
    st.one_of(
        st.sampled_from(["string", "integer", "boolean", "null"]).map(lambda kind: {"type": kind}),
        st.lists(st.one_of(st.text(max_size=5), st.integers(), st.booleans()), min_size=1, max_size=4).map(
            lambda choices: {"enum": choices}
        ),
    ),
    lambda below: st.one_of(
        below.map(lambda schema: {"type": "array", "items": schema}),
        st.dictionaries(st.text(max_size=6), below, max_size=3).map(
            lambda named: {"type": "object", "properties": named, "required": sorted(named)}
        ),
        st.lists(below, min_size=1, max_size=3).map(lambda options: {"anyOf": options}),
    ),
    max_leaves=6,
)


def example(schema: dict[str, Any]) -> Any:
    if "anyOf" in schema:
        return example(schema["anyOf"][-1])
    if "enum" in schema:
        return schema["enum"][-1]
    match schema["type"]:
        case "array":
            return [example(schema["items"])]
        case "object":
            return {name: example(below) for name, below in schema["properties"].items()}
        case kind:
            return {"string": "s", "integer": 1, "boolean": True, "null": None}[kind]


@given(SCHEMAS)
def test_what_is_made_after_a_schema_keeps_to_it(schema: dict[str, Any]) -> None:
    check_schema(schema)
    assert conforms(json.dumps(example(schema)), schema)
    assert with_texts(schema, [leaf.text for leaf in texts(schema)]) == schema


def test_numbers_are_texts_too_and_names_announce_what_stands_below() -> None:
    card = {"enum": [4111111111111111, None, True], "type": "integer"}
    schema = check_schema(
        {
            "type": "object",
            "properties": {
                "creditCard": card,
                "date_of_birth": {"const": "1980-01-12"},
                "n": {"const": 7, "type": "integer"},
            },
        }
    )
    assert texts(schema) == [
        Leaf("creditCard"), Leaf("4111111111111111", "credit Card"), Leaf("date_of_birth"),
        Leaf("1980-01-12", "date of birth"), Leaf("n"), Leaf("7", "n"),
    ]  # fmt: skip
    masked = with_texts(schema, ["creditCard", "<CREDIT_CARD_1>", "date_of_birth", "<DATE_OF_BIRTH_1>", "n", "7"])
    assert masked["properties"] == {
        "creditCard": {"enum": ["<CREDIT_CARD_1>", None, True]},  # an integer no longer
        "date_of_birth": {"const": "<DATE_OF_BIRTH_1>"},
        "n": {"const": 7, "type": "integer"},
    }
    check_schema(masked)


def test_what_was_a_token_is_a_number_where_one_is_wanted() -> None:
    schema = {
        "type": "object",
        "properties": {
            "card": {"type": "integer"}, "rows": {"type": "array", "items": {"type": "number"}}, "name": {"type": "string"},
        },
    }  # fmt: skip
    value = {"card": "4111 1111 1111 1111", "rows": ["1.5", "x", "2"], "name": "12", "other": "3"}
    own = fitted(value, schema, {"4111 1111 1111 1111", "1.5", "x", "12", "3"}.__contains__)
    assert own == {"card": 4111111111111111, "rows": [1.5, "x", "2"], "name": "12", "other": "3"}
    assert fitted({"card": "true"}, schema, lambda _: True) == {"card": "true"}


def test_a_form_that_masking_took_is_said_so() -> None:
    with pytest.raises(UpstreamFailed) as refused:
        require('{"name": [PHONE_NUMBER]}', PERSON, masked=True)
    assert refused.value.code == "agent.masked_form"
    with pytest.raises(UpstreamFailed) as refused:
        require("no JSON", PERSON)
    assert refused.value.code == "agent.not_json"
