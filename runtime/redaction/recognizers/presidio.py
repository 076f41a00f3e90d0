"""Our recognizers as Presidio's: each in any Presidio registry, the whole text as one run.

Only here is Presidio imported: it takes as long as all the rest of the engine, which needs nothing of it.
"""

from __future__ import annotations

from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from runtime.redaction.normalise import view
from runtime.redaction.recognizers.base import Identifier, Run


class PresidioRecognizer(LocalRecognizer):
    """One recognizer behind `LocalRecognizer`.

    Args:
        identifier: what finds.
        supported_language: for which language the registry lists it; it reads both.
    """

    def __init__(self, identifier: Identifier, supported_language: str = "en") -> None:
        super().__init__(
            supported_entities=list(identifier.entities),
            supported_language=supported_language,
            name=type(identifier).__name__,
        )
        self._identifier = identifier

    def load(self) -> None:
        """Nothing: the patterns are compiled with their module."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:  # noqa: ARG002
        """What is found in a text, of these entities, or of all if none is named."""
        folded = view(text)
        run = Run(folded.text)
        if run.digits < self._identifier.LEAST_DIGITS or not self._identifier.applies(run):
            return []
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: type(self._identifier).__name__,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        results = []
        for hit in self._identifier.find(run):
            entity = hit.entity or self._identifier.ENTITY
            if entities and entity not in entities:
                continue
            start, end = folded.back(hit.start, hit.end)
            results.append(RecognizerResult(entity, start, end, hit.score, recognition_metadata=dict(metadata)))
        return results
