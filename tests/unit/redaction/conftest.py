"""The engine that most of these tests ask: loading it once is enough, it remembers nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.redaction.engine import PiiEngine
from runtime.redaction.spans import Span

Found = list[tuple[str, str]]


@pytest.fixture(scope="session")
def rules() -> PiiEngine:
    return PiiEngine(ner=False)


@pytest.fixture(scope="session")
def engine() -> PiiEngine:
    engine = PiiEngine()
    engine.load()
    return engine


@pytest.fixture(scope="session")
def found(rules: PiiEngine) -> Callable[[str], Found]:
    """What the rules find in a text: entity and value, in order."""
    return lambda text: [(span.entity, text[span.start : span.end]) for span in rules.identifiers(text)]


@pytest.fixture(scope="session")
def spans_in(rules: PiiEngine) -> Callable[[str], list[Span]]:
    """The rules' spans of a text."""
    return rules.identifiers
