"""How a turn's question is put: sampling, budgets, the backend's own view of the prompt, and what records say of it.

Pure but for the random seed that is drawn when nobody gave one.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from memory.ids import random_ref
from memory.rows import Usage
from policies.engine import PolicyEngine
from policies.model import Passage
from runtime import json_output
from runtime.backends.base import ChatBackend, ChatMessage, ChatRequest, SamplingOptions
from runtime.drawing import Drawings
from runtime.errors import Invalid, SettingsError
from runtime.exchange import TurnRequest
from runtime.masking import Masking
from runtime.models.registry import RegistryError, load_registry
from runtime.recorder import TurnRecorder
from runtime.settings import Settings
from runtime.software import software
from runtime.turn_state import Turn, sure

_CHARS_PER_TOKEN = 3  # a cautious estimate for both languages


class Asking:
    """Turns settings, policy and a caller's options into requests."""

    def __init__(self, settings: Settings, policy: PolicyEngine, masking: Masking) -> None:
        self._settings = settings
        self._policy = policy
        self._masking = masking
        try:
            self._drawings = Drawings(load_registry(settings.models_file), settings.generation)
        except RegistryError as error:
            raise SettingsError(str(error)) from error

    def check(self, request: TurnRequest, backend: ChatBackend, model: str | None) -> None:
        """Let pass only words that the policy knows, and options that the model can be asked with.

        Raises:
            Invalid: `request.purpose_unknown`, `request.classification_unknown`, `request.thinking_unsupported`,
                `request.greedy_refused`, `request.schema_unsupported`.
        """
        legal = self._policy.legal
        if request.purpose not in (None, legal.purpose, *legal.purposes):
            raise Invalid("request.purpose_unknown", "The policy knows no such purpose.")
        if request.classification not in (None, *self._policy.egress.levels):
            raise Invalid("request.classification_unknown", "The policy knows no such classification.")
        structured = request.json_schema is not None
        self._drawings.choose(backend, model, request.options, structured=structured)
        if structured and not getattr(backend, "takes_schema", True):
            raise Invalid("request.schema_unsupported", "This backend cannot be held to a schema.")

    def passages(self, request: TurnRequest) -> list[Passage]:
        """Every text that a caller brings, as limits and guards read it; the texts of a schema count as one message."""
        found = [Passage(message.role, message.content) for message in request.messages]
        if request.json_schema is not None and (texts := json_output.texts(request.json_schema)):
            found.append(Passage("user", "\n".join(texts)))
        return found

    def record_for(self, request: TurnRequest) -> TurnRecorder:
        """The recorder of a turn that begins: nothing has left, and it has a reference already."""
        return TurnRecorder(
            request=request,
            policy_revision=self._policy.revision,
            masker_revision=self._masking.revision,
            software=software(),
            turn_ref=random_ref("t_"),
            legal=self.legal(request.purpose),
        )

    def chat_request(self, turn: Turn) -> ChatRequest:
        """The prompt as this backend may see it, and how to draw the answer."""
        wanted, defaults = turn.request.options, self._settings.generation
        seed = wanted.seed if wanted.seed is not None else defaults.seed
        drawing = self._drawings.choose(
            sure(turn.backend),
            turn.model,
            wanted,
            substitute="fallback_from" in turn.record.detail,
            structured=turn.strict_schema is not None,
        )
        return ChatRequest(
            messages=tuple(
                ChatMessage(message.role, self._masking.view(message.content, turn.tokens, turn.route))
                for message in turn.prompt
            ),
            options=SamplingOptions(
                max_tokens=self.max_tokens(turn),
                temperature=drawing.temperature,
                top_p=drawing.top_p,
                top_k=drawing.top_k,
                seed=secrets.randbelow(2**31) if seed is None else seed,
                presence_penalty=drawing.presence_penalty,
            ),
            owner=sure(turn.live).opened.conversation_ref,
            model=turn.model,
            mode=defaults.mode,
            json_schema=self._schema_view(turn),
            thinking=drawing.thinking,
        )

    def _schema_view(self, turn: Turn) -> str | None:
        """The schema as this backend may see it: its texts are masked as any other."""
        if turn.strict_schema is None:
            return None
        texts = json_output.texts(turn.strict_schema)
        shown = [self._masking.view(text, turn.tokens, turn.route) for text in texts]
        return json_output.compact(json_output.with_texts(turn.strict_schema, shown))

    def model_facts(self, turn: Turn, request: ChatRequest) -> dict[str, Any]:
        """The model and how it is asked, as `model.intent` names them; absent facts are left out."""
        backend = sure(turn.backend)
        facts, options = backend.describe(), request.options
        unsent: frozenset[str] = getattr(backend, "omitted_options", frozenset())  # what this server does not know
        decimals = {"temperature": options.temperature, "top_p": options.top_p}
        params: dict[str, Any] = {"max_tokens": options.max_tokens, "top_k": options.top_k, **decimals}
        if options.presence_penalty is not None:
            params["presence_penalty"] = options.presence_penalty
        if request.thinking is not None:
            params["thinking"] = request.thinking
        if request.json_schema is not None:
            params["json"] = True
        named = {
            "provider": facts.provider,
            "request_model": request.model or facts.request_model,
            "weights_sha256": facts.weights_sha256,
            "build": facts.build,
            "mode": request.mode,
            "params": {name: value for name, value in params.items() if value is not None and name not in unsent},
            "seed": None if "seed" in unsent else options.seed,
        }
        return {name: value for name, value in named.items() if value is not None}

    def history_budget(self, turn: Turn) -> int:
        """Characters of earlier turns that fit beside this request and its answer; the backend has the last word."""
        context = self._settings.llama_cpp.context_size - self.max_tokens(turn)
        asked = sum(len(message.content) for message in turn.request.messages)
        return max(0, context * _CHARS_PER_TOKEN - asked - len(self._settings.generation.system_prompt or ""))

    def max_tokens(self, turn: Turn) -> int:
        limit = self._policy.limits(turn.request.caller.principal).max_output_tokens
        return min(turn.request.options.max_tokens or self._settings.generation.max_tokens, limit)

    def reserve(self, turn: Turn) -> int:
        """Tokens set aside for this turn: its text at three characters a token, and the longest answer."""
        return sum(len(message.content) for message in turn.request.messages) // _CHARS_PER_TOKEN + self.max_tokens(
            turn
        )

    def spent(self, turn: Turn, *, cut: bool = False) -> Usage | None:
        """What a turn takes from the daily budget: what the model reported, else an estimate.

        Leaving early (`cut`) does not make free what was read and written until then, nor does an answer that breaks
        off. A provider that fails before it says anything costs nothing.
        """
        if turn.finished is not None:
            return Usage(turn.finished.prompt_tokens, turn.finished.completion_tokens)
        written = turn.outward.fed if turn.outward is not None else 0
        if not turn.sent or not (cut or written):
            return None
        read = sum(len(message.content) for message in turn.prompt)
        return Usage(read // _CHARS_PER_TOKEN, written // _CHARS_PER_TOKEN)

    def legal(self, purpose: str | None) -> dict[str, Any]:
        legal = self._policy.legal
        until = datetime.now(UTC).date() + timedelta(days=self._policy.decision_record_days)
        return {
            "purpose": purpose if purpose in legal.purposes else legal.purpose,
            "basis": legal.basis,
            "automated_decision": legal.automated_decision,
            "risk_class": legal.risk_class,
            "notice_id": legal.notice_id,
            "retain_until": until.isoformat(),
        }
