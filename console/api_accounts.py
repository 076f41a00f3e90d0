"""Accounts: who is known here, closing one and letting it in again. Each is an `admin` record of the log."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from console.client import Api


async def accounts(api: Api) -> list[dict[str, Any]]:
    """Everybody with an account, closed ones too. Raises: ApiFailure, ApiDown."""
    told: list[dict[str, Any]] = (await api.get("/admin/users"))["users"]
    return told


async def close(api: Api, user_id: str) -> None:
    """Refuse every key and token of an account from now on. Raises: ApiFailure, ApiDown."""
    await api.post(f"/admin/users/{quote(user_id, safe='')}/close")


async def reopen(api: Api, user_id: str) -> None:
    """Let a closed account in again. Raises: ApiFailure, ApiDown."""
    await api.post(f"/admin/users/{quote(user_id, safe='')}/reopen")
