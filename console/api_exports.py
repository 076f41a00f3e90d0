"""What the tab for exports and verification asks of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from console.client import Api


async def begin_export(api: Api, selection: dict[str, Any]) -> dict[str, Any]:
    """Begin an export of `period`, `subject`, `conversation`, `records` or `filter`. Raises: ApiFailure, ApiDown."""
    told: dict[str, Any] = await api.post("/audit/exports", selection)
    return told


async def exports(api: Api) -> list[dict[str, Any]]:
    """One's own exports, the newest first. Raises: ApiFailure, ApiDown."""
    found: list[dict[str, Any]] = (await api.get("/audit/exports"))["exports"]
    return found


async def remove_export(api: Api, export_id: str) -> None:
    """Raises: ApiFailure, ApiDown."""
    await api.delete(f"/audit/exports/{export_id}")


async def begin_verification(api: Api) -> dict[str, Any]:
    """Begin to verify the log that the API serves. Raises: ApiFailure, ApiDown."""
    told: dict[str, Any] = await api.post("/audit/verify")
    return told


async def verifications(api: Api) -> list[dict[str, Any]]:
    """Verifications of the log of the last day, the newest first. Raises: ApiFailure, ApiDown."""
    found: list[dict[str, Any]] = (await api.get("/audit/verify"))["verifications"]
    return found


async def verify_file(api: Api, pieces: AsyncIterator[bytes]) -> dict[str, Any]:
    """The verdict on a bundle or receipt, which is sent as it comes. Raises: ApiFailure, ApiDown."""
    async with api.open("POST", "/audit/verify", pieces, patient=True) as answer:
        await answer.aread()
        verdict: dict[str, Any] = answer.json()
        return verdict


async def state_incident(api: Api, stated: dict[str, Any]) -> dict[str, Any]:
    """Record an incident: its reference and the record's id. Raises: ApiFailure, ApiDown."""
    told: dict[str, Any] = await api.post("/incidents", stated)
    return told
