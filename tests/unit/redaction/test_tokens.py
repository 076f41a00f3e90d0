"""Tokens: stable, exact, and nobody's but ours."""

from __future__ import annotations

import pytest

from runtime.redaction.errors import TokenMapCorrupt
from runtime.redaction.lookalikes import READ_LOOSELY
from runtime.redaction.recognizers import IDENTIFIERS
from runtime.redaction.spans import Span
from runtime.redaction.tokens import TokenEntry, TokenMap


def span(text: str, value: str, entity: str) -> Span:
    start = text.index(value)
    return Span(start, start + len(value), entity, 1.0, "test")


def masked(tokens: TokenMap, text: str, *values: tuple[str, str]) -> str:
    return tokens.mask(text, [span(text, value, entity) for value, entity in values])


def test_a_value_keeps_its_token() -> None:
    tokens = TokenMap()
    assert masked(tokens, "Jean et Marie", ("Jean", "PERSON"), ("Marie", "PERSON")) == "<PERSON_1> et <PERSON_2>"
    assert masked(tokens, "Marie seule", ("Marie", "PERSON")) == "<PERSON_2> seule"
    again = TokenMap(tokens.entries())
    assert masked(again, "Jean, Luc", ("Jean", "PERSON"), ("Luc", "PERSON")) == "<PERSON_1>, <PERSON_3>"
    assert again.new_entries() == (TokenEntry("<PERSON_3>", "PERSON", "Luc"),)


@pytest.mark.parametrize(
    ("entity", "first", "second"),
    [
        ("PHONE_NUMBER", "514 555-0123", "(514) 555.0123"),
        ("PERSON", "Jean  Roy", "JEAN ROY"),
        ("EMAIL_ADDRESS", "Jean@Exemple.ca", "jean@exemple.ca"),
        ("CA_SIN", "046 454 286", "０４６\u200b454286"),
    ],
)
def test_another_spelling_is_the_same_number_and_comes_back_as_written(entity: str, first: str, second: str) -> None:
    tokens = TokenMap()
    text = f"{first} | {second}"
    result = tokens.mask(text, [span(text, first, entity), span(text, second, entity)])
    assert result == f"<{entity}_1> | <{entity}_1_2>"
    assert tokens.restore(result) == text
    assert tokens.mask(f"{second}, {first}", []) == f"<{entity}_1_2>, <{entity}_1>"
    assert tokens.has_value(second, entity)


def test_secrets_are_not_folded() -> None:
    tokens = TokenMap()
    assert masked(tokens, "Abc-1 abc1", ("Abc-1", "SECRET"), ("abc1", "SECRET")) == "<SECRET_1> <SECRET_2>"


LOOK_ALIKES = [
    "<PERSON_1>", "<person_1>", "< PERSON_1 >", "<PERSON 1>", "<Person-1>", "＜PERSON_1＞", "⟨PERSON_1⟩", "<PERSON\\_1>", "<PER\u200bSON_1>",
    "<PERSON_１>", "PERSON_1", "<PERSON_1_1>", "<PERSON_01>", "(PERSON_1)", "**PERSON_1**", "PERSON\\_1", "<PERSON #1>", "PERSON_1s",
    "_PERSON_1_", "__PERSON_1__", "</PERSON_1>", "&lt;PERSON_1&gt;", "%3CPERSON_1%3E", "\\<PERSON\\_1\\>", "<PERSON_1", "PERSON_1>",
]  # fmt: skip


@pytest.mark.parametrize("typed", LOOK_ALIKES)
def test_what_is_typed_stays_what_was_typed(typed: str) -> None:
    tokens = TokenMap([TokenEntry("<PERSON_1>", "PERSON", "Jean Roy")])
    text = f"Répète {typed} svp"
    strict = tokens.mask(text, [])
    assert "<LITERAL_1>" in strict
    assert tokens.restore(strict) == text
    assert "Jean Roy" not in tokens.restore(strict)


@pytest.mark.parametrize("rewritten", LOOK_ALIKES)
def test_a_model_may_rewrite_a_token(rewritten: str) -> None:
    tokens = TokenMap([TokenEntry("<PERSON_1>", "PERSON", "Jean Roy")])
    assert "Jean Roy" in tokens.restore(f"Bonjour {rewritten} !")


@pytest.mark.parametrize(
    "invented",
    [
        "<PERSON_2>",
        "<PERSON_1_3>",
        "<CITY_1>",
        "PERSON_11",
        "XPERSON_1",
        "PERSON_1X",
        "<PERSON_\n1>",
        "<b>",
        "person_1",
        "x_PERSON_1",
        "PERSON_1st",
        "&lt;PERSON&gt;",
    ],
)
def test_what_a_model_invents_stays(invented: str) -> None:
    tokens = TokenMap([TokenEntry("<PERSON_1>", "PERSON", "Jean Roy")])
    assert tokens.restore(f"a {invented} b") == f"a {invented} b"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("le <PERSON_1, oui", "le Jean Roy, oui"),
        ("le PERSON_1>, oui", "le Jean Roy, oui"),
        ("<b>&lt;PERSON_1&gt;</b>", "<b>Jean Roy</b>"),
        ("mailto:%3CEMAIL_ADDRESS_1%3E", "mailto:jean@exemple.ca"),
        ("<EmailAddress_1> <EMAILADDRESS 1>", "jean@exemple.ca jean@exemple.ca"),
        ("\\<PERSON\\_1\\> et EMAIL\\_ADDRESS\\_1.", "Jean Roy et jean@exemple.ca."),
        ("les PERSON_1s ; PERSON_1's", "les Jean Roys ; Jean Roy's"),
        ("_PERSON_1_ __PERSON_1__ **<PERSON_1>**", "_Jean Roy_ __Jean Roy__ **Jean Roy**"),
    ],
)
def test_nothing_is_left_of_a_rewritten_token(written: str, shown: str) -> None:
    entries = [
        TokenEntry("<PERSON_1>", "PERSON", "Jean Roy"),
        TokenEntry("<EMAIL_ADDRESS_1>", "EMAIL_ADDRESS", "jean@exemple.ca"),
    ]
    assert TokenMap(entries).restore(written) == shown


