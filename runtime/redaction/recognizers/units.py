"""Units of addresses, before the civic number and behind the street: "Apt 5, 12 Elm St", "12 Elm St, 3rd floor".

Houses with a name, lots, and words such as "number" that lead to a civic number belong to the address too.
"""

from __future__ import annotations

import re

UNIT_WORD = (
    r"(?:appartement|appart|appt|app|apt|apartment|unite|unit|suite|ste|bureau|bur|local|porte|etage|floor|fl|bat|"
    r"batiment|building|bldg|escalier|esc|chambre|chbre|ch|room|rm|logement|log|condo|tour|tower|bloc|block|hall|"
    r"entree|"
    r"loge|lot|flat|residence|penthouse|ph|casier|poste|office|interphone|interph|spc|space|trlr|trailer|slip|loft|"
    r"bte|boite|bus|etg|apto|apartado|dpto|depto|piso|interior|wohnung|pmb|mailstop|bay|piece|studio|cage|box|case)"
)
_UNIT = re.compile(
    rf"[,\s]{{0,3}}[(\-–]?\s?(?:{UNIT_WORD}\.?(?:\s?(?:no|n°|"
    rf"#)\.?)?(?:\s?#?[a-z]?-?[0-9]{{1,5}}(?:-?[a-z0-9]{{1,4}}|/[0-9]{{1,2}})?|[\s#]{{1,2}}[a-z])|"
    r"#\s?[a-z0-9]{1,5}(?:-[a-z0-9]{1,3})?|[0-9]{1,2}(?:er|e|eme|ieme|st|nd|rd|th)\s(?:etage|floor|"
    r"flr?\.?)(?:\s(?:gauche|"
    r"droite|face))?|[0-9]{1,2}º(?: [a-z])?|mile (?:marker|post) [0-9]{1,3}|"
    r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth) floor|"
    r"(?:premier|deuxieme|troisieme|quatrieme|cinquieme) etage|rez-de-chaussee|rdc|sous-sol|basement|upper|lower|"
    r"ground floor|ph[0-9]{0,3}|lieu-?dit [^,\n]{2,32}(?=[,\n]))(?!\w)\)?"
)
_MOST_UNITS = 4
_HOUSE = (
    r"(?:residence|res\.|batiment|bat\.?|immeuble|imm\.?|lieu-?dit|hameau|lotissement|villa|domaine|manoir|escalier|"
    r"esc\.?|entree|rear|basement (?:apt|apartment|suite|unit)|foyer|chsld|ehpad|cite|clos|chalet|motel|hotel|camping|"
    r"(?:upper|lower|main) (?:unit|floor)|ground floor|rez-de-chaussee|basement|sous-sol)"
)
_BEFORE_CIVIC = re.compile(
    rf"(?:(?<!\w)(?:{UNIT_WORD}|maison|house|trailer|site)\.?\s?#?|#\s?)(?:[a-z]?-?[0-9]{{1,5}}(?:-?[a-z])?|"
    rf"[a-z])\s?[,\-–\n]?\s{{0,2}}$|"
    r"(?<![\w.,$€/-])(?:[a-z]-?)?[0-9]{1,5}[a-z]?\s[\-–]\s$|(?<!\w)flat [0-9]{1,3}/[0-9]{1,3},\s$|"
    r"(?<!\w)(?:flat|apartment|apt|unit|suite|room) [0-9a-z]{1,4},\s[a-z][a-z' -]{2,30},\s$|"
    r"(?<!\w)r\.?r\.? ?#? ?[0-9]{1,2},\s$|(?<!\w)(?:zi|za|zac|zone (?:industrielle|artisanale))(?: [\w' -]{1,24})?,\s$|"
    r"(?<!\w)(?!(?:the|a|his|her|my|our|your|their|this|that|new|old|in|at|of) )[a-z'-]{2,16} (?:[a-z'-]{2,16} )?"
    r"(?:cottage|farmhouse|farm|lodge|barn|house|manor|hall|court|towers?|mansions|motel|resort),\s$|^(?:cottage|"
    r"farmhouse|lodge),\s$|"
    r"(?<!\w)[0-9]{1,2}(?:er|e|eme|ieme|st|nd|rd|th)\s(?:etage|et\.|floor|flr?\.?)(?: (?:gauche|droite|face))?,?\s$|"
    rf"(?<!\w){_HOUSE}(?: [^\n,.;:0-9]{{1,32}})?,\s$|(?<!\w)(?:residence|foyer|res\.|chsld|ehpad|cite|tour|"
    rf"immeuble)(?: [\w'-]{{1,16}}){{1,3}} $|"
    r"(?<!\w)(?:civic )?(?:number|numero|civique|no\.|n°|lot|house|maison|km|pk|trailer) $|(?<!\w)(?:face au|"
    r"en face du|c/o [a-z' -]{2,30},) $"
)
_NAMED = re.compile(  # in capitals, before a unit: "Starlite Motel, room 14, …"
    r"(?:[A-ZÀ-Þ][\w'.-]{1,20} ){1,3}(?:Motel|Hotel|Hôtel|House|Resort|Court|Towers?|Lodge|Manor|Mansions|Hall|Park|"
    r"Inn),\s$|"
    r"(?:Résidence|Residence|Foyer|CHSLD|EHPAD|Cité|Tour|Le|La|Les|Manoir|Villa|Immeuble|Motel|Hôtel|Résid\.|[Rr]és?\.)"
    r"(?: (?:(?:de|du|des|la|les) ){0,2}[A-ZÀ-Þ][\w'.-]{0,20}){1,3},?\s$"
)
_THOUSANDS = re.compile(r"(?<![\w.,$€/-])[0-9]{1,2} (?:[0-9]{3} )?$")
_HUNDREDS = re.compile(r"[0-9]{3},\s")
_UNITS_BEFORE = 4
_REACH = 56  # characters of one such part
_APARTMENT = re.compile(
    r"(?:,\s{1,2}|\s{1,2})(?:app|appt|apt|appartement|apartment|suite|unit|unite|bureau|loft|"
    r"#)\.? ?#?[0-9]{1,5}[a-z]?(?!\w)|"
    r",? (?:[0-9]{1,2}(?:st|nd|rd|th) floor|[0-9]{1,2}(?:e|er|eme) etage)(?!\w)"
)


def units_after(lower: str, end: int) -> int:
    """Where the units end that follow a street."""
    for _ in range(_MOST_UNITS):
        unit = _UNIT.match(lower, end)
        if unit is None:
            break
        end = unit.end()
    return end


def unit_before(text: str, lower: str, start: int) -> int:
    """Where an address begins whose civic number stands at `start`: at "Apt 5, …", "#5-…", if such a unit precedes.

    Args:
        text: the run.
        lower: the same in lower case, without accents.
        start: where the civic number begins.
    """
    if _HUNDREDS.match(text, start) and (thousands := _THOUSANDS.search(text, max(0, start - 8), start)):
        start = thousands.start()  # "10 455, rue Lajeunesse"
    civic = start
    for _ in range(_UNITS_BEFORE):
        low = max(0, start - _REACH)
        unit = _BEFORE_CIVIC.search(lower[low:start])
        if unit is None:
            break
        start = low + unit.start()
    if start < civic:
        low = max(0, start - _REACH)
        if house := _NAMED.search(text[low:start]):
            start = low + house.start()
    return start


def has_unit(lower: str, end: int) -> bool:
    """Whether an apartment or a suite follows."""
    return _APARTMENT.match(lower, end) is not None
