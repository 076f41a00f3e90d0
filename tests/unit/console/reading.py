"""HTML of the views as tests read it: its tags, its attributes, its text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"br", "meta", "img", "input", "hr"}


class Reading(HTMLParser):
    """What a browser would make of a piece of HTML."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.cells: list[list[str]] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in {"td", "th"}:
            self.cells[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> is not in its place"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.cells and {"td", "th"} & set(self.open):
            self.cells[-1][-1] += data

    @property
    def rows(self) -> list[list[str]]:
        """The cells of every table, row by row."""
        return [[re.sub(r"[ \n]+", " ", cell).strip(" ") for cell in row] for row in self.cells]


def read(markup: str) -> Reading:
    """Read it, and see that it is well formed and runs nothing."""
    found = Reading(markup)
    assert found.open == []
    assert not {"script", "img", "iframe", "object", "a", "link", "form", "style"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in {"href", "src", "style"}]
    return found
