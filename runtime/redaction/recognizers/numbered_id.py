"""Long numbers that something calls a number of its own: "CPSO no. 104471", "Navigo ID 44718821", "447188 (badge)".

For labels outside the dictionary: "number", "no", "n°", "id" right before a value makes it somebody's, unless the words
around speak of a thing that is numbered (an order, a form, a process). Also values before their label. What the
dictionary knows is for `labelled_id.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import DATE, Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import (
    BANK,
    CARD,
    HEALTH,
    ID_CARD,
    LICENCE,
    MARK,
    NEQ,
    NIR,
    OTHER,
    PASSPORT,
    PERSON,
    PLATE,
    RECORD,
    SIN,
    SIREN,
    SSN,
    TAX,
)
from runtime.redaction.recognizers.labelled_id import VALUE, is_number
from runtime.redaction.recognizers.labels import WORDS

_THINGS = word_set(
    """
    act action actions appeal appeals appel appels asset assets asteroid atomic bill bills bond bonds booking
    bordereau bug build building bus cas catalogue cell centre chaine channel chaine chapitre chapter cheque circular
    circulaire civil claim class column comment component confirmation container conteneur contest convention copyright
    course cours court cour cote dataset debian decision directive directives docket document documents draw edition
    entity entry event evenement exhibit exception filing flight form formulaire frame frequency fund galaxy gene
    grant guideline host hotline hull icao imo instance inventaire inventory iso job jugement judgment keyword kit
    lake leaf legislative letter library loco locomotive lottery loterie message meteorite mission mmsi motion msg
    node norme note notice object observation offer offre opinion opus order ordonnance parameter patch permalink
    petition phase platform plugin pool post prime process processus programme program project projet protocol
    protocole publication pull query question quotation quote race recall receipt recette recipe record recu register
    registration reglement release rendezvous report requete request reservation resolution round route rule run
    sample sara scene sequence session shaft shelf ship signal site slot song source species spec sprint standard
    station stock study sujet survey table tache task tender test thread topic track train piece pieces
    transaction trial
    tweet unit video wave weather wiki work xref year zone requisition bulletin cause appellant appellants cases
    application applications requetes plates figure photo album track disc disk drive cabinet slide specimen engine
    cass crim soc moteur chassis wagon coach tank tail aircraft tree grid plot parcel map sheet worksheet folio roll
    """
)
_WORD = re.compile(r"[a-z]+")
_MARKED = re.compile(
    r"(?:(?<![a-z])(?:no|nos|num|numero|number|nbr|nr|n|id|identifiant|identifier)|n°|#)\W{0,6}(?:(?:is|was|est) )?$|"
    r"(?<![a-z])(?:numero|num\.?|no\.?|nos|n°|identifiant) (?:de la |de l'|de |d'|du |(?<=ant ))[a-z' ]{2,32}"
    r"\W{0,4}(?:(?:est|is) )?$"
)
# Judgments are cited with their date: "CE, 12 mai 2022, n° 447188".
_CITED = re.compile(r"(?:19|20)[0-9]{2}, (?:req\. )?n°\W{0,2}$")
_A_CARD = re.compile(r"(?<![a-z])(?:cartes?|cards?)(?: [a-z'-]{3,16}){0,2}\W{0,4}$")
# The value first: "4471882 = MRN", "40447188 is my student number", "A447188 (policy)".
_BEFORE_LABEL = re.compile(
    r"(?<![\w.,$€\-/+])(?:[A-Z]{1,4}[ -]?)?[0-9](?:[A-Z0-9\-]{0,8}(?: [A-Z]{0,3}[0-9]{2,7}){1,4}(?: [A-Z]{2})?|"
    r"[A-Z0-9\-]{3,18}|[0-9]{0,2} ?[A-Z]{3}(?=[ ,]))(?![\w\-/]|[.,][0-9])"
)
_LABEL_AFTER = re.compile(
    r"\s?(?:=|->|→|\(|[-–—:]|,?\s?(?:is|was|est|c'est|etait)\s(?:my|his|her|their|our|your|the|mon|ma|son|sa|notre|votre|"
    r"leur|le|la|l'))\s?(?:(?:my|his|her|their|our|your|mon|ma|son|sa|notre|votre|leur) )?"
    r"(?:(?:numero|num\.?|no\.?|n°|id|#|carte|identifiant) (?:de |d'|du |de la |de l')?)?"
    r"((?:[a-z]{2,12} )?[a-z]{2,14})"
    r"(?:\s(?:id|no|num|number|numero|card|#)|(?=\)|\s?$|[.,;\n)]))"
)


# In a list: "AB912833, passport".
_LABEL_LISTED = re.compile(r",\s(?:numero de |no\.? de )?(passport|passeport|permis|licen[cs]e)(?=\s?$|[.,;)\n])")
# What a label behind a value announces, the more particular first.
_ANNOUNCED = (
    (PASSPORT, "PASSPORT"),
    (PLATE, "LICENSE_PLATE"),
    (LICENCE, "CA_DRIVER_LICENSE"),
    (HEALTH, "ID_NUMBER"),
    (NEQ & ~TAX, "CA_NEQ"),
    (TAX, "CA_TAX_NUMBER"),
    (SIREN, "FR_SIREN"),
    (ID_CARD, "FR_ID_CARD"),
    (SIN | SSN | NIR, "ID_NUMBER"),
    (BANK, "BANK_ACCOUNT"),
    (RECORD | PERSON, "ID_NUMBER"),
)
_BEHIND = PASSPORT | PLATE | LICENCE | HEALTH | NEQ | TAX | SIREN | ID_CARD | SIN | SSN | NIR | BANK | RECORD | PERSON


class NumberedId(Identifier):
    """Numbers that nothing in the dictionary announces."""

    ENTITY = "ID_NUMBER"
    LEAST_DIGITS = 5

    ALSO = tuple(sorted({entity for _, entity in _ANNOUNCED if entity != "ID_NUMBER"}))

    def applies(self, run: Run) -> bool:
        return run.topics & (MARK | CARD | _BEHIND) != 0

    def find(self, run: Run) -> Iterator[Hit]:
        if run.topics & (MARK | CARD | LICENCE):
            yield from _marked(run)
        if run.topics & _BEHIND:
            for match in _BEFORE_LABEL.finditer(run.text):
                value = match.group()
                if (
                    sum(map(str.isdigit, value)) >= (2 if " " in value or not value.isdigit() else 5)
                    and (
                        after := _LABEL_AFTER.match(run.lower, match.end())
                        or _LABEL_LISTED.match(run.lower, match.end())
                    )
                    and (entity := _announced(after[1], value))
                    and not (DATE.match(value) or run.is_labelled_otherwise(match.start()))
                ):
                    yield Hit(match.start(), match.end(), 0.7, "before_label", entity)


def _announced(words: str, value: str) -> str | None:
    """What the words behind a value say that it is, None if nothing of a person's."""
    if words.startswith("in "):
        return None  # "in transit"
    bits = 0
    for word in words.replace("'", " ").split():
        bits |= WORDS.get(word, 0)
    digits = sum(map(str.isdigit, value))
    for kinds, entity in _ANNOUNCED:
        if bits & kinds and not bits & OTHER:
            return entity if digits >= 5 or kinds == PLATE else None
    return None


def _marked(run: Run) -> Iterator[Hit]:
    for start, found in run.values:
        card = found.bits & (CARD | LICENCE | ID_CARD) and not found.bits & OTHER
        if not (found.bits == MARK or card) or found.far > 2:
            continue
        match = VALUE.match(run.text, start)
        if match is None or run.is_amount(*match.span()) or not is_number(match.group()):
            continue
        value = match.group()
        before = run.before(start, 64)
        digits = sum(map(str.isdigit, value))
        bare = card and digits >= 8 and _A_CARD.search(before)
        if (
            not (bare or _MARKED.search(before))
            or _CITED.search(before)
            or not _THINGS.isdisjoint(_WORD.findall(before)[-6:])
        ):
            continue
        if digits >= 6 or (digits >= 5 and any(map(str.isalpha, value))):
            yield Hit(match.start(), match.end(), 0.6, "numbered")
