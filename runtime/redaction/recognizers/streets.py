"""Where the street ends that follows a civic number: word by word, in French or in English.

Each function gets the text from the civic number on and says where the street ends, or None if there is none. What
follows the street is read by `locality.py`; streets that do not say what kind they are, by `streets_nameless.py`.
"""

from __future__ import annotations

import re

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.locality import after_street
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

WORD = re.compile(r"[^\s,;()\"<>|]+")
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
_ROAD_NUMBER = re.compile(r"\s#?[0-9]{1,4}[A-Za-z]?(?!\w)")
CODE_AT_END = re.compile(
    r"[A-Za-z][0-9][A-Za-z][ -]?[0-9][A-Za-z][0-9]$|(?:[A-Z]{2}|[A-Z][a-z]{3,12}),? [0-9]{5}(?:-[0-9]{4})?$"
)
_NATIONAL = re.compile(r"(?:route (?:nationale|departementale|regionale)|rn|rd) ?[0-9]{1,4}(?!\w)")
_TOWN_CODE = re.compile(r" [A-ZÀ-Þ][^\n]{1,40}?,? [0-9]{5} [A-ZÀ-Þ]")  # "8 r Victor Hugo 38000 Grenoble"
# East and north-west in French are words too.
_SMALL_DIRECTION = re.compile(r" (?:est|no|so|n\.-o\.|s\.-o\.|n\.o\.|s\.o\.)(?=$|[,.;)\n])")
_OF_HALLS = word_set(
    "center centers centre park parks station mall club camp airport course field fields forest garden gardens bridge "
    "tunnel school store rest light lights port pass plain plains mission island islands"
)
_LINKS = frozenset({"of", "the", "de", "du", "des", "la"})
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
        kind = WORD.match(lower, hyphened.end() + 1)
        return stripped(text, _direction(lower, (kind if kind and _kind(kind.group()) else hyphened).end()))
    qualified = _QUALIFIED.match(lower, start)
    if qualified and (cued or text[start].isupper()):
        start = qualified.end()
    else:
        qualified = None
    if road := _NATIONAL.match(lower, start):
        return road.end()
    first = WORD.match(lower, start)
    if first is None:
        return None
    if _ORDINAL.fullmatch(first.group()):  # "1234, 5e Avenue", "12, 3e Rang Nord"
        kind = WORD.match(lower, first.end() + 1)
        if kind is None or kind.group().rstrip(".") not in FRENCH_TYPES:
            return None
        return stripped(text, _direction(lower, kind.end()))
    short = first.group() == "r" and _TOWN_CODE.match(text, first.end()) is not None
    if first.group() not in FRENCH_TYPES and first.group().rstrip(".") not in FRENCH_TYPES and not short:
        return None
    strong = first.group() in FRENCH_STRONG
    end = first.end() if qualified else None
    position, names, joined, capitals = first.end(), 0, False, qualified is not None
    while names <= _MOST_WORDS and text[position : position + 1] in {" ", "\n"}:
        if text[position] == "\n" and names:
            break  # the next line is a town
        word = WORD.match(text, position + 1)
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
            if first.group() == "r.":  # "Q-2, r. 22": a regulation
                break
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
    return None if end is None else stripped(text, end)


def english(text: str, lower: str, start: int, *, cued: bool, dated: bool, led: bool = False) -> int | None:
    """The kind last: "Main Street", "Pine Ridge Road", "42nd St. E"; or first with a number: "Highway 7".

    Args:
        text: the run.
        lower: the same in lower case, without accents.
        start: where the civic number ends.
        cued: whether something before speaks of where somebody lives.
        dated: whether the civic number may be a year: "in 2024 Wall Street …".
        led: whether "at", "to" or the like stands before the civic number.
    """
    position, small = start, False
    if turned := _OF_THE.match(text, start):
        return turned.end()
    if ordinal := _TURNED.match(text, start):
        behind = WORD.match(lower, ordinal.end() + 1)
        return behind.end() if behind and _kind(behind.group()) else ordinal.end()
    if grid := _GRID.match(lower, start):  # "10720 82 Ave NW"
        return _direction(lower, grid.end(1))
    for names in range(_MOST_WORDS):
        word = WORD.match(text, position)
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
                return _accepted(
                    text, lower, word.end(), kind, cued=cued, dated=dated, small=small, names=names, led=led
                )
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


def _kind(word: str) -> str:
    """The kind of street that an English word names, empty if none."""
    kind = word.rstrip(":!?")
    if kind not in ENGLISH_TYPES:
        kind = kind.rstrip(".")
    return kind if kind in ENGLISH_TYPES else ""


def _goes_on(text: str, lower: str, end: int) -> bool:
    """Whether a kind of street comes yet: "Pine Ridge Road", "Old Mill Pond Trail"."""
    for ahead in range(3):
        if text[end : end + 1] != " " or (after := WORD.match(text, end + 1)) is None:
            return False
        word = lower[after.start() : after.end()].rstrip(".:!?")
        if word in (ENGLISH_TYPES if not ahead else ENGLISH_KINDS) and (not ahead or after.group()[0].isupper()):
            return True
        if not after.group()[0].isupper() or word in DIRECTIONS:
            return False
        end = after.end()
    return False


def _accepted(
    text: str, lower: str, end: int, kind: str, *, cued: bool, dated: bool, small: bool, names: int, led: bool
) -> int | None:
    """Where the street ends whose last word is its kind, None if something speaks against it."""
    strong = kind in ENGLISH_STRONG
    if kind.rstrip(".") in NUMBERED and (number := _ROAD_NUMBER.match(text, end)):
        end = number.end()  # "County Road 12"
    end = _direction(lower, end)
    stop = after_street(text, lower, end)
    goes_on = stop > end
    if small and (not strong or dated) and not CODE_AT_END.search(text[end:stop]):
        return None
    if dated and not cued and not CODE_AT_END.search(text[end:stop]):
        return None
    if (after := WORD.match(lower, end + 1)) and after.group().rstrip(".:!?") in NOT_AFTER:
        return None
    framed = goes_on or end >= len(text) or text[end] in ",\n;).\"'<|&" or text.startswith(" (", end)
    said = names > 1 and kind in ENGLISH_PLAIN and text[end + 1 : end + 2].islower()
    said = said or (led and not small and text[end + 1 : end + 2].islower() and kind not in _OF_HALLS)
    return stripped(text, end) if strong or cued or framed or said else None


def _is_coded(text: str, lower: str, end: int) -> bool:
    """Whether a town and its postal code follow: "46 beech grove, kirkland qc h9j 2c5"."""
    return CODE_AT_END.search(text[end : after_street(text, lower, end)]) is not None


def small_direction(lower: str, end: int) -> int:
    """The end of a street with "est" behind, where that is no verb, or "NO"."""
    behind = _SMALL_DIRECTION.match(lower, end)
    return behind.end() if behind else end


def _direction(lower: str, end: int) -> int:
    if lower[end : end + 1] == " " and (word := WORD.match(lower, end + 1)):
        low = word.group().rstrip("!?:")
        if low in DIRECTIONS or low.rstrip(".") in DIRECTIONS:
            return end + 1 + len(low.rstrip("."))
    return small_direction(lower, end)


def stripped(text: str, end: int) -> int:
    """The end without marks."""
    while text[end - 1] in ".:!?'\"":
        end -= 1
    return end
