"""What a word says about its neighbours: could they belong to one identifier with it?

Only words are looked at, one or two at a time, so that the answer is the same wherever a text is cut into chunks.
`segments.py` cuts by it; what an identifier really is, the recognizers say.
"""

from __future__ import annotations

import re
from enum import IntFlag

from runtime.redaction.lexicon import word_set
from runtime.redaction.normalise import fold
from runtime.redaction.recognizers.date_of_birth import MONTHS
from runtime.redaction.recognizers.street_words import ACCENTED, BOX_WORDS, ENGLISH_TYPES, FRENCH_TYPES
from runtime.redaction.recognizers.street_words_abroad import BEFORE, BEHIND, ENDINGS
from runtime.redaction.spelled import ALPHABET
from runtime.redaction.spoken import NUMBER_WORDS, ORDINALS, TELLING


class Kind(IntFlag):
    """Bits of a word. Plain integers are used in the loops: flags are slow."""

    NUMBER = 1
    CIVIC = 2  # a number that a street may follow
    CAPITALS = 4  # a few capitals: a part of a RAMQ number, an IBAN
    MARK = 8  # punctuation alone
    AROUND = 16  # stands between, before or after digits: an extension, a unit, a month
    LINK = 32  # "arobase", "point", a lone @
    SECRET = 64  # a label of secrets
    STREET = 128
    NAME = 256  # begins with a capital
    ADDRESS = 512  # speaks of where somebody lives
    SINGLE = 1024  # one character
    DIGITS = 2048  # digits in letters: "cinq", "seven"
    PROVINCE = 4096
    READ = 8192  # the highest: a segment with this word is read by the recognizers


(
    NUMBER, CIVIC, CAPITALS, MARK, AROUND, LINK, SECRET, STREET, NAME, ADDRESS, SINGLE, DIGITS, PROVINCE, READ,
) = map(int, Kind)  # fmt: skip


_LINKS = word_set(
    """
    at arobase arobas dot point commercial chez underscore tiret dash @ ＠ . (at) (dot) (arobase) (point) (@) (.) [at]
    [dot] [arobase] [point] [@] [.] {at} {dot} {arobase} {point} <at> <dot> -at- -dot- *at* *dot* (a) [a] (à) [à]
    [ ] { }
    """
)
_LINKS_OF_PROSE = word_set("at . commercial chez dash tiret [ ] { }")
_BESIDE_NUMBERS = MONTHS | word_set(
    """
    ext extension poste x p no n° num numéro number bis ter quater $ € £ % cad usd eur dollars dollar euros euro
    habitants inhabitants people personnes residents km kg mm cm ms px ko mo go kb mb gb octets bytes tonnes tons
    hectares acres million millions fois times units unités kwh app appt apt appartement apartment unit unité suite
    ste bureau bur local of porte chambre room bâtiment bat bât building ph rr r.r station succ cedex rt tq version
    lot lots con con. conc conc.
    """
)
_SECRETS = word_set(
    """
    password passwords passphrase passwd passcode pwd passe mdp motdepasse mot-de-passe pass secret secrets secrète
    token tokens jeton jetons key keys clé clés apikey pin nip cvv cvc cvv2 cvc2 cryptogramme bearer authorization
    code codes otp puk -----begin --password --token --secret --user -p -u wifi wi-fi phrase identifiants credentials
    creds basic pw psw wpa wpa2 wpa3 psk nips pins passcodes combinaison combination digicode login mnemonic maiden
    """
)
_SECRET_ENDS = ("_key", "_token", "_secret", "password", "_pass", "_pwd")
_ADDRESSES = word_set(
    """
    adresse adresses address addresses addressed habite habites habitent habitons habitait demeure demeurant réside
    live lives lived living resides residing livrer livraison livré deliver delivered ship shipped envoyer envoyez
    envoyé domicile domicilié domiciliée sis sise déménage déménagé moved moving located reste restent loge logée
    situé située mailing vit vivant vivent vivre vis vivait staying stays stayed grew
    """
)
_CORNERS = word_set("corner coin angle intersection l'angle l'intersection")
# Kept with what follows: a street may come without a number, before a postal code.
_STREETS_OF_CODES = word_set(
    "rue avenue boulevard boul boul. chemin allée impasse lieu-dit hameau lotissement résidence résidences bâtiment "
    "bât immeuble étage general rr r.r site villa château manoir zi za zac flat cottage moulin mas "
    "av av. bd bd. place quai route cours square clos ferme maison foyer chsld ehpad quartier morne "
    "restante succ succ. succursale case postfach res. rés. terrasse promenade chem. ch. "
    "basement sous-sol rez-de-chaussée manse croft rectory vicarage forge lodge grange priory farmhouse barn"
)
_ARTICLES = frozenset({"The", "Le", "La", "Les"})
_HOUSES = word_set(
    "cottage rectory vicarage forge lodge grange priory farmhouse barn manse croft mas moulin ferme château manoir "
    "domaine clos bastide villa chalet"
)
_PROVINCES = word_set("québec quebec qc ontario on ont alberta manitoba saskatchewan bc ns nb nl pe pei ab mb sk")
_DIGIT_WORDS = NUMBER_WORDS | TELLING | ORDINALS | {"mil", "mille", "thousand"}
_STREETS = ACCENTED | FRENCH_TYPES | ENGLISH_TYPES | BOX_WORDS
_KINDS: dict[str, int] = {}
for _bits, _words in (
    (AROUND, _BESIDE_NUMBERS),
    (SECRET | READ, _SECRETS),
    (STREET, _STREETS),
    (ADDRESS, _ADDRESSES | _STREETS_OF_CODES | BEFORE),
    (STREET, BEFORE | BEHIND | {"rés", "rés."}),
    (ADDRESS | READ, _CORNERS),
    (LINK, _LINKS),
    (READ, _LINKS - _LINKS_OF_PROSE),
    (DIGITS, _DIGIT_WORDS | ALPHABET | {"et", "and"}),  # soixante et onze
    (READ, TELLING),
    (PROVINCE, _PROVINCES),
):
    for _word in _words:
        _KINDS[_word] = _KINDS.get(_word, 0) | _bits
