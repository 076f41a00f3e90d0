"""The policy's doors: what is in force, what would happen, what would be masked."""

from __future__ import annotations

from typing import Any

from console.client import Api

ASK = "chat.create"
"""The action that the questions about text, backend, purpose and classification belong to."""


async def policy(api: Api) -> dict[str, Any]:
    """The policy in force, in the reader's language. Raises: ApiFailure, ApiDown."""
    told: dict[str, Any] = await api.get("/policy")
    return told


async def evaluate(
    api: Api,
    role: str,
    action: str,
    *,
    text: str = "",
    backend: str | None = None,
    purpose: str | None = None,
    classification: str | None = None,
) -> dict[str, Any]:
    """What would happen; all but role and action count for `chat.create` only.

    Raises:
        ApiFailure, ApiDown: as the API says it; also for a backend that is not configured.
    """
    question: dict[str, str] = {"role": role, "action": action}
    if action == ASK:
        more = {"text": text, "backend": backend, "purpose": purpose, "classification": classification}
        question |= {name: value for name, value in more.items() if value}
    told: dict[str, Any] = await api.post("/policy/evaluate", question)
    return told


async def mask(api: Api, text: str, *, kind: str, direction: str, backend: str | None = None) -> dict[str, Any]:
    """What would be masked in a text; with a `backend` its own kind counts. Raises: ApiFailure, ApiDown."""
    body = {"text": text, "direction": direction, **({"backend": backend} if backend else {"kind": kind})}
    told: dict[str, Any] = await api.post("/mask", body)
    return told
