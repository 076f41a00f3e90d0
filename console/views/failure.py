"""Failures in words: what happened, what to do, and the stable code. Pure."""

from __future__ import annotations

from html import escape

from console.client import ApiDown, ApiFailure
from console.words import Words


def failure_text(error: Exception, words: Words) -> str:
    """One or two sentences of plain text, with the stable code where there is one."""
    if isinstance(error, ApiDown):
        return words("failure.down")
    if not isinstance(error, ApiFailure):
        return words("failure.unforeseen")
    key = f"failure.{error.code}"
    if words.has(key):
        text = words(key)
    elif words.has(f"failure.status_{error.status}"):
        text = words(f"failure.status_{error.status}")
    else:
        text = words("failure.refused")
    if error.retry_after is not None:
        text += " " + words("failure.retry", seconds=error.retry_after)
    return f"{text} ({error.code})"


def notice(text: str, language: str) -> str:
    """A failure as a piece of HTML that can also stand alone as a page."""
    return f'<div class="failed" role="alert" lang="{language}">{escape(text)}</div>'
