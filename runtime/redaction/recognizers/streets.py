"""Where the street ends that follows a civic number: word by word, in French, in English, or without its kind.

Each function gets the text from the civic number on and says where the street ends, or None if there is none. What
follows the street is read by `locality.py`.
"""

from __future__ import annotations

import re

from runtime.redaction.recognizers.date_of_birth import MONTHS
from runtime.redaction.recognizers.locality import after_street, ends_in_province, has_unit, is_known_town
from runtime.redaction.recognizers.street_words import (
    COUNTED,
    DIRECTIONS,
    ENGLISH_KINDS,
    ENGLISH_PLAIN,
    ENGLISH_STRONG,
    ENGLISH_TYPES,
    FRENCH_STRONG,
    FRENCH_TYPES,
    JOINERS,
    NOT_AFTER,
    NOT_STREETS,
    NUMBERED,
    STOPS,
    UNITS,
)

_WORD = re.compile(r"[^\s,;()\"<>|]+")
_ORDINAL = re.compile(r"[0-9]{1,4}(?:st|nd|rd|th|e|eme|ieme|re|er|ere)")
# In the West streets are numbers too.
_GRID = re.compile(r"([0-9]{1,3}[a-c]? (?:street|st|avenue|ave|av|road|rd)\.?)(?![\w'])")
# "210 East 9th": the kind is left out.
_TURNED = re.compile(
    r"((?:East|West|North|South|[EWNS]\.?) [0-9]{1,3}(?:st|nd|rd|th))"
    r"(?=$|[,.;)\n\"<|]| (?:in|on|and|with|near|at|apt|unit|suite|#|Apt|Unit|Suite|St|Ave))"
)
_OF_THE = re.compile(
    r"(?:Avenue|Ave\.?|Boulevard|Blvd\.?|Plaza|Place|Way|Circle|Court) of "
    r"(?:the )?[A-Z][\w'-]{2,24}(?: (?!Apt|App|Suite|Unit|Floor|Ste)[A-Z][\w'-]{2,24})?"
)
# An adjective before the kind: "Grande Allée", "Vieux Chemin".
_QUALIFIED = re.compile(
    r"(?:grande?|petite?|vieux|vieille|ancien(?:ne)?|nouvelle|haute?|basse?)[ -]"
    r"(?=(?:rue|allee|cote|chemin|rang|route|place|avenue)\b)"
)
_OF = re.compile(r"(?:(?:de|sur) )?(?:la |l'|le |du |des )?(?=rue|avenue|boul|chemin|rang|route|cote|place)")
_HYPHENED = re.compile(
    r"(?:cote|montee|rang|chemin)-(?:(?:de|du|des|la|l'|st|ste|saint|sainte)-){0,2}[a-z][a-z'-]{2,30}"
)
_WITHOUT_KIND = re.compile(r"(?:de la|de l'|du|des|de) ?(?=[^\W\d_])")
_ROAD_NUMBER = re.compile(r"\s#?[0-9]{1,4}[A-Za-z]?(?!\w)")
_SAINT = re.compile(r"(?:st|ste|saint|sainte|ste?\.)-[^\W\d_]", re.IGNORECASE)
_CODE_AT_END = re.compile(
    r"[A-Za-z][0-9][A-Za-z][ -]?[0-9][A-Za-z][0-9]$|(?:[A-Z]{2}|[A-Z][a-z]{3,12}),? [0-9]{5}(?:-[0-9]{4})?$"
)
_TOWN_PART = re.compile(r",\s{1,2}([A-ZÀ-Þ])")
# What stands before an address that names no kind of street and no province.
_LEADS = re.compile(
    r"(?:(?<!\w)(?:at|au|to|from|chez|near|outside|@|adr\.?|addr\.?) |[\n:;(=|\"] ?|"
    r"(?<!\w)(?:app|apt|appt|appartement|apartment|suite|unit|unite|bureau|#)\.? ?#?[a-z0-9]{1,5},? ?)$"
)
# These lead to counts too: "500 Canadians, Montreal".
_MAY_LEAD = re.compile(r"(?:^|(?<!\w)(?:du|of) )$")
_PLURAL = re.compile(r"[^\s-]+s")
_COMMA_HERE = re.compile(r"(?<![\w.,$€/-])[0-9]{1,5}, (?:de la |de l'|du |des |de )$", re.IGNORECASE)
_LINK = re.compile(r"(?:du|des|de la|de l'|de) ?(?=[A-ZÀ-Þ])")
# A civic number that is no year and no count of a few.
_NUMBER_HERE = re.compile(
    r"(?<![\w.,$€/-])(?!(?:19|20)[0-9]{2}(?![0-9]))(?:[0-9]{3,5}[A-Za-z]?|[0-9]{1,5}-[0-9]{2,5})\s$"
)
_GOES_ON = re.compile(r" (?:\(|[a-zà-ÿ])")
_NATIONAL = re.compile(r"(?:route (?:nationale|departementale|regionale)|rn|rd) ?[0-9]{1,4}(?!\w)")
_TOWN_CODE = re.compile(r" [A-ZÀ-Þ][^\n]{1,40}?,? [0-9]{5} [A-ZÀ-Þ]")  # "8 r Victor Hugo 38000 Grenoble"
_LINKS = frozenset({"of", "the", "de", "du", "des", "la"})
_TURNS = frozenset({"west", "east", "north", "south", "ouest", "est", "nord", "sud"})
_MOST_WORDS = 6


