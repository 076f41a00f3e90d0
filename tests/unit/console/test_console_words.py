"""English and French have the same texts, each is used, and each that is used is there."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.words import Words, texts

CONSOLE = Path(__file__).parents[3] / "console"
#: Keys that are built from what the API says: `failure.` and a code, an entity, a role…
BUILT = re.compile(r"[a-z_]+\.[a-z_.]*")


def trees() -> Iterator[ast.Module]:
    for path in CONSOLE.rglob("*.py"):
        yield ast.parse(path.read_text("utf-8"))


def used() -> Iterator[tuple[str, bool]]:
    """(key or beginning of one, whether it is whole) of every text in the sources that may be a key."""
    for tree in trees():
        nodes = list(ast.walk(tree))
        parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
                yield node.value, True
            elif isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
                start = str(node.values[0].value)
                if BUILT.fullmatch(start) and start.partition(".")[0] in areas():
                    yield start, False


def asked() -> Iterator[str]:
    """The literal keys of `words("…")`."""
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name == "words":
                    yield str(node.args[0].value)


def areas() -> set[str]:
    return {key.split(".")[0] for key in texts("en")}


def test_both_languages_have_the_same_keys() -> None:
    assert set(texts("en")) == set(texts("fr"))


def test_both_languages_fill_in_the_same_values() -> None:
    def names(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    for key, text in texts("en").items():
        assert names(text) == names(texts("fr")[key]), key


def test_every_text_that_is_asked_for_is_there() -> None:
    known = set(texts("en"))
    assert [key for key in asked() if key not in known] == []
    begun = [start for start, whole in used() if not whole]
    assert [start for start in begun if not any(key.startswith(start) for key in known)] == []


def test_every_text_is_asked_for() -> None:
    found = set(used())
    whole = {key for key, exact in found if exact}
    begun = tuple(key for key, exact in found if not exact)
    assert [key for key in texts("en") if key not in whole and not key.startswith(begun)] == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_texts_keep_to_their_language(language: str) -> None:
    other = re.compile(
        r"\b(?:the|your|with|cannot|please|not)\b" if language == "fr" else r"\b(?:les?|des|votre|vous|avec|une)\b",
        re.IGNORECASE,
    )
    for key, text in texts(language).items():  # type: ignore[arg-type]
        assert not other.search(re.sub(r"[“«].*?[”»]|\([^)]*/[^)]*\)", "", text)), (key, text)


def test_nothing_promises_compliance() -> None:
    for language in ("en", "fr"):
        for key, text in texts(language).items():  # type: ignore[arg-type]
            assert not re.search(r"\bcompl(?:y|ies|iant)\b|\bconforme(?:s)? (?:à|au)\b", text, re.IGNORECASE), key


def test_a_text_that_is_none_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Words("en")("chat.no_such_text")
