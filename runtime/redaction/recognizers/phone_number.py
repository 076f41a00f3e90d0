"""Telephone numbers: North America, France, and international ones with a country code; any separators.

Written forms are told by shape; a bare row of ten digits counts only if its area code is in service or if the words
before speak of a telephone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import DATE, Hit, Identifier, Run, Window
from runtime.redaction.recognizers.label_words import CODE, MARK, OTHER, PHONE
from runtime.redaction.recognizers.numbering import AREA_CODES, national, north_american

_S = r"[ .\-\n/_()*~]{0,4}"
_EXTENSION = (
    r"(?:[ ,;(\n]{0,3}(?:ext|extension|poste|x|p|#|int|interne)[.:]{0,2} ?(?:#|no\.?|:)? ?[0-9]{1,6}(?![0-9])\)?)?"
)
_GROUPED = re.compile(
    rf"(?:(?<![0-9])(?:\+ ?1|001|1){_S})?(?<![0-9])(?:\( ?)?([0-9]{{3}})({_S})([0-9]{{3}})({_S})([0-9]{{4}})(?![0-9])"
    rf"{_EXTENSION}",
    re.IGNORECASE,
)
_INTERNATIONAL = re.compile(
    rf"(?:\+ ?|\( ?\+ ?|(?<![0-9.,])(?<![0-9] )0(?:0|11)[ \-]?)[1-9](?:{_S}[0-9]){{6,14}}(?![0-9]){_EXTENSION}",
    re.IGNORECASE,
)
_LABELLED = re.compile(rf"[+(]{{0,2}}[0-9](?:{_S}[0-9]){{6,14}}(?![0-9]){_EXTENSION}", re.IGNORECASE)
_FRENCH_IN_PARENTHESES = re.compile(r"\(0[1-9]\) ?[0-9]{2}(?:[ .-]?[0-9]{2}){3}(?![\w])")
_FRENCH_SHAPES = frozenset(
    {(10,), (2, 2, 2, 2, 2), (4, 2, 2, 2), (4, 3, 3), (2, 8), (3, 3, 4), (2, 4, 4), (2, 2, 3, 3), (1, 9)}
)
# Britain: eleven digits that begin with 0, in the groups that people write.
_BRITISH = re.compile(
    r"(?<![\w.+-])(?:(?<![0-9] )|(?<=[0-9]:[0-9]{2} ))\(?0(?:20\)? ?[378][0-9]{3} ?[0-9]{4}|"
    r"(?:1[0-9]1|11[0-9])\)? [0-9]{3} ?[0-9]{4}|"
    r"1[0-9]{3}\)? (?:[0-9]{6}|[0-9]{3} [0-9]{3})|7[1-9][0-9]{2} ?[0-9]{3} ?[0-9]{3}|7[1-9][0-9]{3} [0-9]{3} ?[0-9]{3}|"
    r"(?:80|30|33)[0-9]\)? [0-9]{3} [0-9]{4})(?![\w-]|[.,][0-9]| [0-9])"
)
# Without its area code, behind a whole one: "at work, 1 807 555-0121, or home, 345-0187".
_LOCAL = re.compile(r"(?<![\w.,/-])(?<![0-9] )[2-9][0-9]{2}[- ][0-9]{4}(?![\w/-]|[.,][0-9])")
_ALSO_AT = re.compile(
    r"[0-9]{3}[-. ][0-9]{4}[,;]? (?:or|and|ou|et|/)(?: (?:at|a|au|le|la|the|my))?(?: (?:home|work|office|house|cell|"
    r"mobile|night|"
    r"maison|travail|bureau|domicile|cellulaire|soir))?(?: (?:at|au))?,? ?$"
)
_EXTENSION_AFTER = re.compile(_EXTENSION, re.IGNORECASE)
_LIMITS = frozenset(
    {"2147483647", "2147483648", "4294967295", "4294967296", "9876543210", "1234567891", "12345678910", "0123456789"}
)
_NUMBER_BEFORE = re.compile(
    r"(?<!\w)(?:mon|my|son|his|her|notre|our|votre|your) (?:numero|number|#|no)\W{0,3}(?:est|is|c'est)?(?: le)?\W{0,3}$"
)
# "port" alone is a machine's.
_PORTABLE = re.compile(r"(?<!\w)port\.? ?:? ?$")
_NEXT_NUMBER = re.compile(r"/[0-9]{7}")
_GROUP = re.compile(r"[0-9]+")


class PhoneNumber(Identifier):
    """Telephone and fax numbers, with their extension."""

    ENTITY = "PHONE_NUMBER"
    LEAST_DIGITS = 7

    def find(self, run: Run) -> Iterator[Hit]:
        text = run.text
        if "+" in text or "00" in text or "011" in text:
            yield from _international(run)
        if run.digits >= 10:
            yield from _grouped(run)
            if "0" in text and run.digits >= 11:
                for match in _BRITISH.finditer(text):
                    if not run.is_labelled_otherwise(match.start()):
                        yield Hit(match.start(), match.end(), 0.75, "britain")
            if "(0" in text:
                for match in _FRENCH_IN_PARENTHESES.finditer(text):
                    yield Hit(match.start(), match.end(), 0.85, "france")
            for length in (10, 11):
                for window in run.numbers(length):
                    if hit := _row(run, window):
                        yield hit
        if run.digits >= 7:
            for match in _LOCAL.finditer(run.text):
                if _ALSO_AT.search(run.before(match.start(), 64)):
                    yield Hit(match.start(), match.end(), 0.7, "local")
        if run.topics & (PHONE | MARK):
            yield from _labelled(run)


def _grouped(run: Run) -> Iterator[Hit]:
    """Three, three and four digits, with something between them or around the first."""
    text = run.text
    for match in _GROUPED.finditer(text):
        start, end = match.span()
        area, first, exchange, second, _ = match.groups()
        if not (first or second) or "(" in first + second or not _bounded(text, start, end):
            continue
        closed = text[match.end(1) : match.end(1) + 1] == ")"
        parenthesis = closed and "(" in text[start : match.end(1)]
        if closed and not parenthesis and area not in AREA_CODES:
            continue
        likely = area in AREA_CODES or parenthesis or match.start(1) > start + parenthesis
        found = run.label(start)
        if found.bits & OTHER or found.bits == CODE:
            if not found.far and not found.bits & PHONE and not (parenthesis and likely):
                continue
        elif not (found.bits & PHONE) and not (
            (likely and exchange[0] in "23456789")
            or (area[0] > "1" and (first.strip() or second.strip()))
            or parenthesis
        ):
            continue  # spaces alone: "500 000 2024"
        yield Hit(start, end, 0.85, "north_america")


def _row(run: Run, window: Window) -> Hit | None:
    """Ten or eleven digits in other groups, or in none."""
    start, end, digits, shape, inside = window
    french = digits[0] == "0" and digits[1] != "0" and len(digits) == 10
    american = not french and north_american(digits)
    named = run.says(start, PHONE)
    if not (french or american or named) or not _bounded(run.text, start, end):
        return None
    bare = len(shape) == 1
    if bare and digits in _LIMITS:
        return None
    if french and not named and _PORTABLE.search(run.before(start, 12)):
        named = True
    if not named and (run.is_labelled_otherwise(start, far=3 if bare else 0) or run.is_amount(start, end)):
        return None
    extended = _EXTENSION_AFTER.match(run.text, end)
    stop = extended.end() if extended else end
    broken = _is_broken(run.text, window) and (named or not inside)
    if french:
        if not inside and (shape in _FRENCH_SHAPES or broken or named or set(shape) == {1}):
            return Hit(start, stop, 0.8, "france")
    elif american:
        if shape in {(10,), (11,), (1, 10)} or broken or set(shape) == {1} or (named and not inside):
            return Hit(start, stop, 0.7, "row")
    elif named and not inside:
        return Hit(start, stop, 0.65, "row")
    return None


def _is_broken(text: str, window: Window) -> bool:
    """Whether a line end stands in the number where its groups meet, or in the middle of a bare row."""
    value = text[window.start : window.end]
    if "\n" not in value or " \n" in value or "\n " in value:
        return False
    ends = {sum(window.shape[: index + 1]) for index in range(len(window.shape) - 1)}
    groups = {2, 4, 6, 8} if window.digits[0] == "0" else {1, 4, 7} if len(window.digits) == 11 else {3, 6}
    return len(window.shape) == 2 or ends <= groups


def _bounded(text: str, start: int, end: int) -> bool:
    """Not a part of a longer number, name or address."""
    if start and (text[start - 1].isalnum() or text[start - 1] in "_+" or _digit_before(text, start)):
        return False
    following = text[end : end + 2]
    if following and (following[0].isalpha() or following[0] == "_"):
        return False
    return _NEXT_NUMBER.match(text, end) is not None or not (
        len(following) == 2 and following[0] in "-./" and following[1].isdigit()
    )


def _digit_before(text: str, start: int) -> bool:
    if start < 2 or text[start - 1] not in "-./:" or not text[start - 2].isdigit():
        return False
    return text[start - 1] != "/" or not text[max(0, start - 8) : start - 1].isdigit()


def _international(run: Run) -> Iterator[Hit]:
    for match in _INTERNATIONAL.finditer(run.text):
        start, end = match.span()
        value = match.group()
        if start and (run.text[start - 1].isalnum() or _digit_before(run.text, start)):
            continue
        plus = "+" in value[:3]
        if not plus and run.is_labelled_otherwise(start) and not _PORTABLE.search(run.before(start, 12)):
            continue
        if _is_international(value, plus=plus):
            yield Hit(start, end, 0.9, "international")
            continue
        # More digits follow than the country's numbers have: those of something else.
        for group in reversed(list(_GROUP.finditer(value))[:-1]):
            if _is_international(value[: group.end()], plus=plus):
                yield Hit(start, start + group.end(), 0.85, "international")
                break


def _is_international(value: str, *, plus: bool) -> bool:
    # "(0)" is written for readers at home and not dialled from abroad.
    digits = "".join(filter(str.isdigit, _without_extension(value).replace("(0)", "")))
    if not plus:
        digits = digits[3:] if digits.startswith("011") else digits[2:]
    part = national(digits)
    return part is not None and (plus or not digits.startswith("1") or north_american(digits))


def _without_extension(value: str) -> str:
    for index, character in enumerate(value):
        if character.isalpha() or (character in "#,;" and index > 4):
            return value[:index]
    return value


def _labelled(run: Run) -> Iterator[Hit]:
    """Other shapes count after "tel:" and the like."""
    for match in _LABELLED.finditer(run.text):
        start, end = match.span()
        if not _bounded(run.text, start, end):
            continue
        if DATE.match(run.text, start):
            continue
        found = run.label(start)
        named = found.bits & PHONE and not found.bits & OTHER and (found.far <= 1 or found.explicit)
        if (named or _NUMBER_BEFORE.search(run.before(start, 40))) and not run.is_amount(start, end):
            yield Hit(start, end, 0.75, "labelled")
