"""Texts written one by one, without templates: letters, forms, chats, logs, prose, and texts about nobody.

Their writers had seen neither the rules nor each other's texts. In `data/letters/<split>.<language>` a value is marked
where it stands, `⟦KIND|value⟧`; the kind `~` counts neither way; `⏎` is a line end. A line that begins with `o|` holds
disguised values, `p|` is prose, `i|` names nobody. `␟` is left out: with it no scanner takes an invented key for a real
one.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache

from bench.pii.labels import Label, LabelledText
from bench.pii.source import DATA

SPLITS = {"letters": "dev", "letters-held": "held"}
"""What `--split` calls them, and their files."""
LANGUAGES = ("en", "fr")
_SECTIONS = {"o": "obfuscated", "p": "prose", "i": "innocent"}
_VALUE = re.compile(r"⟦([^|⟦⟧]+)\|([^⟦⟧]*)⟧")
_LEFT_OUT = "␟"


@cache
def letters(split: str) -> tuple[LabelledText, ...]:
    """All texts of a split, English ones first.

    Args:
        split: of `SPLITS`.
    """
    return tuple(
        labelled(line, split, language)
        for language in LANGUAGES
        for line in (DATA / "letters" / f"{SPLITS[split]}.{language}").read_text("utf-8").splitlines()
    )


def labelled(line: str, split: str, language: str) -> LabelledText:
    """One line as a labelled text.

    Raises:
        ValueError: a mark that does not close, or a value in a text about nobody.
    """
    head, _, rest = line.partition("|")
    section, body = (_SECTIONS[head], rest) if head in _SECTIONS else ("mixed", line)
    body = body.replace("⏎", "\n").replace(_LEFT_OUT, "")
    text, at = "", 0
    labels: list[Label] = []
    neutral: list[tuple[int, int]] = []
    for match in _VALUE.finditer(body):
        text += body[at : match.start()]
        start, at = len(text), match.end()
        text += match[2]
        if match[1] == "~":
            neutral.append((start, len(text)))
        else:
            labels.append(Label(start, len(text), match[1], f"{match[1].lower()}.written"))
    text += body[at:]
    if "⟦" in text or "⟧" in text or (labels and section == "innocent"):
        raise ValueError(f"a mark that does not close, or a value where nobody is named: {line[:40]}")
    name = hashlib.sha256(line.encode()).hexdigest()[:8]
    return LabelledText(split, section, language, f"letters.{language}.{name}", text, tuple(labels), tuple(neutral))
