"""Accounts as a table, and what is asked before one is closed or reopened. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from console.views.kinds import role
from console.views.numbers import day
from console.views.tables import Markup, badge, codes, paragraph, table
from console.words import Words

ACTIVE = "active"


def name(account: Mapping[str, Any], words: Words) -> str:
    """What an account is called: the names given to its keys, else its reference in the records, shortened."""
    if account["names"]:
        return ", ".join(account["names"])
    refs = account["refs"]
    return words("keys.account_unnamed", ref=f"{refs[0][:8]}…" if refs else "–")


def listed(accounts: Sequence[Mapping[str, Any]], words: Words) -> Markup:
    """All accounts: those in use first, then by name."""
    lang = words.language
    rows = [
        [
            name(one, words),
            ", ".join(role(each, words) for each in one["roles"]) or "–",
            ", ".join(_method(each, words) for each in one["auth_methods"]) or "–",
            str(one["keys"]),
            _state(one, words),
            day(one["created_ms"], lang),
            "–" if one["last_seen"] is None else day(one["last_seen"], lang),
            codes(one["refs"]) if one["refs"] else "–",
        ]
        for one in sorted(accounts, key=lambda one: _rank(one, words))
    ]
    columns = ("name", "roles", "methods", "keys", "state", "created", "seen", "refs")
    heads = [words(f"keys.account_head.{column}") for column in columns]
    return table(heads, rows, caption=words("keys.accounts"), empty=words("keys.accounts_none"), kind="ops-cards")


def choices(accounts: Sequence[Mapping[str, Any]], words: Words) -> list[tuple[str, str]]:
    """The accounts, as a person tells them apart, and their identifiers."""
    ordered = sorted(accounts, key=lambda one: _rank(one, words))
    return [(f"{name(one, words)} · {_state_word(one, words)}", str(one["user_id"])) for one in ordered]


def question(account: Mapping[str, Any], words: Words) -> Markup:
    """What closing or reopening this account would do, before it is done."""
    act = "close" if account["state"] == ACTIVE else "reopen"
    told = paragraph(words(f"keys.account_{act}", name=name(account, words), keys=str(account["keys"])))
    return Markup(f'<div class="ops-confirm" role="alert">{told}</div>')


def _state_word(account: Mapping[str, Any], words: Words) -> str:
    return words(f"keys.account_state.{account['state']}")


def _state(account: Mapping[str, Any], words: Words) -> Markup:
    if account["state"] == ACTIVE:
        return badge(words("keys.account_state.active"), "good")
    closed = words("keys.account_closed_on", day=day(account["closed_ms"], words.language))
    return badge(closed, "plain")


def _method(code: str, words: Words) -> str:
    return words(f"keys.method.{code}") if words.has(f"keys.method.{code}") else code


def _rank(account: Mapping[str, Any], words: Words) -> tuple[bool, str, str]:
    return account["state"] != ACTIVE, name(account, words).casefold(), str(account["user_id"])
