"""What stands behind the street in an address: the unit, the town, the province, the code, the country.

Read forwards from the end of the street, each part if it follows; a town only where something shows that it is one.
Units and what stands before the civic number are in `units.py`.
"""

from __future__ import annotations

import re

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.street_words import ENGLISH_STRONG, PROVINCES, STATES
from runtime.redaction.recognizers.towns import COUNTRIES, TOWNS
from runtime.redaction.recognizers.units import units_after

_TOWN_WORD = r"(?:(?:St|Ste|Mt|Ft)\.|[A-ZÀ-Þ](?:[^\W\d_]|['\-]){0,40}(?![0-9]))"
_TOWN_JOINER = r"(?:de|du|des|la|le|les|sur|sous|en|lès|aux|of|on|the|d'|l')"
_TOWN = rf"{_TOWN_WORD}(?:[ \-](?:{_TOWN_JOINER}[ \-]?){{0,2}}{_TOWN_WORD}){{0,3}}"
_NEAR = r"near|by|près de|just outside"
_TOWN_AFTER = re.compile(
    rf"(?:\s?[,;|]\s{{0,2}}|\s?\n\s?|\s[\-–/]\s|\s)(?:(?:à|in|in the [Cc]ity of|ville de|({_NEAR}))\s)?({_TOWN})"
)
# A street in an estate, an estate on a street: "5 rés. des Oliviers, imp. Pagnol", "12 rue Brel, résidence Les Pins".
_INNER = re.compile(
    rf",\s(?:rue|impasse|imp\.|allée|avenue|av\.|chemin|ch\.|route|rte|boulevard|bd|place|quai|résidence|rés\.|"
    rf"immeuble|lotissement|hameau|quartier|villa)(?: (?:(?:de la|de|du|des|les|la|"
    rf"le) )?{_TOWN_WORD}){{1,3}}(?=[,\n.;)]|$)"
)
# A crossing behind a street: "5156 Waverly, between Fairmount and Laurier", "1120 Ste-Catherine E., coin Amherst".
_STREET = (
    rf"(?:(?:rues?|de la|de l'|de|du|des) ){{0,2}}{_TOWN_WORD}(?: (?:{_TOWN_WORD}|[0-9]{{1,3}}(?:st|nd|rd|th|e)))?"
)
_CROSSING = re.compile(
    rf"\.?,? (?:(?:between|entre|btwn) {_STREET} (?:and|et|&) {_STREET}|"
    rf"(?:at the corner of|corner(?: of)?|coin|angle|à l'angle de|cnr) {_STREET})"
)
_FRENCH_CODE = re.compile(
    rf"(?:\s?[,\-–]\s{{0,2}}|\s?\n\s?|\s)(?:(?:(?:F|D)-?)?[0-9]{{5}}|(?:L|B|CH|A)-[0-9]{{4}})\s{{1,2}}(?:{_TOWN}|"
    rf"[a-zà-ÿ][\w'\-]{{2,40}})(?:\s(?:CEDEX|"
    rf"Cedex|cedex))?(?:(?<=edex|EDEX)\s[0-9]{{1,2}})?"
)
_UNIT_BEHIND = re.compile(r" (?:#|app|apt|suite|unit)")
# Four digits and a town: Switzerland, Belgium and others; and the codes of Portugal, Poland, Sweden.
_SHORT_CODE = re.compile(
    rf"(?:\s?,\s{{0,2}}|\s?\n\s?|\sà\s|\s[\-–]\s)(?:[A-Z]{{1,2}}-)?([0-9]{{4}}(?:-[0-9]{{3}})?|[0-9]{{2}}-[0-9]{{3}}|"
    rf"[0-9]{{3}} [0-9]{{2}})(?: [A-Z]{{2}}(?=[ ,]))?,?\s({_TOWN})(?: [A-Z]{{2}}(?!\w))?"
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_SECOND_TOWN = re.compile(rf"(?:,\s{{1,2}}|\s?\n\s?)({_TOWN})")
_REGION = re.compile(r" \([A-ZÀ-Þ][\w' -]{2,28}\)(?=,?\s[A-Z][0-9])")  # "Saint-Georges (Beauce) G5Y 3E2"
_DISTRICT = re.compile(r" (?:[0-9]{1,2}|[xvi]{1,5})(?:er|e|eme)(?: arr(?:ondissement|\.)?)?(?!\w)")
_BARE_DISTRICT = re.compile(r" [0-9]{1,2}(?=$|[,.;)\n])")
_DIVIDED = frozenset({"dublin", "geneve", "abidjan", "bruxelles", "praha", "prague", "budapest", "lausanne", "tunis"})
# Parishes, lakes and mountains gave towns their names, more of them than any list has.
_TOWN_LIKE = re.compile(
    r"(?:saint|sainte|notre-dame|lac|mont|val|cap|riviere|pointe|baie|ile|sault)-[a-z][a-z'-]{2,40}|"
    r"[a-z]{3,20}-(?:sur|sous|les|en|aux|de|du|des|la|on|upon|le|in)-[a-z'-]{2,30}"
)
_SMALL_TOWN = re.compile(r"(?:\s?,\s{0,2}|\s)(?:(?:a|in)\s)?([a-z][a-z'\-]{2,30}(?: [a-z][a-z'\-]{2,20})?)(?!\w)")
_PROVINCE = re.compile(
    r"[,;\s]{0,3}\(?(?:[Pp]rovince (?:of|de|du) (?:l')?)?(?:Québec|Quebec|QUÉBEC|QUEBEC|Ontario|ONTARIO|Alberta|"
    r"ALBERTA|Manitoba|Saskatchewan|Nova Scotia|"
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
    r"[,;\s]{1,3}\(?(?:quebec|qc|ontario|alberta|manitoba|saskatchewan|ab|bc|mb|sk|ns|nb|nl|pei|"
    r"on(?= [a-z][0-9][a-z] ?[0-9][a-z][0-9]))\)?(?!\w)"
)
_STATE = re.compile(r"[,\s]{1,3}([A-Z]{2})(?=[\s,]{1,3}[0-9]{5}(?![0-9]))")
_SMALL_STATE = re.compile(r"[,\s]{1,3}([a-z]{2})(?=[\s,]{1,3}[0-9]{5}(?![0-9]))")
_STATE_LAST = re.compile(r", ([A-Z]{2})(?=$|[\"'<:;.,)\n])")
_CODE = re.compile(
    r"[,;\s]{0,4}\(?(?:(?i:(?:postal|post|zip) ?code|code postal|c\.?p\.?|"
    r"zip)[ :]{1,3})?(?:[A-Za-z][0-9OoIl][A-Za-z][ \-\n]{0,2}[0-9][A-Za-z][0-9]|"
    r"[0-9]{5,6}(?:-[0-9]{3,4})?|[AC-FHKNPRTV-Y][0-9][0-9W] [0-9AC-FHKNPRTV-Y]{4}|"
    r"[A-Za-z]{1,2}[0-9][A-Za-z0-9]?\s[0-9](?!nd|rd|st|th)[A-Za-z]{2})\)?(?![\w\-])"
)
_COUNTRY = re.compile(r"[,\s]{1,3}([A-Za-zÀ-ÿ][\w.'-]{1,12}(?: [\w'-]{2,9}){0,3})(?!\w)")
_COUNTRY_CODE = re.compile(r",?\s{1,2}[0-9]{5,6}(?![\w-])")  # some write the code last of all
_NO_TOWN = word_set(
    "mme mr mrs ms mlle dr m me tel phone email courriel fax cell attn npai nom name ville town city pays country cp "
    "code date ref mon tue wed thu fri sat sun lun mar mer jeu ven sam dim janvier january merci thanks please svp "
    "sonner demander voir appeler call ring use ask if no not but and my his her our the this that il elle je nous"
)
"""Behind a street and a comma these are no town."""
_ENDS = re.compile(r"\s{0,2}(?:[,.;:!?)\n\-–\"<|]|$|[a-zà-ÿ(])")


def ends_in_province(text: str) -> bool:
    """Whether the end of an address is a town's province or state."""
    return _PROVINCE_LAST.search(text) is not None


def is_known_town(lower: str, start: int, end: int) -> bool:
    """Whether a larger town's name stands there."""
    return _is_known(lower, start, end)


def after_street(text: str, lower: str, end: int) -> int:
    """Where an address ends whose street ends at `end`."""
    if text[end : end + 1] == "." and (text[end + 1 : end + 2] == "," or _UNIT_BEHIND.match(lower, end + 1)):
        end += 1  # "Elm Dr., Springfield"
    end = units_after(lower, end)
    if inner := _INNER.match(text, end):
        end = units_after(lower, _strip(text, inner.end()))
    if crossing := _CROSSING.match(text, end):
        end = _strip(text, crossing.end())
    if french := _FRENCH_CODE.match(text, end) or _short_code(text, lower, end):
        return _country(text, lower, _strip(text, french.end()))
    street = end
    end = _town(text, lower, end)
    for _ in range(2):  # a borough, and its town
        if end == street or (town := _SECOND_TOWN.match(text, end)) is None:
            break
        stop = _strip(text, town.end())
        first = lower[street:end].rpartition(" ")[2].rstrip(".")
        if not (_followed(text, lower, stop) or _is_known(lower, town.start(1), stop)) and (
            first not in ENGLISH_STRONG or not _ENDS.match(text, stop)
        ):
            break
        end = stop
    if end > street and (region := _REGION.match(text, end)):
        end = region.end()
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
    return _country(text, lower, end)


def _town(text: str, lower: str, end: int) -> int:
    if match := _TOWN_AFTER.match(text, end):
        stop = _strip(text, match.end())
        lead, begin = text[end : match.start(2)].lstrip(" "), match.start(2)
        if lead[:1] in {";", "|", "/"}:  # a cell of a row, a line that was joined
            return stop if _followed(text, lower, stop) else end
        if _is_known(lower, begin, stop) or _followed(text, lower, stop):
            return _district(lower, begin, stop)
        words = text[begin:stop].split(" ")
        for count in range(len(words) - 1, 0, -1):  # "Toronto Call me": the first words may be the town
            shorter = begin + len(" ".join(words[:count]))
            if _is_known(lower, begin, shorter):
                return _district(lower, begin, shorter)
        if lower[begin:stop].partition(" ")[0].rstrip(".") in _NO_TOWN:
            return end
        if "," in lead and not match[1] and _ENDS.match(text, stop):
            return stop
    elif (small := _SMALL_TOWN.match(lower, end)) and text[small.start(1)].islower():
        for stop in (small.end(), small.start(1) + len(small[1].split(" ")[0])):
            if _is_known(lower, small.start(1), stop) or _followed(text, lower, stop):
                return stop
    return end


def _district(lower: str, begin: int, end: int) -> int:
    """The end of a town with its district: "Paris 12e", "Dublin 6"."""
    district = _DISTRICT.match(lower, end) or (
        _BARE_DISTRICT.match(lower, end) if lower[begin:end] in _DIVIDED else None
    )
    return district.end() if district else end


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
    if province is None:
        return _country(text, lower, end) > end
    return province.end() - end > 3 or province.group().strip(" ,()\n").lower() in PROVINCES


def _short_code(text: str, lower: str, end: int) -> re.Match[str] | None:
    """Four digits and a town; what looks like a year needs a town that is known."""
    code = _SHORT_CODE.match(text, end)
    if code is None or (_YEAR.fullmatch(code[1]) and not _is_known(lower, *code.span(2))):
        return None
    return code


def _country(text: str, lower: str, end: int) -> int:
    match = _COUNTRY.match(text, end)
    if match is None or not (match[1][0].isupper() or "," in match[0][:2] or match[1] in {"usa", "canada", "france"}):
        return end
    words = lower[match.start(1) : match.end()].split(" ")
    for count in range(len(words), 0, -1):
        if "-".join(words[:count]).rstrip(".") in COUNTRIES:
            end = match.start(1) + len(" ".join(words[:count]))
            code = _COUNTRY_CODE.match(text, end)
            return code.end() if code else end
    return end


def after_town(text: str, lower: str, end: int) -> int:
    """Where an address ends whose town, after its code, ends at `end`: behind the country, if one is named."""
    return _country(text, lower, end)


def _strip(text: str, end: int) -> int:
    while text[end - 1] in ".:!?'-":
        end -= 1
    return end
