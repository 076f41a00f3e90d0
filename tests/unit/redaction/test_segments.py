"""Cutting: released at once, held within bounds, and never through an identifier."""

from __future__ import annotations

import pytest

from runtime.redaction.engine import PiiEngine
from runtime.redaction.segments import WINDOW, Scanner, scan
from runtime.redaction.spans import Span
from runtime.redaction.stream import StreamMasker, redact

KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n" * 30
    + "-----END PRIVATE KEY-----"
)


def masker(rules: PiiEngine) -> StreamMasker:
    return StreamMasker(rules.scanner())


@pytest.mark.parametrize(
    ("fed", "at_once"),
    [
        ("Bonjour, je suis ", "Bonjour, je "),
        ("Bonjour, je ", "Bonjour, "),
        ("Only plain words fo", "Only plain "),
        ("One two three fo", ""),  # a number may be on its way
        ("Mon numéro est le 514 555-0123 et voilà tout ", "Mon numéro est le [PHONE_NUMBER] et voilà "),
        ("Écris à jean.roy@exemple.ca demain, merci ", "Écris à [EMAIL_ADDRESS] demain, "),
        ("Il a 12 chats et ", "Il a 12 chats "),
    ],
)
def test_plain_words_go_out_at_the_next_word(fed: str, at_once: str, rules: PiiEngine) -> None:
    assert masker(rules).feed(fed) == at_once


@pytest.mark.parametrize(
    "held", ["Le 514 555-", "jean.roy@", "jean arobase exemple point", "mot de passe :", "1234, rue Sainte-"]
)
def test_what_may_still_become_an_identifier_is_held(held: str, rules: PiiEngine) -> None:
    released = masker(rules).feed("Alors voilà " + held)
    assert released in {"Alors ", "Alors voilà ", "Alors voilà Le ", "Alors voilà mot ", "Alors voilà mot de "}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"a {KEY} b", "a [SECRET] b"),
        (f'{{"k": "{KEY}"}}', '{"k": "[SECRET]"}'),
        ("-----BEGIN PRIVATE KEY----- is how a key file begins, as everybody knows very well", "[SECRET] is how a key file begins, as everybody knows very well"),
        ("t eyJhbGciOiJIUzI1NiJ9." + "QUJD" * 500 + ".c2ln fin", "t [SECRET] fin"),
        ("mot " * 300 + "514 555-0123", "mot " * 300 + "[PHONE_NUMBER]"),
        ("12 " * 170 + "514-555-0123 " + "12 " * 170, "12 " * 170 + "[PHONE_NUMBER] " + "12 " * 170),
        ("é" * 3000 + " jean@exemple.ca", "é" * 3000 + " [EMAIL_ADDRESS]"),
        ("x" + " " * 2000 + "jean@exemple.ca", "x" + " " * 2000 + "[EMAIL_ADDRESS]"),
    ],
)  # fmt: skip
def test_long_texts_are_read_whole_and_in_pieces(text: str, masked: str, rules: PiiEngine) -> None:
    assert redact(text, masker(rules)) == masked
    stream, out, most = masker(rules), "", 0
    for at in range(0, len(text), 7):
        out += stream.feed(text[at : at + 7])
        most = max(most, len(stream._scanner._held))
    assert out + stream.flush() == masked
    assert most <= WINDOW


@pytest.mark.parametrize("shift", range(-14, 4))
def test_an_identifier_across_the_window_is_found_whole(shift: int, rules: PiiEngine) -> None:
    filling = "12 " * 200
    text = filling[: WINDOW + shift].rstrip("1") + " 4111 1111 1111 1111 " + filling
    assert "[CREDIT_CARD]" in redact(text, masker(rules))


def test_the_label_may_have_gone_out_before(rules: PiiEngine) -> None:
    assert [span.entity for span in rules.identifiers("123 456 789", "Mon NAS, je crois, est le ")] == ["CA_SIN"]
    assert rules.identifiers("123 456 789") == []
    stream = masker(rules)
    assert stream.feed("Mon NAS est le ") + stream.feed("123 456 789 ") + stream.flush() == "Mon NAS est le [CA_SIN] "


def test_pieces_join_to_the_text() -> None:
    text = "un 12 deux a@b 3 " * 40
    scanner = Scanner(lambda segment, _: [Span(0, 1, "X", 1.0, "x")] if segment[0].isalnum() else [])
    pieces = [*scanner.feed(text[:100]), *scanner.feed(text[100:]), *scanner.flush()]
    assert "".join(piece.text for piece in pieces) == text


def test_the_recognizers_see_the_same_segments_however_a_text_arrives() -> None:
    text = "Le 12 mars, j'ai écrit à a@b.ca et au 514 555 0123 ; mot de passe : x1y2z3 fin"

    def seen(chunks: list[str]) -> list[tuple[str, str]]:
        asked: list[tuple[str, str]] = []
        scanner = Scanner(lambda segment, left: asked.append((segment, left)) or [])  # type: ignore[func-returns-value]
        for chunk in chunks:
            scanner.feed(chunk)
        scanner.flush()
        return asked

    assert seen([text]) == seen(list(text)) == seen([text[:20], text[20:33], text[33:]])
    assert scan(text, lambda *_: []) == []
