"""What stands around the street in an address: the unit, the town, the province, the code, the country.

Read forwards from the end of the street, each part if it follows; a town only where something shows that it is one.
"""

from __future__ import annotations

import re

from runtime.redaction.recognizers.street_words import PROVINCES, STATES, TOWNS

_UNIT_WORD = (
    r"(?:appartement|appart|appt|app|apt|apartment|unite|unit|suite|ste|bureau|bur|local|porte|etage|floor|fl|bat|"
    r"batiment|"
    r"building|bldg|escalier|esc|chambre|ch|room|rm|logement|log|condo|tour|tower|bloc|block|hall|entree|loge|lot|"
    r"flat|batiment|residence|penthouse|ph|casier|poste|office|interphone|interph)"
)
_UNIT = re.compile(
    rf"[,\s]{{0,3}}[(\-–]?\s?(?:{_UNIT_WORD}\.?(?:\s?(?:no|n°|"
    rf"#)\.?)?(?:\s?#?[a-z]?-?[0-9]{{1,5}}(?:-?[a-z0-9]{{1,4}}|/[0-9]{{1,2}})?|[\s#]{{1,2}}[a-z])|"
    r"#\s?[a-z0-9]{1,5}(?:-[a-z0-9]{1,3})?|[0-9]{1,2}(?:er|e|eme|ieme|st|nd|rd|th)\s(?:etage|floor|flr?\.?)(?:\s(?:gauche|"
    r"droite|face))?|"
    r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth) floor|"
    r"(?:premier|deuxieme|troisieme|quatrieme|cinquieme) etage|rez-de-chaussee|rdc|sous-sol|basement|upper|lower|"
    r"ground floor|ph[0-9]{0,3}|lieu-?dit [^,\n]{2,32}(?=[,\n]))(?!\w)\)?"
)
_UNIT_BEFORE = re.compile(
    rf"(?:(?<!\w)(?:{_UNIT_WORD})\.?\s?#?|#\s?)(?:[a-z]?-?[0-9]{{1,5}}[a-z]?|[a-z])\s?[,\-–]?\s{{0,2}}$|"
    r"(?<![\w.,$€/-])(?:[a-z]-?)?[0-9]{1,5}[a-z]?\s[\-–]\s$|(?<!\w)flat [0-9]{1,3}/[0-9]{1,3},\s$|"
    r"(?<!\w)(?:flat|apartment|apt|unit|suite|room) [0-9a-z]{1,4},\s[a-z][a-z' -]{2,30},\s$|"
    r"(?<!\w)r\.?r\.? ?#? ?[0-9]{1,2},\s$|(?<!\w)(?:zi|za|zac|zone (?:industrielle|artisanale))(?: [\w' -]{1,24})?,\s$|"
    r"(?<!\w)(?!(?:the|a|his|her|my|our|your|their|this|that|new|old|in|at|of) )[a-z'-]{2,16} (?:[a-z'-]{2,16} )?"
    r"(?:cottage|farmhouse|farm|lodge|barn),\s$|^(?:cottage|farmhouse|lodge),\s$|"
    r"(?<!\w)[0-9]{1,2}(?:er|e|eme|ieme|st|nd|rd|th)\s(?:etage|floor|flr?\.?),?\s$|"
    r"(?<!\w)(?:residence|res\.|batiment|bat\.?|immeuble|imm\.?|lieu-?dit|hameau|lotissement|villa|domaine|manoir|escalier|"
    r"esc\.?|entree|rear|basement (?:apt|apartment|suite|unit)|"
    r"(?:upper|lower|main) (?:unit|floor)|ground floor|rez-de-chaussee|basement|sous-sol)(?: [^\n,.;:0-9]{1,32})?,\s$"
)
_APARTMENT = re.compile(r",? (?:app|appt|apt|suite|unit|bureau|#)\.? ?#?[0-9]{1,5}[a-z]?(?!\w)")
_UNITS_BEFORE = 4
_BEFORE = 40  # characters of one such part
_TOWN_WORD = r"(?:(?:St|Ste|Mt|Ft)\.|[A-ZÀ-Þ](?:[^\W\d_]|['\-]){0,40}(?![0-9]))"
_TOWN_JOINER = r"(?:de|du|des|la|le|les|sur|sous|en|lès|aux|of|on|the|d'|l')"
_TOWN = rf"{_TOWN_WORD}(?:[ \-](?:{_TOWN_JOINER}[ \-]?){{0,2}}{_TOWN_WORD}){{0,3}}"
_TOWN_AFTER = re.compile(rf"(?:\s?,\s{{0,2}}|\s?\n\s?|\s[\-–]\s|\s)(?:(?:à|in|in the city of|ville de)\s)?({_TOWN})")
_FRENCH_CODE = re.compile(
    rf"(?:\s?[,\-–]\s{{0,2}}|\s?\n\s?|\s)(?:(?:(?:F|D)-?)?[0-9]{{5}}|(?:L|B|CH|A)-[0-9]{{4}})\s{{1,2}}(?:{_TOWN}|[a-zà-ÿ][\w'\-]{{2,40}})(?:\s(?:CEDEX|"
    rf"Cedex|cedex))?(?:(?<=edex|EDEX)\s[0-9]{{1,2}})?"
)
_SECOND_TOWN = re.compile(rf",\s{{1,2}}(?:{_TOWN})")
_DISTRICT = re.compile(r" [0-9]{1,2}(?:er|e|eme)(?: arr(?:ondissement|\.)?)?(?!\w)")
# Parishes, lakes and mountains gave towns their names, more of them than any list has.
_TOWN_LIKE = re.compile(
    r"(?:saint|sainte|notre-dame|lac|mont|val|cap|riviere|pointe|baie|ile|sault)-[a-z][a-z'-]{2,40}|"
    r"[a-z]{3,20}-(?:sur|sous|les|en|aux|de|du|des|la)-[a-z'-]{2,30}"
)
_SMALL_TOWN = re.compile(r"(?:\s?,\s{0,2}|\s)(?:(?:a|in)\s)?([a-z][a-z'\-]{2,30}(?: [a-z][a-z'\-]{2,20})?)(?!\w)")
_PROVINCE = re.compile(
    r"[,\s]{0,3}\(?(?:Québec|Quebec|QUÉBEC|QUEBEC|Ontario|ONTARIO|Alberta|ALBERTA|Manitoba|Saskatchewan|Nova Scotia|"
    r"New Brunswick|British Columbia|Prince Edward Island|Newfoundland(?: and Labrador)?|Northwest Territories|Yukon|"
    r"Nunavut|"
    r"Nouvelle-Écosse|Nouveau-Brunswick|Colombie-Britannique|Île-du-Prince-Édouard|Terre-Neuve(?:-et-Labrador)?|"
    r"QC|Qc|PQ|P\.Q\.|Qué\.?|ON|Ont\.?|BC|B\.C\.|C\.-B\.|AB|Alta\.?|MB|SK|NS|N\.S\.|N\.-É\.|NB|N\.B\.|N\.-B\.|NL|PE|"
    r"PEI|"
    r"P\.E\.I\.|YT|NT|NU|Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|"
    r"Hawaii|"
    r"Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|"
    r"Mississippi|"
    r"Missouri|Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|"
    r"Oklahoma|Oregon|Pennsylvania|Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|"
    r"Washington|West Virginia|Wisconsin|Wyoming|(?:Sask|Man|Nfld|Ala|Ariz|Ark|Calif|Cal|Colo|Conn|Del|Fla|Ga|Ill|"
    r"Ind|Kan|"
    r"Ky|La|Md|Mass|Mich|Minn|Miss|Mo|Mont|Neb|Nev|Okla|Ore|Pa|Penn|Tenn|Tex|Vt|Va|Wash|Wis|Wyo|N\.H|N\.J|N\.M|N\.Y|"
    r"N\.C|N\.D|R\.I|S\.C|S\.D|W\.Va|D\.C)\.)\)?(?!\w)"
)
_PROVINCE_LAST = re.compile(_PROVINCE.pattern + "$")
_SMALL_PROVINCE = re.compile(
    r"[,\s]{1,3}\(?(?:quebec|qc|ontario|alberta|manitoba|saskatchewan|ab|bc|mb|sk|ns|nb|nl|pei|"
    r"on(?= [a-z][0-9][a-z] ?[0-9][a-z][0-9]))\)?(?!\w)"
)
_STATE = re.compile(r"[,\s]{1,3}([A-Z]{2})(?=[\s,]{1,3}[0-9]{5}(?![0-9]))")
_SMALL_STATE = re.compile(r"[,\s]{1,3}([a-z]{2})(?=[\s,]{1,3}[0-9]{5}(?![0-9]))")
_STATE_LAST = re.compile(r", ([A-Z]{2})(?=$|[\"'<;.)\n])")
_CODE = re.compile(
    r"[,\s]{0,4}\(?(?:[A-Za-z][0-9OoIl][A-Za-z][ \-\n]{0,2}[0-9][A-Za-z][0-9]|[0-9]{5}(?:-[0-9]{4})?|"
    r"[A-Za-z]{1,2}[0-9][A-Za-z0-9]?\s[0-9](?!nd|rd|st|th)[A-Za-z]{2})\)?(?![\w\-])"
)
_COUNTRY = re.compile(
    r"[,\s]{1,3}(?:canada|france|usa|u\.s\.a\.?|united states(?: of america)?|etats-unis|belgique|belgium|suisse|"
    r"switzerland|"
    r"luxembourg|uk|united kingdom)(?!\w)"
)
_ENDS = re.compile(r"\s{0,2}(?:[,.;:!?)\n\-–\"<|]|$|[a-zà-ÿ(])")


