"""The corpus: every text of a split, made from its templates. The same code and data give the same texts, everywhere.

`data/<split>/<section>.<language>` holds templates, one a line. What the two splits share is this code and the public
rules of identifiers: names, streets, domains, prefixes, ways of writing and templates are different ones.
"""

from __future__ import annotations

from functools import cache

from bench.pii.fill import Filler
from bench.pii.labels import SECTIONS, LabelledText
from bench.pii.letters import SPLITS as LETTERS
from bench.pii.letters import letters
from bench.pii.source import DATA

LANGUAGES = ("en", "fr")
# How many texts a section has in one language of one split; each template is used about equally often.
SIZES = {
    "structured": 400, "addresses": 120, "names": 260, "mixed": 80, "obfuscated": 160, "prose": 160, "innocent": 440,
}  # fmt: skip


def templates(split: str, section: str, language: str) -> list[str]:
    """The templates of one file, in order."""
    return (DATA / split / f"{section}.{language}").read_text("utf-8").splitlines()


@cache
def corpus(split: str) -> tuple[LabelledText, ...]:
    """All texts of a split, no two alike. The splits of `letters.py` are no templates."""
    if split in LETTERS:
        return letters(split)
    found: dict[str, LabelledText] = {}
    for section in SECTIONS:
        for language in LANGUAGES:
            for text in _part(split, section, language):
                found.setdefault(text.text, text)
    return tuple(found.values())


def _part(split: str, section: str, language: str) -> list[LabelledText]:
    lines = templates(split, section, language)
    return [
        Filler(split, section, language, lines[number % len(lines)], number // len(lines)).fill()
        for number in range(SIZES[section])
    ]
