"""Names of people, and the places where they live: which of the tagger's readings are believed.

The tagger (`name_model.py`) gives each word a probability. What is believed depends on what stands around it:

- one sure word opens a text; in an open text less sure words are believed too, and those beside a name soonest, so
  that a text that names nobody stays whole and a list of names is masked to its end;
- what follows "je m'appelle", "Mme" or "Dr." needs little more than that;
- what was a sure name once is a name wherever the same text (of a long one, the same block) repeats it.

Never believed: everyday words in lower case, prefixes of numbers ("IBAN", "sha256"), a letter on its own, what stands
inside a file name or an option. Cities, countries, organisations, products and laws are left alone, and a place is
masked only where the tagger reads it as somebody's and the words say so ("J'habite à …", "born in …", a number and a
street, a postal code behind it): a city in general talk identifies nobody, and addresses are found by the recognizers.

How the findings are joined with the identifiers is for `engine.py`. Pure; nothing is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from runtime.redaction.lexicon import word_set
from runtime.redaction.name_features import Token
from runtime.redaction.name_model import Tagged
from runtime.redaction.name_runs import PARTICLES, TITLES, Found, found, joined, runs
from runtime.redaction.name_words import bare
from runtime.redaction.namesakes import elsewhere
from runtime.redaction.recognizers.date_of_birth import MONTHS
from runtime.redaction.recognizers.labels import PERSONAL, WORDS

SURE = 0.86  # of a listed name: opens a text, and is looked for elsewhere in it
GIVEN = 0.7  # the same of a given name that is no common word
UNLISTED = 0.94  # the same of any other word
_BOTH = 0.4  # of both words, where only the given name is listed
ALONE = 0.05  # more is asked of a word with no other name beside it
LIKELY = 0.25  # believed in an open text
FULL = 0.22  # opens a text: of a listed given name before a listed family name
INTRODUCED = 0.18  # opens a text where a name is expected
GREETED = 0.08  # the same of a listed given name
POSSIBLE = 0.06  # believed beside a name, or where somebody is introduced
PLACE = 0.8
_UP = "A-ZÀ-ÖØ-ÞŒ"
_WORD = r"[^\W\d_][\w'.-]{0,30}"
_NAME = rf"[{_UP}][\w'.-]{{0,30}}"
_TITLED = re.compile(
    r"(?<!\w)(?:M\.|Mr\.?|Mrs\.?|Ms\.?|Miss|Mme\.?|Mlle\.?|Mmes|MM\.|Drs?\.?|Dre\.?|Prof\.?|Me|Maître|Monsieur|Madame|"
    r"Mademoiselle|Docteure?|Doctor|Professeure?|Professor|Judge|[Jj]uge|Justice|Sgt\.?|Capt\.?|"
    r"Constable|Officer|Detective|[Aa]gente?|Nurse|Coach|Rev\.|Uncle|Aunt|[Oo]ncle|[Tt]ante|[Ff]amille)"
    rf" (?:(?:le|la|l'|du) ?)?({_NAME}(?: {_NAME}){{0,3}})"
)
_INTRODUCED = re.compile(
    r"\b(?:je m'appelle|je me nomme|mon nom (?:complet )?est|my (?:full )?name is|my name's)[ ]+"
    rf"({_WORD}(?: {_WORD}){{0,2}})",
    re.IGNORECASE,
)
# A greeting or thanks before a listed given name: "merci Ashley".
_GREETED = re.compile(
    rf"\b(?:merci|thanks|thank you|hi|hello|hey|salut|bonjour|bonsoir|all[oô]|dear|ch[eè]re?|cheers|bye),? ({_NAME})",
    re.IGNORECASE,
)
_HOME = re.compile(
    r"\b(?:(?:r[ée]sid|habit|demeur|domicil|d[ée]m[ée]nag|loge)\w*|vi[st]|vivent|née?s?|originaire|live[sd]?|living|"
    r"born|grew up|my address|mon adresse)\b[^.!?\n]*$",
    re.IGNORECASE,
)
_POSTAL = re.compile(r"[ ,()]{0,3}(?:[A-Za-zÀ-ÿ]+[ ,()]{1,3}){0,2}(?:[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[0-9]{5})\b")
_STREET = re.compile(r"(?<!\w)[0-9]+[^\W\d_]?,? (?:[^\W\d_][\w'.-]* ){0,3}[^\W\d_]{2,}")
_NUMBER = re.compile(r"[ #:-]{0,2}\d")
_POINTED = re.compile(r" ?[:#]| n[o°]")
_CROWN = re.compile(r"R\.? [cv][. ]")

# Listed as given names somewhere, and everyday words in front of any other word.
# Fields of forms and tables, and what people write short.
_FIELDS = word_set(
    "rue ville nom prénom prenom courriel adresse street city phone email texter num mdp pw addy case dossier siren "
    "siret ramq nam"
)
_ARTICLES = word_set("the a an le la les un une des")
_NO_NAMES = word_set("my an so to do in on no me he you thi de do the her his day soo bon whoever whatever somebody")
_ELISIONS = word_set("ve re ll s t d m em")
_REGIONS = word_set("québec quebec ontario alberta manitoba saskatchewan canada france usa")
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


def find(text: str, tagged: Tagged, lists: Lists) -> list[Found]:
    """The names and places of one text.

    Args:
        text: as the tagger was shown it.
        tagged: its reading.
        lists: what is known of words.
    """
    tokens = tagged.tokens
    if not tokens:
        return []
    name: list[float] = (tagged.tags[:, 1] + tagged.tags[:, 2]).tolist()
    place: list[float] = tagged.tags[:, 3].tolist()
    if max(name) < POSSIBLE and max(place) < PLACE:
        return []
    believed = _believed(text, tokens, name, lists)
    starts: list[bool] = np.greater(tagged.tags[:, 1], tagged.tags[:, 2]).tolist()
    names = [found(tokens, run, "PERSON", name, "names.tagged") for run in runs(tokens, believed, starts)]
    where = [score >= PLACE and not taken for score, taken in zip(place, believed, strict=True)]
    places = [
        found(tokens, run, "LOCATION", place, "names.place")
        for run in runs(tokens, where, [False] * len(tokens))
        if _is_home(text, tokens[run[0]].start, tokens[run[-1]].end)
    ]
    return sorted(names + places)


def _is_home(text: str, start: int, end: int) -> bool:
    """Whether a place is said to be somebody's, or is part of an address."""
    return (
        any(map(str.isupper, text[start:end]))
        and text[start:end].lower() not in _REGIONS
        and bool(
            _HOME.search(text, max(0, start - 40), start)
            or _POSTAL.match(text, end)
            or _STREET.search(text, start, end)
        )
    )


