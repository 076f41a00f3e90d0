"""What is no name, whatever the tagger says: by the word itself and by what stands right beside it.

Everyday words in lower case, prefixes of numbers ("IBAN", "sha256"), a letter on its own, what stands inside a file
name or an option, languages, months with their day, fields of forms, words of programs. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from runtime.redaction.lexicon import word_set
from runtime.redaction.name_features import Token
from runtime.redaction.name_runs import PARTICLES, TITLES
from runtime.redaction.recognizers.date_of_birth import MONTHS
from runtime.redaction.recognizers.labels import PERSONAL, WORDS

SURE = 0.945  # of a listed name: opens a text, and is looked for elsewhere in it
UNLISTED = 0.975  # the same of any other word
_NUMBER = re.compile(r"[ #:-]{0,2}\d")
_POINTED = re.compile(r" ?[:#]| n[o°]")
_SURE_OF_COMMON = 0.985  # of a word of the dictionary behind a comma, where lists go on
NUMERAL = re.compile(r"[IVX]{2,5}|[VX]")  # of a king or a grandson
_CROWN = re.compile(r"R\.? [cv][. ]")

# Fields of forms and tables, and what people write short.
_FIELDS = word_set(
    "rue ville nom prénom prenom courriel adresse street city phone email texter num mdp pw addy case dossier siren "
    "siret ramq nam"
)
_ARTICLES = word_set("the a an le la les un une des")
_NO_NAMES = word_set("my an so to do in on no me he you thi de do the her his day soo bon whoever whatever somebody")
_UNITS = word_set("min mins sec hr hrs km kg mg ml cm mm px ko mo go kb mb gb am pm ch cl dl")
_KEYWORDS = word_set(
    "DESC ASC LIMIT NULL WHERE FROM JOIN ORDER GROUP HAVING VALUES TRUE FALSE AND OR NOT True False None"
)
_ELISIONS = word_set("ve re ll s t d m em")
_LANGUAGES = word_set(
    """
    english french german spanish italian portuguese dutch russian chinese japanese korean arabic greek turkish polish
    swedish danish norwegian finnish ukrainian romanian hungarian czech hebrew hindi urdu farsi persian mandarin
    cantonese creole american canadian british irish scottish welsh mexican brazilian indian pakistani haitian moroccan
    algerian tunisian lebanese syrian belgian swiss european african asian catholic muslim jewish protestant
    anglais français francais allemand espagnol italien portugais russe chinois japonais arabe créole
    """
)


class Lists(Protocol):
    """What is known of lower-case words: see `name_model.NameModel`."""

    def is_common(self, word: str) -> bool:
        """Whether it is in a dictionary."""

    def is_given(self, word: str) -> bool:
        """Whether it is a given name."""

    def is_name(self, word: str) -> bool:
        """Whether it is a given or family name."""


def never(text: str, tokens: Sequence[Token], index: int, score: float, lists: Lists, *, lower: bool) -> bool:
    """Whether a token is none of a name, whatever the tagger says."""
    token = tokens[index]
    before, after = text[max(0, token.start - 1) : token.start], text[token.end : token.end + 1]
    word = token.text
    if not word.isalpha():
        return word[0].isdigit() or word[0] not in ".'-(\"&,"
    mentioned = before == "@" and not text[max(0, token.start - 2) : token.start - 1].strip()
    if (before in {"\\", "@", "_", "$", "#"} and not mentioned) or after in {"@", "_", "\\", "="}:
        return True
    if "+" in {before, after}:
        return True  # Ctrl+Maj+P
    if before.isdigit() or after.isdigit() or (word.islower() and "/" in {before, after}):
        return True
    if word.isupper() and len(word) < 6 and _NUMBER.match(text, token.end):
        return not (score >= UNLISTED and lists.is_name(word.lower()))
    if after == "(" and (word.isupper() or not word.istitle() or before in {".", "[", "="}):
        return True  # a type or a function of a program
    if word.isupper() and WORDS.get(word.lower(), 0) & PERSONAL and _POINTED.match(text, token.end):
        return True
    if NUMERAL.fullmatch(word) and score >= UNLISTED and index and _is_numbered(tokens[index - 1], lists):
        return False
    if 1 < len(word) < 5 and word.isupper() and not _in_capitals(text, tokens, index, lists):
        low = word.lower()
        if WORDS.get(low, 0) & PERSONAL or not (lists.is_name(low) or _is_surname(tokens, index, lists)):
            return True  # an acronym, or the label of a number
    if word.lower() in _FIELDS or (index and lower and tokens[index - 1].text in _ARTICLES and lists.is_common(word)):
        return True
    if (word in _ELISIONS and before in {"'", "’"}) or (word.lower() in MONTHS and _NUMBER.match(text, token.end)):
        return True
    if word in _KEYWORDS or (word.lower() in _UNITS and index and tokens[index - 1].text[0].isdigit()):
        return True
    if word.lower() in _LANGUAGES and not (index and score >= SURE and lists.is_given(tokens[index - 1].text.lower())):
        return True
    if word.lower() in _NO_NAMES and not _before_a_name(tokens, index):
        return True
    if len(word) == 1:
        if text[max(0, token.start - 2) : token.start].rstrip()[-1:].isdigit() and not _joins_a_name(tokens, index):
            return True  # 24 N·m
        elided = after in {"'", "-"} and text[token.end + 1 : token.end + 2].isupper()
        return bool(_CROWN.match(text, token.start)) or not (after == "." or elided or _joins_a_name(tokens, index))
    half = before in {"-", "'"} and index > 1 and tokens[index - 2].text[0].isupper()  # Marie-ève
    if word.islower() and word not in PARTICLES and not half and not lower:
        return score < SURE or lists.is_common(word) or (len(word) < 4 and not lists.is_name(word))
    doubtful = (lower and score < 0.9) or (
        score < _SURE_OF_COMMON and text[max(0, token.start - 2) : token.start] == ", "
    )
    return bool(doubtful and lists.is_common(word.lower()) and not lists.is_name(word.lower()))


def _is_numbered(token: Token, lists: Lists) -> bool:
    """Whether a numeral behind a word may be somebody's: "Louis XIV", "Carmichael III"."""
    return token.text.istitle() and lists.is_name(token.text.lower())


