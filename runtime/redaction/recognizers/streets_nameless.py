"""Where a street ends that does not say what kind it is: "au 5530 de Lorimier", "1123 Kingsway, Vancouver, BC".

Words of living, a town and its province or code, an apartment, or a street known by its name alone show that a number
and capitals are an address; a postal code shows it for small letters too.
"""

from __future__ import annotations

import re

from runtime.redaction.recognizers.date_of_birth import MONTHS
from runtime.redaction.recognizers.locality import after_street, ends_in_province, is_known_town
from runtime.redaction.recognizers.street_words import (
    COUNTED_NAMES,
    DIRECTIONS,
    JOINERS,
    NOT_STREETS,
    STATES,
    STOPS,
    STREETS_ALONE,
)
from runtime.redaction.recognizers.streets import CODE_AT_END, WORD, small_direction, stripped
from runtime.redaction.recognizers.units import has_unit

_WITHOUT_KIND = re.compile(r"(?:de la|de l'|du|des|de) ?(?=[^\W\d_])")
_SAINT = re.compile(r"(?:st|ste|saint|sainte|ste?\.)-[^\W\d_]", re.IGNORECASE)
_TOWN_PART = re.compile(r",\s{1,2}([A-ZÀ-Þ])")
# What stands before an address that names no kind of street and no province.
_LEADS = re.compile(
    r"(?:(?<!\w)(?:at|au|to|from|chez|near|outside|@|adr\.?|addr\.?) |[\n:;(=|\"] ?|"
    r"(?<!\w)(?:app|apt|appt|appartement|apartment|suite|unit|unite|bureau|#)\.? ?#?[a-z0-9]{1,5}(?: [/–-])?,? ?)$"
)
# Somebody or something is there.
_HERE = re.compile(
    r"(?<!\w)(?:(?:i|we|they|you|she|he|it)(?:'?m|'?re|'?s| am| are| is| was| were)|(?:je|j') ?(?:suis|etais)|chu|"
    r"chui|suis|"
    r"t'es|t'etais|tu es|vous etes|c'est|c'etait|est|sommes|on est|etes|flat is|place is|house is|"
    r"(?:drop|leave|meet|get|pick|bring|come|send)(?: \w{1,12}){0,4}|(?:pass|vien|ven|rend|livr|trouv|depos|laiss|"
    r"ramass|"
    r"apport|amen|sonn|retrouv|rejoin)\w{0,6}(?: [\w'-]{1,12}){0,5}) (?:at|to|au|@|over at|by) ?$|"
    r"(?<!\w)(?:flat|place|house|apartment|condo|appart|logement|sous-sol|maison|home)(?: is|,| :|:| est)? $"
)
_AT = re.compile(r"(?<!\w)(?:at|au|@) $")
_OF_IT = re.compile(r"(?<!\w)(?:du|of|le) $")
# These lead to counts too: "500 Canadians, Montreal".
_MAY_LEAD = re.compile(r"(?:^|(?<!\w)(?:du|of) )$")
_PLURAL = re.compile(r"[^\s-]+s")
_COMMA_HERE = re.compile(r"(?<![\w.,$€/-])[0-9]{1,5}, (?:de la |de l'|du |des |de )$", re.IGNORECASE)
_LINK = re.compile(r"(?:du|des|de la|de l'|de) ?(?=[A-ZÀ-Þ])")
# A civic number that is no year and no count of a few.
_NUMBER_HERE = re.compile(
    r"(?<![\w.,$€/-])(?!(?:19|20)[0-9]{2}(?![0-9]))(?:[0-9]{3,5}(?:-?[A-Za-z]|[½]| ½| ?1/2)?|[0-9]{1,5}-[0-9]{2,5})\s$"
)
_OLD_YEAR = re.compile(r"1[5-8][0-9]{2}\s$")
_SMALL_NUMBER = re.compile(r"(?<![\w.,$€/:-])[1-9][0-9]?[A-Za-z]?\s$")
_GOES_ON = re.compile(r" (?:\(|[a-zà-ÿ])")
_STOPPED = re.compile(
    r"\s?(?:$|[,.;:!?)\n\"<|]| (?:que|qui|in|à|a|app|coin|corner|pls|please|near|près|pres|entre|between|avec|with|"
    r"svp|ce|"
    r"this|"
    r"tonight|demain|tomorrow|mate|pour|for|before|after|avant|apres|au lieu|instead|and|et|by|around|vers|today|not|"
    r"pas))(?!\w)"
)
_TURNS = frozenset({"west", "east", "north", "south", "ouest", "est", "nord", "sud"})
# Small letters between a number and a postal code: "630 rene levesque o app 1902 montreal h3b1s6".
_TO_CODE = re.compile(
    r"(?:[a-z#][a-z'.,#-]{0,20} (?:[0-9]{1,5},? )?){1,8}?(?:[a-ceghj-nprstvxy][0-9][a-z] ?[0-9][a-z][0-9]|"
    r"([a-z]{2}),? [0-9]{5}(?:-[0-9]{4})?)(?![\w-])"
)
_WORDS_OF_PROSE = frozenset({"in", "or", "me", "ok", "hi", "oh", "la", "pa", "ma", "de", "al", "co", "id", "mo", "as"})
_A_WORD = re.compile(r"[a-z][a-z'-]*")
# A street of any language before a unit with its number: "0269 Stensås terrasse 38⏎Suite 621".
_TO_UNIT = re.compile(
    r"(?=[^\W\d_]{2}|u[lj]\.|[0-9]{1,4} )(?:[^\W_][\w'.’-]{0,24}[ ]){0,5}[^\W_][\w'.’-]{0,24}(?=(?:,? {1,2}|"
    r"\s?\n[\s>?]{0,4})"
    r"(?:(?:Suite|Apt\.?|Apartment|Unit|App\.?|Apartado|suite|apt\.?|unit|app\.?) #?[0-9]{2,5}(?!\w)|Apt\.? #?[0-9]))"
)
_UNIT_WORDS = frozenset({"suite", "apt", "apartment", "unit", "app"})


