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
from policies.model import Decision, Effect, Query
from runtime import json_output, said
from runtime.backends.base import ChatBackend, ChatRequest, SamplingOptions, ToolChoice
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
                `request.greedy_refused`, `request.schema_unsupported`, `request.tools_unsupported`.
        """
        legal = self._policy.legal
        if request.purpose not in (None, legal.purpose, *legal.purposes):
            raise Invalid("request.purpose_unknown", "The policy knows no such purpose.")
        if request.classification not in (None, *self._policy.egress.levels):
            raise Invalid("request.classification_unknown", "The policy knows no such classification.")
        self._drawings.choose(backend, model, request.options, structured=self._formal(request))
        if request.json_schema is not None and not getattr(backend, "takes_schema", True):
            raise Invalid("request.schema_unsupported", "This backend cannot be held to a schema.")
        if request.tools and not getattr(backend, "takes_tools", False):
            raise Invalid("request.tools_unsupported", "This backend cannot be offered tools.")

    @staticmethod
    def _formal(request: TurnRequest) -> bool:
        """Whether the answer has a form from its first character on."""
        return request.json_schema is not None or request.tool_choice.mode in {"required", "named"}

    def may_offer(self, request: TurnRequest) -> Decision:
        """May the caller offer his model these tools? Each is a question to the policy."""
        principal = request.caller.principal
        for tool in request.tools:
            decision = self._policy.authorize(Query(principal, "tool.offer", {"tool": tool.name}))
            if not decision.allowed:
                return decision
        return Decision(Effect.ALLOW, (), ())

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
            structured=self._formal(turn.request),
        )

        def shown(text: str) -> str:
            return self._masking.view(text, turn.tokens, turn.route)

        form = turn.brought.with_form([shown(leaf.text) for leaf in turn.asked.form()])
        return ChatRequest(
            messages=said.for_model(said.changed(message, shown) for message in turn.prompt),
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
            json_schema=None if form.schema is None else json_output.compact(form.schema),
            thinking=drawing.thinking,
            tools=form.tools,
            tool_choice=turn.request.tool_choice if form.tools else ToolChoice("none"),
        )

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
        if request.tools:
            params["tools"] = len(request.tools)
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
        """Characters of earlier turns that fit beside this request and its answer; the backend has the last word.

        A remote model that the registry knows has a context of its own; any other is taken to have the local one's.
        """
        known = self._drawings.context(sure(turn.backend), turn.model)
        context = (known or self._settings.llama_cpp.context_size) - self.max_tokens(turn)
        return max(0, context * _CHARS_PER_TOKEN - turn.length - len(self._settings.generation.system_prompt or ""))

    def max_tokens(self, turn: Turn) -> int:
        limit = self._policy.limits(turn.request.caller.principal).max_output_tokens
        return min(turn.request.options.max_tokens or self._settings.generation.max_tokens, limit)

    def reserve(self, turn: Turn) -> int:
        """Tokens set aside for this turn: its text at three characters a token, and the longest answer."""
        return turn.length // _CHARS_PER_TOKEN + self.max_tokens(turn)

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
        read = sum(len(message.content) + len(message.tools) for message in turn.prompt)
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
