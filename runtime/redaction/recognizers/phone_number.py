"""Telephone numbers: North America, France, and international ones with a country code; any separators.

Written forms are told by shape; a bare row of ten digits counts only if its area code is in service (libphonenumber's
metadata, through `phonenumbers`, which Presidio's recognizer uses too) or if the words before speak of a telephone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from runtime.redaction.recognizers.base import Hit, Identifier, Run, words

_S = r"[ .\-\n/_()]{0,3}"
_EXTENSION = r"(?:[ ,;]{1,3}(?:ext|extension|poste|x|p|#)\.? ?#?[0-9]{1,6}(?![0-9]))?"
_NANP = re.compile(
    rf"(?:(?<![0-9])(?:\+ ?1|"
    rf"1){_S})?(?<![0-9])(?:\( ?)?([2-9][0-9]{{2}})({_S})([2-9][0-9]{{2}})({_S})([0-9]{{4}})(?![0-9]){_EXTENSION}"
)
_FRANCE = re.compile(rf"(?<![0-9])0({_S})[1-9]({_S}[0-9]{{2}}){{4}}(?![0-9])")
_INTERNATIONAL = re.compile(rf"(?:\+ ?|(?<![0-9.,])00 ?)[1-9](?:{_S}[0-9]){{6,14}}(?![0-9]){_EXTENSION}")
_SPACED = re.compile(r"(?<![0-9])(?:1[ .\-]{1,3})?[02-9](?:[ .\-]{1,3}[0-9]){9}(?![0-9])(?![ .\-]{1,3}[0-9](?![0-9]))")
_LABELLED = re.compile(rf"[+(]{{0,2}}[0-9](?:{_S}[0-9]){{6,14}}(?![0-9]){_EXTENSION}")
_CONTEXT = words(
    "t[ée]l",
    "t[ée]l[ée]phone",
    "phone",
    "telephone",
    "cell",
    "cellulaire",
    "cellphone",
    "mobile",
    "portable",
    "fax",
    "t[ée]l[ée]copieur",
    "appel(?:ez|er|le|lez)?",
    "call(?:ing|ed)?",
    "joindre",
    "rejoindre",
    "reach(?:ed)?",
    "whatsapp",
    "sms",
    "text(?:o|os)?",
    "num[ée]ro de t[ée]l[ée]phone",
    "phone number",
    "contact(?:ez|er)?",
    "dial",
    "ring",
)
_LABEL = re.compile(
    r"(?<!\w)(?:t[ée]l|t[ée]l[ée]phone|phone|telephone|cell|cellulaire|mobile|portable|fax|whatsapp|t[ée]l[ée]copieur|"
    r"phone number)"
    r"(?: (?:no|number|num[ée]ro|n°|is|est|perso|pro|maison|home|work|bureau))?[ .:#=\n°()\-]{0,5}$"
)


class PhoneNumber(Identifier):
    """Telephone and fax numbers, with their extension."""

    ENTITY = "PHONE_NUMBER"
    LEAST_DIGITS = 7

    def find(self, run: Run) -> Iterator[Hit]:
        text = run.text
        if "+" in text or "00" in text:
            yield from _international(run)
        if run.digits >= 10:
            for match in _NANP.finditer(text):
                if not _bounded(text, match.start(), match.end()):
                    continue
                bare = not (match.group(2) or match.group(4)) and "(" not in match.group()
                if not bare or _in_service(match) or _CONTEXT.search(run.before(match.start())):
                    if bare and (run.is_labelled_otherwise(match.start()) or run.is_amount(*match.span())):
                        continue
                    yield Hit(match.start(), match.end(), 0.7 if bare else 0.85, "north_america")
            for match in _FRANCE.finditer(text):
                if not _bounded(text, match.start(), match.end()) or run.is_labelled_otherwise(match.start()):
                    continue
                yield Hit(match.start(), match.end(), 0.8, "france")
            for match in _SPACED.finditer(text):
                yield Hit(match.start(), match.end(), 0.6, "spaced")
        yield from _labelled(run)


def _bounded(text: str, start: int, end: int) -> bool:
    """Not a part of a longer number, name or address."""
    if start and (text[start - 1].isalnum() or text[start - 1] in "_+" or _digit_before(text, start)):
        return False
    following = text[end : end + 2]
    if following and (following[0].isalpha() or following[0] == "_"):
        return False
    return not (len(following) == 2 and following[0] in "-./" and following[1].isdigit())


def _digit_before(text: str, start: int) -> bool:
    return start > 1 and text[start - 1] in "-./" and text[start - 2].isdigit()


def _in_service(match: re.Match[str]) -> bool:
    number = int(match.group(1) + match.group(3) + match.group(5))
    return phonenumbers.is_valid_number(phonenumbers.PhoneNumber(country_code=1, national_number=number))


def _international(run: Run) -> Iterator[Hit]:
    for match in _INTERNATIONAL.finditer(run.text):
        start, end = match.span()
        if start and (run.text[start - 1].isalnum() or _digit_before(run.text, start)):
            continue
        digits = "".join(character for character in match.group() if character.isdigit())
        plus = match.group()[0] == "+"
        try:
            # "(0)" is written for readers at home and not dialled from abroad
            number = phonenumbers.parse("+" + (digits if plus else digits[2:]).replace("330", "33", 1))
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number) and (plus or phonenumbers.is_valid_number(number)):
            yield Hit(start, end, 0.9, "international")


def _labelled(run: Run) -> Iterator[Hit]:
    """Other shapes count right after "tel:" and the like."""
    for match in _LABELLED.finditer(run.text):
        if _LABEL.search(run.before(match.start(), 40)):
            yield Hit(match.start(), match.end(), 0.75, "labelled")
