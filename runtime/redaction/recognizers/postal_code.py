"""Postal codes that no street leads to: Canadian ones by form, French ones with their town, US ones with their state.

Letter-digit-letter digit-letter-digit, without the letters Canada Post does not use. Five digits alone are anything;
they count after "code postal" or "zip", before a known town, or behind a state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import POSTAL
from runtime.redaction.recognizers.locality import after_town, is_known_town
from runtime.redaction.recognizers.street_words import STATES
from runtime.redaction.recognizers.towns import TOWNS

_CANADIAN = re.compile(
    r"(?<![\w#-])[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z]([ \-\n./_]{0,3})[0-9][ABCEGHJ-NPRSTV-Z][0-9](?![\w-])",
    re.IGNORECASE,
)
# What each of these holds, and few other texts.
_MIXED = re.compile(r"[0-9](?:[A-Za-z]|([-._* ])[A-Za-z]\1)")
_FIVE = re.compile(r"(?<![0-9])[0-9]{5}(?![0-9])")
# "G-7-A 2-N-4", "H.4.C 2.N.8"
_SPELLED = re.compile(
    r"(?<![\w-])[ABCEGHJ-NPRSTVXY]([-._* ])[0-9]\1[ABCEGHJ-NPRSTV-Z]"
    r"(?:\1| {1,3}| ?, ?|\1? ?(?:espace|space) ?\1?)[0-9]\1[ABCEGHJ-NPRSTV-Z]\1[0-9](?![\w-])"
)
_SAID = re.compile(r"(?<!\w)(?:postal|zip)(?!\w)")
_CONTEXT = re.compile(
    r"(?<!\w)(?:code postal|c\.?p\.?|postal(?: code)?|zip|adresse|address|quebec|qc|ontario|on|montreal|toronto|rue|"
    r"street|"
    r"avenue|habite|live|livraison|canada|ottawa|laval|gatineau|calgary|vancouver|st|ave|blvd|boul)(?!\w)"
)
_PROVINCE_BEFORE = re.compile(
    r"(?:[A-ZÀ-Þ][\w'.\-]{1,40},?\s{1,2})?\(?(?:Québec|Quebec|QC|Qc|Ontario|ON|Alberta|AB|Manitoba|MB|Saskatchewan|SK|"
    r"NS|NB|NL|PE|BC|"
    r"Nova Scotia|New Brunswick|British Columbia|YT|NT|NU)\)?[,\s]{1,3}$"
)
_FRENCH = re.compile(
    r"(?<![\w.,$€+\-/])(?:F-?)?(0[1-9]|[1-8][0-9]|9[0-578])[0-9]{3}\s{1,2}([A-ZÀ-Þ][\w'\-]{1,40}(?:[ \-](?:(?:de|du|"
    r"des|la|le|les|sur|sous|"
    r"en|lès|aux)[ \-]){0,2}[A-ZÀ-Þ][\w'\-]{1,40}){0,3})(?:\s(?:CEDEX|Cedex))?(?:(?<=edex|EDEX)\s[0-9]{1,2})?"
)
# A house, a farm or a hamlet before a French code, with what stands between: "Ferme de Kerbiriou, VC 7, 22340 …".
_PLACE = (
    r"(?:[Bb]ourg|[Vv]illage|[Hh]ameau|[Ll]ieu-?dit|[Ff]erme|[Mm]as|[Mm]oulin|[Cc]hâteau|[Mm]anoir|[Vv]illa|"
    r"[Cc]halet|[Mm]aison|"
    r"[Qq]uartier|[Dd]omaine|[Rr]ésidence|[Cc]los|[Bb]astide|[Ll]otissement|[Ii]mmeuble|[Mm]orne|[Hh]abitation|"
    r"[Ff]oyer|"
    r"ZA|ZI|ZAC|[Gg]range|[Pp]rieuré|[Cc]ité|[Cc]amping|MORNE|QUARTIER|LOTISSEMENT|RESIDENCE|DOMAINE|HAMEAU|FERME|"
    r"VILLA)"
)
_VILLAGE = re.compile(
    rf"(?<![\w-])(?<![0-9] )(?:(?:(?:[Ll]e|[Ll]a|[Ll]es|[Aa]u) |"
    rf"L')?{_PLACE}(?: [\w'’-]{{1,24}}){{0,5}}(?:,\s(?:[\w'’-]{{1,24}} ){{0,3}}[\w'’-]{{1,24}})?|"
    r"(?:Le|La|Les|Au|LE|LA|LES) [A-ZÀ-Þ][\w'-]{1,24}(?: (?:(?:de|du|des|d'|"
    r"la) ?){0,2}[A-ZÀ-Þ][\w'-]{1,24}){0,2})(?:,\s?|\s)$"
)
_HOUSE = re.compile(
    r"(?<!\w)(?:[Hh]ouse|[Mm]aison|[Ll]ot|[Uu]nit|"
    r"[Aa]pt\.?) [0-9]{1,4}[A-Za-z]?,\s(?:[A-ZÀ-Þ][\w'-]{1,24}(?: [A-ZÀ-Þ][\w'-]{1,24})?,\s){1,2}$"
)
_NO_TOWN = frozenset({"Ville", "Town", "City", "Tel", "Tél", "Pays", "Country", "Nom", "Name", "Téléphone", "Phone"})
_TELEPHONE = re.compile(r"(?<=\w) (?:TEL|TÉL|Tel|Tél|FAX|GSM|Fax|Phone|PHONE|CELL|DOB)$")
_PLACE_BEFORE = re.compile(
    r"(?<!\w)(?:adresse|habite\w{0,3}|demeur\w{1,5}|resid\w{1,5}|domicil\w{1,4}|ville|commune|cp|code postal|postal|"
    r"address|live[sd]?|"
    r"living|lives in|envoy\w{1,4}|livr\w{1,6})(?!\w)[^.!?]{0,32}$"
)
_COUNTED = re.compile(
    r"(?:euros?|dollars?|canadiens?|francais|quebecois|americains?|personnes|habitants)$", re.IGNORECASE
)
_ZIP = re.compile(r"(?:[0-9]{5}(?:-[0-9]{4})?|[0-9]{2} [0-9]{3})(?![\w-]| ?[0-9])")
_AMERICAN = re.compile(r"(?<!\w)(?:[A-ZÀ-Þ][\w'.\-]{1,30},?\s|, ?)([A-Z]{2})\s{1,2}[0-9]{5}(?:-[0-9]{4})?(?![\w-])")


class PostalCode(Identifier):
    """Postal codes in capitals; in lower case where the words before speak for it."""

    ENTITY = "CA_POSTAL_CODE"
    ALSO = ("STREET_ADDRESS",)
    LEAST_DIGITS = 3

    def applies(self, run: Run) -> bool:
        return bool(run.words) or run.topics & POSTAL != 0

    def find(self, run: Run) -> Iterator[Hit]:
        text = run.text
        mixed = _MIXED.search(text) is not None
        for match in _CANADIAN.finditer(text) if mixed else ():
            capitals = match.group().upper() == match.group()
            if run.is_labelled_otherwise(match.start()) and not _SAID.search(run.before(match.start())):
                continue
            if capitals or match[1] or _is_cell(run, *match.span()) or _CONTEXT.search(run.before(match.start(), 64)):
                if before := _PROVINCE_BEFORE.search(text[max(0, match.start() - 64) : match.start()]):
                    start = match.start() - len(before.group())
                    house = _HOUSE.search(text, max(0, start - 80), start)
                    start = house.start() if house else start
                    yield Hit(start, match.end(), 0.95, "province", "STREET_ADDRESS")
                score = 0.9 if match.group(1) else 0.8
                yield Hit(match.start(), match.end(), score, "capitals" if capitals else "named")
        for match in _SPELLED.finditer(text) if mixed else ():
            yield Hit(match.start(), match.end(), 0.85, "spelled")
        if run.digits < 5:
            return
        for match, found in run.labelled(POSTAL, _ZIP, far=1):
            if not found.far or found.explicit:
                yield Hit(match.start(), match.end(), 0.8, "named", "STREET_ADDRESS")
        if not run.words or not _FIVE.search(text):
            return
        for match in _FRENCH.finditer(text):
            town = run.lower[match.start(2) : match.end(2)].replace(" ", "-")
            known = is_known_town(town, 0, len(town)) or town.split("-")[0] in TOWNS or "edex" in match.group()
            if _COUNTED.search(match[2]) or run.is_amount(*match.span()):
                continue
            if match[2].split(" ")[0] in _NO_TOWN:
                continue
            village = _VILLAGE.search(text, max(0, match.start() - 96), match.start())
            if known or village or _PLACE_BEFORE.search(run.before(match.start())) or _is_line(run, match):
                end = match.end() if village or known or "-" in town else match.start(2) + len(match[2].split(" ")[0])
                if telephone := _TELEPHONE.search(text, match.start(), end):
                    end = telephone.start()
                start = village.start() if village else match.start()
                score = 0.92 if village else 0.7
                yield Hit(start, after_town(text, run.lower, end), score, "french", "STREET_ADDRESS")
        for match in _AMERICAN.finditer(text):
            if match[1] in STATES:
                yield Hit(match.start(), match.end(), 0.8, "american", "STREET_ADDRESS")


def _is_cell(run: Run, start: int, end: int) -> bool:
    """Whether a code fills a cell of a row."""
    before, after = run.before(start, 1), run.text[end : end + 1]
    return before != "" and before in ",;|\t" and (not after or after in ",;|\t\n")


def _is_line(run: Run, match: re.Match[str]) -> bool:
    """Whether code and town fill a line, as far as can be seen."""
    return run.before(match.start(), 1) == "\n" and run.text[match.end() : match.end() + 1] in {"\n", ""}
