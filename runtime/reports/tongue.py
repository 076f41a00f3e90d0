"""Saying a thing in English or French: choice of the sentence, numbers, times, typography. Pure."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")

_BEFORE = re.compile(r" ([;:?!»%])")
_NARROW = "\u202f"
_HARD = "\u00a0"
_MONTHS: dict[Language, tuple[str, ...]] = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
}


class Tongue:
    """One language. Called with both sentences, it gives its own, with `facts` put in."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def __call__(self, english: str, french: str, /, **facts: object) -> str:
        template = _quoted(english) if self.language == "en" else _typeset(_quoted(french))
        shown = {name: self.number(fact) if type(fact) is int else fact for name, fact in facts.items()}
        return template.format_map(shown) if facts else template

    def number(self, value: int) -> str:
        """With the separators of the language."""
        return f"{value:,}" if self.language == "en" else f"{value:,}".replace(",", _NARROW)

    def yes(self, value: object) -> str:
        return self("yes", "oui") if value else self("no", "non")

    def moment(self, time: object) -> str:
        """A time of the log (RFC 3339 in UTC) as people write it, to the second; whatever else it is, as it stands."""
        text = str(time)
        match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.\d{3}Z", text)
        if match is None or not 1 <= int(match[2]) <= 12:
            return text
        hour = f"{match[4]}:{match[5]}:{match[6]} UTC"
        return f"{self.day(text[:10])}, {hour}" if self.language == "en" else f"{self.day(text[:10])} à {hour}"

    def day(self, date: str) -> str:
        """A date YYYY-MM-DD as people write it; whatever else it is, as it stands."""
        match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", date)
        if match is None or not 1 <= int(match[2]) <= 12:
            return date
        day, month = int(match[3]), _MONTHS[self.language][int(match[2]) - 1]
        first = "1er" if self.language == "fr" and day == 1 else str(day)
        return f"{first}{_HARD}{month} {match[1]}"


def _quoted(text: str) -> str:
    """The apostrophe that printers use; codes are left as they are."""
    parts = text.split("`")
    parts[::2] = [part.replace("'", "’") for part in parts[::2]]
    return "`".join(parts)


def _typeset(text: str) -> str:
    """French puts a no-break space before these signs and inside guillemets; codes are left as they are."""
    parts = text.split("`")
    parts[::2] = [_BEFORE.sub(rf"{_HARD}\1", part).replace("« ", f"«{_HARD}") for part in parts[::2]]
    return "`".join(parts)
