"""From a template to a labelled text.

A template is one line; `⏎` is a line end, `⇥` a tab, `[[one|two]]` a choice, `{{` a brace. A slot in braces is

    {phone}          an identifier, labelled            {phone|zw}   disguised; `|obf` as suits it; `|upper`
    {1} {2f:last}    person 1; 2, a woman, by surname   {de 1}       "d'" or "de " before the label
    {1:email}        what belongs to that person        {1?M.|Mme}   by that person's sex, not labelled
    {=date}          nobody's value, not labelled       {~city}      neutral: counted neither way
"""

from __future__ import annotations

import hashlib
import re
from random import Random

from bench.pii.disguise import DISGUISES, STYLES, suited
from bench.pii.identifiers import IDENTIFIERS
from bench.pii.labels import Label, LabelledText
from bench.pii.people import Cast, plain
from bench.pii.source import Draw, source
from bench.pii.trivia import TRIVIA

_CHOICE = re.compile(r"\[\[(.*?)\]\]")
_SLOT = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
_SEX = re.compile(r"(\d)([mf]?)\?(.*)\|(.*)")
_PERSON = re.compile(r"(de |que )?(\d)([mf]?)(?::(\w+))?")
_MIDDLE_INITIAL = 0.08  # how often a full name has one
_BELONGINGS = {
    "email": "EMAIL", "ramq": "RAMQ", "licence": "DRIVER_LICENCE", "nir": "NIR", "birth": "BIRTH_DATE",
}  # fmt: skip


def template_id(section: str, language: str, template: str) -> str:
    """A name that stays when other templates come and go."""
    return f"{section}.{language}.{hashlib.sha256(template.encode()).hexdigest()[:8]}"


class Filler:
    """Fills one template once.

    Args:
        number: which filling of the template; the same number gives the same text.
    """

    def __init__(self, split: str, section: str, language: str, template: str, number: int) -> None:
        self._split, self._section, self._language, self._template = split, section, language, template
        self._id = template_id(section, language, template)
        random = Random(f"{split} {self._id} {number}")
        self._draw = Draw(source(split), random, language)
        self._cast = Cast(split, random)
        self._text = ""
        self._labels: list[Label] = []
        self._neutral: list[tuple[int, int]] = []

    def fill(self) -> LabelledText:
        """The labelled text.

        Raises:
            ValueError, KeyError: the template asks for something that there is not.
        """
        random = self._draw.random
        line = _CHOICE.sub(lambda match: random.choice(match[1].split("|")), self._template)
        line = line.replace("⏎", "\n").replace("⇥", "\t")
        at = 0
        for match in _SLOT.finditer(line):
            self._text += line[at : match.start()]
            at = match.end()
            if match[1] is None:
                self._text += match[0][0]
            else:
                self._slot(match[1])
        self._text += line[at:]
        return LabelledText(
            self._split, self._section, self._language, self._id, self._text, tuple(self._labels), tuple(self._neutral)
        )

    def _slot(self, slot: str) -> None:
        if sex := _SEX.fullmatch(slot):
            person = self._cast.person(sex[1], sex[2])
            self._text += sex[4] if person.female else sex[3]
            return
        body, _, style = slot.partition("|")
        if body.startswith("="):
            self._text += self._styled(self._unlabelled(body[1:]), style, "")[0]
        elif body.startswith("~"):
            start = len(self._text)
            self._text += self._styled(self._unlabelled(body[1:]), style, "")[0]
            self._neutral.append((start, len(self._text)))
        elif person_slot := _PERSON.fullmatch(body):
            self._of_person(person_slot, style)
        else:
            kind, make = IDENTIFIERS[body]
            self._label(make(self._draw), kind, body, style)

    def _of_person(self, slot: re.Match[str], style: str) -> None:
        before, number, sex, form = slot.groups()
        person = self._cast.person(number, sex)
        if form in _BELONGINGS:
            value = str(getattr(person, form)(self._draw))
            self._label(value, _BELONGINGS[form], form, style)
            return
        form = form or ("mid" if self._draw.random.random() < _MIDDLE_INITIAL else "full")
        value = person.named(form)
        if before:
            vowel = plain(value)[0].lower() in "aeiou"
            self._text += before[:-2] + "'" if vowel else before
        self._label(value, "PERSON", f"person.{form}", style)

    def _unlabelled(self, name: str) -> str:
        if name in TRIVIA:
            return TRIVIA[name](self._draw)
        if name in IDENTIFIERS:
            return IDENTIFIERS[name][1](self._draw)
        return self._draw.some(name)

    def _label(self, value: str, kind: str, form: str, style: str) -> None:
        written, name = self._styled(value, style, kind)
        start = len(self._text)
        self._text += written
        self._labels.append(Label(start, len(self._text), kind, f"{form}|{name}" if name else form))

    def _styled(self, value: str, style: str, kind: str) -> tuple[str, str]:
        if not style:
            return value, ""
        if style == "obf":
            style = self._draw.random.choice(suited(kind))
        if style in STYLES:
            return STYLES[style](value), style
        return DISGUISES[style](self._draw, value), style