def _believed(text: str, tokens: Sequence[Token], name: Sequence[float], lists: Lists) -> list[bool]:
    introduced = _introduced(text, tokens, lists) if max(name) >= POSSIBLE else set()
    lower = text == text.lower()
    possible = [
        score >= POSSIBLE and not _never(text, tokens, index, score, lists, lower=lower)
        for index, score in enumerate(name)
    ]
    if any(possible):
        for index in elsewhere(text, tokens, possible):
            possible[index] = False
    sure = [
        taken
        and (
            (index in introduced and name[index] >= _least_introduced(tokens[index], lists))
            or name[index] >= _least(tokens, name, index, lists)
        )
        for index, taken in enumerate(possible)
    ]
    if not any(sure):
        return sure
    chosen = [taken and (known or score >= LIKELY) for taken, known, score in zip(possible, sure, name, strict=True)]
    for order in (range(1, len(name)), range(len(name) - 2, -1, -1)):
        for index in order:
            before, after = sorted((index, index - order.step))
            if possible[index] and chosen[index - order.step] and joined(tokens[before], tokens[after]):
                chosen[index] = True
    for index in range(len(name) - 2):
        behind = _behind_particles(tokens, index) if chosen[index] else index
        if behind > index + 1 and (
            possible[behind] or lists.is_name(tokens[behind].text.lower())
        ):  # Guillaume d'Amours
            chosen[index + 1 : behind + 1] = [True] * (behind - index)
    for index in range(1, len(name) - 1):
        if (chosen[index - 1] or chosen[index + 1]) and _hyphenated(tokens, index):
            chosen[index - 1 : index + 2] = [True] * 3
    known = {
        _folded(token) for token, taken, score in zip(tokens, chosen, name, strict=True)
        if taken and score >= SURE and len(token.text) > 2 and token.text.isalpha()
    }  # fmt: skip
    return [
        taken
        or (_folded(token) in known and (token.text[0].isupper() or lower) and not lists.is_common(token.text.lower()))
        for token, taken in zip(tokens, chosen, strict=True)
    ]


def _least(tokens: Sequence[Token], name: Sequence[float], index: int, lists: Lists) -> float:
    """How probable a word must be to open a text."""
    beside = any(
        0 <= other < len(tokens)
        and name[other] >= 0.5
        and tokens[other].text.isalpha()
        and joined(*sorted((tokens[index], tokens[other]), key=lambda token: token.start))
        for other in (index - 1, index + 1)
    )
    if any(_is_full(tokens, first, name, lists) for first in (index - 1, index)):
        return FULL
    word = tokens[index].text.lower()
    if lists.is_given(word) and not lists.is_common(word):
        return GIVEN
    return (SURE if lists.is_name(word) else UNLISTED) + (0 if beside else ALONE)


def _behind_particles(tokens: Sequence[Token], first: int) -> int:
    """The word with a capital behind a name and its particles: "d'Amours", "van der Berg"; the next one without any."""
    index = first + 1
    while index + 1 < len(tokens) and index < first + 4:
        word = tokens[index].text
        if not (word in PARTICLES or word == "'") or tokens[index].start - tokens[index - 1].end > 1:
            break
        index += 1
    return index if index < len(tokens) and tokens[index].text[0].isupper() else first + 1


