"""`filagent privacy erase`: forget a person, with a receipt."""

from __future__ import annotations

import json

from memory.erasure import Selector
from runtime.choice import build_backends
from runtime.erasing import Eraser, forget_model_state
from runtime.keys_admin import OPERATOR
from runtime.settings import Settings
from runtime.workspace import workspace


async def erase(
    settings: Settings, *, person: str | None, subject: str | None, identifier: str | None, close_account: bool
) -> int:
    """Erase whom exactly one of the three names; prints the receipt as JSON."""
    selector = Selector(person=person, subject=subject, identifier=identifier, close_account=close_account)
    async with workspace(settings) as home:
        receipt = await Eraser(settings, home.database, home.ring, home.log).erase(selector, actor=OPERATOR)
        backends = build_backends(settings)
        try:
            receipt["model_state_cleared"] = await forget_model_state(backends)
        finally:
            await backends.aclose()
    print(json.dumps(receipt, indent=1))
    return 0
