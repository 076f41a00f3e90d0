"""Prepared statements: strict about what they are given, plain SQL for other databases too."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import Executable
from sqlalchemy.sql.elements import ClauseElement

from memory import repository
from memory.models import installation
from memory.repository import limits
from memory.statements import ConstraintViolated, Prepared
from tests.unit.memory.household import Household

NEW = Prepared(insert(installation), ("name", "value"))
READ = Prepared(select(installation.c.value).where(installation.c.name == bindparam("which")))
RESET = Prepared(update(installation).where(installation.c.name == bindparam("which")).values(value=b"reset"))


def test_rows_come_back_as_the_driver_gives_them(house: Household) -> None:
    house.do(NEW.run_many, [{"name": "a", "value": b"1"}, {"name": "b", "value": b"2"}])
    house.do(NEW.run_many, [])
    assert house.do(READ.row, {"which": "a"}) == (b"1",)
    assert house.do(READ.row, {"which": "none"}) is None
    assert house.do(RESET.run, {"which": "b"}) == 1
    assert house.do(RESET.run, {"which": "none"}) == 0
    assert house.do(READ.rows, {"which": "b"}) == [(b"reset",)]


def test_a_value_that_is_not_given_is_an_error_and_never_null(house: Household) -> None:
    with pytest.raises(KeyError):
        house.do(NEW.run, {"name": "a"})


@pytest.mark.parametrize("many", [False, True])
def test_a_violated_constraint_has_its_own_error(house: Household, many: bool) -> None:
    row = {"name": "a", "value": b"1"}
    house.do(NEW.run, row)
    with pytest.raises(ConstraintViolated):
        house.do(NEW.run_many, [row]) if many else house.do(NEW.run, row)


def _statements() -> Iterator[tuple[str, ClauseElement, list[str] | None]]:
    for module in pkgutil.iter_modules(repository.__path__, f"{repository.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            label = f"{module.name.rpartition('.')[2]}.{name}"
            if isinstance(value, Prepared):
                yield label, value._statement, value._columns
            elif isinstance(value, Executable) and isinstance(value, ClauseElement):
                yield label, value, None


@pytest.mark.parametrize(
    ("statement", "columns"), [row[1:] for row in _statements()], ids=[row[0] for row in _statements()]
)
def test_every_statement_compiles_for_postgresql(statement: ClauseElement, columns: list[str] | None) -> None:
    assert str(statement.compile(dialect=postgresql.dialect(), column_keys=columns))


def test_the_search_above_finds_the_statements() -> None:
    found = {name for name, _, _ in _statements()}
    assert len(found) > 40
    assert {"limits._STANDING", "erasing._MENTIONING"} <= found
    assert isinstance(limits._STANDING, Prepared)
