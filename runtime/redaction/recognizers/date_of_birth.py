"""Dates of birth: a date right after words that speak of a birth, in French or English. Other dates stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.checksums import luhn
from runtime.redaction.recognizers.label_words import BIRTH
from runtime.redaction.spoken import NUMBER_WORDS, ORDINALS

MONTHS = word_set(
    """
    janvier février fevrier mars avril mai juin juillet août aout septembre octobre novembre décembre decembre janv
    févr fevr fév avr juil sept oct nov déc january february march april may june july august september october november
    december jan feb mar apr jun jul aug sep dec
    avri octo nove déce dece febr augu apri
    """
)
MONTH = (
    r"(?:janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre|january|february|march|"
    r"april|"
    r"may|june|july|august|september|october|november|december|janv|fevr|fev|avri|avr|juil|sept|"
    r"octo|nove|dece|febr|augu|apri|jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)\.?"
)
_DATE = re.compile(
    r"(?<![\w])(?:(?:19|20)[0-9]{2}\s?[-/. ]\s?[0-9]{1,2}\s?[-/. ]\s?[0-9]{1,2}|"
    r"[0-9]{1,2}\s?[-/. ]\s?[0-9]{1,2}\s?[-/. ]\s?(?:[0-9]{4}|[0-9]{2})|"
    rf"[0-9]{{1,2}}(?:er|st|nd|rd|th)?(?: of)?[-\s./]{{1,2}}(?:(?:day of|de) )?{MONTH},?[-\s./]{{1,2}}(?:[0-9]{{4}}|"
    rf"'?[0-9]{{2}})|"
    rf"{MONTH}[-\s]{{1,2}}[0-9]{{1,2}}(?:st|nd|rd|th)?,?\s{{1,2}}(?:[0-9]{{4}}|'[0-9]{{2}})|"
    rf"(?:19|20)[0-9]{{2}}[-\s,/]{{1,2}}{MONTH}[-\s/]{{1,2}}[0-9]{{1,2}}|(?:19|20)[0-9]{{6}}|"
    rf"[0-3][0-9][01][0-9](?:19|20)[0-9]{{2}}|"
    rf"(?P<yearless>[0-9]{{1,2}}(?:er|st|nd|rd|th)?\s{MONTH}|{MONTH}\s[0-9]{{1,2}}(?:st|nd|rd|th)?))(?!(?!t[0-9])\w|"
    rf"[-/][0-9])"
)
_BIRTH = re.compile(
    r"(?<![^\W_])(?:nee|ne\(e\)|ne(?=\s?:|\W{0,4}$|(?: (?:a|au|aux|en) [^.!?\n]{1,40})? (?:le|un) \W*$)|"
    r"naissance|naquit|naitra|nait|"
    r"datenaissance|datedenaissance|ddn|d\.d\.n\.?|date[ _-]?de[ _-]?naiss\w*\.?|"
    r"naiss\.?|born|birth|births|birth ?date|birthdate|dateofbirth|birthday|b-day|d[./]?[o0][./]?b\.?|"
    r"(?:18|21|majeure?|of age) (?:ans )?(?:depuis|le|since|on|as of)|turn(?:s|ed|ing) [0-9]{1,3}|"
    r"(?:sa|ma|ta|votre|date de) fete|dn(?=\W{0,4}$)|"
    r"anniversaire(?: de naissance)?|bday|nacimiento|venue? au monde|b\.(?= ?(?:on |the )?$)|birthed)"
    r"(?![^\W_])[^.!?\n]{0,48}(?:\?[ \-:,»\"']{0,6}(?:[^.!?\n:0-9]{1,24}: ?)?|"
    r"[?:]?[ »\"]{0,2}\n[^.!?\n:]{0,24}(?::[^.!?\n:]{0,20}){0,3})?$"
)
_CLOCK = re.compile(r"\[?(?<![0-9])[0-2]?[0-9][:h][0-5][0-9](?::[0-5][0-9])?(?![0-9])\]?")
# Six digits right behind the shortest of labels: "DN 140235", "DOB 121285".
_SHORT = re.compile(r"(?<![\w.,/-])(?:[0-3][0-9][01][0-9][0-9]{2}|[0-9]{2}[01][0-9][0-3][0-9])(?![\w/-]|[.,][0-9])")
_SHORT_LABEL = re.compile(r"(?<![^\W_])(?:dn|ddn|d\.d\.n\.?|dob|d\.o\.b\.?|date de naiss\w*\.?|date of birth)\W{1,4}$")
# A sex, an age or a relation, then a date: "F, 12JUL84", "4 y, 2021-10-02", "(daughter, 5/1/2014)".
_ANY_DATE = (
    rf"(?:[0-3]?[0-9][-/. ]?{MONTH}[-/. ]?(?:[0-9]{{4}}|[0-9]{{2}})|(?:19|20)[0-9]{{2}}[-/.][01]?[0-9][-/.][0-3]?[0-9]|"
    r"[0-3]?[0-9][-/.][0-3]?[0-9][-/.](?:(?:19|20)[0-9]{2}|[0-9]{2}))(?![\w/-]|[.,][0-9])"
)
_DESCRIBED = re.compile(
    r"(?:(?:(?:^|[\n,;|/(\t]) ?|sexe?\W{1,3})[mfh](?: ?[,;|/] ?|\t| {1,3})|"
    r"(?<![\w'])(?:male|female|homme|femme|masculin|feminin|garcon|boy|girl)(?: ?[,;|/] ?|\t| {1,3})|[♂♀] ?,? ?|"
    r"(?<![\w.])[0-9]{1,3} ?(?:y\.?o\.?|y/o|yrs?|years?(?: old)?|ans|mois|mo|y)\.?, {0,2}|"
    r"\((?:her |his |sa |son )?(?:daughter|son|child|spouse|wife|husband|mother|father|fille|fils|enfant|epouse|epoux|"
    r"conjointe?|mere|pere),? )"
    rf"(?P<date>{_ANY_DATE})"
)
_DATED = re.compile(
    r"[0-9](?:[-/.](?:[0-9]{1,2}|[A-Za-z]{3,9})[-/.] ?[0-9]|[A-Z]{3}[0-9]| [A-Za-z]{3,9}\.? (?:19|20)[0-9]{2})"
)
_DESCRIBES = 24  # characters of what stands before
_NUMBER = "|".join(sorted({*NUMBER_WORDS, "mil", "mille", "thousand"}, key=len, reverse=True))
_ORDINAL = "|".join(sorted(ORDINALS, key=len, reverse=True))
_IN_WORDS = re.compile(
    rf"(?<![\w-])(?:(?:{_ORDINAL}|(?:{_NUMBER})(?:[ -](?:et[ -])?(?:{_NUMBER}))?)(?: day)?(?: of| de)? {MONTH}|"
    rf"{MONTH} (?:the )?(?:(?:{_ORDINAL})|(?:{_NUMBER})(?:[ -](?:{_NUMBER}))?)),? "
    rf"(?:[0-9]{{4}}|(?:{_NUMBER})(?:[ -](?:et[ -]|and )?(?:{_NUMBER})){{1,6}})(?![\w-])"
)
# Less than a date: a month and its year, or a year alone where a person is spoken of.
_PARTIAL = re.compile(
    rf"(?<![\w/.-])(?:{MONTH},? (?:de |of )?(?:19|20)[0-9]{{2}}|(?:0?[1-9]|1[0-2])[/-](?:19|20)[0-9]{{2}}|"
    r"(?P<year>(?:19|20)[0-9]{2}))(?![\w]|[-/.][0-9])"
)
_BORN_IN = re.compile(
    r"(?<!\w)(?:born|b\.|nee|ne|ne\(e\)|birth|naissance|naiss\.?|dob|d\.o\.b\.?|ddn|yob|naquit|"
    r"birth ?(?:date|day|month|year))"
    r"(?: (?:in|at|a|au|aux) [^\W\d_][^\d\n.!?;:,]{1,32},?)?"
    r"(?: (?:in|on|en|au|around|vers|circa|c\.|the year|the month of|annee|l'annee|is|est))*\W{0,4}$"
)
_YEAR_OF = re.compile(
    r"(?<!\w)(?:years? of birth|birth ?years?|yob|annees? de naissance|dob|d\.o\.b\.?|ddn|birth ?date|"
    r"date (?:of birth|de naissance))"
    r"\W{0,3}(?:(?:is|was|est|in|en) )*\W{0,3}$"
)
_SOMEBODY = re.compile(
    r"(?<![\w'])(?:aged?|agee?|ans|years old|yo|he|she|i|i'm|je|j'ai|mr|mrs|ms|mme|mlle|m\.|patiente?|cliente?|tenant|"
    r"locataire|applicant|demandeur|demanderesse|requerante?|fils|fille|son|daughter|mother|father|mere|pere|wife|"
    r"husband|conjointe?|epou(?:x|se)|insured|assuree?|employee?|student|etudiante?|eleve)(?!\w)"
)
# A date beside the number of a person, in a row of a table or of a form, is that person's birth.
_OF_PERSON = (
    r"(?<![A-Za-z0-9])(?P<number>[A-Za-z]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}|[0-9]{3}(?P<sep>[ .-]?)[0-9]{3}(?P=sep)[0-9]{3}|"
    r"[0-9]{3}-[0-9]{2}-[0-9]{4}|[12] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2})(?![A-Za-z0-9])"
)
_YEARS = r"(?:19[0-9]{2}|20[01][0-9])"
_WRITTEN = (
    rf"(?<![\w.-])(?P<date>{_YEARS}(?:[-/.][01][0-9][-/.][0-3][0-9]|[01][0-9][0-3][0-9])|"
    rf"[0-3]?[0-9][-/.][0-3]?[0-9][-/.]{_YEARS}|[0-3]?[0-9]/[0-3]?[0-9]/[0-9]{{2}}|"
    rf"(?i:[0-3]?[0-9] {MONTH} {_YEARS}|{MONTH} [0-3]?[0-9],? {_YEARS}))(?![\w-])"
)
_BEHIND_NUMBER = re.compile(_OF_PERSON + r"[\"']?[ ,;|\t]{1,3}[\"']?" + _WRITTEN)
_BEFORE_NUMBER = re.compile(_WRITTEN + r"[\"']?[ ,;|\t]{1,3}[\"']?" + _OF_PERSON)
# As encyclopaedias have it, behind a name: "(7 octobre 1923 – 12 mars 2002)".
_LIVED = re.compile(
    rf"\((?P<from>[0-9]{{1,2}}(?:er)? {MONTH} (?P<born>[0-9]{{4}})|{MONTH} [0-9]{{1,2}}, (?P<year>[0-9]{{4}}))"
    rf"\s?[–—-]\s?(?:[0-9]{{1,2}}(?:er)? {MONTH} (?P<died>[0-9]{{4}})|{MONTH} [0-9]{{1,2}}, (?P<end>[0-9]{{4}}))\)"
)
_LEAST_LIFE = 12  # years; what is shorter is an event's
_BIRTHDAY = re.compile(r"(?:birthday|bday|anniversaire|nee|ne|born)\W.{0,30}$")


class DateOfBirth(Identifier):
    """The date alone, not the words before it."""

    ENTITY = "DATE_OF_BIRTH"

    def applies(self, run: Run) -> bool:
        if run.topics & BIRTH or run.digits >= 10:
            return True
        return run.digits >= 4 and _DATED.search(run.text) is not None

    def find(self, run: Run) -> Iterator[Hit]:
        if run.digits >= 10:
            for pattern in (_BEHIND_NUMBER, _BEFORE_NUMBER):
                for match in pattern.finditer(run.lower):
                    if _is_somebodys(match["number"]):
                        yield Hit(*match.span("date"), 0.75, "beside_number")
            for match in _LIVED.finditer(run.lower):
                years = int(match["died"] or match["end"]) - int(match["born"] or match["year"])
                if years >= _LEAST_LIFE:
                    yield Hit(*match.span("from"), 0.7, "lived")
        yield from _described(run)
        if not run.topics & BIRTH:
            return
        for match in _SHORT.finditer(run.lower):
            if _SHORT_LABEL.search(run.before(match.start(), 24)):
                yield Hit(match.start(), match.end(), 0.8, "short")
        for match in _DATE.finditer(run.lower):
            before = run.before(match.start(), 64)
            said = _BIRTH.search(before)
            if said is None or ("\n" in said.group() and any(map(str.isdigit, _CLOCK.sub("", said.group())))):
                continue  # another line, after a date of its own
            if match["yearless"] is None or _BIRTHDAY.search(before):
                yield Hit(match.start(), match.end(), 0.9, "after_birth")
        for match in _IN_WORDS.finditer(run.lower):
            if _BIRTH.search(run.before(match.start(), 64)):
                yield Hit(match.start(), match.end(), 0.85, "in_words")
        for match in _PARTIAL.finditer(run.lower):
            before = run.before(match.start(), 64)
            if _BORN_IN.search(before) and (
                match["year"] is None
                or _YEAR_OF.search(before)
                or _SOMEBODY.search(before)
                or _SOMEBODY.search(run.after(match.end(), 24))
            ):
                yield Hit(match.start(), match.end(), 0.8, "partial")


def _described(run: Run) -> Iterator[Hit]:
    """A date right behind a sex, an age or a relation."""
    if not _DATED.search(run.text):
        return
    text = run.before(0, _DESCRIBES) + run.lower
    shift = len(text) - len(run.lower)
    for match in _DESCRIBED.finditer(text):
        start, end = match.span("date")
        if start >= shift:
            yield Hit(start - shift, end - shift, 0.7, "described")


def _is_somebodys(number: str) -> bool:
    """Whether a number of the form of a person's is one: nine digits in threes need their check digit."""
    digits = "".join(filter(str.isdigit, number))
    return len(digits) != 9 or number[3:4] == number[6:7] == "-" or luhn(digits)