def unit_before(lower: str, start: int) -> int:
    """Where an address begins whose civic number stands at `start`: at "Apt 5, …", "#5-…", if such a unit precedes."""
    for _ in range(_UNITS_BEFORE):
        low = max(0, start - _BEFORE)
        unit = _UNIT_BEFORE.search(lower[low:start])
        if unit is None:
            break
        start = low + unit.start()
    return start


def has_unit(lower: str, end: int) -> bool:
    """Whether an apartment or a suite follows."""
    return _APARTMENT.match(lower, end) is not None


def ends_in_province(text: str) -> bool:
    """Whether the end of an address is a town's province or state."""
    return _PROVINCE_LAST.search(text) is not None


def is_known_town(lower: str, start: int, end: int) -> bool:
    """Whether a larger town's name stands there."""
    return _is_known(lower, start, end)


def after_street(text: str, lower: str, end: int) -> int:
    """Where an address ends whose street ends at `end`."""
    if text[end : end + 2] == ".,":  # "Elm Dr., Springfield"
        end += 1
    for _ in range(4):
        unit = _UNIT.match(lower, end)
        if unit is None:
            break
        end = unit.end()
    if french := _FRENCH_CODE.match(text, end):
        return _country(lower, _strip(text, french.end()))
    street = end
    end = _town(text, lower, end)
    if end > street and (town := _SECOND_TOWN.match(text, end)):  # a borough, and its town
        stop = _strip(text, town.end())
        if _followed(text, lower, stop):
            end = stop
    if (part := _STATE_LAST.match(text, end)) and part[1] in STATES:
        return part.end()
    for _ in range(2):  # the code may stand before or after the province
        for pattern, subject in ((_PROVINCE, text), (_STATE, text), (_SMALL_PROVINCE, lower), (_SMALL_STATE, text)):
            if (part := pattern.match(subject, end)) and (
                pattern not in {_STATE, _SMALL_STATE} or part[1].upper() in STATES
            ):
                end = part.end()
                break
        if part := _CODE.match(text, end):
            end = part.end()
    return _country(lower, end)


