"""The texts of the console, one key for each, English and French; `<area>.<language>.yaml` beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from console.settings import LANGUAGES, Language

_FOLDER = Path(__file__).parent


class Words:
    """The texts of one language: `words("chat.send")`, `words("chat.left", count=3)`."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._texts = texts(language)

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, with `{name}` filled in. Raises: KeyError, for a key that is none."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Whether there is such a key; for codes that the API may invent after us."""
        return key in self._texts


@cache
def texts(language: Language) -> MappingProxyType[str, str]:
    """All texts of a language, merged from the areas.

    Raises:
        ValueError: a key stands twice.
        TypeError: a value is no text.
    """
    merged: dict[str, str] = {}
    for path in sorted(_FOLDER.glob(f"*.{language}.yaml")):
        for key, value in (yaml.safe_load(path.read_text("utf-8")) or {}).items():
            if key in merged:
                raise ValueError(f"{path.name}: {key} stands twice")
            if not isinstance(value, str):
                raise TypeError(f"{path.name}: {key} is no text")
            merged[key] = value
    return MappingProxyType(merged)


def other(language: Language) -> Language:
    """The language that the page's switch leads to."""
    return next(each for each in LANGUAGES if each != language)
