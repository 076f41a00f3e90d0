"""Until when a record must be kept: dates and moments as records name them, compared. Pure: no I/O.

A term is RFC 3339, a day (`2027-02-14`) or a moment in UTC; a day lasts until it ends.
"""

from __future__ import annotations

import re

from runtime.audit.fields import DATE

_TERM = re.compile(DATE)
_DAY = len("2027-02-14")


def is_term(text: object) -> bool:
    return isinstance(text, str) and _TERM.fullmatch(text) is not None


def later(one: str, other: str) -> str:
    """The later of two terms; '' is before all."""
    return max(one, other, key=lambda term: f"{term}T99" if len(term) == _DAY else term)


def expired(term: str, now: str) -> bool:
    """Whether a term is over at a moment (RFC 3339 in UTC, milliseconds)."""
    return term < now[: len(term)]
