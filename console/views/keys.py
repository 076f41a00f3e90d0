"""API keys as a table, and what is said about making and revoking one. Pure; a key's secret never comes here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from console.views.kinds import role
from console.views.numbers import day
from console.views.tables import Markup, badge, code, joined, paragraph, table
from console.words import Words

_TONES = {"active": "good", "expired": "warn", "closed": "plain", "revoked": "plain"}
_ORDER = {"active": 0, "expired": 1, "closed": 2, "revoked": 3}


def listed(keys: Sequence[Mapping[str, Any]], words: Words) -> Markup:
    """All keys: the usable first, then by name."""
    lang = words.language
    rows = [
        [
            key["name"],
            role(key["role"], words),
            badge(words(f"keys.state.{key['state']}"), _TONES[key["state"]]),
            day(key["created_ms"], lang),
            words("keys.never") if key["expires_ms"] is None else day(key["expires_ms"], lang),
            "–" if key["revoked_ms"] is None else day(key["revoked_ms"], lang),
            code(key["key_id"]),
        ]
        for key in sorted(keys, key=_rank)
    ]
    heads = [words(f"keys.head.{name}") for name in ("name", "role", "state", "created", "expires", "revoked", "id")]
    return table(heads, rows, caption=words("keys.list"), empty=words("keys.none"), kind="ops-cards")


def choices(keys: Sequence[Mapping[str, Any]], words: Words) -> list[tuple[str, str]]:
    """The keys that can be revoked, as a person tells them apart, and their identifiers."""
    usable = [key for key in sorted(keys, key=_rank) if key["state"] != "revoked"]
    return [
        (f"{key['name']} · {role(key['role'], words)} · {key['key_id'][:8]}…", str(key["key_id"])) for key in usable
    ]


def question(key: Mapping[str, Any], words: Words, *, own: bool) -> Markup:
    """What revoking this key would do, before it is done."""
    asked = words(
        "keys.confirm",
        name=key["name"],
        role=role(key["role"], words),
        day=day(key["created_ms"], words.language),
        identifier=key["key_id"],
    )
    pieces = [paragraph(asked)]
    if own:
        pieces.append(paragraph(words("keys.own"), "ops-warning"))
    return Markup(f'<div class="ops-confirm" role="alert">{joined(*pieces)}</div>')


def _rank(key: Mapping[str, Any]) -> tuple[int, str, int]:
    return _ORDER[key["state"]], str(key["name"]).casefold(), -int(key["created_ms"])
