"""Civic addresses in French and English, with what follows on the same lines: unit, town, province, postal code.

A number and a street are needed (`streets.py`); the rest is read by `locality.py`. Boxes and rural routes are
addresses too. Codes that stand alone are for `postal_code.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.address_fields import fields
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import LIVING
from runtime.redaction.recognizers.locality import after_street
from runtime.redaction.recognizers.street_words import GATE
from runtime.redaction.recognizers.streets import CODE_AT_END, english, french
from runtime.redaction.recognizers.streets_behind import abroad, is_abroad, numbers_behind, streets_abroad
from runtime.redaction.recognizers.streets_nameless import nameless, to_code, to_unit
from runtime.redaction.recognizers.units import unit_before

_CIVIC = re.compile(
    r"(?<![\w$€.])(?<![0-9][,:/\-])(?<!\w-)(?:[A-Za-z]-|[NSEW][0-9]{1,3} ?[NSEW])?[0-9]{1,6}"
    r"(?:[A-Za-z](?=[-/]))?(?:[-/][0-9]{1,6})?"
    r"(?:-?[A-Za-z](?![\w']))?(?:,? ?(?:bis|ter|quater)\b| [A-D](?=[ ,]))?(?: ?½| ?1/2)?(?:\s?,)?\s{1,2}(?=[^\W_])"
)
# After one of these a street may be written in small letters, or without saying what kind of street it is.
_CUE = re.compile(
    r"(?<!\w)(?:adresses?|addresse?s?|address(?:es)?|habit\w{1,5}|demeur\w{1,5}|resid\w{1,5}|livr\w{1,6}|envoy\w{1,4}|"
    r"reste|live[sd]?|living|deliver\w{0,3}|ship(?:ped)?|domicil\w{1,4}|demenag\w{1,5}|moved?|moving|located|situee?|"
    r"mail(?:ed|ing)?|logee?|loge[nt]{0,3}|reside[sd]?|sis|sise|relocated|pick ?up|"
    r"vi[st]|vivant|vivent|vivre|vivait|stay(?:s|ed|ing)?|grew up|chez (?:moi|nous|lui|elle))(?!\w)"
    r"[^.!?]{0,40}$|(?<!\w)(?:street|rue|addr|adr|line|ligne)(?:[ _]?(?:address|adresse|name|line|ligne))?[ _]?[12]?"
    r"[\"']?(?:\s?[:=]\s?|\. ?)[\"']?$"
)
# A street in small letters, its kind in short, where something may be: "at 19 king st, lennoxville".
_SMALL_STREET = re.compile(
    r"(?:[a-z][a-z'-]{2,20} ){1,3}(?:st|ave?|rd|dr|blvd|ln|crt|ct|cres|crescent|hwy)\.?"
    r"(?=$|[,.;!?)\n]| (?:in|apt|app|unit|#|and|near|by|[nsew]|north|south|east|west|around|today|tomorrow|tonight|"
    r"please|after|before|between|or|but|if|is|for|this|at|on|ok|now|w|with|right)\b)"
)
_LEADS_TO_SMALL = re.compile(r"(?:^|[,:;(\n]|(?<!\w)(?:at|@|from|to|near|for|by|addy?)) ?$")
# Somebody lives on a street, whatever its number.
_ORDINAL = re.compile(r"[0-9]{1,3}(?:e|er|re|eme) (?:avenue|rue|rang|boulevard)")
_PART_BEFORE = re.compile(
    r"(?<!\w)(?:zone|aisle|row|niveau|level|table|page|line|ligne|step|etape|phase|chapitre|chapter|article|figure|"
    r"fig|vol|version|section)\.? $"
)
_LIVES_ON = re.compile(
    r"(?<!\w)(?:live[sd]?|living|resid\w{1,5}|reste[nts]{0,2}|habit\w{1,5}|demeur\w{1,5}|loge[nt]{0,3}|staying|"
    r"moved|demenag\w{1,5}) (?:on|to|sur|in)? ?(?:la |le |l'|the )?$"
)
_LEADING = (" at ", " to ", " from ", " near ", " of ", " gave ", " @ ", " off ", " into ", " for ")
_THE = re.compile(r"The [A-Z]")
_TIME_BEFORE = re.compile(
    r"(?<!\w)(?:in|since|of|during|en|depuis|des|annee|year|until|before|after|vers|circa|c\.)\s$"
)
_CAPITAL = re.compile(r"(?<![\w'])(?:[A-ZÀ-Þ][a-zà-ÿ]{2}|(?:rue|avenue|boul|chemin|rang|montée|côte|place|impasse) )")
_YEARS = re.compile(r"(?:19|20)[0-9]{2}(?:-(?:19|20)?[0-9]{2})?\s?,?\s")
_BOX = re.compile(
    r"(?<!\w)(?:(?:p\.? ?o\.? ?box(?: no\.?| #)? ?#?|post office box |c\. ?p\.|case postale|casier postal|b\.p\.|"
    r"boite postale|poste restante|general delivery|hc |r\.?r\.? ?#?|rural route #?|"
    r"site (?=[0-9]{1,4},? (?:comp|box|rr)))"
    r"\s?(?:no\.? ?)?[0-9]{1,6}(?!\w)|(?:general delivery|poste restante)(?!\w))"
    r"(?:,? (?:station|stn\.?|succ(?:ursale|\.)?|site|comp(?:artment|\.)?|ss|box|main|r\.?r\.?|group|grp|gd)"
    r"(?: #?[\w-]{1,20})?){0,4}"
)
_BOX_MORE = re.compile(
    r"(?:,? (?:site|comp(?:artment|\.)?|ss|r\.?r\.?|group|grp|stn\.?|station|succ(?:ursale|\.)?) ?#?[\w-]{1,20}){0,4}"
)
# A quarter of a section, as the Prairies are surveyed: "SW 14-22-3 W5".
_SURVEYED = re.compile(
    r"(?<!\w)(?:[NS][EW]|LSD [0-9]{1,2})[ -](?:1/4 )?[0-9]{1,2}-[0-9]{1,3}-[0-9]{1,2}[ -]?W[1-6]M?(?!\w)"
)
# In capitals these are boxes where a town follows or an address is spoken of.
_SHORT_BOX = re.compile(r"(?<!\w)(?:BP|CS|TSA|CP|Box|BOX|Casier|CASIER)\s?[0-9]{1,6}(?!\w)")
_MILITARY = re.compile(
    r"(?<!\w)(?:(?:psc|unit|cmr) [0-9]{1,5},? box [0-9]{1,6}(?!\w)|"
    r"(?:(?:usn[sv]|uss|uscgc) [a-z][\w'-]{1,24}[,\s]{1,3})?[afd]po,? a[aep],? [0-9]{5}(?![0-9]))"
)
# A street without a civic number counts before a postal code.
_UNNUMBERED = re.compile(
    r"(?<!\w)(?:rue|avenue|av\.?|boulevard|boul\.?|bd\.?|chemin|allee|impasse|place|quai|cours|route|"
    r"square|lieu-?dit|hameau|lotissement|residence|domaine|quartier|villa|zone) (?=[^\W\d])"
)
_UNNUMBERED_ENGLISH = re.compile(
    r"(?<![\w'-])(?:[A-Z][\w'-]{1,20} ){1,3}(?:Road|Street|Rd\.?|St\.?|Lane|Ln\.?|Drive|Dr\.?|Avenue|Ave\.?|Highway|"
    r"Crescent|Line)"
    r"(?=,\s|\s?\n)"
)
_ENGLISH_WORDS = word_set("road street rd st lane ln drive dr avenue ave highway crescent line")
# Houses that are an address by themselves, before a postal code.
_ESTATE = re.compile(
    r"(?<!\w)(?:(?:Le|La|Les) )?(?:Ch[âa]teau|Manoir|Moulin|Ferme|Mas|Abbaye|Prieuré|Bastide) "
    r"(?:(?:de la|de|du|des|la|le|les) |de l'|l'|d')?"
    r"[A-ZÀ-Þ][\w'-]{1,24}(?: [A-ZÀ-Þ][\w'-]{1,24}){0,2}(?=(?:,\s|\s?\n)(?:F-?)?[0-9]{5}\s[A-ZÀ-Þ])"
)
_BOX_WORDS = word_set(
    "hc restante box casier p c b bp cp cs tsa rr r rural postale postal general poste office apo fpo dpo"
)
_KINDS = GATE | word_set("east west north south n s e w rn rd line mile")
_MILITARY_WORDS = word_set("psc unit cmr apo fpo dpo")
_CODE_LAST = re.compile(r"[0-9]{5}\s|[A-Za-z][0-9][A-Za-z][ -]?[0-9][A-Za-z][0-9]")
_CODE = re.compile(r"[A-Za-z][0-9][A-Za-z][ -]?[0-9][A-Za-z][0-9]|[A-Z]{2},? [0-9]{5}|(?<![0-9])[0-9]{5} [A-ZÀ-Þ]")
# A number and a capital: all that an address without a kind of street shows.
_PLAIN = re.compile(r"[0-9][A-Za-z½]?,?\s(?:(?:des?|du|de la|de l'|d') ?)?[A-ZÀ-Þ][\w'.-]")


class StreetAddress(Identifier):
    """Postal addresses that begin with a civic number, and post-office boxes."""

    ENTITY = "STREET_ADDRESS"

    def applies(self, run: Run) -> bool:
        if run.topics & LIVING or not _BOX_WORDS.isdisjoint(run.words):
            return True
        return run.digits > 0 and (
            not GATE.isdisjoint(run.words)
            or _PLAIN.search(run.text) is not None
            or (run.digits >= 4 and _CODE.search(run.text) is not None)
            or (run.digits >= 5 and "-" in run.text and _SURVEYED.search(run.text) is not None)
            or is_abroad(run.words)
        )

    def find(self, run: Run) -> Iterator[Hit]:
        text, lower = run.text, run.lower
        reached, in_abroad = 0, run.digits > 0 and is_abroad(run.words)
        kinds = not _KINDS.isdisjoint(run.words)
        coded = run.digits >= 3 and _CODE.search(text) is not None
        for civic in _CIVIC.finditer(text):
            if civic.start() < reached:
                continue
            before = run.before(civic.start(), 56)
            cued = bool(_CUE.search(before)) or bool(
                _SMALL_STREET.match(text, civic.end()) and _LEADS_TO_SMALL.search(before)
            )
            if not cued and (_PART_BEFORE.search(before) or _ORDINAL.match(lower, civic.start())):
                continue
            end = (
                (kinds and french(text, lower, civic.end(), cued=cued))
                or (
                    kinds
                    and not (lower.startswith("the ", civic.end()) and not _THE.match(text, civic.end()))
                    and english(
                        text,
                        lower,
                        civic.end(),
                        cued=cued,
                        dated=_is_dated(civic.group(), before),
                        led=before.endswith(_LEADING),
                    )
                )
                or nameless(text, lower, civic.end(), cued=cued, before=before)
                or (in_abroad and abroad(text, civic.end()))
                or to_unit(text, civic.end(), run.words)
                or (coded and to_code(text, lower, civic.end()))
            )
            if end:
                hit = _hit(text, lower, unit_before(text, lower, civic.start()), end, "street")
                reached = hit.end
                yield hit
        if in_abroad:
            for low, end in streets_abroad(text):
                yield _hit(text, lower, low, end, "abroad")
        if run.digits:
            for low, end in numbers_behind(text, lower, run.words, run.before(0, 64)):
                yield _hit(text, lower, low, end, "number_behind")
        if run.topics & LIVING:
            yield from fields(run)
            for word in _CAPITAL.finditer(text):
                if word.start() >= reached and _LIVES_ON.search(run.before(word.start(), 40)):
                    end = french(text, lower, word.start(), cued=True) or english(
                        text, lower, word.start(), cued=True, dated=False
                    )
                    if end is not None:
                        yield _hit(text, lower, word.start(), end, "lived_on")
        if coded:
            for street in _UNNUMBERED.finditer(lower, reached):
                end = french(text, lower, street.start(), cued=True)
                if end is not None and _CODE_LAST.search(text[end : (stop := after_street(text, lower, end))]):
                    yield Hit(street.start(), stop, 0.9, "unnumbered")
            if not _ENGLISH_WORDS.isdisjoint(run.words):
                for street in _UNNUMBERED_ENGLISH.finditer(text, reached):
                    stop = after_street(text, lower, street.end())
                    if CODE_AT_END.search(text[street.end() : stop]):
                        yield Hit(street.start(), stop, 0.96, "unnumbered")
            for house in _ESTATE.finditer(text):
                yield _hit(text, lower, house.start(), house.end(), "house")
        if run.digits >= 5 and "-" in text:
            for quarter in _SURVEYED.finditer(text):
                yield _hit(text, lower, quarter.start(), quarter.end(), "surveyed")
        if not _BOX_WORDS.isdisjoint(run.words):
            for box in _BOX.finditer(lower):
                numbered = any(map(str.isdigit, box.group()))
                if numbered or after_street(text, lower, box.end()) > box.end():
                    yield _hit(text, lower, box.start(), box.end(), "box")
            for box in _MILITARY.finditer(lower) if not _MILITARY_WORDS.isdisjoint(run.words) else ():
                yield _hit(text, lower, box.start(), box.end(), "box")
            for box in _SHORT_BOX.finditer(text):
                more = _BOX_MORE.match(lower, box.end())
                end = more.end() if more else box.end()
                if after_street(text, lower, end) > box.end() or _CUE.search(run.before(box.start(), 56)):
                    yield _hit(text, lower, box.start(), end, "box")


def _is_dated(civic: str, before: str) -> bool:
    """Whether a civic number may be a year, or years: "in 2024 Wall Street …", "1995-1997, Thomas G. Lane"."""
    return bool(_TIME_BEFORE.search(before) or (_YEARS.match(civic) and ("," in civic or "-" in civic)))


def _hit(text: str, lower: str, start: int, end: int, pattern: str) -> Hit:
    """The whole address: surer than its parts once it goes on to a town."""
    stop = after_street(text, lower, end)
    return Hit(start, stop, 0.97 if stop > end else 0.85, pattern)