def _town(text: str, lower: str, end: int) -> int:
    if match := _TOWN_AFTER.match(text, end):
        stop = _strip(text, match.end())
        lead = text[end : match.start(1)]
        if _is_known(lower, match.start(1), stop) or _followed(text, lower, stop):
            district = _DISTRICT.match(lower, stop)
            return district.end() if district else stop
        words = text[match.start(1) : stop].split(" ")
        for count in range(len(words) - 1, 0, -1):  # "Toronto Call me": the first words may be the town
            shorter = match.start(1) + len(" ".join(words[:count]))
            if _is_known(lower, match.start(1), shorter):
                return shorter
        if "," in lead and _ENDS.match(text, stop):
            return stop
    elif (small := _SMALL_TOWN.match(lower, end)) and text[small.start(1)].islower():
        for stop in (small.end(), small.start(1) + len(small[1].split(" ")[0])):
            if _is_known(lower, small.start(1), stop) or _followed(text, lower, stop):
                return stop
    return end


def _is_known(lower: str, start: int, end: int) -> bool:
    town = lower[start:end].replace(" ", "-").replace("st-", "saint-").replace("ste-", "sainte-")
    return town in TOWNS or _TOWN_LIKE.fullmatch(town) is not None


def _followed(text: str, lower: str, end: int) -> bool:
    """Whether a province, a state or a code stands right behind."""
    if _CODE.match(text, end) or _STATE.match(text, end):
        return True
    if (state := _SMALL_STATE.match(text, end)) and state[1].upper() in STATES:
        return True
    province = _PROVINCE.match(text, end) or _SMALL_PROVINCE.match(lower, end)
    return province is not None and (province.end() - end > 3 or province.group().strip(" ,()\n").lower() in PROVINCES)


def _country(lower: str, end: int) -> int:
    country = _COUNTRY.match(lower, end)
    return country.end() if country else end


def _strip(text: str, end: int) -> int:
    while text[end - 1] in ".:!?'-":
        end -= 1
    return end
