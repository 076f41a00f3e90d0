"""Numbers, sizes, durations and times as people of one language write them. Pure.

Times are those of the API: RFC 3339, or seconds or milliseconds since 1970; all are shown in UTC, as the log has them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from console.settings import Language

_NARROW = "\u202f"
_HARD = "\u00a0"
_MONTHS: dict[Language, tuple[str, ...]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juill.", "août", "sept.", "oct.", "nov.", "déc."),
}
_UNITS: dict[Language, tuple[str, ...]] = {
    "en": ("B", "KB", "MB", "GB", "TB"),
    "fr": ("o", "ko", "Mo", "Go", "To"),
}
_SPANS: dict[Language, tuple[str, str, str, str]] = {"en": ("s", "min", "h", "d"), "fr": ("s", "min", "h", "j")}


def number(value: float | Decimal, lang: Language, digits: int = 0) -> str:
    """With the separators of the language; `digits` after the point at most."""
    text = f"{value:,.{digits}f}"
    if digits:
        text = text.rstrip("0").rstrip(".")
    return text if lang == "en" else text.replace(",", _NARROW).replace(".", ",")


def percent(value: float, lang: Language) -> str:
    """A number that is already in percent."""
    return f"{number(value, lang, 1)}{'' if lang == 'en' else _HARD}%"


def size(count: int, lang: Language) -> str:
    """Bytes in powers of 1,000."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS[lang]) - 1:
        value, unit = value / 1000, unit + 1
    return f"{number(value, lang, 1 if unit else 0)}{_HARD}{_UNITS[lang][unit]}"


def milliseconds(value: float | None, lang: Language) -> str:
    """A latency: milliseconds below a second, seconds above; a dash where none was measured."""
    if value is None:
        return "–"
    return f"{number(value, lang)}{_HARD}ms" if value < 1000 else f"{number(value / 1000, lang, 1)}{_HARD}s"


def span(seconds: int, lang: Language) -> str:
    """How long something is ago, in its largest unit."""
    second, minute, hour, day = _SPANS[lang]
    for length, unit in ((86_400, day), (3600, hour), (60, minute)):
        if seconds >= length:
            return f"{number(seconds // length, lang)}{_HARD}{unit}"
    return f"{max(0, seconds)}{_HARD}{second}"


def money(amount: str, lang: Language) -> str:
    """A decimal of the API, cut to what people read: two digits, or four where it is less than one."""
    try:
        value = Decimal(amount)
    except InvalidOperation:
        return amount
    return number(value, lang, 2 if abs(value) >= 1 else 4)


def moment(value: str | float | None, lang: Language, *, seconds: bool = False) -> str:
    """A time of the API (RFC 3339) or milliseconds since 1970; a dash for none, an unreadable one as it stands."""
    at = _parsed(value)
    if at is None:
        return "–" if value is None else str(value)
    clock = at.strftime("%H:%M:%S" if seconds else "%H:%M")
    joint = "," if lang == "en" else f"{_HARD}à"
    return f"{_day(at, lang)}{_HARD}{at.year}{joint} {clock}{_HARD}UTC"


def day(value: str | float | None, lang: Language) -> str:
    """Its date alone."""
    at = _parsed(value)
    if at is None:
        return "–" if value is None else str(value)
    return f"{_day(at, lang)}{_HARD}{at.year}"


def tick(start: str, bucket: str, lang: Language) -> str:
    """The start of a bucket, as short as an axis needs it."""
    at = _parsed(start)
    if at is None:
        return start
    if bucket == "day":
        return _day(at, lang)
    clock = at.strftime("%H:%M")
    return clock if bucket == "minute" else f"{_day(at, lang)} {clock}"


def _day(at: datetime, lang: Language) -> str:
    first = "1er" if lang == "fr" and at.day == 1 else str(at.day)
    return f"{first}{_HARD}{_MONTHS[lang][at.month - 1]}"


def _parsed(value: str | float | None) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value).astimezone(UTC)
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
