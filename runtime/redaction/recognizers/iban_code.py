"""International bank account numbers: country, its length, and the MOD 97-10 check."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.checksums import iban
from runtime.redaction.recognizers.label_words import BANK, BANKING, IBAN

# Lengths by country: the SWIFT IBAN registry.
_LENGTHS = {
    country: int(length)
    for length, countries in {
        "15": "NO", "16": "BE", "18": "DK FI FO GL NL SD FK", "19": "MK SI", "20": "AT BA EE KZ LT LU XK MN",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS", "23": "AE GI IL IQ OM TL SO", "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "PT ST LY AO CV GW MZ", "26": "IS TR DZ IR",
        "27": "FR GR IT MC MR SM BI DJ CM CF CG GA GQ KM MG TD",
        "28": "MA BF BJ CI HN ML NE SN TG AL AZ BY CY DO GT HU LB NI PL SV",
        "29": "BR EG PS QA UA", "30": "JO KW MU YE", "31": "MT SC", "32": "LC", "33": "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
# Countries whose account numbers have no letters.
_DIGITS_ONLY = word_set(
    "AE AT BA BE CZ DE DK EE ES FI FO GL HR HU IL IS LT LY ME MR NO PL PT RS SE SI SK SO SD TL TN XK"
)
_START = re.compile(r"(?<![A-Za-z0-9])(?:IBAN[ :.\-]{0,3})?([A-Za-z]{2})[ .\-\n]?([0-9])\s?([0-9])", re.IGNORECASE)
# As it is printed, in groups of four: where a bank is spoken of its length tells it even if a digit is wrong.
_IN_FOURS = re.compile(r"[A-Z]{2}[0-9]{2}(?: [A-Z0-9]{4}){3,7}(?: [A-Z0-9]{1,3})?")
_ANY_LENGTH = re.compile(r"[A-Z]{2}[0-9]{2}(?:[ \-]?[A-Z0-9]{2,4}){3,8}(?![A-Z0-9])", re.IGNORECASE)


class IbanCode(Identifier):
    """IBANs, grouped or not; lower case as well."""

    ENTITY = "IBAN_CODE"
    LEAST_DIGITS = 10

    def applies(self, run: Run) -> bool:
        return bool(run.words)

    def find(self, run: Run) -> Iterator[Hit]:
        for match in _START.finditer(run.text):
            length = _LENGTHS.get(match.group(1).upper())
            start = match.start(1)
            end = _take(run.text, start, length) if length else None
            named = match.start() < start or run.says(start, IBAN, far=2)
            if end is None:
                if named and (mistyped := _ANY_LENGTH.match(run.text, start)):
                    yield Hit(start, mistyped.end(), 0.7, "named")
                continue
            compact = "".join(c for c in run.text[start:end] if c.isalnum()).upper()
            if compact[:2] in _DIGITS_ONLY and not compact[2:].isdigit():
                continue  # "at 418 723 4491 tomorrow"
            if iban(compact):
                yield Hit(start, end, 1.0, "checked")
            elif (
                named
                or (run.topics & (BANK | BANKING) and _IN_FOURS.fullmatch(run.text, start, end))
                or (match[1].isupper() and match[1] != "NO" and run.says(start, BANK, far=2))
            ):
                yield Hit(start, end, 0.8, "named")


def _take(text: str, start: int, length: int) -> int | None:
    """Where `length` letters and digits end, with at most three separators between two of them."""
    taken, gap = 0, 0
    for index in range(start, min(len(text), start + 3 * length)):
        character = text[index]
        if character.isascii() and character.isalnum():
            taken, gap = taken + 1, 0
            if taken == length:
                following = text[index + 1 : index + 2]
                return None if following.isalnum() else index + 1
        elif character in " .-\n/_" and gap < 3:
            gap += 1
        else:
            return None
    return None