def french(text: str, lower: str, start: int, *, cued: bool) -> int | None:
    """The kind first: "rue des Lilas", "5e Avenue", "boul. René-Lévesque Ouest".

    Args:
        text: the run.
        lower: the same in lower case, without accents.
        start: where the civic number ends.
        cued: whether something before speaks of where somebody lives: then small letters are enough.
    """
    if of := _OF.match(lower, start):
        start = of.end()
    if hyphened := _HYPHENED.match(lower, start):
        kind = _WORD.match(lower, hyphened.end() + 1)
        return _stripped(text, _direction(lower, (kind if kind and _kind(kind.group()) else hyphened).end()))
    qualified = _QUALIFIED.match(lower, start)
    if qualified and (cued or text[start].isupper()):
        start = qualified.end()
    else:
        qualified = None
    if road := _NATIONAL.match(lower, start):
        return road.end()
    first = _WORD.match(lower, start)
    if first is None:
        return None
    if _ORDINAL.fullmatch(first.group()):  # "1234, 5e Avenue", "12, 3e Rang Nord"
        kind = _WORD.match(lower, first.end() + 1)
        if kind is None or kind.group().rstrip(".") not in FRENCH_TYPES:
            return None
        return _stripped(text, _direction(lower, kind.end()))
    short = first.group() == "r" and _TOWN_CODE.match(text, first.end()) is not None
    if first.group() not in FRENCH_TYPES and first.group().rstrip(".") not in FRENCH_TYPES and not short:
        return None
    strong = first.group() in FRENCH_STRONG
    end = first.end() if qualified else None
    position, names, joined, capitals = first.end(), 0, False, qualified is not None
    while names <= _MOST_WORDS and text[position : position + 1] in {" ", "\n"}:
        if text[position] == "\n" and names:
            break  # the next line is a town
        word = _WORD.match(text, position + 1)
        if word is None:
            break
        value, low = word.group(), lower[word.start() : word.end()]
        if names and low.rstrip(".") in UNITS:
            break
        if low in JOINERS and (names == 0 or value != value.upper() or len(value) > 1):
            if names and low in {"a", "et", "en"} and not text[word.end() + 1 : word.end() + 2].isupper():
                break
            joined = low not in {"a", "et", "en"}
        elif low.rstrip(".") in DIRECTIONS and end is not None:
            end = word.end()
            break
        elif value[0].isupper() or (low[:2] in {"l'", "d'"} and (strong or value[2:3].isupper())):
            names, end = names + 1, word.end()
            capitals = capitals or value[0].isupper()
        elif value[0].isdigit():
            if not joined and (names or not (strong or first.group() in NUMBERED)):
                break
            names, end = names + 1, word.end()
        elif capitals or "'" in low[:3] or low.rstrip(".!?:") in STOPS or low in NOT_STREETS:
            break
        elif (strong and names < (3 if cued else 2)) or (joined and names == 0 and cued):
            names, end = names + 1, word.end()
        else:
            break
        position = word.end()
        if value[-1] in "!?:" or (value[-1] == "." and len(value.rpartition("-")[2]) > 3):
            break
    return None if end is None else _stripped(text, end)


