"""Bank accounts: Canadian transit, institution and account (also as a cheque's MICR line), French RIB, US routing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import DATE, Hit, Identifier, Run
from runtime.redaction.recognizers.checksums import aba, rib
from runtime.redaction.recognizers.label_words import BANK, BANKING, CARD

# Institutions of Payments Canada: what makes five, three and seven digits a Canadian account without a label.
_INSTITUTIONS = word_set(
    """
    001 002 003 004 006 010 016 030 039 117 127 177 219 241 260 269 270 275 277 290 294 303 307 308 309 310 311 312
    314 315 320 323 326 327 328 330 332 334 338 340 342 343 345 346 347 349 352 355 356 358 361 362 363 364 365 366
    367 370 374 376 378 509 522 532 540 545 546 548 549 551 568 590 592 597 598 599 600 601 604 606 607 608 609 612
    614 615 616 617 618 619 620 621 623 625 626 627 630 631 635 636 637 638 639 641 642 803 807 808 809 810 815 819
    828 829 830 836 837 839 840 841 842 843 844 845 846 849 850 853 865 879 889 890 892 899
    """
)
_S = r"[ \-./:,;_\n]{1,3}"
_CANADIAN = re.compile(
    rf"(?<![A-Za-z0-9.-])([0-9]{{5}}){_S}([0-9]{{3}}){_S}([0-9]{{2,3}}(?:[ \-]?[0-9]{{2,5}}){{1,3}})(?![A-Za-z0-9])"
)
_INSTITUTION_FIRST = re.compile(
    rf"(?<![A-Za-z0-9.-])([0-9]{{3,4}}){_S}([0-9]{{5}}){_S}([0-9]{{5,12}}(?:-[0-9])?)(?![A-Za-z0-9])"
)
# The line of a cheque: its marks are symbols of their own, or what scanners and people write for them.
_MICR = re.compile(
    r"[⑆⑇⑈⑉][ ]?[0-9](?:[0-9⑆⑇⑈⑉ \-]{6,60})[0-9⑆⑇⑈⑉]|[0-9⑈⑉\-]{3,14} ?⑈?[ ]?⑆[0-9⑉ \-]{6,16}⑆[0-9⑈⑉ \-]{3,24}[0-9⑈]"
)
_RIB = re.compile(
    r"(?<![A-Za-z0-9])[0-9]{5}[ \-]?[0-9]{5}[ \-]?[A-Z0-9](?:[ ]?[A-Z0-9]){10}[ \-]?[0-9]{2}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
# Britain: the sort code of the branch, the account.
_SORT_CODE = re.compile(r"(?<![A-Za-z0-9.-])([0-9]{2})-([0-9]{2})-([0-9]{2})[ ,/]{1,3}[0-9]{8}(?![\w-]|[.,][0-9])")
# Canada, electronic: a nought, the institution, the branch; then the account.
_ELECTRONIC = re.compile(r"(?<![A-Za-z0-9.-])0([0-9]{3})[0-9]{5}[ \-/]{1,3}[0-9]{7,12}(?![\w-]|[.,][0-9])")
_MONTHS_OF_YEAR, _DAYS_OF_MONTH = 12, 31
_CHEQUING = re.compile(r"(?<!\w)(?:chequing|checking|savings|epargne)(?: account)? $")
# A cheque has a number of its own.
_OF_CHEQUE = re.compile(r"(?<!\w)(?:cheques?|checks?) ?(?:#|no\.?|n°|number|numero|num\.?)\W{0,3}$")
_NAMED = re.compile(r"[0-9](?:[ \-./]?[0-9]){2,25}[A-Z]?(?![A-Za-z0-9]|[,.][0-9])", re.IGNORECASE)
_LETTERED = re.compile(r"(?:[A-Z]{1,4}[ \-]?[0-9][A-Z0-9\-]{3,20}|[0-9][A-Z0-9\-]{5,22})(?![A-Za-z0-9])", re.IGNORECASE)
_NUMBER_LABELS = re.compile(
    r"(?<![a-z])(?:(transit|institution|inst|succursale|succ)|folio|rib|routing|aba|bsb)(?:number|no|num)?(?![a-z])[^0-9]{0,24}$"
)
# "A/C" is two words to the dictionary.
_SHORT_LABEL = re.compile(
    r"(?<![A-Za-z/])[Aa]/[Cc](?: (?:no\.?|No\.?|number|#))?[ :.#]{1,3}([0-9](?:[ -]?[0-9]){4,16})(?![\w-]|[,.][0-9])"
)
# The parts of a French account, each by its own name.
_PART_OF_RIB = re.compile(r"(?<![a-z])code[ _]?(?:de )?(?:la )?(?:banque|guichet|agence)[\"' ]{0,2}[:=]?[\"' ]{0,3}$")
_KEY_OF_RIB = re.compile(r"(?<![a-z])cle(?:[ _]?rib)?[\"' ]{0,2}[:=]?[\"' ]{0,3}$")
_PART = re.compile(r"(?<![\w.,-])(?:[0-9]{5}|[0-9]{2})(?![\w-]|[.,][0-9])")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}(?:[-/](?:(?:19|20)?[0-9]{2}))?")


class BankAccount(Identifier):
    """Account numbers that are no IBAN."""

    ENTITY = "BANK_ACCOUNT"

    def applies(self, run: Run) -> bool:
        return (
            run.digits >= 12
            or (run.digits >= 2 and run.topics & (BANK | BANKING) != 0)
            or (run.digits >= 5 and ("/c" in run.lower or "/c" in run.left[-10:].lower()))
            or "⑆" in run.text
            or "⑈" in run.text
        )

    def find(self, run: Run) -> Iterator[Hit]:
        text = run.text
        if run.digits >= 12:
            for match in _SORT_CODE.finditer(text):
                if run.topics & (BANK | BANKING) or not _may_be_date(*map(int, match.groups())):
                    yield Hit(match.start(), match.end(), 0.85, "sort_code")
            for match in _ELECTRONIC.finditer(text):
                if match[1] in _INSTITUTIONS and not run.is_labelled_otherwise(match.start()):
                    yield Hit(match.start(), match.end(), 0.85, "electronic")
            for match in _CANADIAN.finditer(text):
                known = match[2] in _INSTITUTIONS and not run.is_labelled_otherwise(match.start())
                if known or run.says(match.start(), BANK | BANKING):
                    yield Hit(match.start(), match.end(), 0.85, "canadian")
            for match in _INSTITUTION_FIRST.finditer(text):
                known = match[1][-3:] in _INSTITUTIONS and (len(match[1]) == 3 or match[1][0] == "0")
                if run.says(match.start(), BANK | BANKING) or (known and not run.is_labelled_otherwise(match.start())):
                    yield Hit(match.start(), match.end(), 0.8, "institution_first")
            if run.digits >= 20:
                for match in _RIB.finditer(text):
                    compact = "".join(filter(str.isalnum, match.group())).upper()
                    if rib(compact) or run.says(match.start(), BANK):
                        yield Hit(match.start(), match.end(), 0.95, "rib")
        if run.topics & (BANK | BANKING):
            for match in _PART.finditer(text):
                part = _PART_OF_RIB if match.end() - match.start() == 5 else _KEY_OF_RIB
                if part.search(run.before(match.start(), 28)) and (part is _PART_OF_RIB or run.topics & BANK):
                    yield Hit(match.start(), match.end(), 0.7, "part")
        if "⑆" in text or "⑈" in text:
            for match in _MICR.finditer(text):
                yield Hit(match.start(), match.end(), 0.95, "micr")
        if "/" in text or "/" in run.left:
            shift = len(left := run.left[-12:])
            for match in _SHORT_LABEL.finditer(left + text):
                if match.start(1) >= shift:
                    yield Hit(match.start(1) - shift, match.end(1) - shift, 0.75, "named")
        for match, found in run.labelled(BANK, _NAMED):
            value = match.group()
            digits = sum(map(str.isdigit, value))
            told = _NUMBER_LABELS.search(run.before(match.start(), 40))
            short = digits in {3, 4, 5} and told and told[1] is not None
            if (
                (found.explicit or found.far <= 1)
                and (short or digits >= (5 if found.explicit or told else 7))
                and not _YEAR.fullmatch(value)
            ):
                yield Hit(match.start(), match.end(), 0.75, "named")
        for match, found in run.labelled(BANK, _LETTERED, far=1):
            if found.explicit and sum(map(str.isdigit, match.group())) >= 4:
                yield Hit(match.start(), match.end(), 0.76, "named")
        for window in run.numbers(9):
            if len(window.shape) == 1 and run.says(window.start, BANKING, far=1) and aba(window.digits):
                yield Hit(window.start, window.end, 0.7, "routing")
        for match, found in run.labelled(BANKING, _NAMED, far=0):
            digits = sum(map(str.isdigit, match.group()))
            alone = match.group().isdigit() and not found.bits & CARD
            if alone and run.topics & BANK and (digits == 5 or match.group() in _INSTITUTIONS):
                yield Hit(match.start(), match.end(), 0.65, "branch")  # with an account beside it
            elif (alone and 7 <= digits <= 12 and _CHEQUING.search(run.before(match.start(), 24))) or (
                not found.bits & CARD
                and digits >= 6
                and not _OF_CHEQUE.search(run.before(match.start(), 40))
                and (found.explicit or ("-" in match.group() and not DATE.match(match.group())))
            ):
                yield Hit(match.start(), match.end(), 0.65, "banking")


def _may_be_date(first: int, second: int, third: int) -> bool:
    """Whether three numbers of two digits are a day, a month and a year in some order."""
    days = sum(1 <= number <= _DAYS_OF_MONTH for number in (first, second, third))
    return days > 1 and any(1 <= number <= _MONTHS_OF_YEAR for number in (first, second))
