"""Where a street ends that does not say what kind it is: "au 5530 de Lorimier", "1123 Kingsway, Vancouver, BC".

Words of living, a town and its province or code, or an apartment show that a number and capitals are an address.
"""

from __future__ import annotations

import re

from runtime.redaction.recognizers.date_of_birth import MONTHS
from runtime.redaction.recognizers.locality import after_street, ends_in_province, is_known_town
from runtime.redaction.recognizers.street_words import DIRECTIONS, JOINERS
from runtime.redaction.recognizers.streets import CODE_AT_END, WORD, stripped
from runtime.redaction.recognizers.units import has_unit

_WITHOUT_KIND = re.compile(r"(?:de la|de l'|du|des|de) ?(?=[^\W\d_])")
_SAINT = re.compile(r"(?:st|ste|saint|sainte|ste?\.)-[^\W\d_]", re.IGNORECASE)
_TOWN_PART = re.compile(r",\s{1,2}([A-ZÀ-Þ])")
# What stands before an address that names no kind of street and no province.
_LEADS = re.compile(
    r"(?:(?<!\w)(?:at|au|to|from|chez|near|outside|@|adr\.?|addr\.?) |[\n:;(=|\"] ?|"
    r"(?<!\w)(?:app|apt|appt|appartement|apartment|suite|unit|unite|bureau|#)\.? ?#?[a-z0-9]{1,5}(?: [/–-])?,? ?)$"
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
_TURNS = frozenset({"west", "east", "north", "south", "ouest", "est", "nord", "sud"})


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
        if text[end : end + 1] != " ":
            break
        position = end + 1
    if end is None:
        return None
    end = stripped(text, end)
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
    if turned or (number is not None and has_unit(lower, end)):
        return end
    if (cued and (saint or reached > end)) or (saint and reached > end) or CODE_AT_END.search(text[end:reached]):
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
