"""What a page says, before it has a form: sections, statements and the entries of the log that support each.

Pure values. `html` and `pdf` give them a form; which statements there are is decided by `dossier`, `person`, `review`.
In every text, what stands between backquotes is a code, a name or a command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runtime.reports.tongue import Language

Mood = Literal["good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, or a point of a list. `by`: the indexes of the entries of the log that support it."""

    text: str
    by: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value."""

    label: str
    value: str
    by: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    rows: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Points:
    items: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do, and the command that does it."""

    text: str
    command: str


@dataclass(frozen=True, slots=True)
class Steps:
    items: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption.

    Attributes:
        widths: relative widths of the columns.
        numbers: columns that hold numbers.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    numbers: frozenset[int] = frozenset()


Block = Text | Facts | Points | Steps | Table


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A line at the very top: whether what follows can be believed."""

    mood: Mood
    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry of the log that supports something on the page."""

    index: int
    record_id: str
    time: str
    what: str
    leaf: str


@dataclass(frozen=True, slots=True)
class Document:
    """A whole page or more.

    Attributes:
        notices: the first lines, before the title.
        footer: on each page, beside its number.
        references: the entries that `by` names, upwards.
    """

    language: Language
    title: str
    subtitle: str
    notices: tuple[Notice, ...]
    sections: tuple[Section, ...]
    references: tuple[Reference, ...]
    footer: str

    def plain(self) -> str:
        """All that it says as lines of text: for searching and for tests, the notices first."""
        lines = [notice.text for notice in self.notices]
        lines += [self.title, self.subtitle]
        for section in self.sections:
            lines.append(section.title)
            for block in section.blocks:
                lines += block_lines(block)
        lines += [f"[{one.index}] {one.record_id} {one.time} {one.what} {one.leaf}" for one in self.references]
        return "\n".join(lines).replace("`", "")


def block_lines(block: Block) -> Sequence[str]:
    """A block as lines of text."""
    match block:
        case Text():
            return [block.text + marks(block.by)]
        case Facts():
            return [f"{row.label}: {row.value}{marks(row.by)}" for row in block.rows]
        case Points():
            return [item.text + marks(item.by) for item in block.items]
        case Steps():
            return [line for item in block.items for line in (item.text, item.command)]
        case Table():
            return [block.caption, *(" | ".join(row) for row in (block.head, *block.rows))]


def marks(by: Sequence[int]) -> str:
    """The entries as they stand behind a statement: ` [12] [13]`."""
    return "".join(f" [{index}]" for index in by)


def pieces(text: str) -> list[tuple[str, bool]]:
    """A text in pieces: (words, whether they are a code)."""
    return [(piece, number % 2 == 1) for number, piece in enumerate(text.split("`")) if piece]
