"""Tables of texts in which what must be found is marked: `NAS : [[046 454 286]]`, one case a line, `⏎` for a line end."""

from __future__ import annotations

import re

_MARK = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)

Case = tuple[str, list[tuple[int, int]]]


def cases(table: str) -> list[Case]:
    """Texts without their marks, and the spans that were marked."""
    return [_case(line.replace("⏎", "\n")) for line in table.strip("\n").split("\n") if line]


def _case(line: str) -> Case:
    spans: list[tuple[int, int]] = []
    text = ""
    at = 0
    for match in _MARK.finditer(line):
        text += line[at : match.start()]
        spans.append((len(text), len(text) + len(match[1])))
        text += match[1]
        at = match.end()
    return text + line[at:], spans