def nameless(text: str, lower: str, start: int, *, cued: bool, before: str) -> int | None:
    """A street that does not say what kind it is: after "j'habite au", or before a town and its code.

    Args:
        text: the run.
        lower: the same in lower case, without accents.
        start: where the civic number ends.
        cued: whether something before speaks of where somebody lives.
        before: lower-case text before the civic number.
    """
    of = _WITHOUT_KIND.match(lower, start)
    if not of and not text[start : start + 1].isupper() and not _SAINT.match(text, start):
        return None
    if not of and not cued and (first := WORD.match(lower, start)) and first.group().rstrip(".,") in MONTHS:
        return None
    number = _NUMBER_HERE.search(text, max(0, start - 24), start)
    if of and text[of.end() : of.end() + 1].isupper() and number and before.endswith("au "):  # "au 5530 de Lorimier"
        cued = True
    named = start  # where the name begins
    led = _LEADS.search(before) or _MAY_LEAD.search(before)
    if of and number and text[of.end() : of.end() + 1].isupper() and led:
        start = of.end()  # what follows decides
    elif of and (cued or text[start - 2 : start] == ", "):  # "12, des Ormes, Boucherville"
        start = of.end()
    end = _names_end(text, lower, start)
    if end is None:
        return None
    saint = _SAINT.match(text, start) is not None or lower[start:end].rpartition(" ")[2] in DIRECTIONS
    reached = after_street(text, lower, end)
    if (
        reached > end
        and not cued
        and _is_placed(text, lower, start, end, reached, led=_is_led(text[:end], before, start))
    ):
        return end
    if number is not None and _SAINT.match(text, start) and lower[start:end].rpartition(" ")[2] in DIRECTIONS:
        return end  # 301 Saint-Viateur W
    turned = lower[start:end].rpartition(" ")[2] in _TURNS and " " in lower[start:end] and number is not None
    if of and number and before.endswith("au "):
        return end
    if turned or (has_unit(lower, end) and (number is not None or _to_unit(text, start) is not None)):
        return end
    if cued and has_unit(lower, end):
        return end
    if (cued and (saint or reached > end)) or (saint and reached > end) or CODE_AT_END.search(text[end:reached]):
        return end
    if _is_here(text, lower[start:end], named, end, before=before, numbered=number is not None):
        return end
    return None


def to_code(text: str, lower: str, start: int) -> int | None:
    """Where an address ends that nothing but its postal code shows, and words that no sentence has between."""
    match = _TO_CODE.match(lower, start)
    if match is None:
        return None
    state = match[1]
    if state and (state.upper() not in STATES or (state in _WORDS_OF_PROSE and text[match.start(1)].islower())):
        return None
    words = _A_WORD.findall(lower, start, match.start(1) if state else match.end() - 7)
    if any(word in STOPS or word in NOT_STREETS for word in words if len(word) > 1):
        return None
    return match.end()