OF = frozenset({"de", "des", "du"})
"""Begin the name of a street that does not say what kind it is: "12, des Ormes"."""
TELLS = frozenset({":", "is", "was", "est", "=", "c'est", "as", "comme", "–", "—", "->", "→"})
"""What stands between a value and what it is: "40447188 is my student number", "Tulip#9 as your password"."""
PHRASES = frozenset({"phrase", "passphrase", "mnemonic"})
"""Secrets of many words."""
BEHIND = word_set("passport passeport permis licence license")
"""Labels that stand behind their value in a list: "AB912833, passport"."""
AS = frozenset({"as", "comme"})
_EDGES = ".,;:!?()[]{}*'’«»=“”\\/"
_LAST_LATIN = "\u017f"
_BETWEEN = frozenset({"-", "–", "—", "/", ".", ","})
_CODED_NUMBER = re.compile(r"(?:&#(?:x[0-9A-Fa-f]{2}|[0-9]{2});){1,6}")  # 311 of "&#51;&#49;&#49; Cedar St"
_DIGIT = re.compile(r"\d")
_CIVIC = re.compile(
    r"(?:[A-Za-z_]{1,20}[0-9]?[=:])?[(#]?(?:[A-Za-z]-|"
    r"[NSEW]\d{1,3}[NSEW])?\d{1,6}[A-Za-z]?(?:[-/]\d{1,6})?-?[A-Za-z½]?,?"
)
# In rows of tables cells are not apart: "Roy,44 Willow St,Barrie".
_CELL = re.compile(r"[,;|](?:[A-Za-z]-)?[0-9]{1,5}[A-Za-z]?$")
_CELL_ENDS = re.compile(r"[,;|]")
_LETTERS_OF_RAMQ = re.compile(r"[(\[:][A-Za-z]{3,4}$")  # NAM:trem, (trem
_LETTERS_APART = re.compile(r"[A-Za-z](?:[-.][A-Za-z]){3}")  # T-R-E-M 8001 0112
_PAIR = re.compile(r"[0-9a-f]{4}")  # two bytes of a hardware address
_NOTABLE = re.compile(
    r"[@＠﹫=_]|://|%[0-9A-Fa-f]{2}|&[#A-Za-z]|\\[ux]|\w[(\[{]|\w\.[A-Za-z]{2}|(?:[:-][0-9A-Fa-f]{2}){3}|[⑆⑇⑈⑉①-⑳]|.{20}",
    re.DOTALL,
)


def kind(word: str) -> int:
    """The bits of one word (`Kind`)."""
    if not word.isascii() and (max(word) > _LAST_LATIN or "\xad" in word):
        word = fold(word) or word
    if 1 < len(word) < 20:  # most words, without further questions
        if word.isalpha():
            if word.islower():
                return _KINDS.get(word, 0)
            if word.istitle():
                known = _KINDS.get(word.lower(), 0) | NAME
                return known | STREET if word.endswith(ENDINGS) else known
        elif len(word) > 2 and word[-1] in ",." and word[:-1].isalpha() and word.islower():
            return _KINDS.get(word[:-1], 0)
    return _looked_at(word)