def _is_full(tokens: Sequence[Token], first: int, name: Sequence[float], lists: Lists) -> bool:
    """Whether a listed given name with a capital stands before a family name with one, or behind a listed one."""
    if not 0 <= first < len(tokens) - 1:
        return False
    last = _behind_particles(tokens, first)
    given, family = tokens[first], tokens[last]
    if (
        (given.end + 1 != family.start and last == first + 1)
        or not given.text.istitle()
        or not family.text[0].isupper()
    ):
        return False
    low, behind = given.text.lower(), family.text.lower()
    if len(low) > 2 and lists.is_given(low):
        if lists.is_name(behind):
            return True
        doubtful = min(name[first], name[last]) < _BOTH or not behind.isalpha()
        return not (doubtful or lists.is_common(behind))
    # "Thibodeau Noah", as lists and forms have it
    return (
        family.text.istitle()
        and lists.is_name(low)
        and lists.is_given(behind)
        and not (lists.is_common(low) or lists.is_common(behind))
    )


def _least_introduced(token: Token, lists: Lists) -> float:
    """How probable a word must be where a name is expected."""
    return GREETED if lists.is_given(token.text.lower()) else INTRODUCED


def _introduced(text: str, tokens: Sequence[Token], lists: Lists) -> set[int]:
    """Which tokens stand where a name is expected."""
    spans = [match.span(1) for pattern in (_TITLED, _INTRODUCED) for match in pattern.finditer(text)]
    greeted = [match.span(1) for match in _GREETED.finditer(text)]
    found = {index for index, one in enumerate(tokens) for low, high in spans if low <= one.start < high}
    return found | {
        index
        for index, one in enumerate(tokens)
        for low, high in greeted
        if low == one.start and one.text[0].isupper() and lists.is_given(one.text.lower())
    }


def _never(text: str, tokens: Sequence[Token], index: int, score: float, lists: Lists, *, lower: bool) -> bool:
    """Whether a token is none of a name, whatever the tagger says."""
    token = tokens[index]
    before, after = text[max(0, token.start - 1) : token.start], text[token.end : token.end + 1]
    word = token.text
    if not word.isalpha():
        return word[0].isdigit() or word[0] not in ".'-(\"&,"
    mentioned = before == "@" and not text[max(0, token.start - 2) : token.start - 1].strip()
    if (before in {"\\", "@", "_", "$", "#"} and not mentioned) or after in {"@", "_", "\\", "="}:
        return True
    if before.isdigit() or after.isdigit() or (word.islower() and "/" in {before, after}):
        return True
    if word.isupper() and len(word) < 6 and _NUMBER.match(text, token.end):
        return not (score >= UNLISTED and lists.is_name(word.lower()))
    if word.isupper() and after == "(":
        return True  # a type or a function of a program
    if word.isupper() and WORDS.get(word.lower(), 0) & PERSONAL and _POINTED.match(text, token.end):
        return True
    if 1 < len(word) < 5 and word.isupper() and not _in_capitals(tokens, index):
        low = word.lower()
        if WORDS.get(low, 0) & PERSONAL or not (lists.is_name(low) or _is_surname(tokens, index, lists)):
            return True  # an acronym, or the label of a number
    if word.lower() in _FIELDS or (index and lower and tokens[index - 1].text in _ARTICLES and lists.is_common(word)):
        return True
    if (word in _ELISIONS and before in {"'", "’"}) or (word.lower() in MONTHS and _NUMBER.match(text, token.end)):
        return True
    if word.lower() in _LANGUAGES and not (index and score >= SURE and lists.is_given(tokens[index - 1].text.lower())):
        return True
    if word.lower() in _NO_NAMES and not _before_a_name(tokens, index):
        return True
    if len(word) == 1:
        elided = after in {"'", "-"} and text[token.end + 1 : token.end + 2].isupper()
        return bool(_CROWN.match(text, token.start)) or not (after == "." or elided or _joins_a_name(tokens, index))
    if word.islower() and word not in PARTICLES and before not in {"-", "'"} and not lower:
        return score < SURE or lists.is_common(word) or (len(word) < 4 and not lists.is_name(word))
    doubtful = (lower and score < 0.9) or text[max(0, token.start - 2) : token.start] == ", "
    return bool(doubtful and lists.is_common(word.lower()) and not lists.is_name(word.lower()))


def _in_capitals(tokens: Sequence[Token], index: int) -> bool:
    """Whether a word beside is in capitals too: a few capitals alone are an acronym."""
    return any(
        0 <= other < len(tokens) and len(tokens[other].text) > 1 and tokens[other].text.isupper()
        for other in (index - 2, index - 1, index + 1, index + 2)
    )


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


def _hyphenated(tokens: Sequence[Token], index: int) -> bool:
    """Whether a token is the hyphen of "Abdul-Rahman": half of such a name is none."""
    before, token, after = tokens[index - 1 : index + 2]
    whole = token.text == "-" and before.end == token.start and token.end == after.start
    return whole and before.text[0].isupper() and after.text[0].isupper()


def _folded(token: Token) -> str:
    return bare(token.text.lower())
