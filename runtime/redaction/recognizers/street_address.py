"""Civic addresses in French and English, with what follows on the same lines: unit, town, province, postal code.

A number and a street are needed (`streets.py`); the rest is read by `locality.py`. Boxes and rural routes are
addresses too. Codes that stand alone are for `postal_code.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.labels import LIVING
from runtime.redaction.recognizers.locality import after_street, unit_before
from runtime.redaction.recognizers.street_words import GATE
from runtime.redaction.recognizers.streets import english, french, nameless

_CIVIC = re.compile(
    r"(?<![\w$€.])(?<![0-9][,:/\-])(?<!\w-)(?:[A-Za-z]-)?[0-9]{1,6}(?:[A-Za-z](?=[-/]))?(?:[-/][0-9]{1,6})?"
    r"(?:-?[A-Za-z](?![\w']))?(?:,? ?(?:bis|ter|quater)\b| [A-D](?=[ ,]))?(?: ?½| ?1/2)?(?:\s?,)?\s{1,2}(?=[^\W_])"
)
# After one of these a street may be written in small letters, or without saying what kind of street it is.
_CUE = re.compile(
    r"(?<!\w)(?:adresses?|addresse?s?|address(?:es)?|habit\w{1,5}|demeur\w{1,5}|resid\w{1,5}|livr\w{1,6}|envoy\w{1,4}|"
    r"reste|live[sd]?|living|deliver\w{0,3}|ship(?:ped)?|domicil\w{1,4}|demenag\w{1,5}|moved?|moving|located|situee?|"
    r"mail(?:ed|ing)?|logee?|loge[nt]{0,3}|reside[sd]?|sis|sise|relocated|pick ?up|chez (?:moi|nous|lui|elle))(?!\w)"
    r"[^.!?]{0,40}$"
)
_TIME_BEFORE = re.compile(
    r"(?<!\w)(?:in|since|of|during|en|depuis|des|annee|year|until|before|after|vers|circa|c\.)\s$"
)
_BOX = re.compile(
    r"(?<!\w)(?:(?:p\.? ?o\.? ?)?box(?: no\.?| #)? ?#?|post office box |c\.p\.|case postale|casier postal|b\.p\.|"
    r"boite postale|poste restante|general delivery|r\.?r\.? ?#?|rural route #?)"
    r"\s?(?:no\.? ?)?[0-9]{1,6}(?!\w)"
    r"(?:,? (?:station|stn\.?|succ(?:ursale|\.)?|site|comp|ss) [\w-]{1,20}(?: comp \w{1,6})?){0,2}"
)
# In capitals these are boxes where a town follows or an address is spoken of.
_SHORT_BOX = re.compile(r"(?<!\w)(?:BP|CS|TSA|CP|Box)\s?[0-9]{1,6}(?!\w)")
_BOX_WORDS = word_set("box p c b bp cp cs tsa rr r rural postale postal general poste office")
_CODE = re.compile(r"[A-Za-z][0-9][A-Za-z][ -]?[0-9][A-Za-z][0-9]|[A-Z]{2},? [0-9]{5}")


class StreetAddress(Identifier):
    """Postal addresses that begin with a civic number, and post-office boxes."""

    ENTITY = "STREET_ADDRESS"

    def applies(self, run: Run) -> bool:
        return run.digits > 0 and (
            not GATE.isdisjoint(run.words)
            or not _BOX_WORDS.isdisjoint(run.words)
            or run.topics & LIVING != 0
            or (run.digits >= 4 and bool(_CODE.search(run.text)))
        )

    def find(self, run: Run) -> Iterator[Hit]:
        text, lower = run.text, run.lower
        reached = 0
        for civic in _CIVIC.finditer(text):
            if civic.start() < reached:
                continue
            before = run.before(civic.start(), 56)
            cued = bool(_CUE.search(before))
            end = (
                french(text, lower, civic.end(), cued=cued)
                or english(text, lower, civic.end(), cued=cued, dated=bool(_TIME_BEFORE.search(before)))
                or nameless(text, lower, civic.end(), cued=cued)
            )
            if end is not None:
                hit = _hit(text, lower, unit_before(lower, civic.start()), end, "street")
                reached = hit.end
                yield hit
        if not _BOX_WORDS.isdisjoint(run.words):
            for box in _BOX.finditer(lower):
                yield _hit(text, lower, box.start(), box.end(), "box")
            for box in _SHORT_BOX.finditer(text):
                if after_street(text, lower, box.end()) > box.end() or _CUE.search(run.before(box.start(), 56)):
                    yield _hit(text, lower, box.start(), box.end(), "box")


def _hit(text: str, lower: str, start: int, end: int, pattern: str) -> Hit:
    """The whole address: surer than its parts once it goes on to a town."""
    stop = after_street(text, lower, end)
    return Hit(start, stop, 0.97 if stop > end else 0.85, pattern)