def _looked_at(word: str) -> int:
    if word.isdigit():
        return NUMBER | READ | (CIVIC if len(word) <= 6 else 0) | (SINGLE if len(word) == 1 else 0)
    plain = word.strip(_EDGES)
    lowered = plain.lower()
    bits = _KINDS.get(lowered, 0) | _KINDS.get(word.lower(), 0)
    if _DIGIT.search(word):
        bits |= NUMBER | READ
        if _CIVIC.fullmatch(word) or _CELL.search(word) or (word[0] == "&" and _CODED_NUMBER.fullmatch(word)):
            bits |= CIVIC
    if ("," in plain or ";" in plain or "|" in plain) and not plain[0].isdigit():
        bits |= _KINDS.get(_CELL_ENDS.split(lowered, maxsplit=1)[0], 0) & STREET  # St,Barrie,L4N
    if bits & NUMBER:
        pass
    elif _LETTERS_APART.fullmatch(plain):
        bits |= CAPITALS
    elif plain.isupper():
        if len(plain) <= 5 or (":" in plain and len(plain.rpartition(":")[2]) <= 5):  # NAM:TREM
            bits |= CAPITALS
    elif len(plain) >= 7 and plain.isalnum() and not plain.islower() and not plain.istitle():
        bits |= READ  # mixed case: a key, or text in base64
    if len(word) <= 3 and not any(map(str.isalnum, word)):
        bits |= MARK
    if len(plain) == 1 or len(word) == 1:
        bits |= SINGLE
    if word[0] in "@＠" or word[-1] in "@＠":
        bits |= LINK
    if plain[:1].isupper():
        bits |= NAME
    if lowered.endswith(_SECRET_ENDS):
        bits |= SECRET
    if "-" in lowered and lowered.partition("-")[0] in _DIGIT_WORDS:
        bits |= DIGITS | READ  # quarante-deux
    if not bits & READ and (bits & SECRET or _NOTABLE.search(word)):
        bits |= READ
    return bits


def joined(before: str, left: int, gap: str, word: str, right: int) -> bool:
    """Whether two neighbouring words, of these kinds and with this between them, could belong to one identifier."""
    if (left | right) & LINK:
        return True
    if not gap.isspace():
        return False
    if left & SINGLE and (right & SINGLE or word in AS or (right & DIGITS and before[0].isupper())):
        return True  # j e a n; K as in kilo; F O R C, fifty-five
    if left & NUMBER:
        if before[-1] == "," and word.rstrip(_EDGES).lower() in BEHIND:
            return True
        if right & (NUMBER | CAPITALS | MARK | AROUND | STREET | DIGITS) or (left & CIVIC and word[0].isalpha()):
            return True
        if any(map(str.isalpha, before)) and len(word) <= 4:  # h42 klm
            return True
        if word in TELLS or (word[0] == "(" and word[1:2].isalpha()):
            return True
        return "@" in before or before[-1] == "=" or before[-1] == "⑈"
    if left & NUMBER and word.strip(_EDGES).lower() in BEHIND:
        return True
    if left & READ and word in AS:  # Fluffy&Rex as my password
        return True
    if left & DIGITS and (right & (DIGITS | NUMBER | AROUND) or word in _BETWEEN):
        return True
    if before in _BETWEEN and right & DIGITS:  # five five five - zero one two three
        return True
    if left & AROUND and right & DIGITS:  # the ninth of August nineteen sixty-three
        return True
    if right & NUMBER:  # the last: four letters of a RAMQ number in lower case
        return (
            bool(left & (CAPITALS | MARK | AROUND | STREET | PROVINCE))
            or (3 <= len(before) <= 4 and before.isalpha())
            or ((before[0] in "([" or ":" in before) and _LETTERS_OF_RAMQ.search(before) is not None)
            or (len(before) == 2 == len(word) and _PAIR.fullmatch(before + word) is not None)
            or len(before) >= 60
        )
    if right & PROVINCE and left & NAME:  # Montréal (Québec)
        return True
    if right & NAME and before in _ARTICLES:  # The Old Rectory
        return True
    if left & NAME and right & ADDRESS and word.strip(_EDGES).lower() in _HOUSES:  # Rose Cottage, Mill Lane
        return True
    if left & DIGITS and "-" in before and right & (STREET | NAME):  # quarante-deux, rue des Remparts
        return True
    if right & STREET and not left & ~(
        NAME | STREET | AROUND | CAPITALS | SINGLE
    ):  # 12 maple street; 15 bis avenue; P.O. box
        return True
    if left & AROUND and right & AROUND:  # 12th of March
        return True
    if before[-1] == "," and right & CAPITALS and len(word) == 2:  # Springfield, IL
        return True
    return ("@" in before and (before[-1] == "." or word[0] == "." or "\n" in gap)) or (
        before[-1] == "=" and "\n" in gap
    )
