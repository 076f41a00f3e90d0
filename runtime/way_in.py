"""Step 2 of a turn: what a caller's request and the operator's own words become before anything else is done with them.

Personal data becomes tokens of the conversation. The operator's system prompt is masked like all else: a remote
backend reads it with tokens, and what a model says of it comes back with values. It is not counted: it is not the
caller's.
"""

from __future__ import annotations

from memory.recall import Message
from runtime.errors import Forbidden, Invalid
from runtime.json_leaves import Leaf
from runtime.ledger import Ledger, token_map
from runtime.masking import Masking
from runtime.own_words import OwnWords
from runtime.redaction.spans import Span
from runtime.redaction.values import NAMES
from runtime.turn_state import Turn, sure


async def mask_request(
    turn: Turn, *, masking: Masking, ledger: Ledger, system_prompt: str | None, most_turns: int, budget: int
) -> None:
    """Recall the conversation's turns and mask what this one brings.

    Args:
        turn: has its lease; gets its map of tokens, its texts in their strictest view, and what was found.
        masking: finds and replaces.
        ledger: has the conversation.
        system_prompt: the operator's words, None for none.
        most_turns: how many earlier turns are recalled at most.
        budget: how many characters of them.

    Raises:
        Forbidden: `policy.entity_blocked`, the policy blocks an entity that was found.
        Invalid: `request.tool_name`, a tool's name says personal data that this backend may not see.
        PiiUnavailable, TimeoutError: no analysis, no turn.
    """
    live = sure(turn.live)
    turn.recalled, stale = await ledger.load(live, max_turns=most_turns, budget=budget, masker=masking.revision)
    if not turn.recalled.complete or turn.recalled.turns == most_turns < live.opened.position - 1:
        turn.trimmed()
    turn.tokens = token_map(turn.recalled.tokens)
    if stale:
        turn.recalled = await masking.again(turn.recalled, turn.tokens)
    words, texts, names = [Leaf(system_prompt or "")], turn.brought.texts(), turn.brought.names()
    after = (live.opened.conversation_ref, turn.recalled.last_key)
    masked = await masking.mask([*words, *texts, *names], turn.tokens, after=after)
    turn.system = Message("system", "operator", masked.texts[0]) if system_prompt else None
    end = 1 + len(texts)
    turn.asked, turn.read = turn.brought.with_texts(masked.texts[1:end]), masked.read
    turn.supplied = OwnWords(turn.tokens, turn.brought, turn.recalled.messages).has
    asked = masked.part(1, end)
    turn.found = asked.found
    turn.record.asked(*masking.shares(asked.found, turn.route, "in"), asked.at(turn.brought.positions()))
    if masking.blocks(asked.found, turn.route, "in"):
        raise Forbidden("policy.entity_blocked", "The text holds personal data of a kind that is not accepted.")
    turn.named = frozenset(span.entity for name, spans in masked.read[end:] for span in spans if _tells(name, span))
    if not all(map(masking.shown(turn.route), turn.named)):
        raise Invalid("request.tool_name", "The name of a tool holds personal data, and names are not masked.")


def _tells(name: str, span: Span) -> bool:
    """Whether a finding in a tool's name says who: a full name or an identifier; `ask_claude` says nobody."""
    return span.entity not in NAMES or " " in name[span.start : span.end]