def _in_capitals(text: str, tokens: Sequence[Token], index: int, lists: Lists) -> bool:
    """Whether a word beside is in capitals too: a few capitals alone are an acronym.

    So are several short ones in a text that is not in capitals, where none is known as a name: "PTX ISA".
    """
    beside = [
        tokens[other].text
        for other in (index - 2, index - 1, index + 1, index + 2)
        if 0 <= other < len(tokens) and len(tokens[other].text) > 1 and tokens[other].text.isupper()
    ]
    if not beside or text == text.upper():
        return bool(beside)
    return any(len(word) > 4 or lists.is_name(word.lower()) for word in (tokens[index].text, *beside))


def _is_surname(tokens: Sequence[Token], index: int, lists: Lists) -> bool:
    """Whether a title or a given name stands right before: "Mme DIOP", "Awa DIA"."""
    before = tokens[index - 1].text.lower() if index else ""
    if before == "." and index > 1:
        before = tokens[index - 2].text.lower()
    return before in TITLES or lists.is_given(before)


def _before_a_name(tokens: Sequence[Token], index: int) -> bool:
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    return after is not None and tokens[index].text[0].isupper() and after.text[0].isupper()


def _joins_a_name(tokens: Sequence[Token], index: int) -> bool:
    """Whether a capital on its own stands between or before words with a capital: "Mary T Jones"."""
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    return after is not None and after.start == tokens[index].end + 1 and after.text[0].isupper()