def english(text: str, lower: str, start: int, *, cued: bool, dated: bool) -> int | None:
    """The kind last: "Main Street", "Pine Ridge Road", "42nd St. E"; or first with a number: "Highway 7".

    Args:
        text: the run.
        lower: the same in lower case, without accents.
        start: where the civic number ends.
        cued: whether something before speaks of where somebody lives.
        dated: whether the civic number may be a year: "in 2024 Wall Street …".
    """
    position, small = start, False
    if turned := _OF_THE.match(text, start):
        return turned.end()
    if ordinal := _TURNED.match(text, start):
        behind = _WORD.match(lower, ordinal.end() + 1)
        return behind.end() if behind and _kind(behind.group()) else ordinal.end()
    if grid := _GRID.match(lower, start):  # "10720 82 Ave NW"
        return _direction(lower, grid.end(1))
    for names in range(_MOST_WORDS):
        word = _WORD.match(text, position)
        if word is None:
            return None
        value, low = word.group(), lower[word.start() : word.end()]
        kind = _kind(low)
        capital = value[0].isupper()
        if not names and low in COUNTED:
            return None
        if small and capital and kind and not cued:
            return None  # "…, médecin traitant Dr"
        if (
            names
            and kind
            and (cued or capital or (kind in ENGLISH_STRONG and len(kind) > 3) or _is_coded(text, lower, word.end()))
        ):
            if not _goes_on(text, lower, word.end()):
                return _accepted(text, lower, word.end(), kind, cued=cued, dated=dated, small=small, names=names)
        elif (
            names == 0
            and (capital or cued)
            and low.rstrip(".") in NUMBERED
            and (number := _ROAD_NUMBER.match(text, word.end()))
        ):
            return _direction(lower, number.end())
        if not (capital or _ORDINAL.fullmatch(low)):
            small = True
            linked = names and low in _LINKS and text[word.end() + 1 : word.end() + 2].isupper()
            if linked:  # "60 Duke of York Blvd"
                small = False
            elif (
                (low in STOPS and low not in {"the", "i"}) or low in NOT_STREETS or not value[0].isalpha() or names > 2
            ):
                return None
        if value.endswith((":", "!", "?")) or text[word.end() : word.end() + 1] not in {" ", "\n"}:
            return None
        position = word.end() + 1
    return None


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
    number = _NUMBER_HERE.search(text, max(0, start - 24), start)
    if of and text[of.end() : of.end() + 1].isupper() and number and before.endswith("au "):  # "au 5530 de Lorimier"
        cued = True
    led = _LEADS.search(before) or _MAY_LEAD.search(before)
    if of and number and text[of.end() : of.end() + 1].isupper() and led:
        start = of.end()  # what follows decides
    elif of and (cued or text[start - 2 : start] == ", "):  # "12, des Ormes, Boucherville"
        start = of.end()
    position, end = start, None
    names = 0
    while names < 3:
        word = _WORD.match(text, position)
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
        if text[end : end + 1] != " ":
            break
        position = end + 1
    if end is None:
        return None
    end = _stripped(text, end)
    saint = _SAINT.match(text, start) is not None or lower[start:end].rpartition(" ")[2] in DIRECTIONS
    reached = after_street(text, lower, end)
    if (
        reached > end
        and not cued
        and _is_placed(text, lower, start, end, reached, led=_is_led(text[:end], before, start))
    ):
        return end
    turned = lower[start:end].rpartition(" ")[2] in _TURNS and " " in lower[start:end] and number is not None
    if of and number and before.endswith("au "):
        return end
    if turned or (number is not None and has_unit(lower, end)):
        return end
    if (cued and (saint or reached > end)) or (saint and reached > end) or _CODE_AT_END.search(text[end:reached]):
        return end
    return None


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
    civic = _NUMBER_HERE.search(text, max(0, start - 40), start)
    return (
        (civic is not None or _COMMA_HERE.search(text, max(0, start - 40), start) is not None)
        and led
        and is_known_town(lower, behind.start(1), reached)
        and (reached >= len(text) or text[reached] in '.,;)\n"<|' or _GOES_ON.match(text, reached) is not None)
    )


