r"""Labelled texts from templates: see `data/`.

A template is a line. `[a|b]` is a choice and may be nested, `⏎` a line end, `\\` before a bracket or brace keeps it.
`{1}` is the full name of the text's first person, `{1f}` the given name, `{1s}` the family name, `{1x}` any of the ways
to call somebody, `{1r}` family name first, `{1u}` in capitals, `{1g}` the given name and a numeral
(Louis XIV), `{1d}` with a particle (Samuel de Champlain), `{1a}` with initials, `{L}` the town where somebody lives,
`{A}` his address. `{P}`, `{F}` and
`{S}` are names that stand for something else (a street, a company) and are not labelled. Other keys are lists.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from random import Random
from string import ascii_uppercase
from typing import NamedTuple

from . import values
from .pools import DATA, Person, Pool, latin
from .values import BARE

KINDS = ("daily", "legal", "prose", "noise", "innocent", "world")
_WEIGHTS = {"daily": 27, "legal": 13, "prose": 21, "noise": 16, "innocent": 17, "world": 14, "forms": 8}
_INNERMOST = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([^{}]+)\}")
_KEPT = {"\\[": "\ue000", "\\]": "\ue001", "\\{": "\ue002", "\\}": "\ue003", "\\|": "\ue004"}
_BACK = {"\ue000": "[", "\ue001": "]", "\ue002": "{", "\ue003": "}", "\ue004": "|"}
_TITLES = {
    "fr": ["M.", "Mme", "monsieur", "madame", "Monsieur", "Madame", "Me", "Dr", "Dre", "Mlle", "Mme.", "M"],
    "en": ["Mr.", "Mrs.", "Ms.", "Dr.", "Mr", "Ms", "Mrs", "Miss", "Prof."],
}


class Labelled(NamedTuple):
    """A text, the spans of names (`PERSON`) and of places where somebody lives (`LOCATION`), and its language."""

    text: str
    spans: list[tuple[int, int, str]]
    language: str


@cache
def templates(name: str) -> list[str]:
    """The templates of a file."""
    lines = (DATA / name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@cache
def lists() -> dict[str, list[str]]:
    """The lists of `lists.words`."""
    found: dict[str, list[str]] = {}
    for line in (DATA / "lists.words").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            key, _, entries = line.partition(" = ")
            found[key] = entries.split(" | ")
    return found


@cache
def towns() -> list[str]:
    """Towns and regions of many countries, from the Faker package."""
    found: set[str] = set()
    for module in pkgutil.iter_modules(import_module("faker.providers.address").__path__):
        provider = import_module(f"faker.providers.address.{module.name}").Provider
        for key in (
            "cities",
            "villages",
            "municipalities",
            "states",
            "departments",
            "regions",
            "province_lgus",
            "provinces",
        ):
            values = sorted(getattr(provider, key, ()), key=str)  # some are sets
            names = [value if isinstance(value, str) else value[-1] for value in values[:: max(1, len(values) // 700)]]
            found.update(name for name in names if len(name) > 3 and latin(name))
    return sorted(found)


@cache
def frequent(language: str) -> tuple[list[str], list[str]]:
    """The small words of a language, and common words, some of which are names too."""
    provider = import_module(f"faker.providers.lorem.{'fr_FR' if language == 'fr' else 'en_US'}").Provider
    small, both = (lists()[f"{key}.{language}"] for key in ("small", "both"))
    return small, [word.lower() for word in provider.word_list] + both


class Writer:
    """Fills templates.

    Args:
        pool: where persons come from.
        words: common words of each language.
    """

    def __init__(self, pool: Pool, words: dict[str, list[str]]) -> None:
        self._pool = pool
        self._words = words
        self._towns = lists()["city"] * 4 + towns()

    def text(self, random: Random) -> Labelled:
        """One text of one to four templates."""
        language = random.choice(("fr", "en"))
        count = random.choices((1, 2, 3, 4), (50, 25, 15, 10))[0]
        persons: dict[str, Person] = {}
        text, spans = "", []
        kind = ""
        for _ in range(count):
            if not kind or random.random() < 0.6:
                kind = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
            chosen = templates("forms.any" if kind == "forms" else f"{kind}.{language}")
            if count > 1 and random.random() < 0.3:
                persons = {}
            piece, marks = self._fill(random.choice(chosen), random, language, persons)
            if text:
                text += random.choices((" ", "\n", "\n\n"), (60, 25, 15))[0]
            spans += [(start + len(text), end + len(text), label) for start, end, label in marks]
            text += piece
        return Labelled(text, spans, language)

    def _fill(
        self, template: str, random: Random, language: str, persons: dict[str, Person]
    ) -> tuple[str, list[tuple[int, int, str]]]:
        for written, kept in _KEPT.items():
            template = template.replace(written, kept)
        while _INNERMOST.search(template):
            template = _INNERMOST.sub(lambda match: random.choice(match.group(1).split("|")), template)
        text, spans, at = "", [], 0
        for slot in _SLOT.finditer(template):
            text += _plain(template[at : slot.start()])
            at = slot.end()
            key = slot.group(1)
            label = ""
            if key[0].isdigit() and not key[1:].isdigit():
                person = persons.setdefault(key[0], Person(self._pool, random))
                value, label = person.form(key[1:]), "PERSON"
            elif key == "A":
                value, label = (
                    values.street_address(
                        self._pool, random, language, random.choice(self._words[language]), self._towns
                    ),
                    "LOCATION",
                )
            elif key == "L":
                value, label = random.choice(lists()["city"] * 4 + lists()["land"]), "LOCATION"
            else:
                value = self._value(key, random, language)
            if not text and value[:1].islower() and not label:
                value = value[0].upper() + value[1:]
            if label:
                spans.append((len(text), len(text) + len(value), label))
            text += value
        return text + _plain(template[at:]), spans

    def _value(self, key: str, random: Random, language: str) -> str:
        options = lists().get(f"{key.lower()}.{language}") or lists().get(key.lower())
        if options:
            value = random.choice(options)
            return value.upper() if key.isupper() and key != "L" else value
        origin = self._pool.origin(random)
        if key in {"F", "S", "P"}:
            given, family = self._pool.given(random, origin), self._pool.family(random, origin)
            joined = "-" if language == "fr" and random.random() < 0.6 else " "
            return {"F": given, "S": family, "P": f"{given}{joined}{family}"}[key]
        word = random.choice(self._words[language])
        makers: dict[str, Callable[[], str]] = {
            "word": lambda: word,
            "Word": lambda: word[0].upper() + word[1:],
            "WORD": word.upper,
            "words": lambda: self._clause(random, language),
            "Words": lambda: self._clause(random, language).capitalize(),
            "town": lambda: random.choice(towns()),
            "Ent": lambda: self._thing(random, language),
            "AB": lambda: "".join(random.choices(ascii_uppercase, k=random.randint(2, 5))),
            "Ti": lambda: random.choice(_TITLES[language]),
            "n": lambda: str(int(10 ** random.uniform(0, 4))),
            "year": lambda: str(random.randint(1800, 2026)),
            "time": lambda: values.time_of_day(random, language),
            "date": lambda: values.date(random, language, lists()[f"month.{language}"]),
            "money": lambda: values.money(random, language),
            "phone": lambda: f"{random.randint(201, 989)}-{random.randint(200, 999)}-{random.randint(0, 9999):04}",
            "email": lambda: values.mail_address(self._pool, random, word),
            "hex": lambda: "".join(random.choices("0123456789abcdef", k=random.choice((7, 12, 40, 64)))),
            "dossier": lambda: f"{random.randint(100, 999)}-{random.randint(10, 99)}-{random.randint(0, 999999):06}",
            "place0": lambda: random.choice(lists()["city"]),
            "blank": lambda: "_" * random.randint(5, 20),
        }
        return makers[key]()

    def _clause(self, random: Random, language: str) -> str:
        """A few words in a row, as they follow each other in no sentence: small ones and rare ones."""
        small, common = frequent(language)
        words = []
        for _ in range(random.randint(2, 9)):
            chance = random.random()
            words.append(
                random.choice(small) if chance < 0.4 else random.choice(common) if chance < 0.75
                else random.choice(self._words[language])
            )  # fmt: skip
        return " ".join(words)

    def _thing(self, random: Random, language: str) -> str:
        """A name of a thing: made of words, of a place, of a person's name, or of nothing."""
        word = random.choice(frequent(language)[1] if random.random() < 0.5 else self._words[language]).capitalize()
        other = random.choice(self._words[random.choice(("fr", "en"))]).capitalize()
        return random.choice(
            (
                lambda: word, lambda: f"{word} {other}", lambda: f"{word} {other}",
                lambda: f"The {word}s" if language == "en" else f"Les {word}s",
                lambda: f"{word} of {other}" if language == "en" else f"{word} de la {other.lower()}",
                lambda: f"{word} {other} {random.choice(frequent(language)[1]).capitalize()}",
                lambda: word + other.lower()[-4:], (word[:3] + other[:4]).capitalize,
                lambda: "".join(random.choices(ascii_uppercase, k=random.randint(2, 5))),
                lambda: f"{word}{random.randint(1, 99)}", lambda: random.choice(towns()),
                lambda: f"{random.choice(towns())} {word}", lambda: f"{self._value('S', random, language)} {word}",
                lambda: f"{word}-{other}", lambda: random.choice(lists()["tech"]),
                lambda: random.choice(lists()["brand"]),
            )
        )()  # fmt: skip


