"""From the model to the caller: masked, then restored, in any chunks."""

from __future__ import annotations

import pytest

from runtime.redaction.engine import PiiEngine
from runtime.redaction.lookalikes import LONGEST
from runtime.redaction.stream import StreamMasker, StreamRestorer, redact
from runtime.redaction.tokens import TokenEntry, TokenMap

TOKENS = TokenMap(
    [
        TokenEntry("<PERSON_1>", "PERSON", "Jean Roy"),
        TokenEntry("<EMAIL_ADDRESS_1>", "EMAIL_ADDRESS", "jean@exemple.ca"),
        TokenEntry("<PHONE_NUMBER_1>", "PHONE_NUMBER", "514 555-0123"),
    ]
)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 1000])
def test_masker_and_restorer_compose(size: int, rules: PiiEngine) -> None:
    answer = "Bonjour <PERSON_1>, j'écris à <EMAIL_ADDRESS_1> (et à marie@exemple.org) ; <PERSON_2> au 418 555-0188. PERSON_1 !"
    released = (
        "Bonjour Jean Roy, j'écris à jean@exemple.ca (et à [EMAIL_ADDRESS]) ; <PERSON_2> au [PHONE_NUMBER]. Jean Roy !"
    )
    masker, restorer, out = StreamMasker(rules.scanner(), known=TOKENS.has_value), StreamRestorer(TOKENS), ""
    for at in range(0, len(answer), size):
        out += restorer.feed(masker.feed(answer[at : at + size]))
    out += restorer.feed(masker.flush()) + restorer.flush()
    assert out == released
    assert masker.counts == {"EMAIL_ADDRESS": 1, "PHONE_NUMBER": 1}


def test_values_of_the_caller_may_stay(rules: PiiEngine) -> None:
    text = "jean@exemple.ca, (514) 555.0123 et 418 555-0188"
    masked = redact(text, StreamMasker(rules.scanner(), known=TOKENS.has_value))
    assert masked == "jean@exemple.ca, (514) 555.0123 et [PHONE_NUMBER]"


def test_entities_are_masked_by_policy(rules: PiiEngine) -> None:
    masker = StreamMasker(rules.scanner(), masks=lambda entity: entity != "PHONE_NUMBER")
    assert redact("a@b.ca, 418 555-0188", masker) == "[EMAIL_ADDRESS], 418 555-0188"
    key = "x eyJhbGciOiJIUzI1NiJ9." + "QUJD" * 300 + " y"
    assert redact(key, StreamMasker(rules.scanner(), masks=lambda entity: entity != "SECRET")) == key


@pytest.mark.parametrize(
    ("fed", "at_once"),
    [
        ("Bonjour ", "Bonjour "),
        ("Bonjour <PER", "Bonjour "),
        ("Bonjour <PERSON_1", "Bonjour "),
        ("Bonjour <PERSON_1>", "Bonjour Jean Roy"),
        ("voir PERSON_1", "voir "),
        ("voir PERSON_1.", "voir Jean Roy."),
        ("a < b", "a "),
        ("a < b\n", "a < b\n"),
        ("Le P", "Le "),
        ("Le Pa", "Le Pa"),
        ("< " + "x" * LONGEST, "< " + "x" * LONGEST),
    ],
)
def test_the_restorer_holds_only_what_may_become_a_token(fed: str, at_once: str) -> None:
    restorer = StreamRestorer(TOKENS)
    assert restorer.feed(fed) == at_once


def test_only_allowed_entities_are_restored() -> None:
    restorer = StreamRestorer(TOKENS, entities=lambda entity: entity == "PERSON")
    assert restorer.feed("<PERSON_1> <EMAIL_ADDRESS_1>") + restorer.flush() == "Jean Roy <EMAIL_ADDRESS_1>"


def test_nothing_comes_out_of_nothing(rules: PiiEngine) -> None:
    masker, restorer = StreamMasker(rules.scanner()), StreamRestorer(TOKENS)
    assert masker.feed("") + masker.flush() + restorer.feed("") + restorer.flush() == ""


def test_what_is_held_comes_out_at_the_end_only(rules: PiiEngine) -> None:
    masker, restorer = StreamMasker(rules.scanner()), StreamRestorer(TOKENS)
    shown = restorer.feed(masker.feed("I know <PERSON_1> well. Write to eve@mal.exam"))
    assert shown.startswith("I know Jean Roy well. ")
    assert "eve" not in shown
    assert (shown + restorer.feed(masker.flush()) + restorer.flush()).endswith("Write to [EMAIL_ADDRESS]")
