"""Other readings: what they say, that each leads back to exactly what was written, and that they are bounded."""

from __future__ import annotations

import base64
from collections.abc import Callable
from itertools import pairwise

import pytest

from runtime.redaction.disguise import readings
from runtime.redaction.engine import PiiEngine
from runtime.redaction.normalise import view
from runtime.redaction.recognizers.base import Run
from runtime.redaction.spans import Span

Found = list[tuple[str, str]]


def said(text: str, *, broken: bool = False) -> list[str]:
    folded = view(text)
    return [reading.text for reading in readings(folded, Run(folded.text).words, broken=broken)]


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("jean%40exemple.ca", "jean@exemple.ca"),
        ("%6A%65%61%6E", "jean"),
        ("Montr%C3%A9al+est", "Montréal est"),
        ("%2540", "@"),
        ("%E9t%E9", "été"),
        ("a&#64;b &commat; &#x40; &eacute; &nbsp;x", "a@b @ @ é  x"),
        ("\\u0040 \\u{40} \\x40 \\xc3\\xa9", "@ @ @ é"),
        ('\\"a\\/b\\"', '"a/b"'),
        ("a=40b=\nc", "a@bc"),
        ("j e a n . r o y @ a . c a", "jean.roy@a.ca"),
        ("5-1-4-5-5-5", "514555"),
        ("x 514  555", "x 514 555"),
        ("cle amVhbkBleGVtcGxlLmNh fin", "cle jean@exemple.ca fin"),
        ("amVhbkBleGVtcGxlLmNh", "jean@exemple.ca"),
        ("6a65616e406578656d706c652e6361", "jean@exemple.ca"),
        ("amVhbi9yb3k_PWE", "jean/roy?=a"),
        ("cinq un quatre cinq", "5145"),
        ("cinq cent quatorze, quarante-deux, dix-sept et un", "51442171"),
        ("quatre-vingt-dix-neuf soixante et onze zero sept huit", "9971078"),
        ("five one four twenty-one double oh", "5142100"),
        ("a@b\nc.ca", "a@bc.ca"),
    ],
)
def test_read(text: str, reading: str) -> None:
    assert reading in said(text)


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour, ça va bien", "100 % de rabais", "Tom & Jerry", "a = 40", "information", "CamelCaseIdentifier", "deux ou trois jours",
        "a b c", "1.2.3", "9e107d9d372bb6826bd81d3542a419d6", "AT&T", "x_y_z",
    ],
)  # fmt: skip
def test_ordinary_texts_have_one_reading(text: str) -> None:
    assert said(text) == []


def test_a_line_end_inside_is_dropped_where_a_label_stands() -> None:
    assert said("KH77\n4538") == []
    assert said("KH77\n4538", broken=True) == ["KH774538"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x%20jean%40exemple.ca%20y", "jean%40exemple.ca"),
        ("écrire à jean&#64;exemple&period;ca.", "jean&#64;exemple&period;ca"),
        ("mail amVhbkBleGVtcGxlLmNh ok", "amVhbkBleGVtcGxlLmNh"),
        ("NAS : ０%34６ 454 286", "０%34６ 454 286"),
        ("j\u200b e a n @ e x . c a ok", "j\u200b e a n @ e x . c a"),
        ("tel %35%31%34-555-0123 x", "%35%31%34-555-0123"),
    ],
)
def test_what_is_found_in_a_reading_is_masked_as_written(text: str, value: str, found: Callable[[str], Found]) -> None:
    assert [hit for _, hit in found(text)] == [value]


@pytest.mark.parametrize(
    "text",
    ["%41%zz%4", "&#0;&#xd800;&#99999999;&nosuch;", "\\u00", "\\ud83d\\ude00", "====", "AAAA====", "%" * 50, "&" * 50, "\\" * 51],
)  # fmt: skip
def test_what_is_malformed_is_left_alone(text: str, spans_in: Callable[[str], list[Span]]) -> None:
    assert spans_in(text) == []


def test_nothing_grows() -> None:
    text = base64.b64encode(b"%2525" * 60).decode() + "%25" * 40 + "&amp;" * 20
    assert all(len(one) <= len(text) for one in said(text))


def test_spans_of_several_readings_stand_apart(rules: PiiEngine) -> None:
    spans = rules.identifiers("jean%40exemple.ca 514%20555%200123 NAS&nbsp;: 046&#32;454&#32;286 a@b.ca")
    assert len(spans) == 4
    assert all(one.end <= other.start for one, other in pairwise(spans))
