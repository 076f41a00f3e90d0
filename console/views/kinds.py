"""Kinds of personal data and roles in words; what is not known here is shown as its code: policies add more. Pure."""

from __future__ import annotations

from console.views.tables import Markup, code, joined, text
from console.words import Words
from runtime.audit.words_kinds import kind_text


def kind(entity: str, words: Words) -> str:
    """A kind of personal data, as people say it, with a capital: to begin a line with."""
    said = kind_text(entity, words.language)
    return said[:1].upper() + said[1:]


def kind_and_code(entity: str, words: Words) -> Markup:
    """The same, with its code."""
    said = kind(entity, words)
    return code(entity) if said == entity else joined(text(said), " ", code(entity))


def role(name: str, words: Words) -> str:
    """A role, as people say it."""
    return words(f"frame.role_{name}") if words.has(f"frame.role_{name}") else name


def counted(found: dict[str, int], words: Words) -> str:
    """`E-mail address (2), …`, the most frequent first."""
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{kind(entity, words)} ({number})" for entity, number in ordered)
