"""What the Decisions tab asks of the API: lists of records, one record with all that belongs to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from console.client import Api, ApiDown, ApiFailure

PAGE = 25  # records in a list


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of decisions is to hold; an empty text stands for any. Times as the API takes them."""

    begin: str = ""
    end: str = ""
    decision: str = ""
    masked: str = ""
    rule: str = ""
    model: str = ""
    principal: str = ""
    conversation: str = ""
    event: str = ""

    def query(self) -> dict[str, str]:
        """As parameters of `GET /decisions`, and as the `filter` of an export."""
        named = {
            "from": self.begin,
            "to": self.end,
            "decision": self.decision,
            "masked": self.masked,
            "rule": self.rule,
            "model": self.model,
            "principal": self.principal,
            "conversation": self.conversation,
            "event": self.event,
        }
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Dossier:
    """One record and what belongs to it; each part that could not be had is the failure instead."""

    record: dict[str, Any]
    explained: dict[str, Any] | ApiFailure | ApiDown
    proof: dict[str, Any] | ApiFailure | ApiDown
    related: dict[str, Any] | ApiFailure | ApiDown


async def listed(api: Api, wanted: Wanted, before: int | None) -> dict[str, Any]:
    """A page of decisions: `decisions` and `next_before`. Raises: ApiFailure, ApiDown."""
    found: dict[str, Any] = await api.get("/decisions", limit=PAGE, before=before, **wanted.query())
    return found


async def dossier(api: Api, record_id: str) -> Dossier:
    """A record, its explanation, proof and relatives.

    Raises:
        ApiFailure, ApiDown: the record itself could not be had.
    """
    place = f"/decisions/{record_id}"
    record = await api.get(place)
    parts = await asyncio.gather(*(_part(api, f"{place}/{name}") for name in ("explain", "proof", "related")))
    return Dossier(record, *parts)


async def proven(api: Api, record_id: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """A record, its proof under the newest checkpoint, and the key manifest. Raises: ApiFailure, ApiDown."""
    record, proof = await asyncio.gather(api.get(f"/decisions/{record_id}"), api.get(f"/decisions/{record_id}/proof"))
    async with api.open("GET", "/log/keys") as answer:
        keys = await answer.aread()
    return record, proof, keys


async def grown(api: Api, old: int, new: int) -> list[str]:
    """The proof that the log of `new` records extends the one of `old`. Raises: ApiFailure, ApiDown."""
    found: list[str] = (await api.get("/log/consistency", old=old, new=new))["consistency"]
    return found


async def _part(api: Api, path: str) -> dict[str, Any] | ApiFailure | ApiDown:
    try:
        found: dict[str, Any] = await api.get(path)
        return found
    except (ApiFailure, ApiDown) as failure:
        return failure
