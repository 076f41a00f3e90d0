"""Bringing values of personal data to one form, so that the same value written twice has the same blind index.

Pure. Entities fall into a few kinds; the kind, not the entity, is part of the index, because detectors disagree about
entities (a number is a SIN here and a phone number there) and whoever asks for erasure knows only the value.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

KINDS: Final = ("email", "phone", "number", "name", "text")

_KIND_OF: Final = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "PERSON": "name",
    "LOCATION": "text",
    "URL": "text",
    "IP_ADDRESS": "text",
    "DATE_TIME": "text",
    "NRP": "text",
    "ORGANIZATION": "text",
    "ADDRESS": "text",
    "LITERAL": "text",
}
# Punctuation that people put inside numbers; letters of an IBAN or a plate stay.
_NOT_ALPHANUMERIC: Final = re.compile(r"[\W_]+")
_SPACES: Final = re.compile(r"\s+")
_EXTENSION: Final = re.compile(r"(?:ext\.?|extension|poste|x|#)\s*\d{1,6}\s*$", re.IGNORECASE)


def kind_of(entity: str) -> str:
    """The kind of an entity. Whatever is not listed is a number: government, bank, licence, account, postal code."""
    return _KIND_OF.get(entity, "number")


def normalise(kind: str, value: str) -> str:
    """The form of `value` that is indexed; an empty text when nothing of it is left.

    email: case and spaces folded. phone: digits in national form for North America and France, else as dialled.
    number: letters and digits alone. name: case, accents and spaces folded. text: case and spaces folded.
    """
    form = value
    while (folded := _fold(kind, form)) != form:  # taking a space away may let two characters compose
        form = folded
    return form


def _fold(kind: str, value: str) -> str:
    # Format characters (zero-width spaces, direction marks) are never part of a value.
    folded = "".join(c for c in unicodedata.normalize("NFKC", value) if unicodedata.category(c) != "Cf").casefold()
    match kind:
        case "email":
            return _SPACES.sub("", folded).removeprefix("mailto:")
        case "phone":
            return _national(folded)
        case "number":
            return _NOT_ALPHANUMERIC.sub("", folded)
        case "name":
            letters = (c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
            return _SPACES.sub(" ", "".join(letters)).strip()
        case _:
            return _SPACES.sub(" ", folded).strip()


def _national(text: str) -> str:
    digits = re.sub(r"\D", "", _EXTENSION.sub("", text))
    digits = digits.removeprefix("00")
    if len(digits) == 11 and digits.startswith("1"):
        return digits[1:]
    if digits.startswith("33") and len(digits.removeprefix("33").removeprefix("0")) == 9:
        return "0" + digits.removeprefix("33").removeprefix("0")
    return digits
