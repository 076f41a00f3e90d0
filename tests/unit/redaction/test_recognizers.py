"""Recognizers as a whole: Presidio's interface, distinct names, what is the surer of two, time that grows with the text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from presidio_analyzer import RecognizerRegistry

from runtime.redaction.engine import PiiEngine
from runtime.redaction.recognizers import IDENTIFIERS
from runtime.redaction.recognizers.base import Identifier, Run
from runtime.redaction.recognizers.presidio import PresidioRecognizer
from runtime.redaction.spans import Span

Found = list[tuple[str, str]]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("NAS 046 454 286, SSN 123-45-6789", [("CA_SIN", "046 454 286"), ("US_SSN", "123-45-6789")]),
        ("SIREN 732 829 320", [("FR_SIREN", "732 829 320")]),
        ("SIRET 732 829 320 00074", [("FR_SIRET", "732 829 320 00074")]),
        ("ITIN 912-78-1234", [("US_ITIN", "912-78-1234")]),
        ("social security number 536221234", [("US_SSN", "536221234")]),
        ("TPS 123456789 RT0001, TVQ 1234567890 TQ0001", [("CA_TAX_NUMBER", "123456789 RT0001"), ("CA_TAX_NUMBER", "1234567890 TQ0001")]),
        ("card 4111 1111 1111 1111, CVV 123", [("CREDIT_CARD", "4111 1111 1111 1111"), ("SECRET", "123")]),
        ("transit 00815, compte 1234567", [("BANK_ACCOUNT", "00815"), ("BANK_ACCOUNT", "1234567")]),
        ("H2X 1Y4", [("CA_POSTAL_CODE", "H2X 1Y4")]),
        ("12, rue des Lilas, Laval (Québec) H7N 1A1", [("STREET_ADDRESS", "12, rue des Lilas, Laval (Québec) H7N 1A1")]),
    ],
)  # fmt: skip
def test_the_surer_rule_names_the_entity(text: str, values: Found, found: Callable[[str], Found]) -> None:
    assert found(text) == values


def test_each_recognizer_works_in_a_presidio_registry() -> None:
    registry = RecognizerRegistry(
        recognizers=[PresidioRecognizer(kind(), "fr") for kind in IDENTIFIERS], supported_languages=["fr"]
    )
    results = [
        result
        for recognizer in registry.get_recognizers(language="fr", entities=["CA_SIN", "EMAIL_ADDRESS"])
        for result in recognizer.analyze("NAS ０４６ ４５４ ２８６, jean@exemple.ca", ["CA_SIN", "EMAIL_ADDRESS"], None)
    ]
    assert {(result.entity_type, result.start, result.end) for result in results} == {
        ("CA_SIN", 4, 15),
        ("EMAIL_ADDRESS", 17, 32),
    }


def test_names_of_recognizers_are_distinct() -> None:
    assert len({kind.__name__ for kind in IDENTIFIERS}) == len(IDENTIFIERS)
    assert all(issubclass(kind, Identifier) for kind in IDENTIFIERS)


def test_a_hit_names_an_entity_that_its_recognizer_lists(rules: PiiEngine) -> None:
    listed = {kind.__name__: {kind.ENTITY, *kind.ALSO} for kind in IDENTIFIERS}
    text = (
        "NEQ 1142345678, OHIP 1234-567-897-AB, ITIN 912-78-1234, SIRET 732 829 320 00074, code permanent TREM01018009"
    )
    spans = rules.identifiers(text + ", Springfield, IL 62704, VAT DE123456789")
    assert len(spans) == 7
    assert all(span.entity in listed[span.rule.partition(".")[0]] for span in spans)


def test_a_label_may_stand_before_the_run() -> None:
    run = Run("046 454 286", "Mon NAS, je crois, est le ")
    assert run.label(0).far == 1
    assert [window.digits for window in run.numbers(9)] == ["046454286"]
    assert run.before(3, 8) == "t le 046"


# Texts that make a careless pattern slow: what it begins with, over and over, and never its end.
HOSTILE = {
    "at": "@a." * 9_000, "at word": "a at " * 6_000, "dots": "a." * 14_000, "spaced dots": "a . " * 7_000, "digits": "1" * 28_000,
    "digit groups": "12 " * 9_000, "single digits": "1 " * 14_000, "plus": "+1" * 14_000, "phones": "+33 6 12 34 5 " * 2_000, "dashes": "1-" * 14_000,
    "civic": "12 rue de la " * 2_000, "civic names": "12 Aaaa Bbbb Cccc " * 1_500, "commas": "1, " * 9_000, "town": "12 rue A, Aaa-Bbb-Ccc " * 1_200,
    "colons": "a:" * 14_000, "slashes": "://a:" * 5_000, "url": "http://" + "a:" * 13_000, "password": "password " * 3_000, "password of": "password of a " * 2_000,
    "password is": "password is " * 2_300, "mdp": "mdp : " * 4_500, "equals": "key=" * 7_000, "percent": "%41" * 9_000, "percent at": "%40" * 9_000,
    "entity": "&#64;" * 5_500, "amp": "&a" * 14_000, "escapes": "\\u0040" * 4_500, "nested": "%25" * 9_000, "base64": "QUJD" * 7_000, "base64 words": "QUJDREVG " * 3_000,
    "begin": "-----BEGIN " * 2_500, "jwt": "eyJhbGciOi." * 2_500, "hex": "0a:" * 9_000, "iban": "FR76 " * 5_500, "ramq": "AAAA " * 5_500, "zero width": "1\u200b" * 14_000,
    "combining": "e" + "\u0301" * 28_000, "number words": "cinq " * 5_600, "hyphens": "vingt-" * 4_500, "labels": "no de dossier " * 2_000, "label walk": "dossier a b c d e 12 " * 1_300,
    "born": "né le 12 " * 3_000, "dates": "12/12/" * 4_600, "parentheses": "(" * 28_000, "quotes": '"' * 28_000, "newlines": "1\n" * 14_000, "at sign lines": "a@\n" * 9_000,
    "micr": "⑆1" * 14_000, "letters": "a b c d " * 3_500, "underscores": "_a" * 14_000, "brackets": "[at]" * 7_000, "plates": "AB1 " * 7_000, "seed": "seed phrase: abc " * 1_600,
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_read_to_their_end(text: str, spans_in: Callable[[str], list[Span]]) -> None:
    spans = spans_in(text + " jean.roy@exemple.ca")
    assert spans
    assert "EMAIL_ADDRESS" in {span.entity for span in spans} or spans[-1].end == len(text) + 20
