"""Which column of a table a piece of text stands in, and what the header of that column says.

Rows of CSV, TSV, Markdown, aligned text and HTML carry their labels in the first row alone (SQL and JSON:
`table_rows.py`). `Columns` eats a text from left to right, as it is decided, and keeps the last header row; for a piece
that comes next it says which parts of it are cells under a header that announces something. What a cell holds is for
the recognizers, which read it behind its header as if that stood there ("SIN: 046…"). The answer depends on the text
before alone, never on how it arrived.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from runtime.redaction.lexicon import word_set
from runtime.redaction.normalise import lowered
from runtime.redaction.recognizers.base import spread
from runtime.redaction.recognizers.label_words import BIRTH, CODE, LIVING, OTHER
from runtime.redaction.recognizers.labels import LABELS, WORDS, label
from runtime.redaction.table_rows import Rows, concerns, through

_LONGEST_LINE = 600  # a row goes no further than that
_MOST_CELLS = 40
_LONGEST_HEAD = 40
_CELLS = {mark: re.compile(rf"(?:\"[^\"]*+\"?+|[^\"{mark}]++)*+") for mark in ("\t", "|", ";", ",")}
_WIDE = re.compile(r"[^ ]++(?: [^ ]++)*+")
_RULE = re.compile(r"[\s|:+=-]*+")
_WORD = re.compile(r"[a-z]+")
_NO_HEAD = re.compile(r"[0-9]{2}|(?<!\bno)(?<!\bn)[.:!?]\s*$|[@=<>{}()\[\]][^)]*$|[^\W\d_]'[^\W\d_]{2,}.*,")
# Words of sentences: a row of headers has none.
_PROSE = word_set(
    """
    and et or ou your votre vos my mon ma mes his her their our is est are sont was to the le la les a an un une i je
    we nous you vous il elle he she they please merci thanks if si for pour with avec
    """
)
_DIGIT = re.compile(r"[0-9]")
_ADDRESS = word_set("address adresse addr adr street rue civique domicile residence")
_SECRETS = word_set("password passwd pwd mdp passe pin nip cvv cvc token secret apikey jeton passphrase")
_ABOUT = LABELS & ~(OTHER | CODE) | BIRTH | LIVING
_TAG = re.compile(r"<(/?)(table|tr|th|td)(?![a-z])[^<>]{0,200}>", re.IGNORECASE)
_LONGEST_TAG = 210


class Cell(NamedTuple):
    """A part of a piece that stands in a column: its positions in the piece, and what to read before it."""

    start: int
    end: int
    before: str


@dataclass(frozen=True, slots=True)
class _Lines:
    """Where a text of lines stands: the line so far, the headers above it and what parts them."""

    line: str = ""
    heads: tuple[str, ...] = ()
    mark: str = ""


@dataclass(frozen=True, slots=True)
class _Markup:
    """Where a table in HTML stands.

    `heads` are the headers above, `row` those of the row being read; `column` is the cell's number; `text` the header
    being written, None outside of one; `tag` the beginning of a tag.
    """

    heads: tuple[str, ...] = ()
    row: tuple[str, ...] = ()
    column: int = -1
    text: str | None = None
    tag: str = ""


class Columns:
    """The tables of one text, from left to right."""

    __slots__ = ("_lines", "_markup", "_more", "_rows")

    def __init__(self) -> None:
        self._lines = _Lines()
        self._more = ""  # of the line, not yet in `_lines`
        self._markup = _Markup()
        self._rows = Rows()

    def cells(self, piece: str) -> list[Cell]:
        """The parts of the piece that comes next which stand under a header that announces something."""
        found: list[Cell] = []
        if self._lines.heads or "\n" in piece:
            _through_lines(self._behind(), piece, found)
        if self._markup.heads or self._markup.tag or "<" in piece:
            _through_markup(self._markup, piece, found)
        if concerns(self._rows, piece):
            values: list[tuple[int, int, str]] = []
            through(self._rows, piece, values)
            found += [Cell(low, high, head) for low, high, name in values if (head := _head(name))]
        return [cell for cell in found if _DIGIT.search(piece, cell.start, cell.end)]

    def advance(self, piece: str) -> None:
        """The piece has gone by."""
        markup = self._markup
        if "\n" in piece:
            self._lines, self._more = _through_lines(self._behind(), piece, None), ""
        elif len(self._more) <= _LONGEST_LINE:
            self._more += piece
        if "<" in piece or markup.tag or markup.text is not None:
            self._markup = _through_markup(markup, piece, None)
        if concerns(self._rows, piece):
            self._rows = through(self._rows, piece, None)

    def _behind(self) -> _Lines:
        """Where the lines stand, the whole of the last one included."""
        lines = self._lines
        return _Lines(lines.line + self._more, lines.heads, lines.mark) if self._more else lines


def _through_lines(state: _Lines, piece: str, found: list[Cell] | None) -> _Lines:
    """The state behind a piece; its cells are added to `found`."""
    at = 0
    while True:
        end = piece.find("\n", at)
        stop = len(piece) if end < 0 else end
        line = state.line
        if len(line) <= _LONGEST_LINE:
            line += piece[at:stop]
            if state.heads and found is not None and len(line) <= _LONGEST_LINE:
                _add_cells(state, line, at - len(state.line), at, found)
        if end < 0:
            return _Lines(line, state.heads, state.mark)
        state = _below(state, line)
        at = end + 1


def _add_cells(state: _Lines, line: str, shift: int, least: int, found: list[Cell]) -> None:
    """Cells of a line that begins at `shift` of the piece, what lies before `least` left out."""
    spans = _parted(line, state.mark)
    if len(spans) < 2 and state.mark != "\t":
        return
    for (low, high), head in zip(spans, state.heads, strict=False):
        start, end = max(low + shift, least), high + shift
        if head and start < end:
            found.append(Cell(start, end, head + line[low : start - shift]))


def _below(state: _Lines, line: str) -> _Lines:
    """What stands above the line that comes after this one."""
    if not line.strip() or len(line) > _LONGEST_LINE:
        return _Lines()
    if _RULE.fullmatch(line):
        return _Lines("", state.heads, state.mark)
    if not state.heads or state.mark == "wide":
        for mark in ("\t", "|", ";", ",", "wide"):
            if (mark in line or (mark == "wide" and "  " in line)) and (heads := _heads(line, mark)):
                return _Lines("", heads, mark)
    if len(_parted(line, state.mark)) < 2:
        return _Lines()
    return _Lines("", state.heads, state.mark)


def _parted(line: str, mark: str) -> list[tuple[int, int]]:
    if mark == "wide":
        return [match.span() for match in _WIDE.finditer(line)]
    spans: list[tuple[int, int]] = []
    at = 0
    while mark and len(spans) < _MOST_CELLS:
        cell = _CELLS[mark].match(line, at)
        end = cell.end() if cell else at
        spans.append((at, end))
        if end >= len(line):
            break
        at = end + 1
    return spans


def _heads(line: str, mark: str) -> tuple[str, ...]:
    """The headers in a line as they are read before their cells, none if it is no row of headers."""
    if _NO_HEAD.search(line):
        return ()
    cells = [line[low:high].strip(" \"'*_`\r") for low, high in _parted(line, mark)]
    if len(cells) < 2 or any(len(cell) > _LONGEST_HEAD or cell.count(" ") > 4 for cell in cells):
        return ()
    if mark == "," and any(not _PROSE.isdisjoint(_WORD.findall(cell.lower())) for cell in cells):
        return ()
    heads = tuple(map(_head, cells))
    return heads if any(heads) else ()


def _head(cell: str) -> str:
    """What is read before the cells of a column, empty if its header announces nothing."""
    if not 1 < len(cell) <= _LONGEST_HEAD:
        return ""
    plain = lowered(spread(cell)).replace("_", " ")
    words = _WORD.findall(plain)
    if not _ADDRESS.isdisjoint(words):
        return "address: "
    bits = label(plain + ": ").bits
    for word in words:
        bits |= WORDS.get(word, 0)
    told = bits & _ABOUT or not _SECRETS.isdisjoint(words)
    return f"{plain}: " if told and not bits & OTHER else ""


def _through_markup(state: _Markup, piece: str, found: list[Cell] | None) -> _Markup:
    """The same for HTML."""
    heads, row, column, text = state.heads, state.row, state.column, state.text
    whole, shift = state.tag + piece, len(state.tag)
    at = 0
    for match in _TAG.finditer(whole):
        text = _between(heads, column, text, whole=whole, span=(at, match.start()), shift=shift, found=found)
        at = match.end()
        name, closing = match[2].lower(), match[1] == "/"
        if name == "table":
            heads, row, column, text = (), (), -1, None
        elif name == "tr":
            if closing and len(row) > 1 and column + 1 == len(row):
                heads = row if any(row) else ()
            row, column, text = (), -1, None
        elif closing:
            if name == "th" and text is not None:
                row = (*row, _head(text.strip()))
            text = None
        else:
            column += 1
            text = "" if name == "th" else None
    tail = whole.rfind("<", at)
    end = tail if tail >= 0 and len(whole) - tail < _LONGEST_TAG and ">" not in whole[tail:] else len(whole)
    text = _between(heads, column, text, whole=whole, span=(at, end), shift=shift, found=found)
    return _Markup(heads, row[:_MOST_CELLS], column, text, whole[end:])


def _between(
    heads: tuple[str, ...],
    column: int,
    text: str | None,
    *,
    whole: str,
    span: tuple[int, int],
    shift: int,
    found: list[Cell] | None,
) -> str | None:
    """Take what stands between two tags: more of a header, or a cell."""
    low, high = span
    if text is not None:
        return (text + whole[low:high])[: _LONGEST_HEAD + 1]
    if found is not None and 0 <= column < len(heads) and heads[column] and high > max(low, shift):
        found.append(Cell(max(low, shift) - shift, high - shift, heads[column]))
    return None