def to_unit(text: str, start: int, words: list[str]) -> int | None:
    """Where a street of any language ends that a unit with its number follows."""
    return None if _UNIT_WORDS.isdisjoint(words) else _to_unit(text, start)


def _to_unit(text: str, start: int) -> int | None:
    match = _TO_UNIT.match(text, start)
    if match is None:
        return None
    small = 0
    for word in match.group().split(" "):
        if word[0].isdigit():
            continue
        low = word.lower().rstrip(".,")
        if low in STOPS or low in NOT_STREETS or low in {"creative", "office", "bedroom", "math", "level", "grade"}:
            return None
        small += word[0].islower() and low not in JOINERS
    return match.end() if not small or any(word[0].isdigit() for word in match.group().split(" ")) else None


def _names_end(text: str, lower: str, start: int) -> int | None:
    """Where up to three names end, with a direction behind."""
    position, end, names = start, None, 0
    while names < 3:
        word = WORD.match(text, position)
        if word is not None and end is not None and lower[word.start() : word.end()] in DIRECTIONS:
            end = word.end()
            break
        names += word is not None and lower[word.start() : word.end()] not in JOINERS
        if word is not None and end is not None and (link := _LINK.match(text, word.start())):  # Clair de Lune
            position = link.end()
            continue
        if word is None or not (word.group()[0].isupper() or _SAINT.match(word.group())):
            break
        end = word.end()
        if text[end : end + 1] != " " or text[end - 1] in "?!:":
            break
        position = end + 1
    return None if end is None else small_direction(lower, stripped(text, end))


def _is_here(text: str, name: str, named: int, end: int, *, before: str, numbered: bool) -> bool:
    """Whether somebody is there, or the street is known by its name alone, and nothing says that it is counted."""
    last = name.rpartition(" ")[2].rstrip(".")
    if last in COUNTED_NAMES or name.partition(" ")[0] in COUNTED_NAMES or not _STOPPED.match(text, end):
        return False
    plain = name.replace(" ", "-").removesuffix("-" + last) if last in _TURNS or last in DIRECTIONS else name
    if numbered and not _OLD_YEAR.search(text, max(0, named - 8), named):
        if plain.replace(" ", "-") in STREETS_ALONE:
            return True
        if _SAINT.match(name) and _OF_IT.search(before):  # "2e étage du 340 St-Vallier"
            return True
        if _AT.search(before) and not _PLURAL.fullmatch(name) and name.count(" ") < 2:
            return True
    if _PLURAL.fullmatch(name) and not numbered:
        return False
    here = _HERE.search(before)
    return here is not None and (numbered or _SMALL_NUMBER.search(text, max(0, named - 8), named) is not None)


def _is_led(text: str, before: str, start: int) -> bool:
    """Whether what stands before a number and capitals, the end of `text`, leads to an address."""
    if _MAY_LEAD.search(before):
        civic = _NUMBER_HERE.search(text, max(0, start - 24), start)
        return civic is not None and not civic[0].rstrip().endswith("00") and not _PLURAL.fullmatch(text, start)
    return _LEADS.search(before) is not None


def _is_placed(text: str, lower: str, start: int, end: int, reached: int, *, led: bool) -> bool:
    """Whether a town behind a comma makes a number and capitals an address: "1123 Kingsway, Vancouver, BC"."""
    if lower[start:end].partition(" ")[0] in MONTHS or any(c in ".:!?" for c in text[start : end - 1]):
        return False
    behind = _TOWN_PART.match(text, end)
    if behind is None:
        return False
    if ends_in_province(text[end:reached]):
        return reached > behind.start(1)
    if _NUMBER_HERE.search(text, max(0, start - 40), start) is None and not _COMMA_HERE.search(
        text, max(0, start - 40), start
    ):
        led = led and (
            _SMALL_NUMBER.search(text, max(0, start - 8), start) is not None
            and not lower[start:end].endswith("s")
            and lower[start:end].rpartition(" ")[2] not in COUNTED_NAMES
        )
    return (
        (led or lower[start:end] in STREETS_ALONE)
        and is_known_town(lower, behind.start(1), reached)
        and (reached >= len(text) or text[reached] in '.,;)\n"<|' or _GOES_ON.match(text, reached) is not None)
    )
