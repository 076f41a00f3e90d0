"""Names of people, and the places where they live: which of the tagger's readings are believed.

The tagger (`name_model.py`) gives each word a probability. What is believed depends on what stands around it:

- one sure word opens a text; in an open text less sure words are believed too, and those beside a name soonest, so
  that a text that names nobody stays whole and a list of names is masked to its end;
- what follows "je m'appelle", "Mme" or "Dr." needs little more than that;
- what was a sure name once is a name wherever the same text (of a long one, the same block) repeats it.

What is never believed is listed in `not_names.py`. Cities, countries, organisations, products and laws are left alone,
and a place is masked only where the tagger reads it as somebody's and the words say so ("J'habite à …", "born in …", a
number and a street, a postal code behind it): a city in general talk identifies nobody, and addresses are found by the
recognizers.

How the findings are joined with the identifiers is for `engine.py`. Pure; nothing is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from runtime.redaction.lexicon import word_set
from runtime.redaction.name_features import Token
from runtime.redaction.name_model import Tagged
from runtime.redaction.name_runs import LINKS, PARTICLES, Found, found, joined, runs
from runtime.redaction.name_words import bare
from runtime.redaction.namesakes import elsewhere
from runtime.redaction.not_names import NUMERAL, SURE, UNLISTED, Lists, never
from runtime.redaction.recognizers.label_words import OTHER
from runtime.redaction.recognizers.labels import WORDS

GIVEN = 0.85  # the same of a given name that is no common word
_BOTH = 0.4  # of both words, where only the given name is listed
ALONE = 0.012  # more is asked of a word with no other name beside it
LIKELY = 0.25  # believed in an open text
FULL = 0.22  # opens a text: of a listed given name before a listed family name
INTRODUCED = 0.18  # opens a text where a name is expected
GREETED = 0.08  # the same of a listed given name
POSSIBLE = 0.06  # believed beside a name, or where somebody is introduced
PLACE = 0.8
_REGIONS = word_set("québec quebec ontario alberta manitoba saskatchewan canada france usa")
_UP = "A-ZÀ-ÖØ-ÞŒ"
_WORD = r"[^\W\d_][\w'.-]{0,30}"
_NAME = rf"[{_UP}][\w'.-]{{0,30}}"
_TITLED = re.compile(
    r"(?<!\w)(?:M\.|Mr\.?|Mrs\.?|Ms\.?|Miss|Mme\.?|Mlle\.?|Mmes|MM\.|Drs?\.?|Dre\.?|Prof\.?|Me|Maître|Monsieur|Madame|"
    r"Mademoiselle|Docteure?|Doctor|Professeure?|Professor|Judge|[Jj]uge|Justice|Sgt\.?|Capt\.?|"
    r"Constable|Officer|Detective|[Aa]gente?|Nurse|Coach|Rev\.|Uncle|Aunt|[Oo]ncle|[Tt]ante|[Ff]amille)"
    rf" (?:(?:le|la|l'|du) ?)?({_NAME}(?: {_NAME}){{0,3}})"
)
_TITLE = re.compile(rf"(?<!\w)(?:Mr|Mrs|Ms|Mme|Mlle|Dr|Dre)\.? (?={_NAME})")
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
# Below a farewell, at the end of a line: "Thanks,\nAbeni", "... d'ici lundi. - Abeni".
_SIGNED = re.compile(
    r"(?:(?<!\w)(?:thanks|thank you|thx|cheers|regards|best|love|sincerely|yours|xo+|xx|merci|mci|cordialement|"
    r"salutations|bises|bisous|amicalement|sign[ée]e?|à plus|a\+),?\s{1,3}|[.!?)]\s{1,4}[-–—] ?)"
    rf"({_NAME})(?=[.!]?[ \t]*(?:\n|$))",
    re.IGNORECASE,
)
# A field of a row or a line of its own: "20331\tRoy, Ana\t2021-06-14".
_ROW = re.compile(
    rf"(?:^|[\t|;\n]|\d[ ]|: ?)[ ]*({_NAME}(?:[ -]{_NAME})?), ({_NAME}(?:[ -]{_NAME})?)"
    r"(?=[ ]*(?:$|[\t|;\n(]|[ ][ ]|\d))"
)
# The first of a name, and not somebody who speaks.
_FIRST_OF_NAME = re.compile(
    r"I(?=[.,;:)»!?]|$|\s+(?:of|and|or|to|the|who|whose|as|by|from|in|at|on|with|et|ou|de|du|en|qui|que|dont|le|la|les|à|au|par|"
    r"pour|sur|dans)\b|'s\b)"
)
_HOME = re.compile(
    r"\b(?:(?:r[ée]sid|habit|demeur|domicil|d[ée]m[ée]nag|loge)\w*|vi[st]|vivent|née?s?|originaire|live[sd]?|living|"
    r"born|grew up|my address|mon adresse)\b[^.!?\n]*$",
    re.IGNORECASE,
)
_POSTAL = re.compile(r"[ ,()]{0,3}(?:[A-Za-zÀ-ÿ]+[ ,()]{1,3}){0,2}(?:[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[0-9]{5})\b")
_STREET = re.compile(r"(?<!\w)[0-9]+[^\W\d_]?,? (?:[^\W\d_][\w'.-]* ){0,3}[^\W\d_]{2,}")


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
    for index in _after_titles(text, tokens, lists):
        name[index] = max(name[index], INTRODUCED)
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
    place = text[start:end].lower()
    if place in _REGIONS or WORDS.get(place.split()[0], 0) & OTHER:
        return False
    return any(map(str.isupper, text[start:end])) and bool(
        _HOME.search(text, max(0, start - 40), start) or _POSTAL.match(text, end) or _STREET.search(text, start, end)
    )


def _believed(text: str, tokens: Sequence[Token], name: Sequence[float], lists: Lists) -> list[bool]:
    introduced = _introduced(text, tokens, lists) if max(name) >= POSSIBLE else set()
    lower = text == text.lower()
    possible = [
        score >= POSSIBLE and not never(text, tokens, index, score, lists, lower=lower)
        for index, score in enumerate(name)
    ]
    if any(possible):
        for index in elsewhere(text, tokens, possible, lists.is_given):
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
    for index in range(1, len(name)):
        if chosen[index - 1] and not chosen[index] and _is_regnal(text, tokens, index, lists):
            chosen[index] = True
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


def _is_regnal(text: str, tokens: Sequence[Token], index: int, lists: Lists) -> bool:
    """Whether a numeral stands behind a given name: "Mary I,", "Urbain V"; "I told Mary I went" has none."""
    before, token = tokens[index - 1 : index + 1]
    if token.start - before.end != 1 or not (before.text.istitle() and lists.is_given(before.text.lower())):
        return False
    return bool(_FIRST_OF_NAME.match(text, token.start) if token.text == "I" else NUMERAL.fullmatch(token.text))


def _behind_particles(tokens: Sequence[Token], first: int) -> int:
    """The word with a capital behind a name and its particles: "d'Amours", "van der Berg"; the next one without any."""
    index = first + 1
    while index + 1 < len(tokens) and index < first + 4:
        word = tokens[index].text
        if not (word in PARTICLES or word in LINKS or word == "'") or tokens[index].start - tokens[index - 1].end > 1:
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
    spans += [match.span() for match in _ROW.finditer(text) if _is_reversed(match[1], match[2], lists)]
    greeted = [match.span(1) for match in _GREETED.finditer(text)]
    greeted += [match.span(1) for match in _SIGNED.finditer(text)]
    found = {index for index, one in enumerate(tokens) for low, high in spans if low <= one.start < high}
    return found | {
        index
        for index, one in enumerate(tokens)
        for low, high in greeted
        if low == one.start and one.text[0].isupper() and lists.is_given(one.text.lower())
    }


def _after_titles(text: str, tokens: Sequence[Token], lists: Lists) -> list[int]:
    """Listed names that are no common words right behind a title: the title alone makes them somebody's."""
    starts = {match.end() for match in _TITLE.finditer(text)}
    if not starts:
        return []
    return [
        index
        for index, one in enumerate(tokens)
        if one.start in starts and lists.is_name(one.text.lower()) and not lists.is_common(one.text.lower())
    ]


def _is_reversed(family: str, given: str, lists: Lists) -> bool:
    """Whether a comma stands between a family name and a listed given name: "Roy, Ana", not "Table, Oak"."""
    first, last = re.split(r"[ -]", given.lower())[0], re.split(r"[ -]", family.lower())[0]
    return lists.is_given(first) and not (lists.is_common(first) or lists.is_common(last))


def _hyphenated(tokens: Sequence[Token], index: int) -> bool:
    """Whether a token is the hyphen of "Abdul-Rahman": half of such a name is none."""
    before, token, after = tokens[index - 1 : index + 2]
    whole = token.text == "-" and before.end == token.start and token.end == after.start
    return whole and before.text[0].isupper() and after.text[0].isupper()


def _folded(token: Token) -> str:
    return bare(token.text.lower())
