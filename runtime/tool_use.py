"""Tool calls on their way to the caller: checked, masked, guarded and given the caller's own values. They leave whole.

A call is an act that the caller will carry out, so it is released only when its name was offered, its arguments are
JSON that keeps to the tool's schema, the guards have read it, and the turn's record is durable; never in pieces.
Identifiers in it that the caller did not supply are masked as in an answer; tokens that the model invents stay inert.
A tool gets tokens unless the policy restores values for it (`masking.tools`), as the shipped one does: the caller runs
his tools himself.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Sequence

from policies.model import Decision, Effect
from runtime.backends.base import Tool, ToolCall, ToolChoice
from runtime.errors import UpstreamFailed
from runtime.json_leaves import Leaf, compact, leaves, parse, replaced
from runtime.json_output import conforms, fitted, masked_form
from runtime.masking import Masking, Route
from runtime.redaction.stream import redact
from runtime.redaction.tokens import TokenMap

MOST_CALLS = 16


class ToolsOut:
    """The way out for the calls of one turn.

    Attributes:
        masked: what was masked in them (entity: count).
        passed: what was let through and counted.
    """

    def __init__(self, masking: Masking, tokens: TokenMap, route: Route, supplied: Callable[[str], bool]) -> None:
        self._masking = masking
        self._supplied = supplied
        self._tokens = tokens
        self._route = route
        self.masked: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()

    def release(
        self,
        calls: Sequence[ToolCall],
        offered: Sequence[Tool],
        choice: ToolChoice,
        refuse: Callable[[Decision], None],
    ) -> tuple[ToolCall, ...]:
        """The calls as the caller gets them, under references of our own.

        Args:
            calls: as the model asked for them.
            offered: the tools as the caller described them.
            choice: what the caller wanted.
            refuse: called when the guards refuse a call.

        Raises:
            UpstreamFailed: `agent.tool_missing`, `agent.tool_unknown`, `agent.tool_arguments`, `agent.tool_too_many`,
                `agent.masked_form`.
        """
        if choice.mode in {"required", "named"} and not calls:
            raise UpstreamFailed("agent.tool_missing", "The model answered without the tool call that it had to make.")
        if len(calls) > MOST_CALLS:
            raise UpstreamFailed("agent.tool_too_many", "The model asked for too many tool calls at once.")
        by_name = {} if choice.mode == "none" else {tool.name: tool for tool in offered}
        if any(call.name not in by_name or choice.name not in (None, call.name) for call in calls):
            raise UpstreamFailed("agent.tool_unknown", "The model asked for something that it was not offered.")
        released = tuple(self._out(call, by_name[call.name]) for call in calls)
        for call in released:
            text = f"{call.name} {call.arguments}"
            decision = self._masking.screen_outward(text, self.masked, self._route)
            if decision.effect is not Effect.ALLOW:
                refuse(decision)
        return released

    def _out(self, call: ToolCall, tool: Tool) -> ToolCall:
        try:
            wanted = parse(call.arguments)
        except ValueError:
            wanted = None
        if isinstance(wanted, dict):
            masked = self.masked.total()
            values: set[str] = set()
            texts = [self._text(leaf, tool.name, values) for leaf in leaves(wanted)]
            own = fitted(replaced(wanted, iter(texts)), tool.parameters, values.__contains__)
            if conforms(arguments := compact(own), tool.parameters):
                return ToolCall(f"call_{secrets.token_hex(12)}", tool.name, arguments)
            if self.masked.total() > masked:
                raise masked_form()
        raise UpstreamFailed(
            "agent.tool_arguments", "The arguments of the model's tool call are not of the form that the tool takes."
        )

    def _text(self, leaf: Leaf, tool: str, values: set[str]) -> str:
        """A text as it goes out; its label is read with it, where masking leaves the label as it is.

        Values are put back where the policy says so for this tool; those that a text holds are added to `values`.
        """
        before = f"{leaf.label}: " if leaf.label else ""
        masker = self._masking.outward(self._supplied, self._route)
        shown = redact(before + leaf.text, masker)
        if not shown.startswith(before):
            before, masker = "", self._masking.outward(self._supplied, self._route)
            shown = redact(leaf.text, masker)
        self.masked.update(masker.counts)
        self.passed.update(masker.passed)
        shown = shown[len(before) :]
        restored = self._tokens.restore(shown, entities=self._masking.restored_for(tool))
        if restored != shown:
            values.add(restored)
        return restored
