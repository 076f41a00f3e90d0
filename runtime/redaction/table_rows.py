"""Rows in brackets whose columns are named once before them: SQL's INSERT, and tables in JSON.

`INSERT INTO t (name, ssn) VALUES ('Roy', '…'), (…)` and `{"columns": ["name", "ssn"], "rows": [["Roy", "…"]]}`. Like
the tables of `tables.py`, they are followed from left to right, whatever pieces the text comes in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONGEST_HEADS = 600  # from the word that opens it to the first row
_MOST = 40
_OPENS = re.compile(r"(?<!\w)(?:insert|(?:columns|headers?|fields|colonnes|entetes|cols)[\"'])", re.IGNORECASE)
_INTO = re.compile(r"insert\s{1,4}(?:ignore\s{1,4})?into\s", re.IGNORECASE)
_TOLD = 24  # characters that tell a statement from the verb
_SQL = re.compile(
    r"insert\s{1,4}(?:ignore\s{1,4})?into\s{1,4}[^\s(]{1,80}\s{0,4}\(([^()]{3,400})\)\s{0,4}values", re.IGNORECASE
)
_JSON = re.compile(
    r"(?:columns|headers?|fields|colonnes|entetes|cols)[\"']\s{0,4}:\s{0,4}\[([^\[\]]{3,400})\]", re.IGNORECASE
)
_TOKEN = re.compile(r"['\"()\[\],;}]|[^'\"()\[\],;}]+")


@dataclass(frozen=True, slots=True)
class Rows:
    """Where such a table stands.

    Attributes:
        heads: the text from the opening word on, until the columns are known.
        columns: their names, empty before.
        sql: whether the rows are SQL's; JSON's otherwise.
        column: which value of a row comes, -1 between rows.
        quote: the sign that ends the string being read.
    """

    heads: str = ""
    columns: tuple[str, ...] = ()
    sql: bool = False
    column: int = -1
    quote: str = ""

    @property
    def idle(self) -> bool:
        """Whether no table has begun."""
        return not (self.heads or self.columns)


def concerns(state: Rows, piece: str) -> bool:
    """Whether a piece is worth following."""
    return (
        not state.idle
        or "nsert" in piece
        or "NSERT" in piece
        or (('"' in piece or "'" in piece) and _OPENS.search(piece) is not None)
    )


def through(state: Rows, piece: str, found: list[tuple[int, int, str]] | None) -> Rows:
    """The state behind a piece; the parts of it that are values, with the names of their columns, go to `found`."""
    at = 0
    while at < len(piece):
        if state.columns:
            state, at = _rows(state, piece, at, found)
        elif state.heads:
            state, at = _names(state, piece, at)
        else:
            opened = _OPENS.search(piece, at)
            if opened is None:
                break
            state, at = Rows(heads=opened.group()), opened.end()
    return state


def _names(state: Rows, piece: str, at: int) -> tuple[Rows, int]:
    """Read on until the columns are named."""
    known = len(state.heads)
    heads = state.heads + piece[at : at + _LONGEST_HEADS - known]
    for pattern in (_SQL, _JSON):
        if named := pattern.match(heads):
            names = tuple(name.strip(" \t\n\"'`[]") for name in named[1].split(","))[:_MOST]
            return Rows(columns=names, sql=pattern is _SQL), at + named.end() - known
    if len(heads) >= _TOLD and heads[0] in "iI" and not _INTO.match(heads):
        return Rows(), at
    if len(heads) >= _LONGEST_HEADS:
        return Rows(), at + _LONGEST_HEADS - known
    return Rows(heads=heads), len(piece)


def _rows(state: Rows, piece: str, at: int, found: list[tuple[int, int, str]] | None) -> tuple[Rows, int]:
    """Read values until the table ends."""
    columns, column, quote = state.columns, state.column, state.quote
    opening, closing, end = ("(", ")", ";") if state.sql else ("[", "]", "}")
    for token in _TOKEN.finditer(piece, at):
        sign = token.group()
        if quote and sign != quote:
            pass
        elif sign in {"'", '"'}:
            quote = "" if quote else sign
            continue
        elif sign == opening:
            column = 0
            continue
        elif sign == closing:
            column = -1
            continue
        elif sign == "," and column >= 0:
            column += 1
            continue
        elif sign == end and column < 0:
            return Rows(), token.end()
        if found is not None and 0 <= column < len(columns):
            found.append((token.start(), token.end(), columns[column]))
    return Rows("", columns, state.sql, column, quote), len(piece)
