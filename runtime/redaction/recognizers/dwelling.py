"""Where somebody lives, said without a kind of street: "lives at 77 Laurier", corners of two streets, lots.

Words of living or sending and a preposition stand right before the number. Addresses that show what they are,
wherever they stand, are for `street_address.py`; fields of forms for `address_fields.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.date_of_birth import MONTHS
from runtime.redaction.recognizers.label_words import DWELLING, LIVING
from runtime.redaction.recognizers.locality import after_street
from runtime.redaction.recognizers.units import unit_before

_NAME = r"(?:[0-9]{1,3}(?:st|nd|rd|th|e) )?[A-ZÀ-Þ][\w'-]{1,24}\.?"
_HOUSE_NUMBER = r"(?: [0-9]{1,4}(?![\w-]))?\.?"
_STREET = (
    rf"(?:(?:de la |de l'|des |de |du |d'|rue |rues |avenue |av\. |boul\. |boulevard |chemin )*{_NAME}"
    rf"(?: (?:(?:de|du|des|la|le|of|the) ){{0,2}}{_NAME}){{0,3}})"
)
_NUMBERED = re.compile(
    rf"(?<![\w.,$€/-])(?!(?:19|20)[0-9]{{2}}(?![0-9]))[0-9]{{1,5}}[A-Za-z]?(?:-[0-9]{{1,5}})?,? "
    rf"(?:de la |de l'|des |de |du |d')?({_NAME})(?: (?:(?:de|du|des|la|le|of|the) ){{0,2}}{_NAME}){{0,3}}(?![\w-])"
)
_VERB = (
    r"live[sd]?|living|resid\w{1,5}|stay(?:s|ed|ing)?|houses?|home|place|apartment|flat|condo|cottage|farm|property|"
    r"moved?|moving|deliver(?:ed|y|ies)?|ship(?:ped|ping)?|send|sent|mail(?:ed)?|evicted|dropped off|drop off|"
    r"pick(?:ed)? up|pickup|found|seen|arrested|grew up|vue?|raised|"
    r"habit\w{1,5}|demeur\w{1,5}|reste[nts]{0,2}|vi[st]|viva\w{2,4}|vecu|loge\w{0,3}|domicilie\w?|sise?|maison|"
    r"appart|appartement|logement|chalet|livre[rz]?|livraison|envoye[rz]?|demenag\w{1,5}|expulse\w{0,2}|arretee?|"
    r"trouvee?|grandi"
)
_SAID = re.compile(
    rf"(?<!\w)(?:{_VERB})(?: (?:off|it|them|him|her|me|us|this|that|ca|le|la|les|tout|is|was|est|etait|now|still|back|"
    r"over|currently|toujours|maintenant|encore|situee?|located|up|here|ici|moi|lui|out|colis|parcel|package)){0,3} "
    r"(?:(?P<counts>to|on|is|est)|at|from|au|du|near|outside)(?: le| the| au)?\s?:?\s?$|"
    rf"(?<!\w)(?:habit\w{{1,5}}|reste|occup\w{{1,3}}|loue\w{{0,3}}) le $|(?<!\w)(?:{_VERB})\s?:\s?$|(?<!\w)(?:rents|"
    rf"rented|renting|loue|louait|occupe)(?: le)? $"
)
# What may come behind a street; another word is what the number counts.
_GOES_ON = re.compile(
    r"\s?(?:$|[,.;:!?)(\n\"'<|–-]|(?:now|with|and|in|for|since|by|next|near|until|alone|these|this|those|all|right|"
    r"just|all|"
    r"has|had|was|is|when|where|while|"
    r"after|before|because|as|to|at|on|from|please|but|or|apt|unit|suite|every|today|tomorrow|around|again|instead|"
    r"depuis|avec|et|en|a|au|pour|dans|sur|chez|pres|jusqu|quand|ou|est|etait|svp|mais|app|apt|appt|maintenant|seule?|"
    r"demain|hier|aujourd|sans|car|par)(?!\w))"
)
_COUNTED = MONTHS | word_set(
    """
    star stars rock street canadians americans quebecois francais degrees dollars euros heures hours noon pm am cent
    percent states countries cities people million millions day days mbps mhz ghz dpi rpm volts watts
    """
)
# A house with a name, and where it is: "We live at Rose Cottage, Main Street, Kirk Yetholm".
_HOUSE = re.compile(
    r"(?<!\w)(?:The )?(?:[A-Z][\w'-]{1,20} ){1,3}(?:Cottage|House|Lodge|Farm|Barn|Manor|Hall|Rectory|Vicarage|Mill|"
    r"Croft|Grange|"
    r"Forge|Priory|Villa|Farmhouse|Manse)(?:,\s(?:[A-Z][\w'-]{1,20})(?: (?:(?:of|on|upon|"
    r"the) )?[A-Z][\w'-]{1,20}){0,3}){1,3}"
)
_HOUSE_WORDS = word_set(
    "cottage house lodge farm barn manor hall rectory vicarage mill croft grange forge priory villa farmhouse manse"
)
_LIVES_AT = re.compile(
    r"(?<!\w)(?:live[sd]?|living|resid\w{1,5}|stay(?:s|ed|ing)?|moved?|moving|address(?: is)?|home|grew up)(?: (?:at|"
    r"in|to|is))?"
    r"(?:\s?:)?\s$"
)
_CORNER = re.compile(
    r"(?<!\w)(?:[Cc]orner (?:of )?|[Ii]ntersection (?:of |de |des |du )|(?:(?:à |A )?l'|À l'|[Aa]u )?(?:angle|coin) "
    r"(?:(?:de la |de l'|des |de |du )(?:rues? )?|rues? )?)(?:the )?"
    rf"({_STREET}{_HOUSE_NUMBER} (?:and|et|&|at) (?:de la |de l'|du )?{_STREET}{_HOUSE_NUMBER})"
)
_LOT = re.compile(
    r"(?<!\w)(?:(?:part (?:of )?)?lots? [0-9]{1,4}[a-z]?,? (?:con(?:c|cession)?\.? [0-9]{1,3}[a-z]?)|"
    r"(?:con(?:c|cession)?\.? [0-9]{1,3},? lots? [0-9]{1,4}[a-z]?)|"
    r"lots? (?:no\.? |n° |numero )?[0-9][0-9 ]{4,9}[0-9] (?:du|au) cadastre)(?!\w)"
)
_OWNED = re.compile(
    r"(?<!\w)(?:proprietaires?|propriete|appart\w{2,7}|vend\w{0,5}|acqui\w{1,5}|achete\w{0,3}|residence|"
    r"domicile\w{0,2}|habite\w{0,3}|"
    r"demeur\w{1,5}|hypothe\w{2,5}|owns?|owned|owner|sold|bought|adresse|immeuble de|maison de|terrain de)(?!\w)"
)
_TOWNSHIP = re.compile(
    rf",? (?:(?:in )?(?:the )?(?:Geographic )?(?:Township|Twp\.?|Town|County) of )?{_NAME}(?: {_NAME})?"
)
_WORDS = word_set("corner coin angle intersection lot lots con concession conc")


class Dwelling(Identifier):
    """Addresses known by what is said of them."""

    ENTITY = "STREET_ADDRESS"

    def applies(self, run: Run) -> bool:
        return run.topics & (LIVING | DWELLING) != 0 or not _WORDS.isdisjoint(run.words)

    def find(self, run: Run) -> Iterator[Hit]:
        text, lower = run.text, run.lower
        if run.digits and run.topics & (LIVING | DWELLING):
            for match in _NUMBERED.finditer(text):
                low, high = match.span(1)
                word = lower[low:high].rstrip(".")
                start = unit_before(text, lower, match.start())
                if word in _COUNTED or not (said := _SAID.search(run.before(start, 64))):
                    continue
                plural = said["counts"] and word.endswith("s") and high == match.end() and "'" not in word
                end = match.end() - (text[match.end() - 1] == ".")
                if _GOES_ON.match(lower, end) and not plural:
                    yield Hit(start, max(end, after_street(text, lower, end)), 0.7, "lived_at")
        if run.topics & LIVING and ", " in text and not _HOUSE_WORDS.isdisjoint(run.words):
            for house in _HOUSE.finditer(text):
                if _LIVES_AT.search(run.before(house.start(), 40)):
                    yield Hit(house.start(), after_street(text, lower, house.end()), 0.7, "house")
        if _WORDS.isdisjoint(run.words):
            return
        for match in _CORNER.finditer(text):
            end = match.end() - (text[match.end() - 1] == ".")
            yield Hit(match.start(1), max(end, after_street(text, lower, end)), 0.7, "corner")
        for match in _LOT.finditer(lower):
            if match.group().endswith("cadastre") and not _OWNED.search(run.before(match.start(), 64)):
                continue  # the register of land is public: whose it is makes it somebody's
            more = _TOWNSHIP.match(text, match.end())
            yield Hit(match.start(), more.end() if more else match.end(), 0.98, "lot")
