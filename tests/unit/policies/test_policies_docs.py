"""docs/policy.md speaks of every key, guard, action and reason, and its figures are those of the tables."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest
from attack_texts import DISGUISED, DISGUISES, PLAIN
from innocent_texts import INNOCENT
from pydantic import BaseModel

from policies.guards import base
from policies.model import ACTIONS
from policies.reasons import REASONS
from policies.schema import PolicyFile

TEXT = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")
# The code in the text, line by line: a lone backtick in a table cannot shift what follows.
CODE = {code for line in TEXT.splitlines() for code in re.findall(r"`([^`]+)`", line)}


def keys(model: type[BaseModel]) -> set[str]:
    """The keys of a model and of all models below it, as they are written in the file."""
    found = set()
    for name, field in model.model_fields.items():
        found.add(field.alias or name)
        for below in models_in(field.annotation):
            found |= keys(below)
    return found


def models_in(annotation: object) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {model for argument in typing.get_args(annotation) for model in models_in(argument)}


def test_the_collector_collects() -> None:
    assert {"version", "max_output_tokens", "when", "in", "decision_record_days", "entity"} <= keys(PolicyFile)
    assert {"weight", "hidden_text", "unless_after"} <= keys(base.kind("injection").Parameters)


@pytest.mark.parametrize("key", sorted(keys(PolicyFile)))
def test_every_key_is_described(key: str) -> None:
    assert key in CODE


@pytest.mark.parametrize("name", base.kinds())
def test_every_guard_is_described(name: str) -> None:
    assert f"#### `{name}`" in TEXT
    section = TEXT.partition(f"#### `{name}`")[2].partition("\n#")[0]
    for key in keys(base.kind(name).Parameters):
        assert f"`{key}`" in section


@pytest.mark.parametrize("code", REASONS)
def test_every_reason_is_described(code: str) -> None:
    assert f"| `{code}` |" in TEXT


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_described(action: str) -> None:
    assert action in CODE


def test_nothing_is_described_that_does_not_exist() -> None:
    reasons = set(re.findall(r"^\| `((?:policy|guard)\.[a-z_]+)` \|", TEXT, re.MULTILINE))
    assert reasons == set(REASONS)
    assert set(re.findall(r"^#### `(\w+)`", TEXT, re.MULTILINE)) == set(base.kinds())
    assert set(re.findall(r"^### `(\w+)`", TEXT, re.MULTILINE)) == set(PolicyFile.model_fields)


def test_the_figures_are_those_of_the_tables() -> None:
    assert f"| {len(PLAIN)} of {len(PLAIN)} |" in TEXT
    assert f"two of them in {len(DISGUISES)} disguises each | {len(DISGUISED)} of {len(DISGUISED)} |" in TEXT
    assert f"| 0 of {len(INNOCENT)} |" in TEXT