def _kind(word: str) -> str:
    """The kind of street that an English word names, empty if none."""
    kind = word.rstrip(":!?")
    if kind not in ENGLISH_TYPES:
        kind = kind.rstrip(".")
    return kind if kind in ENGLISH_TYPES else ""


def _goes_on(text: str, lower: str, end: int) -> bool:
    """Whether a kind of street comes yet: "Pine Ridge Road", "Old Mill Pond Trail"."""
    for ahead in range(3):
        if text[end : end + 1] != " " or (after := _WORD.match(text, end + 1)) is None:
            return False
        word = lower[after.start() : after.end()].rstrip(".:!?")
        if word in (ENGLISH_TYPES if not ahead else ENGLISH_KINDS) and (not ahead or after.group()[0].isupper()):
            return True
        if not after.group()[0].isupper() or word in DIRECTIONS:
            return False
        end = after.end()
    return False


def _accepted(
    text: str, lower: str, end: int, kind: str, *, cued: bool, dated: bool, small: bool, names: int
) -> int | None:
    """Where the street ends whose last word is its kind, None if something speaks against it."""
    strong = kind in ENGLISH_STRONG
    if kind.rstrip(".") in NUMBERED and (number := _ROAD_NUMBER.match(text, end)):
        end = number.end()  # "County Road 12"
    end = _direction(lower, end)
    stop = after_street(text, lower, end)
    goes_on = stop > end
    if small and (not strong or dated) and not _CODE_AT_END.search(text[end:stop]):
        return None
    if dated and not cued and not _CODE_AT_END.search(text[end:stop]):
        return None
    if (after := _WORD.match(lower, end + 1)) and after.group().rstrip(".:!?") in NOT_AFTER:
        return None
    framed = goes_on or end >= len(text) or text[end] in ",\n;).\"'<|&" or text.startswith(" (", end)
    said = names > 1 and kind in ENGLISH_PLAIN and text[end + 1 : end + 2].islower()
    return _stripped(text, end) if strong or cued or framed or said else None


def _is_coded(text: str, lower: str, end: int) -> bool:
    """Whether a town and its postal code follow: "46 beech grove, kirkland qc h9j 2c5"."""
    return _CODE_AT_END.search(text[end : after_street(text, lower, end)]) is not None


def _direction(lower: str, end: int) -> int:
    if lower[end : end + 1] == " " and (word := _WORD.match(lower, end + 1)):
        low = word.group().rstrip("!?:")
        if low in DIRECTIONS or low.rstrip(".") in DIRECTIONS:
            return end + 1 + len(low.rstrip("."))
    return end


def _stripped(text: str, end: int) -> int:
    while text[end - 1] in ".:!?'\"":
        end -= 1
    return end
