"""What a labelled text is: the text, and where in it personal data stands. Positions are code points, end exclusive.

A label covers the value and nothing around it: no title ("Me", "Dr"), no "NAS :", no quotation mark. An address is one
label from its number to its postal code, with city and province. A `neutral` range is left out of every count: a city
where somebody lives, a telephone extension, an expiry date are neither personal enough to be missed nor innocent
enough to be wrongly masked.
"""

from __future__ import annotations

from dataclasses import dataclass

SECTIONS = ("structured", "addresses", "names", "mixed", "obfuscated", "prose", "innocent")
CATEGORIES = ("structured", "addresses", "names", "obfuscated", "prose")
_BY_KIND = {"PERSON": "names", "ADDRESS": "addresses", "POSTAL_CODE": "addresses"}


@dataclass(frozen=True, slots=True)
class Label:
    """One piece of personal data.

    Attributes:
        kind: what it is, such as `PHONE`.
        form: how it was made and written, such as `phone.fr` or `person.last|upper`: misses are grouped by it.
    """

    start: int
    end: int
    kind: str
    form: str


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One text of the corpus.

    Attributes:
        template: what it was made from; texts of one template are not independent of each other.
        neutral: ranges that count neither way.
    """

    split: str
    section: str
    language: str
    template: str
    text: str
    labels: tuple[Label, ...]
    neutral: tuple[tuple[int, int], ...]

    def category(self, label: Label) -> str:
        """What the label counts for: its kind, unless the whole text is obfuscated or prose."""
        if self.section in {"obfuscated", "prose"}:
            return self.section
        return _BY_KIND.get(label.kind, "structured")
