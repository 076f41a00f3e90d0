"""Names of people and places: what the models say, put right by rules.

Small models mistake a capitalised word at the start of a sentence for a name, are blind to names in capitals, and miss
a name without a sentence around it. So: words in runs of capitals are shown to the model in title case (same length,
same positions); single words that a dictionary knows are dropped where every word is capitalised; and a given name
followed by a capitalised word, or what follows "je m'appelle" or "Mme", is a name without asking.

Organisations are left alone. What the answer is used for, and how it is joined with the identifiers, is for
`engine.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from runtime.redaction.lexicon import GIVEN_NAMES, LARGE_PLACES, NOT_NAMES, SURNAMES, TITLES, word_set
from runtime.redaction.ner import Entity
from runtime.redaction.spans import Span

_LABELS = {"PERSON": "PERSON", "PER": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION"}
_UP = "A-ZÀ-ÖØ-ÞŒ"
_LOW = "a-zß-öø-ÿœ"
_CAPITAL_RUN = re.compile(rf"(?<![\w])[{_UP}][{_UP}'’.-]+(?:[ \t]+[{_UP}][{_UP}'’.-]*)+(?![\w])")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CAPITAL_WORD = re.compile(rf"[{_UP}]+")
_NAME = rf"[{_UP}][{_LOW}{_UP}'’]+(?:-[{_UP}][{_LOW}{_UP}'’]+)*"
_PARTICLE = r"(?:de la|de|du|des|d'|d’|la|le|van der|van den|van|von|ben|ibn|al|el|bin|da|dos|di|mac|st\.?)"
_INITIALS = rf"(?:[{_UP}]\.(?:-?[{_UP}]\.)?[ \u00a0]?){{0,2}}"
_FULL = rf"{_INITIALS}{_NAME}(?:[ \u00a0](?:{_PARTICLE}[ \u00a0]|[{_UP}]\.[ \u00a0]?)?{_NAME}){{0,3}}"
_ANY = rf"[^\W\d_][\w'’-]{{1,30}}(?:[ \u00a0](?:{_PARTICLE}[ \u00a0])?[^\W\d_][\w'’-]{{1,30}}){{0,2}}"
_INTRODUCED = re.compile(
    r"\b(?:[Jj]e m[’']appelle|[Jj]e me nomme|[Mm]on nom (?:complet )?est|[Mm]y (?:full )?name is|[Mm]y name[’']s|"
    r"[Pp]rénom et nom :|[Nn]om complet :|[Nn]om :|[Nn]ame:|[Ff]ull name:|[Pp]atiente? ?:|[Cc]liente? ?:|[Cc]ontact ?:|"
    r"[Ss]igné :?|[Ss]igned:?|[Ss]igned by|[Dd]ear|[Cc]hère?|[Bb]onjour|[Hh]ello|[Ss]alut|Hi|[Rr]egards,|[Ss]incerely,|"
    r"[Cc]ordialement,|[Ss]alutations,|[Bb]ien à vous,|[Tt]hanks,|[Mm]erci,|[Bb]est,|[Aa]mitiés,)"
    rf"[ \t\u00a0]*\n{{0,2}}[ \t]*({_FULL})(?![\w@])"
)
_SURE_INTRODUCTION = re.compile(
    rf"\b(?:je m['’]appelle|je me nomme|mon nom (?:complet )?est|my (?:full )?name is|"
    rf"my name['’]s)[ \t\u00a0]+({_ANY})",
    re.IGNORECASE,
)
_LOWER_PAIR = re.compile(
    r"(?<![\w@./-])([a-zß-öø-ÿœ]{3,20}(?:-[a-zß-öø-ÿœ]{2,20})?)[ \u00a0]"
    r"([a-zß-öø-ÿœ]{3,20}(?:-[a-zß-öø-ÿœ]{2,20})?)(?![\w@-])"
)
_TITLED = re.compile(
    r"(?<![\w])(?:M\.|Mr\.?|Mrs\.?|Ms\.?|Miss|Mme\.?|Mlle\.?|Mmes|MM\.|Drs?\.?|Dre\.?|Prof\.?|Me|Maître|Monsieur|Madame|"
    r"Mademoiselle|Docteure?|Doctor|Professeure?|Professor|Judge|[Jj]uge|Justice|Sgt\.?|Capt\.?|Sir|Lady|[cv]s?\.)"
    rf"[ \u00a0](?:le |la )?({_FULL})(?![\w@])"
)
_GIVEN = re.compile(rf"(?<![\w@#/.]){_FULL}(?![\w@])")
_ONE_NAME = re.compile(_NAME)
_ARTICLE = re.compile(r"^(?:l['’]|la |le |les |the )")
# Institutions and waters that the French model calls places.
_NO_PLACE = re.compile(
    r"^(?:l['’]|la |le |les |the )?(?:universit|soci[ée]t|minist[èe]r|assembl[ée]e|commission|institut|"
    r"(?:cour|tribunal|hydro|[ée]cole|h[ôo]pital|banque|r[ée]gie|parti|conseil|centre|office|club|mus[ée]e|charte|code|loi|"
    r"fleuve|oc[ée]an|mer|lac|rivi[èe]re|mont|golfe|great|lake|river|mount)(?!\w))"
)
_NUMBERED = re.compile(r"[ \u00a0]?(?:[0-9]|n[°o])")
_AND_ANOTHER = re.compile(rf"(?:,| et| and| &) [{_UP}][{_LOW}]")
_WORDS = re.compile(r"[^\s,;:!?()\"«»]+")
_SENTENCE_START = re.compile(r"(?:^|[.!?:…»\"“\n•*>#-])[\s\"«“(*_-]*$")
_CODE = re.compile(r"[_=<>{}\[\]\\/|@#$%^*+~0-9]|::|\(\)|\.\w")
_EDGES = " \t\n\u00a0.,;:!?()\"'«»“”’*_-"


def visible(text: str) -> str:
    """The text as the model is shown it: runs of capitals in title case, half characters as marks; same positions."""
    text = _SURROGATE.sub("\ufffd", text)
    if not _CAPITAL_RUN.search(text):
        return text
    return _CAPITAL_RUN.sub(lambda run: _CAPITAL_WORD.sub(_title, run.group()), text)


def _title(word: re.Match[str]) -> str:
    letters = word.group()
    lowered = letters.lower()
    if len(lowered) != len(letters) or (len(letters) == 1 and word.string[word.end() : word.end() + 1] == "."):
        return letters
    return lowered if lowered in _SMALL else letters[0] + lowered[1:]


_SMALL = word_set(
    """
    le la les de du des et à au aux en un une d l que qui est pour sur par avec dans ne pas il elle je vous nous
    votre notre mon ma son sa ce cette the of and a an to in on for by with is are at from your my our this that it
    be or not
    """
)


def spans(
    text: str, entities: Iterable[Entity], taken: Sequence[tuple[int, int]], is_common: Callable[[str], bool]
) -> Iterator[Span]:
    """The names in one text: the model's, filtered, and those that need no model.

    Args:
        text: the original text.
        entities: what the model found in `visible(text)`.
        taken: where identifiers stand: a name is what is left of an entity beside them.
        is_common: whether a lower-case word is in the dictionary of the text's language.
    """
    covered = bytearray(len(text))
    for low, high in taken:
        covered[low:high] = b"\1" * (high - low)
    for span in _by_rule(text, is_common):
        covered[span.start : span.end] = b"\1" * (span.end - span.start)
        yield span
    for entity in entities:
        if entity.label in _LABELS:
            for start, end in _free(covered, entity.start, entity.end):
                if kept := _kept(text, start, end, entity.label, is_common):
                    yield kept


def _free(covered: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    low = covered.find(0, start, end)
    while low >= 0:
        high = covered.find(1, low, end)
        high = end if high < 0 else high
        yield low, high
        low = covered.find(0, high, end)


def _kept(text: str, start: int, end: int, given: str, is_common: Callable[[str], bool]) -> Span | None:
    label = _LABELS[given]
    start, end = _inside(text, start, end)
    if label == "PERSON":
        start = _after_titles(text, start, end)
    if (line := text.find("\n", start, end)) >= 0 and not _is_given(text[start:line].lower()):
        start, end = _inside(text, start, line)  # a name goes on in the next line only after a given name
    value = text[start:end]
    words = _WORDS.findall(value)
    if not words or len(value) < 2 or "\n\n" in value or _CODE.search(value) or len(words) > 7:
        return None
    lowered = value.lower()
    if (
        _ARTICLE.sub("", lowered) in LARGE_PLACES
        or lowered in NOT_NAMES
        or all(_is_filler(word, is_common) for word in words)
    ):
        return None
    if label == "LOCATION" and _NO_PLACE.match(lowered):
        return None
    if value == lowered and not any(word in GIVEN_NAMES or word in SURNAMES for word in words):
        return None
    if len(words) == 1 and not _single(text, start, value, label, is_common):
        return None
    return Span(start, end, label, 0.6, f"ner.{given.lower()}")


def _is_filler(word: str, is_common: Callable[[str], bool]) -> bool:
    plain = word.strip(_EDGES).lower()
    return (
        plain in NOT_NAMES
        or plain in _SMALL
        or plain in TITLES
        or (word == plain and is_common(plain) and plain not in GIVEN_NAMES)
    )


def _single(text: str, start: int, value: str, label: str, is_common: Callable[[str], bool]) -> bool:
    """Whether one word on its own is a name."""
    lowered = value.lower()
    if lowered in GIVEN_NAMES or lowered in SURNAMES:
        return True
    if value.isupper():
        return len(value) > 5 and not is_common(lowered)
    plain = lowered.partition("'")[0] if "'" in lowered else lowered.partition("-")[0]
    begins = bool(_SENTENCE_START.search(text[max(0, start - 8) : start]))
    if begins and (is_common(lowered) or is_common(plain)):
        return False
    return not (
        label == "PERSON"
        and is_common(lowered)
        and lowered.endswith(("s", "e", "ing", "ed", "er", "ez", "tion", "ment"))
    )


def _by_rule(text: str, is_common: Callable[[str], bool]) -> Iterator[Span]:
    for pattern, rule, score in ((_TITLED, "titled", 0.7), (_INTRODUCED, "introduced", 0.65)):
        for match in pattern.finditer(text):
            start = _after_titles(text, *match.span(1))
            value = text[start : match.end(1)]
            if all(_is_filler(word, is_common) for word in _WORDS.findall(value)):
                continue
            if rule == "titled" or not is_common(value.lower()) or value.lower() in GIVEN_NAMES:
                yield Span(start, match.end(1), "PERSON", score, f"names.{rule}")
    for match in _SURE_INTRODUCTION.finditer(text):
        end = match.start(1)
        for word in _WORDS.finditer(text, *match.span(1)):
            lowered = word.group().strip(_EDGES).lower()
            if word.group().islower() and not _is_listed(lowered) and (lowered in _SMALL or is_common(lowered)):
                break
            end = word.end()
        if end > match.start(1):
            yield Span(match.start(1), end, "PERSON", 0.7, "names.introduced")
    match_at = _LOWER_PAIR.search(text)
    while match_at is not None:
        given, family = match_at.groups()
        if _is_given(given) and family in SURNAMES and not (is_common(given) and is_common(family)):
            yield Span(match_at.start(), match_at.end(), "PERSON", 0.6, "names.lower_case")
        match_at = _LOWER_PAIR.search(text, match_at.end(1))
    for match in _GIVEN.finditer(text):
        yield from _by_lists(text, match, is_common)


def _is_given(lowered: str) -> bool:
    return lowered in GIVEN_NAMES or lowered.partition("-")[0] in GIVEN_NAMES


def _is_listed(lowered: str) -> bool:
    return _is_given(lowered) or lowered in SURNAMES


def _by_lists(text: str, match: re.Match[str], is_common: Callable[[str], bool]) -> Iterator[Span]:
    """A given name, alone or with what follows it ("Sophie Roy"), and what stands before a surname ("Xyz Tremblay")."""
    words = list(_ONE_NAME.finditer(match.group()))
    begins = bool(_SENTENCE_START.search(text[max(0, match.start() - 8) : match.start()]))
    for index, word in enumerate(words):
        lowered = word.group().lower().removesuffix("'s").removesuffix("’s")
        start = match.start() + word.start()
        after = words[index + 1] if index + 1 < len(words) else None
        if _is_given(lowered):
            family = next((one for one in words[:index] if one.group().lower() in SURNAMES), None)
            if family is not None:  # "Nguyen Van Minh"
                start = match.start() + family.start()
            if after is not None and after.group().lower() not in NOT_NAMES:
                yield Span(
                    start, match.start() + words[min(index + 2, len(words) - 1)].end(), "PERSON", 0.6, "names.given"
                )
            elif _NUMBERED.match(text, match.start() + word.end()):
                return  # "Bill 96"
            elif (
                lowered not in LARGE_PLACES
                and lowered not in NOT_NAMES
                and not (begins and index == 0 and _doubtful(text, match, is_common))
            ):
                yield Span(start, match.start() + word.start() + len(lowered), "PERSON", 0.55, "names.given")
            return
        if after is not None and after.group().lower() in SURNAMES and lowered not in TITLES:
            unusual = not is_common(lowered) and lowered not in NOT_NAMES
            if unusual or (
                not (begins and index == 0) and not is_common(after.group().lower()) and lowered not in NOT_NAMES
            ):
                yield Span(start, match.start() + after.end(), "PERSON", 0.55, "names.surname")
                return


def _doubtful(text: str, match: re.Match[str], is_common: Callable[[str], bool]) -> bool:
    """Whether a given name that begins a sentence may be a common word there."""
    return is_common(match.group().lower()) and not _AND_ANOTHER.match(text, match.end())


def _after_titles(text: str, start: int, end: int) -> int:
    """Skip "Bonjour", "Mme", "Dr." at the start of a name."""
    while word := _WORDS.match(text, start, end):
        plain = word.group().lower()
        if plain not in TITLES and plain.rstrip(".") not in NOT_NAMES:
            break
        start = word.end()
        while start < end and text[start] in _EDGES:
            start += 1
    return start


def _inside(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    if text[end - 2 : end] in {"'s", "’s"}:
        end -= 2
    return start, end
