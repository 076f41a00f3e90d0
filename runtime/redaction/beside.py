"""What stands right beside a person's name and is that person's: "Ana Roy (E20441)", "Roy, Ana (12 May 1981)".

A number in parentheses, behind a dash or in the next field of a row; a full date there, early enough for somebody's
birth. The names are the tagger's (`names.py`): what is found here depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from runtime.redaction.normalise import lowered
from runtime.redaction.recognizers.date_of_birth import MONTH
from runtime.redaction.spans import Span

_YEAR = r"(?:19[2-9][0-9]|200[0-9]|201[0-2])"
_DATE = (
    rf"(?:[0-3]?[0-9](?:er|st|nd|rd|th)? {MONTH} {_YEAR}|{MONTH} [0-3]?[0-9](?:st|nd|rd|th)?,? {_YEAR}|"
    rf"[0-3]?[0-9]-{MONTH}-{_YEAR}|{_YEAR}[-/. ][01]?[0-9][-/. ][0-3]?[0-9]|[0-3]?[0-9][-/.][0-3]?[0-9][-/.]{_YEAR})"
)
_NUMBER = (
    r"(?:[a-z]{1,4}[- ]?[0-9]{3,10}|(?!(?:19|20)[0-9]{2}-?(?:19|20)?[0-9]{2}(?![0-9]))[0-9]{5,10})(?:-[0-9]{1,6})?"
)
_ENDS = r"(?=\s{0,2}(?:$|[\n,;|)\]\"]|\.(?:\s|$)))"
_BESIDE = re.compile(
    rf"\s?[(\[](?:[a-z.°#]{{1,10}}[ :]{{1,2}}#?)?(?:(?P<number>{_NUMBER})|(?P<date>{_DATE}))[)\]]|"
    rf"(?:\s[-–—]\s|\s?[,;|]\s?|\t)(?:(?P<number2>[a-z]{{1,4}}-?[0-9]{{4,10}}|[0-9]{{6,10}})|(?P<date2>{_DATE})){_ENDS}"
)  # fmt: skip
# Days beside several names, none of them of these years: a list of people with their births.
_LISTED = re.compile(
    r"[ \t]((?:19[2-9][0-9]|200[0-9]|201[0-9])-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))(?=\s?(?:[;,.|\n)]|$))"
)
# A child, or somebody whose birth a form asks for: any day of the past is one.
_CHILD = re.compile(
    r"(?<![a-z])(?:child|children|kid|daughter|son|baby|infant|toddler|enfants?|fille|fils|bebe|nourrisson|eleve|pupil|"
    r"camper|mineure?|minor|dependa?e?nts?|dependants?|ayant droit|a charge)"
    r"[^.\n]{0,12}$"
)
_OF_CHILD = re.compile(
    r"(?:,? ?[(\[]|, )(?:[a-z]{1,4}\.? )?((?:19|20)[0-9]{2}[-/. ][01]?[0-9][-/. ][0-3]?[0-9]|"
    r"[0-3]?[0-9][-/.][0-3]?[0-9][-/.](?:(?:19|20)[0-9]{2}|[0-9]{2})|"
    rf"[0-3]?[0-9](?:er|st|nd|rd|th)?[ -]{MONTH}[ -](?:19|20)[0-9]{{2}}|"
    rf"{MONTH} [0-3]?[0-9],? (?:19|20)[0-9]{{2}})(?![\w/-])"
)
_BEFORE = 40
_REACH = 48


def beside(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """The numbers and dates of birth right behind names."""
    named = [span for span in spans if span.entity == "PERSON"]
    listed = [(span, found) for span in named if (found := _LISTED.match(text, span.end))]
    if len(listed) > 1:  # "1) Abel, Jeannine 1947-01-19; 2) Babin, Théo 2019-07-07"
        yield from (Span(*found.span(1), "DATE_OF_BIRTH", 0.6, "beside_names") for _, found in listed)
    for span in named:
        behind = lowered(text[span.end : span.end + _REACH])
        found = _BESIDE.match(behind)
        if found is None:
            of_child = _OF_CHILD.match(behind)
            if of_child and _CHILD.search(lowered(text[max(0, span.start - _BEFORE) : span.start])):
                low, high = of_child.span(1)
                yield Span(span.end + low, span.end + high, "DATE_OF_BIRTH", 0.6, "beside_name")
            continue
        for group, entity in _ENTITIES.items():
            if found[group]:
                low, high = found.span(group)
                yield Span(span.end + low, span.end + high, entity, 0.6, "beside_name")


_ENTITIES = {"number": "ID_NUMBER", "number2": "ID_NUMBER", "date": "DATE_OF_BIRTH", "date2": "DATE_OF_BIRTH"}
