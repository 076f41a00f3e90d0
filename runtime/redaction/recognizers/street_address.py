"""Civic addresses in French and English, with what follows on the same lines: unit, city, province, postal code.

A number and a street word are needed; the rest is read word by word, so that the time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run

FRENCH_TYPES = word_set(
    """
    rue rues avenue av av. ave boulevard boul boul. bd bd. blvd chemin ch ch. place pl pl. allée allées impasse
    imp. route rte rte. rang côte quai square cours montée croissant terrasse promenade ruelle passage voie sentier
    carré autoroute faubourg esplanade
    """
)
_LOWER_OK = word_set(
    """
    rue rues avenue av av. boulevard boul boul. bd chemin ch. allée impasse route rang quai
    """
)
ENGLISH_TYPES = word_set(
    """
    street st st. avenue ave ave. road rd rd. boulevard blvd blvd. drive dr dr. lane ln ln. court ct ct. way place
    pl pl. square sq sq. terrace terr. crescent cres cres. highway hwy hwy. parkway pkwy pkwy. circle cir trail
    close gardens row quay mews line sideroad concession
    """
)
_JOINERS = word_set(
    """
    de du des la le les l en à aux sur sous et d
    """
)
_DIRECTIONS = word_set(
    """
    n s e w n. s. e. w. o o. ne nw se sw north south east west nord sud est ouest
    """
)
_CIVIC = re.compile(
    r"(?<![\w.,$€/#:-])[0-9]{1,6}(?:-[0-9]{1,6})?(?: ?(?:bis|ter|quater)\b| ?[A-Za-z](?![\w'])|½)?,?\s{1,2}(?=[^\W_])"
)
_ORDINAL = re.compile(r"[0-9]{1,4}(?:st|nd|rd|th|e|re|er|ère|ième|ieme)", re.IGNORECASE)
_WORD = re.compile(r"[^\s,;()]+")
_UNIT = re.compile(
    r",?\s{0,2}(?:(?:app|apt|appartement|apartment|unit|unité|suite|bureau|local|porte|étage|floor|bât|bâtiment|"
    r"building|esc|chambre|room|bur|ste|ph)"
    r"\.?(?:\s?(?:no|n°|#)\.?)?\s?|#\s?)[A-Za-z]?[0-9]{0,5}[A-Za-z]?(?![\w])",
    re.IGNORECASE,
)
_CITY = re.compile(
    r"(?:,\s{0,2}|\s?\n\s?|\s-\s|\s(?=[0-9]{5}\s))(?:[0-9]{5}\s)?(?:à\s)?([A-ZÀ-Þ][\w'.-]{0,40}(?:[ -](?:(?:de|du|des|"
    r"la|le|les|sur|sous|en|lès|aux|of|on|the)[ -])?[A-ZÀ-Þ][\w'.-]{0,40}){0,3})"
)
_PROVINCE = re.compile(
    r",?\s{0,2}\(?(?:Québec|Quebec|Ontario|Alberta|Manitoba|Saskatchewan|Nova Scotia|New Brunswick|British Columbia|"
    r"Nouvelle-Écosse|"
    r"Nouveau-Brunswick|Colombie-Britannique|Île-du-Prince-Édouard|QC|Qc|PQ|ON|BC|AB|MB|SK|NS|NB|NL|PE|YT|NT|NU|"
    r"[A-Z]{2}(?=[\s,)]+[0-9]{5}))\)?(?!\w)"
)
_CODE = re.compile(r",?\s{0,3}(?:[A-Za-z][0-9][A-Za-z][ -]?[0-9][A-Za-z][0-9]|[0-9]{5}(?:-[0-9]{4})?)(?![\w-])")
_COUNTRY = re.compile(r",?\s{1,2}(?:Canada|France|USA|United States|États-Unis|Belgique|Suisse)(?!\w)")
# After one of these a street may be written in small letters.
_CUE = re.compile(
    r"(?<!\w)(?:adresses?|addresse?s?|address(?:es)?|habit\w{1,5}|demeur\w{1,5}|résid\w{1,5}|livr\w{1,6}|envoy\w{1,4}|"
    r"reste|live[sd]?|living|resid\w{1,4}|deliver\w{0,3}|ship(?:ped)?)(?!\w)[^.!?]{0,36}$"
)
_NOT_STREETS = frozenset(["anglais", "français", "commerce", "maison", "ville", "face"])
BOX_WORDS = frozenset({"box", "postale", "c.p", "b.p", "bp"})
_BOX = re.compile(
    r"(?<!\w)(?:(?:p\.? ?o\.? ?)?box|c\.p\.|case postale|b\.p\.|bp|boîte postale)\s?[0-9]{1,6}(?![\w])"
    r"(?:, (?:station|succ(?:ursale|\.)?) [\w-]{1,20})?",
    re.IGNORECASE,
)


class StreetAddress(Identifier):
    """Postal addresses that begin with a civic number, and post-office boxes."""

    ENTITY = "STREET_ADDRESS"
    LEAST_DIGITS = 1

    def find(self, run: Run) -> Iterator[Hit]:
        for civic in _CIVIC.finditer(run.text):
            cued = bool(_CUE.search(run.before(civic.start(), 48)))
            end = _french(run.text, civic.end(), cued=cued) or _english(run.text, civic.end(), cued=cued)
            if end is not None:
                yield Hit(civic.start(), _tail(run.text, end), 0.85, "street")
        for box in _BOX.finditer(run.text):
            yield Hit(box.start(), _tail(run.text, box.end()), 0.85, "box")


def _french(text: str, start: int, *, cued: bool) -> int | None:
    first = _WORD.match(text, start)
    if first is None:
        return None
    kind = first.group().lower()
    ordinal = None
    if _ORDINAL.fullmatch(kind):  # "1234, 5e Avenue"
        ordinal = first
        first = _WORD.match(text, first.end() + 1)
        kind = first.group().lower() if first else ""
    if first is None or kind not in FRENCH_TYPES:
        return None
    if ordinal is not None:
        return _direction(text, first.end())
    position, end, names, joined = first.end(), None, 0, False
    while names < 6 and text[position : position + 1] in {" ", "\n"}:
        word = _WORD.match(text, position + 1)
        if word is None:
            break
        value = word.group()
        lowered = value.lower()
        if lowered in _JOINERS:
            joined = True
        elif (
            value[0].isupper()
            or value[0].isdigit()
            or lowered[:2] in {"l'", "d'"}
            or (names == 0 and kind in _LOWER_OK and (cued or (joined and lowered not in _NOT_STREETS)))
        ):
            names, end = names + 1, word.end()
            if value[0].isdigit() and names > 1:
                break
        elif lowered in _DIRECTIONS and names:
            end = word.end()
            break
        else:
            break
        position = word.end()
        if value.endswith((".", "!", "?", ":")) and len(value) > 3:
            break
    return None if end is None else _strip(text, end)


def _english(text: str, start: int, *, cued: bool) -> int | None:
    position, names = start, 0
    while names < 5:
        word = _WORD.match(text, position)
        if word is None:
            return None
        value = word.group()
        lowered = value.lower()
        if names and lowered.rstrip(".:!?") in ENGLISH_TYPES and (cued or value[0].isupper()):
            return _direction(text, word.end())
        if not (cued or value[0].isupper() or _ORDINAL.fullmatch(value)) or value.endswith((":", "!", "?")):
            return None
        names += 1
        if text[word.end() : word.end() + 1] not in {" ", "\n"}:
            return None
        position = word.end() + 1
    return None


def _direction(text: str, end: int) -> int:
    if text[end : end + 1] == " ":
        word = _WORD.match(text, end + 1)
        if word and word.group().lower() in _DIRECTIONS and word.group()[0].isupper():
            return _strip(text, word.end())
    return _strip(text, end)


def _strip(text: str, end: int) -> int:
    while text[end - 1] in ".:!?":
        end -= 1
    return end


def _tail(text: str, end: int) -> int:
    """Unit, city, province, code and country, each if it follows; the city only before a province, a code or an end."""
    if text[end : end + 2] == ".,":  # "Elm Dr., Springfield"
        end += 1
    if unit := _UNIT.match(text, end):
        end = unit.end()
    if city := _CITY.match(text, end):
        end = _strip(text, city.end())
    for pattern in (_PROVINCE, _CODE, _COUNTRY):
        if part := pattern.match(text, end):
            end = part.end()
    return end
