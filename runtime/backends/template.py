"""The last resort: a fixed text which says that no model could be reached. No model, and it says so.

It stands at the end of a fallback chain only (`backends.fallback` in the policy); nobody can ask for it by name. Its
answers are recorded as any other's, and marked `degraded`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import asdict

from runtime.backends.base import ChatEvent, ChatRequest, Finished, Gate, Kind, ModelFacts, TextDelta

NAME = "template"
TEXT = (
    "No language model can be reached at the moment, so your question was not answered. It was received and recorded; "
    "please ask again later.\n\n"
    "Aucun modèle de langage n'est joignable pour le moment : votre question n'a pas reçu de réponse. Elle a été reçue "
    "et consignée ; veuillez la poser de nouveau plus tard."
)
_FACTS = ModelFacts(NAME, "template-1", build="template-1")


class TemplateBackend:
    """Answers everything with `TEXT`."""

    name = NAME
    kind: Kind = "local"

    def describe(self) -> ModelFacts:
        return _FACTS

    async def chat(self, request: ChatRequest, gate: Gate) -> AsyncGenerator[ChatEvent, None]:
        await gate(json.dumps(asdict(request), ensure_ascii=False, sort_keys=True).encode())
        yield TextDelta(TEXT)
        yield Finished(finish_reason="stop", prompt_tokens=0, completion_tokens=0, response_model=_FACTS.request_model)

    async def health(self) -> None:
        """Always there."""

    async def aclose(self) -> None:
        """Nothing is held."""
