"""The line above the tabs: product, who is signed in, the other language, sign-out. Pure; escaped HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from console.settings import Language
from console.words import Words


def brand(words: Words, switch: Language) -> str:
    """The header before anybody is known to it."""
    return _line(words, switch, "")


def header(me: Mapping[str, object], words: Words, switch: Language) -> str:
    """The header for somebody."""
    role = str(me.get("role", ""))
    shown = words(f"frame.role_{role}") if words.has(f"frame.role_{role}") else role
    name = escape(str(me.get("name", "")))
    return _line(words, switch, f'<span class="who"><b>{name}</b> <span class="role">{escape(shown)}</span></span>')


def _line(words: Words, switch: Language, who: str) -> str:
    return (
        f'<header class="frame"><span class="brand">{escape(words("frame.title"))}</span>{who}'
        f'<nav><a href="/{switch}/" hreflang="{switch}" lang="{switch}">{escape(words("frame.switch"))}</a>'
        f'<form method="post" action="/signout"><button type="submit">{escape(words("frame.sign_out"))}</button></form>'
        "</nav></header>"
    )
