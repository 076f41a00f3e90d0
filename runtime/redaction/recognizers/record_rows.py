"""Fields of the rows in which hospitals pass on who a patient is (HL7 version 2, segment PID): numbers and the birth.

What has a form of its own there, an address, a telephone, is for the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run

_OPENS = "PID|"
_FIELD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,24}")
_NUMBERS = frozenset({2, 3, 4, 18, 19, 20})  # identifiers, account, social security, licence
_BIRTH = 7
_DATE = re.compile(r"(?:19|20)[0-9]{2}[01][0-9][0-3][0-9](?:[0-9]{4,6})?")


class RecordRows(Identifier):
    """Numbers and births of patients."""

    ENTITY = "ID_NUMBER"
    ALSO = ("DATE_OF_BIRTH",)
    LEAST_DIGITS = 3

    def applies(self, run: Run) -> bool:
        return _OPENS in run.left or _OPENS in run.text

    def find(self, run: Run) -> Iterator[Hit]:
        text, shift = run.left + run.text, len(run.left)
        begin = text.rfind(_OPENS)
        if begin and text[begin - 1] not in "\n\r ":
            return
        end = text.find("\n", begin)
        at = begin
        for number, field in enumerate(text[begin : end if end >= 0 else len(text)].split("|")):
            if at >= shift and (value := _FIELD.match(field)) and any(map(str.isdigit, value.group())):
                if number == _BIRTH and (date := _DATE.match(field)):
                    yield Hit(at - shift, at - shift + date.end(), 0.85, "hl7_birth", "DATE_OF_BIRTH")
                elif number in _NUMBERS:
                    yield Hit(at - shift, at - shift + value.end(), 0.8, "hl7_number")
            at += len(field) + 1
