"""Statements of the hot path: written in SQLAlchemy Core, compiled once per dialect, run on the driver's cursor.

`Connection.execute` costs some 30 µs of Python around a statement that SQLite runs in 5, and a turn runs twenty. What
is given up is SQLAlchemy's conversion of results, which no column here needs: texts, integers and bytes arrive as they
are, booleans as 0 and 1. Statements with lists (`in_`) stay with `Connection.execute`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.sql.compiler import SQLCompiler

from memory.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Insert, Select, Update
    from sqlalchemy.engine import Connection
    from sqlalchemy.engine.interfaces import DBAPICursor


class ConstraintViolated(StorageError):
    """A row like this exists already, or what it refers to does not."""


class Prepared:
    """One statement.

    Args:
        statement: every value in it is a literal or a named `bindparam`; a name is not also a column that it sets.
        columns: of an insert: the columns that every execution gives.
    """

    __slots__ = ("_columns", "_compiled", "_statement")

    def __init__(self, statement: Select[Any] | Insert | Update, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = None if columns is None else list(columns)
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None, dict[str, Any]]] = {}

    def row(self, conn: Connection, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The only row, or None."""
        rows = self.rows(conn, values)
        return rows[0] if rows else None

    def rows(self, conn: Connection, values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        """All rows."""
        return self._cursor(conn, values).fetchall()

    def run(self, conn: Connection, values: Mapping[str, Any]) -> int:
        """How many rows it changed.

        Raises:
            ConstraintViolated: a unique or foreign key forbids it.
        """
        return self._cursor(conn, values).rowcount

    def run_many(self, conn: Connection, many: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each. Raises as `run`."""
        sql, names, fixed = self._compiled.get(conn.dialect.name) or self._compile(conn)
        cursor = conn.connection.cursor()
        try:
            cursor.executemany(sql, [_arguments(names, fixed, values) for values in many])
        except conn.dialect.loaded_dbapi.IntegrityError as error:
            raise ConstraintViolated("a constraint of the database was violated") from error

    def _cursor(self, conn: Connection, values: Mapping[str, Any]) -> DBAPICursor:
        sql, names, fixed = self._compiled.get(conn.dialect.name) or self._compile(conn)
        cursor = conn.connection.cursor()
        try:
            cursor.execute(sql, _arguments(names, fixed, values))
        except conn.dialect.loaded_dbapi.IntegrityError as error:
            raise ConstraintViolated("a constraint of the database was violated") from error
        return cursor

    def _compile(self, conn: Connection) -> tuple[str, tuple[str, ...] | None, dict[str, Any]]:
        compiled = self._statement.compile(dialect=conn.dialect, column_keys=self._columns)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError("only statements of SQL can be prepared")
        positions = compiled.positiontup
        fixed = {name: bound.value for name, bound in compiled.binds.items() if not bound.required}
        found = (str(compiled), None if positions is None else tuple(positions), fixed)
        self._compiled[conn.dialect.name] = found
        return found


def _arguments(names: tuple[str, ...] | None, fixed: dict[str, Any], values: Mapping[str, Any]) -> Any:
    """Positional or named, as the driver wants them; a missing value is a KeyError, never a NULL."""
    if names is None:
        return {**fixed, **values}
    return [fixed[name] if name in fixed else values[name] for name in names]
