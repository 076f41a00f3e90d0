"""What is measured: the product, the product without names, stock Presidio, six regular expressions.

All of them answer the same question, where they would mask; nothing here judges the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from bench.pii.labels import LabelledText
from runtime.redaction.engine import PiiEngine

_BATCH = 32  # texts sent together, as in a turn with its history


class Found(NamedTuple):
    """One masked range; `rule` says what found it."""

    start: int
    end: int
    rule: str


class Masker(Protocol):
    """Says where it would mask."""

    name: str

    def find(self, texts: Sequence[LabelledText]) -> list[list[Found]]:
        """The masked ranges of each text."""


class Product:
    """This repository's engine, loaded.

    Args:
        ner: with names.
    """

    def __init__(self, *, ner: bool) -> None:
        self.name = "FilAgent" if ner else "FilAgent, rules only"
        self.engine = PiiEngine(ner=ner)
        self.engine.load()

    def find(self, texts: Sequence[LabelledText]) -> list[list[Found]]:
        found = []
        for first in range(0, len(texts), _BATCH):
            found += self.engine.analyze([text.text for text in texts[first : first + _BATCH]])
        return [[Found(span.start, span.end, f"{span.entity} ({span.rule})") for span in spans] for spans in found]


class StockPresidio:
    """Presidio as it comes: all recognizers that are on, spaCy's small models, told the right language of each text."""

    name = "stock Presidio"

    def __init__(self) -> None:
        from bench.pii.stock import analyzer

        self.engine = analyzer()

    def find(self, texts: Sequence[LabelledText]) -> list[list[Found]]:
        return [
            [
                Found(result.start, result.end, result.entity_type)
                for result in self.engine.analyze(text.text, language=text.language)
            ]
            for text in texts
        ]


class SixPatterns:
    """What a careful afternoon gives: e-mail, telephone, SIN or SSN, card, postal code, IP address."""

    name = "six patterns"
    _PATTERNS = (
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        r"(?:\+?1[-. ]?)?\(?\d{3}\)?[-. ]?\d{3}[-. ]?\d{4}\b",
        r"\b\d{3}[- ]\d{2,3}[- ]\d{3,4}\b",
        r"\b(?:\d{4}[- ]?){3}\d{4}\b",
        r"\b[ABCEGHJ-NPRSTVXY]\d[A-Z] ?\d[A-Z]\d\b",
        r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
    )

    def __init__(self) -> None:
        self._compiled = [re.compile(pattern) for pattern in self._PATTERNS]

    def find(self, texts: Sequence[LabelledText]) -> list[list[Found]]:
        return [
            [
                Found(*match.span(), f"pattern {number}")
                for number, pattern in enumerate(self._compiled, 1)
                for match in pattern.finditer(text.text)
            ]
            for text in texts
        ]
