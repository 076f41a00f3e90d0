"""API keys: listing, making and revoking them. Each is an `admin` record of the log."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from console.client import Api

MOST_DAYS = 3650


async def keys(api: Api) -> list[dict[str, Any]]:
    """All keys, without their secrets. Raises: ApiFailure, ApiDown."""
    told: list[dict[str, Any]] = (await api.get("/admin/keys"))["keys"]
    return told


async def make(api: Api, name: str, role: str, days: int | None) -> dict[str, Any]:
    """A new key; `key` is its secret, in this answer and nowhere else. Raises: ApiFailure, ApiDown."""
    body = {"name": name, "role": role, **({} if days is None else {"days": days})}
    told: dict[str, Any] = await api.post("/admin/keys", body)
    return told


async def revoke(api: Api, key_id: str) -> None:
    """Revoke a key, everywhere and at once. Raises: ApiFailure, ApiDown."""
    await api.delete(f"/admin/keys/{quote(key_id, safe='')}")


def days_of(text: str) -> int | None:
    """The days of a form; None: the key does not expire. Raises: ValueError."""
    given = text.strip()
    if not given:
        return None
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given) <= MOST_DAYS:
        raise ValueError(given)
    return int(given)
