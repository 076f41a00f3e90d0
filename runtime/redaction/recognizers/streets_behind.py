"""Streets with the number behind: "rue Cartier au 4471", "Rue du Bailli 88 bte 6, 1050 Ixelles", "Via Roma 12".

In French and English a word between, a code and a town, or somebody who lives there show that the number is a house's;
kinds of streets of other languages (`street_words_abroad.py`) show it by themselves, before the number or behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.locality import after_street
from runtime.redaction.recognizers.street_words_abroad import ENDINGS, PLAIN_ENDINGS, PLAIN_WORDS

_LINK = r"(?:de la |de l'|de |du |des |la |le |les |l'|d'|aux |au ){0,2}"
_NAME = r"[A-ZÀ-Þ][\w'.-]{1,24}"
# The number behind: "rue Cartier au 4471", "rue de la Loi 16, 1000 Bruxelles", "Elm Street, number 12".
_NUMBER_BEHIND = re.compile(
    r"(?<!\w)(?:(?:[Rr]ue|[Aa]venue|[Aa]v\.|[Bb]oulevard|[Bb]oul\.|[Bb]d|[Cc]hemin|[Rr]ang|[Aa]llée|[Ii]mpasse|"
    r"[Pp]lace|[Qq]uai|"
    rf"[Rr]oute|[Cc]ôte|[Mm]ontée)(?: {_LINK}{_NAME}){{1,4}}|"
    r"[A-Z][\w'.-]{1,24}(?: [A-Z][\w'.-]{1,24})?,? (?:Street|Road|Avenue|Drive|Lane|Blvd|Ave|Rd|St)\.?)"
    r"(?:,? (?:au|numéro|au numéro|no\.?|n°|number|civic number|#) ?#?[0-9]{1,5}[A-Za-z]?(?![\w-]|[.,][0-9]| ?h\b)|"
    r",? [0-9]{1,4}[A-Za-z]?, ?[0-9]{4,5} [A-ZÀ-Þ][\w'-]{1,24})"
)
_FRENCH_BEHIND = re.compile(
    rf"(?<![\w-])(?:(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Bb]oul\.|[Cc]hemin|[Rr]ang)(?: {_LINK}{_NAME}){{1,4}}|"
    r"[0-9]{1,3}e (?:[Rr]ang|[Aa]v\.|[Aa]venue|[Rr]ue)(?: (?:Est|Ouest|Nord|Sud))?)"
    r", (?!(?:19|20)[0-9]{2}(?![0-9]))[0-9]{2,5}[A-Za-z]?(?=$|[;)\n]|[.,](?:$|\s[A-ZÀ-Þ\n]))"
)
_HOUSE = (
    r"[0-9]{1,4}(?: ?(?:bis|ter|quater)(?!\w)|-?[A-Za-z](?!\w))?(?:[/-][0-9]{1,4}[A-Za-z]?(?!\w))?"
    r"(?:[, ]{1,2}(?:bte|boîte|boite|bus|box) ?[0-9A-Z]{1,4})?(?![\w%€$°]|[.,][0-9]| ?(?:h|km|ans|m|mm|cm)\b)"
)
# As in Belgium and Switzerland: a code, a town or words of living must follow or lead.
_EUROPEAN = re.compile(
    r"(?<![\w-])(?:(?:[Rr]ue|RUE|[Aa]venue|AVENUE|[Aa]v\.?|AV\.?|[Bb]oulevard|[Bb]oul\.|[Bb]d\.?|[Cc]hemin|[Cc]h\.|"
    r"[Cc]hem\.|[Rr]ang|"
    r"[Aa]llée|[Ii]mpasse|[Pp]lace|[Pp]l\.|[Qq]uai|[Rr]oute|[Rr]te|[Cc]ôte|[Mm]ontée|[Cc]haussée|[Cc]los|[Ss]quare|"
    r"[Cc]ours|[Ss]entier|"
    rf"[Rr]uelle|[Pp]assage|[Vv]enelle|[Dd]rève|[Pp]romenade|[Ee]splanade|[Ff]aubourg)(?: {_LINK}{_NAME}){{1,4}}|"
    rf"Grand[-' ][Rr]ue|Grande[- ][Rr]ue|Postfach|[Cc]ase postale),? (?:n°|no\.?)? ?{_HOUSE}"
)
_NAME_AND_NUMBER = re.compile(
    r"[A-ZÀ-Þ][\w'.-]{0,24},? (?:(?:au|numéro|au numéro|no\.?|n°|number|civic number|#) ?)?#?[0-9]|[Pp]ostale [0-9]|"
    r"[Rr]ue [0-9]|e Rang, [0-9]"
)
_CODED = re.compile(r"[0-9]{4}|[A-Za-z][0-9][A-Za-z] ?[0-9][A-Za-z][0-9]")
_LIVING = re.compile(
    r"(?<!\w)(?:adresse|address|habit\w{1,5}|demeur\w{1,5}|domicil\w{1,4}|resid\w{1,5}|live[sd]?|living|loge\w{0,3}|"
    r"vi[st]|"
    r"livr\w{1,6}|envoy\w{1,4}|deliver\w{0,3}|ship(?:ped)?|send|sise?)(?!\w)[^.!?]{0,40}$"
)
_TOWN_LEADS = re.compile(r"(?:(?<= à )|(?<= in ))[A-ZÀ-Þ][\w'-]{1,24}(?:[ -][\w'-]{2,16}){0,3}(?: \([0-9]{5}\))?,\s$")
_CIVIC_LAST = re.compile(r"[0-9][\w-]{0,4},?\s{1,2}$")
_ABROAD_LINK = (
    r"(?:(?:de|da|do|das|dos|del|della|delle|dello|dei|degli|di|la|las|los|el|e|y|van|von|der|den|ten|het|zum|zur|am|"
    r"im|an) ){0,2}"
)
_ABROAD_NUMBER = (
    r"(?:nr\.? |n\.? |n[°º] )?[0-9]{1,5}(?:-?[A-Za-z](?!\w))?(?:[/-][0-9A-Za-z]{1,4})?"
    r"(?:(?:,| bus| bte) ?(?:bus|bte) ?[0-9]{1,4})?"
)
_UNRELATED = r"(?!Via Rail|Calle 13|Brigade|Plaza Hotel|Via [0-9])"
_BEFORE_NAME = (
    r"(?:Via|VIA|Viale|Piazza|Piazzale|Piazzetta|Corso|Largo|Vicolo|Strada|Contrada|Calle|Avenida|Avda\.?|Paseo|"
    r"Plaza|Carrer|"
    r"Carretera|Camino|Ronda|Rambla|R[uú]a|Praça|Travessa|Alameda|Estrada|[Uu]l\.|[Uu]lica|[Oo]s\.|[Pp]l\.|[Aa]l\.|"
    r"Trg|Calea)"
)
_ENDS_SO = "|".join((*ENDINGS, "str\\.")).replace("gade", "(?<![Bb]ri)gade")
_ABROAD = re.compile(
    rf"{_UNRELATED}(?:{_BEFORE_NAME}(?: {_ABROAD_LINK}[^\W\d_a-zß-ÿ][\w'.’-]{{1,24}}){{1,4}},?|"
    rf"(?:[^\W\d_a-zß-ÿ][\w'.-]{{1,20}} ){{0,2}}[^\W\d_a-zß-ÿ][\w-]{{1,24}}?(?:{_ENDS_SO})|"
    r"[^\W\d_a-zß-ÿ][\w'.-]{1,24}(?: [^\W\d_a-zß-ÿ][\w'.-]{1,24}){0,2} "
    r"(?:[Uu]tca|u\.|út|útja|tér|tere|körút|krt\.|rkp\.|köz|iela|gatvė|ulice|náměstí|třída|[Ss]okak|[Cc]addesi|plads|"
    r"terrasse)"
    rf") {_ABROAD_NUMBER}(?![\w%€$°]|[.,][0-9])"
)
_ABROAD_BARE = re.compile(
    rf"(?:{_BEFORE_NAME}(?: {_ABROAD_LINK}[^\W\d_a-zß-ÿ][\w'.’-]{{1,24}}){{1,4}}|"
    rf"[^\W\d_a-zß-ÿ]\w{{2,24}}?(?:{_ENDS_SO}))(?!\w)"
)
_STARTS = re.compile(r"(?<![\w-])(?=[^\W\d_a-zß-ÿ]|ul\.|os\.|pl\.|al\.)")
_FRENCH_WORDS = word_set(
    "rue avenue av boulevard boul bd chemin ch chem rang allee impasse place pl quai route rte cote montee chaussee "
    "clos square cours sentier ruelle passage venelle dreve promenade esplanade faubourg postfach postale street road "
    "drive lane blvd ave rd st"
)


def is_abroad(words: list[str]) -> bool:
    """Whether a word of a run is a kind of street of another language."""
    return not PLAIN_WORDS.isdisjoint(words) or any(word.endswith(PLAIN_ENDINGS) for word in words)


def abroad(text: str, start: int) -> int | None:
    """Where a street of another language ends behind its number: "12 Bahnhofstrasse", "0269 Via Roma 3"."""
    match = _ABROAD.match(text, start) or _ABROAD_BARE.match(text, start)
    return match.end() if match else None


def streets_abroad(text: str) -> Iterator[tuple[int, int]]:
    """Streets of other languages with their number."""
    reached = 0
    for place in _STARTS.finditer(text):
        if place.start() >= reached and (match := _ABROAD.match(text, place.start())):
            reached = match.end()
            yield match.span()


def numbers_behind(text: str, lower: str, words: list[str], before: str) -> Iterator[tuple[int, int]]:
    """Streets in French and English with the number behind.

    Args:
        text: the run.
        lower: the same in lower case, without accents.
        words: its words.
        before: lower-case text before the run.
    """
    if _FRENCH_WORDS.isdisjoint(words) or not _NAME_AND_NUMBER.search(text):
        return
    if ", " in text:
        for street in _FRENCH_BEHIND.finditer(text):
            yield street.span()
    for street in _NUMBER_BEHIND.finditer(text):
        if not _CIVIC_LAST.search(text[max(0, street.start() - 16) : street.start()]):
            yield street.span()
    for street in _EUROPEAN.finditer(text):
        low, end = street.span()
        coded = _CODED.search(text, end, after_street(text, lower, end)) is not None
        if not coded and _CIVIC_LAST.search(text[max(0, low - 16) : low]):
            continue
        if coded or _LIVING.search((before + lower[:low])[-64:]):
            town = _TOWN_LEADS.search(text, max(0, low - 64), low)
            yield town.start() if town else low, end
