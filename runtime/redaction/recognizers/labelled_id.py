"""Numbers that only the words before them make personal: employees, patients, files, policies, claims, students.

A value counts right after its label, so that order numbers, ISBN and versions stay as they are. Numbers whose label is
outside the dictionary, or behind them, are for `numbered_id.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import DATE, Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import CODE, PERSON, RECORD
from runtime.redaction.recognizers.labels import Label

_PART = r"[A-Z0-9]{1,24}"
VALUE = re.compile(
    rf"(?:[A-Z]{{1,6}}[ \-/.#_]{{0,3}})?[0-9][A-Z0-9]{{0,24}}(?:[\-/._]{_PART}){{0,6}}"
    rf"(?: (?=[A-Z]{{0,3}}[0-9]){_PART}(?:[\-/._]{_PART}){{0,4}}){{0,4}}(?:-[A-Z]{{1,3}}|"
    rf" (?-i:[A-Z])(?=$|[,.;:)\n]| [\-/|(]))?(?![A-Za-z0-9])",
    re.IGNORECASE,
)
"""Letters and digits as records are numbered: A-20447, 2024/118-4471, 447 188 2."""
_YEARS = re.compile(r"(?:19|20)[0-9]{2}(?:[-/](?:(?:19|20)?[0-9]{2}))?")
_CATALOGUED = re.compile(
    r"(?:cve|rfc|iso|en|ieee|sha|md|utf|x)[-. ]?[0-9].*|(?:bp|ta|pa)[ .]?[0-9]{2,3}/[0-9]{2,3}", re.IGNORECASE
)
_VERSION = re.compile(r"[vV]?[0-9]{1,3}(?:\.[0-9]{1,3}){1,3}")
# Court files and statutes are public.
_DOCKET = re.compile(
    r"[0-9]{3}-[0-9]{2}-[0-9]{6}-[0-9]{2,3}|(?:[0-9]:)?[0-9]{2}-?(?:cv|cr|mc|md|ap|bk)-?[0-9]{2,8}|"
    r"cv-[0-9]{2}-[0-9]{4,8}(?:-[0-9]{4})?|[ct]-[0-9]{1,4}/[0-9]{2}",
    re.IGNORECASE,
)
_WHOLE_LABEL = re.compile(
    r"(?:matricule|mrn|badge|nip|uci|iuc|rpps|ine|vin|niv|code permanent|aeroplan|miles|airmiles|optimum|opus|imei|"
    r"oen|rin|scene)\W{0,4}$"
)
_IN_UNITS = re.compile(r"[0-9]{1,3}(?:[ ,.][0-9]{3})+")
# The references of a letter: whose file it is, theirs and ours.
_OF_LETTER = re.compile(r"(?<!\w)[nv] ?[/.] ?ref(?:erence)?s?(?: ?(?:no|n°|number|#)\.?)?\W{1,4}$")
_BILLED = re.compile(r"(?:po|inv|cmd|cde|ord|bc|fa|fac|fact|so|rma|trk)[-_ /#]?[0-9]", re.IGNORECASE)


class LabelledId(Identifier):
    """Numbers of people's records."""

    ENTITY = "ID_NUMBER"
    LEAST_DIGITS = 3

    def applies(self, run: Run) -> bool:
        return run.topics & (RECORD | CODE) != 0

    def find(self, run: Run) -> Iterator[Hit]:
        for match, found in run.labelled(RECORD, VALUE):
            value = match.group()
            if _counts(value, found, run.before(match.start(), 24)):
                yield Hit(match.start(), match.end(), 0.75, "named")
        for match, found in run.labelled(CODE, VALUE, far=1):
            value = match.group()
            if (
                not found.bits & RECORD
                and is_number(value)
                and not _BILLED.match(value)
                and _OF_LETTER.search(run.before(match.start(), 40))
            ):
                yield Hit(match.start(), match.end(), 0.7, "of_letter")


_ENACTED = re.compile(
    r"(?<!\w)(?:ordonnances?|lois?|decrets?|arretes?)(?: royale?| ministeriel)? (?:n°|no\.?|numero) ?$"
)


def is_number(value: str) -> bool:
    """Whether a value could number somebody's record: it is no year, no date, no docket, no name of a standard."""
    return sum(map(str.isdigit, value)) >= 3 and not (
        _YEARS.fullmatch(value) or DATE.match(value) or _DOCKET.fullmatch(value) or _CATALOGUED.fullmatch(value)
    )


def _counts(value: str, found: Label, before: str) -> bool:
    """Whether a value after a label of records is such a number, and not a year, a count or a docket."""
    if not is_number(value) or (_ENACTED.search(before) and value[:2] in {"18", "19", "20"}):
        return False
    digits = sum(map(str.isdigit, value))
    if found.explicit or _WHOLE_LABEL.search(before):
        return found.far <= (4 if digits >= 5 or not value.isdigit() else 0)
    whole = digits >= (7 if found.bits & PERSON and not found.far else 9)  # no crowd is as large
    if _VERSION.fullmatch(value) or (_IN_UNITS.fullmatch(value) and not whole) or before.endswith("record of "):
        return False
    lettered = any(map(str.isalpha, value)) or "-" in value
    if found.far:  # "matricule étudiant 20044718", "dossier famille 2024-447-18"
        return found.far == 1 and digits >= (6 if lettered or " " in value else 7)
    return (
        digits >= 5
        or (lettered and digits >= (3 if found.bits & PERSON else 4))
        or (digits == 4 and bool(found.bits & PERSON))
    )