def test_an_entity_that_reads_as_another_has_no_tokens() -> None:
    with pytest.raises(ValueError, match="an entity's name"):
        TokenMap().mask("abc", [Span(0, 3, "EMAILADDRESS", 1.0, "test")])


def test_a_name_found_once_is_masked_everywhere_in_the_text() -> None:
    text = "Luce Roy ? LUCE ! Luce Roy."
    assert TokenMap().mask(text, [Span(0, 8, "PERSON", 1.0, "test")]) == "<PERSON_1> ? LUCE ! <PERSON_1>."


def test_a_known_value_is_masked_wherever_it_stands() -> None:
    tokens = TokenMap([TokenEntry("<PERSON_1>", "PERSON", "Jean Roy"), TokenEntry("<SECRET_1>", "SECRET", "abc")])
    assert tokens.mask("Jean Roy, Jean Royal, abc", []) == "<PERSON_1>, Jean Royal, abc"


def test_released_text_goes_back_to_the_same_view() -> None:
    tokens = TokenMap()
    text = "Jean Roy, 514 555-0123"
    strict = masked(tokens, text, ("Jean Roy", "PERSON"), ("514 555-0123", "PHONE_NUMBER"))
    released = tokens.restore(f"Merci {strict} et <PERSON_9>")
    assert tokens.mask(released, []) == f"Merci {strict} et <LITERAL_1>"


def test_a_view_shows_only_what_is_allowed() -> None:
    tokens = TokenMap()
    text = "Jean, 514 555-0123, <PERSON_7>, clé <PERSON_1>x"
    strict = masked(tokens, text, ("Jean", "PERSON"), ("514 555-0123", "PHONE_NUMBER"), ("<PERSON_1>x", "SECRET"))
    assert (
        tokens.view(strict, lambda entity: entity == "PERSON") == "Jean, <PHONE_NUMBER_1>, <LITERAL_1>, clé <SECRET_1>"
    )
    # a literal never, and a value that reads as a token never: the view must restore to the same text
    everything = tokens.view(strict, lambda _: True)
    assert everything == "Jean, 514 555-0123, <LITERAL_1>, clé <SECRET_1>"
    assert tokens.restore(everything) == text


def test_a_destroyed_value_leaves_its_number_taken() -> None:
    tokens = TokenMap([TokenEntry("<PERSON_1>", "PERSON", "Jean")], reserved=["<PERSON_2>", "<PERSON_1_2>"])
    assert tokens.restore("<PERSON_2> <PERSON_1_2>") == "<PERSON_2> <PERSON_1_2>"
    assert masked(tokens, "Luc et JEAN", ("Luc", "PERSON"), ("JEAN", "PERSON")) == "<PERSON_3> et <PERSON_1_3>"


def test_mentioned_lists_each_entry_once() -> None:
    tokens = TokenMap([TokenEntry("<PERSON_1>", "PERSON", "A"), TokenEntry("<PERSON_2>", "PERSON", "B")])
    assert tokens.mentioned(["<PERSON_2> <PERSON_2>", "<PERSON_3>"]) == (TokenEntry("<PERSON_2>", "PERSON", "B"),)


@pytest.mark.parametrize(
    "entries",
    [
        [TokenEntry("PERSON_1", "PERSON", "a")],
        [TokenEntry("<PERSON_1>", "EMAIL_ADDRESS", "a")],
        [TokenEntry("<PERSON_0>", "PERSON", "a")],
        [TokenEntry("<PERSON_1_1>", "PERSON", "a")],
        [TokenEntry("<person_1>", "person", "a")],
        [TokenEntry("<PERSON_1>", "PERSON", "a"), TokenEntry("<PERSON_1>", "PERSON", "b")],
        [TokenEntry("<PERSON_1>", "PERSON", "a"), TokenEntry("<PERSON_2>", "PERSON", "a")],
    ],
)
def test_contradictions_in_the_vault_are_refused(entries: list[TokenEntry]) -> None:
    with pytest.raises(TokenMapCorrupt):
        TokenMap(entries)


def test_malformed_reserved_tokens_are_refused() -> None:
    with pytest.raises(TokenMapCorrupt):
        TokenMap([], reserved=["PERSON_1"])


@pytest.mark.parametrize("entity", ["person", "KIND_2", "A B", "", "<X>", "X" * 41])
def test_an_entity_that_makes_no_token_is_refused(entity: str) -> None:
    with pytest.raises(ValueError, match="entity's name"):
        TokenMap().mask("abc", [Span(0, 3, entity, 1.0, "test")])


def test_every_entity_we_find_is_read_loosely() -> None:
    found = {entity for kind in IDENTIFIERS for entity in kind().entities}
    assert {*found, "PERSON", "LOCATION", "LITERAL"} <= READ_LOOSELY
