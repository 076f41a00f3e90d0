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
    SECRET,
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
    r"\W{0,4}(?:(?:est|is) )?$|"
    r"(?:n° ?|(?<![a-z])(?:numero|num\.|no\.) )(?:[a-z]{2,14})(?: [a-z]{3,14})?\W{0,3}$"
)
_IDENTIFIED = re.compile(r"(?<![a-z])(?:identifiant|identifier|user ?id|member ?id|login id)\W{1,4}$")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
# Judgments are cited with their date: "CE, 12 mai 2022, n° 447188".
_CITED = re.compile(r"(?:19|20)[0-9]{2}, (?:req\. )?n°\W{0,2}$")
_A_CARD = re.compile(r"(?<![a-z])(?:cartes?|cards?)(?: [a-z'-]{3,16}){0,2}\W{0,4}$")
_REGISTERS = re.compile(r"[A-Z]{2}(?:#| ?[#:] ?| (?:no\.?|n°|#) ?| )[0-9]")
# Letters that stand for a register: "HSN 441 820 773". What numbers things or says what kind of text this is, is none.
_REGISTER = re.compile(r"(?<![A-Za-z0-9./-])([A-Z]{2,6})(?:#| ?[#:] ?| (?:no\.?|n°|#) ?| )$")
_NO_REGISTERS = word_set(
    """
    AA AB AC AD AE AF AIR AM AMD AN AND API ARK ART AS ASIN ASTM AT ATA AU AUX BA BC BD BNF BP BUG BUT BWV CA CAD
    CAS CE CELEX CHAP CHF CID CL CM CMD CN CO COD COM CPU CR CST CUSIP CV CVE DE DEC DEL DES DIN DOI DOW DU EAN ECLI
    ECO EEC EN EP EPUB ERR ET ETA EUR EXP FA FAC FAQ FAX FCC FEB FIG FOB FOR FR FROM GB GBP GDP GHZ GN GPS GPU GTIN
    HD HEX HKD HP HR HS HT HTS HTTP HZ IBM ICAO ID IEC IEEE IL IMO IN INC INR INT INV IP IPO IS ISBN ISIN ISO ISSN
    IT ITEM ITU JAN JIRA JPY JUL JUN KB KG KHZ KM LA LCCN LE LES LOT LU MA MAC MAR MAX MB MHZ MIN MLS MM MMSI MW NAF
    NAICS NB NCM NCT NDC NF NGC NIP NM NO NOV NS NSN NYC OCLC OCT OEM OF ON OPEN OR ORD OS OU PAR PAS PDF PI PID PIN
    PIP PL PM PMC PMID PN PO POP PR PS QTY RAL RAM RE REF REV RFC RGB RMA ROM RS RT SA SAS SC SE SEC SEP SEQ SF SHA
    SIC SKU SN SO SQL SS SUM SUR SVC SW SWIFT TARIC TAX TCP TEL THE TO TOP TTC TTL UDP UK UL UN UNE UPC URL US USA
    USB USD UTC UTF UUID VAT VER VOL VS VW WEEK WO XML ZIP
    """
)
_CLAUSE = re.compile(r"[,;.] ")
# Who logs in, where digits show that it is no word: "username is dbienai02".
_LOGIN = re.compile(
    r"(?<![a-z])(?:user ?names?|user ?id|nom d'(?:utilisateur|usager)|log-?in|identifiant(?: reseau)?)"
    r"(?: ?[:=] ?| is | est | c'est ?:? ?)[\"'« ]{0,2}((?=[a-z._-]{1,24}[0-9])[a-z][a-z0-9._-]{3,31})(?![\w@(/=-])"
)
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


_WHOLE = re.compile(
    r"(?<![A-Za-z0-9.,$€/+-])(?:[0-9]{7,13}(?:[-.][0-9]{1,4})?[A-Z]?|"
    r"[0-9]{2,4}(?:[ -][0-9]{2,4}){2,3}|[0-9]{5}-[0-9]{4})"
    r"(?:-[A-Z0-9]{1,2})?(?![\w/-]|[.,][0-9])"
)
_LEAST_MARKED = 5
_LEAST_OF_REGISTER, _MOST_OF_REGISTER = 7, 13


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
    LEAST_DIGITS = 2

    ALSO = tuple(sorted({entity for _, entity in _ANNOUNCED if entity != "ID_NUMBER"}))

    def applies(self, run: Run) -> bool:
        return run.topics & (MARK | CARD | _BEHIND | SECRET) != 0 or run.digits >= _LEAST_OF_REGISTER

    def find(self, run: Run) -> Iterator[Hit]:
        if run.topics & SECRET:
            yield from _logins(run)
        if run.digits < _LEAST_MARKED:
            return
        if run.topics & (MARK | CARD | LICENCE):
            yield from _marked(run)
        if run.digits >= _LEAST_OF_REGISTER:
            yield from _registered(run)
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


def _logins(run: Run) -> Iterator[Hit]:
    left = run.before(0, 32)
    for match in _LOGIN.finditer(left + run.lower):
        if match.start(1) >= len(left):
            yield Hit(match.start(1) - len(left), match.end(1) - len(left), 0.6, "login")


def _registered(run: Run) -> Iterator[Hit]:
    """Seven digits or more behind the letters of a register that nothing knows."""
    if not _REGISTERS.search(run.left[-12:] + run.text):
        return
    for match in _WHOLE.finditer(run.text):
        value = match.group()
        before = run.left[-16:] + run.text[max(0, match.start() - 16) : match.start()]
        said = _REGISTER.search(before)
        if (
            said is None
            or said[1] in _NO_REGISTERS
            or WORDS.get(said[1].lower(), 0) & OTHER
            or not _LEAST_OF_REGISTER <= sum(map(str.isdigit, value)) <= _MOST_OF_REGISTER
            or not is_number(value)
            or run.is_amount(*match.span())
            or not _THINGS.isdisjoint(_WORD.findall(_CLAUSE.split(run.before(match.start(), 32))[-1])[-2:])
            or run.is_labelled_otherwise(match.start(), far=1)
        ):
            continue
        yield Hit(match.start(), match.end(), 0.5, "register")


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
        if not (found.bits == MARK or card):
            continue
        if found.far > 2 and not _IDENTIFIED.search(run.before(start, 24)):
            continue
        match = VALUE.match(run.text, start)
        if match is None or run.is_amount(*match.span()) or not is_number(match.group()):
            continue
        value = match.group()
        if _UUID.match(run.text, start):
            continue
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
