"""What a word says about its neighbours: could they belong to one identifier with it?

Only words are looked at, one or two at a time, so that the answer is the same wherever a text is cut into chunks.
`segments.py` cuts by it; what an identifier really is, the recognizers say.
"""

from __future__ import annotations

import re
from enum import IntFlag

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.date_of_birth import MONTHS
from runtime.redaction.recognizers.street_address import BOX_WORDS, ENGLISH_TYPES, FRENCH_TYPES


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
    READ = 1024  # a segment with this word is read by the recognizers


NUMBER, CIVIC, CAPITALS, MARK, AROUND, LINK, SECRET, STREET, NAME, ADDRESS, READ = map(int, Kind)


_LINKS = word_set(
    """
    at arobase arobas dot point commercial @ ＠ . (at) (dot) (arobase) (point) (@) (.) [at] [dot] [arobase] [point] [@]
    [.] {at} {dot}
    """
)
_LINKS_OF_PROSE = word_set("at point . commercial")
_BESIDE_NUMBERS = MONTHS | word_set(
    """
    ext extension poste x p no n° num numéro number bis ter $ € £ % cad usd eur dollars dollar euros euro habitants
    inhabitants people personnes residents km kg mm cm ms px ko mo go kb mb gb octets bytes tonnes tons hectares acres
    million millions fois times units unités kwh
    """
)
_SECRETS = word_set(
    """
    password passwords passphrase passwd passcode pwd passe mdp motdepasse mot-de-passe pass secret secrets secrète
    token tokens jeton jetons key keys clé clés apikey pin nip cvv cvc cryptogramme bearer authorization code otp
    -----begin
    --password --token --secret -p wifi wi-fi
    """
)
_SECRET_ENDS = ("_key", "_token", "_secret", "password", "_pass", "_pwd")
_ADDRESSES = word_set(
    """
    adresse adresses address addresses habite habites habitent habitons demeure demeurant réside live lives living
    resides livrer livraison deliver ship envoyer envoyez
    """
)
_STREETS = FRENCH_TYPES | ENGLISH_TYPES | BOX_WORDS
_KINDS = {
    **dict.fromkeys(_BESIDE_NUMBERS, AROUND),
    **dict.fromkeys(_SECRETS, SECRET | READ),
    **{word: STREET | (AROUND if word in _BESIDE_NUMBERS else 0) for word in _STREETS},
    **dict.fromkeys(_ADDRESSES, ADDRESS),
    **{word: LINK | (0 if word in _LINKS_OF_PROSE else READ) for word in _LINKS},
}
_EDGES = ".,;:!?()[]{}*'’«»=“”"
_DIGIT = re.compile(r"\d")
_CIVIC = re.compile(r"[(]?\d{1,6}(?:-\d{1,6})?[A-Za-z]?,?")
_NOTABLE = re.compile(r"[@＠﹫=_]|://|%40|&#|&commat|(?:[:-][0-9A-Fa-f]{2}){3}|.{20}", re.DOTALL)


def kind(word: str) -> int:
    """The bits of one word (`Kind`)."""
    if len(word) < 20:  # most words, without further questions
        if word.isalpha():
            if word.islower():
                return _KINDS.get(word, 0)
            if word.istitle():
                return _KINDS.get(word.lower(), 0) | NAME
        elif word[-1] in ",." and word[:-1].isalpha() and word.islower():
            return _KINDS.get(word[:-1], 0)
    return _looked_at(word)


def _looked_at(word: str) -> int:
    plain = word.strip(_EDGES)
    lowered = plain.lower()
    bits = _KINDS.get(lowered, 0) | _KINDS.get(word.lower(), 0)
    if _DIGIT.search(word):
        bits |= NUMBER | READ
        if _CIVIC.fullmatch(word):
            bits |= CIVIC
    elif plain.isupper() and len(plain) <= 5:
        bits |= CAPITALS
    if len(word) <= 3 and not any(map(str.isalnum, word)):
        bits |= MARK
    if word[0] in "@＠" or word[-1] in "@＠":
        bits |= LINK
    if plain[:1].isupper():
        bits |= NAME
    if lowered.endswith(_SECRET_ENDS):
        bits |= SECRET
    if bits & SECRET or _NOTABLE.search(word):
        bits |= READ
    return bits


def joined(before: str, left: int, gap: str, word: str, right: int) -> bool:
    """Whether two neighbouring words, of these kinds and with this between them, could belong to one identifier."""
    if (left | right) & LINK:
        return True
    if not gap.isspace():
        return False
    if left & NUMBER:
        if right & (NUMBER | CAPITALS | MARK | AROUND | STREET) or (left & CIVIC and right & NAME):
            return True
        return "@" in before
    if right & NUMBER:  # the last: four letters of a RAMQ number in lower case
        return bool(left & (CAPITALS | MARK | AROUND | STREET)) or (len(before) == 4 and before.isalpha())
    if left & AROUND and right & STREET:  # 15 bis avenue
        return True
    return "@" in before and (before[-1] == "." or word[0] == ".")
