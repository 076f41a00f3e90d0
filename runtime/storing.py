"""Step 7 of a turn: what was released becomes ciphertext, in its strictest view, and the turn's closing is won."""

from __future__ import annotations

from memory.errors import TokenTaken
from memory.rows import Usage
from runtime.extras import sealed_form, texts_of
from runtime.json_leaves import Leaf
from runtime.ledger import Ledger, token_map
from runtime.masking import Masking
from runtime.turn_state import Turn, sure

#: How often a turn masks again because another turn of its conversation took the same tokens.
TOKEN_ATTEMPTS = 5


async def store_released(turn: Turn, released: str, spent: Usage | None, *, masking: Masking, ledger: Ledger) -> None:
    """Keep an answer, or what a cut stream released of one, with what came beside it.

    Raises:
        TurnNotOpen: somebody else closes this turn.
    """
    for attempt in range(TOKEN_ATTEMPTS):
        texts = [Leaf(released), *texts_of(turn.extras)]
        masked = await masking.mask(texts, turn.tokens)
        extras = sealed_form(turn.extras, masked.texts[1:])
        try:
            stored = await ledger.store(
                sure(turn.live), masked.texts[0], turn.finished, turn.tokens, spent=spent, extras=extras
            )
            break
        except TokenTaken:
            if attempt == TOKEN_ATTEMPTS - 1:
                raise
            recalled, _ = await ledger.load(sure(turn.live), max_turns=0, budget=0, masker="")
            turn.tokens = token_map(recalled.tokens)
    turn.record.stored.update(stored)
    turn.stored = True