def _plain(text: str) -> str:
    text = text.replace("⏎", "\n")
    for kept, written in _BACK.items():
        text = text.replace(kept, written)
    return text


def written(label: Labelled, random: Random) -> Labelled:
    """The same text as people write who have no time: in lower case, in capitals, without accents."""
    text, spans, language = label
    chance = random.random()
    changed = text
    if chance < 0.10:
        changed = text.lower()
    elif chance < 0.15:
        changed = _within(text, spans, str.lower)
    elif chance < 0.20:
        changed = text.upper()
    elif chance < 0.26:
        changed = _within(text, spans, str.upper)
    elif chance < 0.28:
        changed = text.title()
    if len(changed) != len(text):
        changed = text
    if random.random() < 0.10:
        bare = "".join(BARE.get(character, character) for character in changed)
        changed = bare
    if random.random() < 0.15:
        changed = changed.replace("'", "’")
    return Labelled(changed, spans, language)


def _within(text: str, spans: list[tuple[int, int, str]], change: Callable[[str], str]) -> str:
    parts, at = [], 0
    for start, end, _ in spans:
        parts += [text[at:start], change(text[start:end])]
        at = end
    return "".join((*parts, text[at:]))


def many(writer: Writer, count: int, seed: int) -> Iterator[Labelled]:
    """`count` texts, the same for the same seed."""
    random = Random(seed)
    for _ in range(count):
        yield written(writer.text(random), random)
