"""`filagent privacy erase`: forget a person, with a receipt."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from memory.erasure import Selector
from runtime.choice import build_backends
from runtime.erasing import Eraser, forget_model_state
from runtime.errors import SettingsError
from runtime.keys_admin import OPERATOR
from runtime.settings import Settings
from runtime.workspace import workspace


def erase(
    settings: Settings,
    *,
    person: str | None,
    subject: str | None,
    identifier: str | None,
    close_account: bool,
    save: str | None,
    as_json: bool,
) -> int:
    """Erase whom exactly one of the three names; the receipt is for the person."""
    if close_account and person is None:
        raise SettingsError("--close-account goes with --person")
    selector = Selector(person=person, subject=subject, identifier=identifier, close_account=close_account)
    receipt = asyncio.run(_erase(settings, selector))
    if save is not None:
        Path(save).write_text(json.dumps(receipt, indent=1) + "\n", "utf-8")
    if as_json:
        print(json.dumps(receipt))
        return 0
    counts = receipt["counts"]
    print(
        f"Erased: {counts['turns']} turns, {counts['contents']} contents, {counts['vault_entries']} vault entries, "
        f"{counts['blind_indexes']} indexes. / Effacé."
    )
    print(f"Recorded as {receipt['completed_record_id']}; the log stays whole (filagent verify).")
    if not receipt["file_purged"]:
        print("The database file could not be purged now (in use): its keys are destroyed, its freed pages follow.")
    print(f"Backups made before today stay readable for up to {receipt['backups_unreadable_after_days']} days.")
    return 0


async def _erase(settings: Settings, selector: Selector) -> dict[str, Any]:
    async with workspace(settings) as home:
        receipt = await Eraser(settings, home.database, home.ring, home.log).erase(selector, actor=OPERATOR)
        backends = build_backends(settings)
        try:
            receipt["model_state_cleared"] = await forget_model_state(backends)
        finally:
            await backends.aclose()
        return receipt
