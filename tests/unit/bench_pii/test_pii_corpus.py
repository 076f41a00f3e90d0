"""The corpus: large enough, rightly labelled, the same every time, and its two splits of different stuff."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import pytest

from bench.pii.corpus import LANGUAGES, corpus, templates
from bench.pii.disguise import STYLES
from bench.pii.labels import SECTIONS, Label, LabelledText
from bench.pii.people import origins, plain
from bench.pii.source import SPLITS, source

INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
ROOT = Path(__file__).parents[3]


def values(kind: str) -> list[tuple[str, str]]:
    """(value, form) of the labels of a kind that are written plainly, in both splits."""
    return [
        (text.text[label.start : label.end], label.form)
        for split in SPLITS
        for text in corpus(split)
        for label in text.labels
        if label.kind == kind and ("|" not in label.form or label.form.partition("|")[2] in STYLES)
    ]


def digits(value: str) -> str:
    return "".join(c for c in value if c.isdigit())


def luhn_holds(number: str) -> bool:
    doubled = {"0": 0, "1": 2, "2": 4, "3": 6, "4": 8, "5": 1, "6": 3, "7": 5, "8": 7, "9": 9}
    return sum(int(d) if place % 2 else doubled[d] for place, d in enumerate(number[::-1], 1)) % 10 == 0


@pytest.mark.parametrize("split", SPLITS)
def test_it_is_large_enough(split: str) -> None:
    texts = corpus(split)
    assert sum(bool(text.labels) for text in texts) >= 1500
    assert sum(text.section == "innocent" for text in texts) >= 600
    labels = Counter(text.language for text in texts for _ in text.labels)
    assert min(labels[language] for language in LANGUAGES) >= 2000


@pytest.mark.parametrize("split", SPLITS)
def test_labels_stand_in_order_inside_the_text_and_have_no_spaces_at_their_edges(split: str) -> None:
    for text in corpus(split):
        at = 0
        for label in text.labels:
            assert at <= label.start < label.end <= len(text.text), text
            value = text.text[label.start : label.end]
            assert value == value.strip(), text
            at = label.end
        for start, end in text.neutral:
            assert all(end <= label.start or label.end <= start for label in text.labels), text


@pytest.mark.parametrize("split", SPLITS)
def test_innocent_texts_and_they_alone_have_no_labels(split: str) -> None:
    assert all((text.section == "innocent") == (not text.labels) for text in corpus(split))


@pytest.mark.parametrize("split", SPLITS)
def test_no_slot_is_left_unfilled(split: str) -> None:
    lists = {key.partition(".")[0] for key in source(split).lists} - {"address"}  # also a tag of HTML
    for text in corpus(split):
        assert not {"[[", "⏎", "⇥", "␣"} & set(re.findall(r"\[\[|[⏎⇥␣]", text.text)), text
        assert not lists & set(re.findall(r"<([a-z_]+)>", text.text)), text


def test_the_same_texts_come_out_whatever_the_hash_seed() -> None:
    script = (
        "from bench.pii.corpus import corpus; print(hash_of([repr(t) for s in ('dev', 'held') for t in corpus(s)]))"
    )
    prelude = "import hashlib; hash_of = lambda xs: hashlib.sha256('\\n'.join(xs).encode()).hexdigest(); "
    outputs = {
        subprocess.run(
            [sys.executable, "-c", prelude + script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_the_splits_share_no_name() -> None:
    dev, held = (
        {
            plain(name).casefold()
            for origin in origins(split)
            for name in (*origin.female, *origin.male, *origin.surnames)
        }
        for split in SPLITS
    )
    assert min(len(dev), len(held)) >= 300
    assert dev & held == set()


def test_the_splits_share_no_template_whatever_their_slots() -> None:
    def skeletons(split: str) -> set[str]:
        lines = [line for section in SECTIONS for language in LANGUAGES for line in templates(split, section, language)]
        bare = {re.sub(r"\W+", " ", re.sub(r"\{[^{}]+\}", " ", line)).strip().casefold() for line in lines}
        return {line for line in bare if len(line.split()) > 3}

    dev, held = map(skeletons, SPLITS)
    assert len(dev) > 500
    assert dev & held == set()


@pytest.mark.parametrize(
    "key",
    [
        "st_qc",
        "st_qc_en",
        "st_ca",
        "st_fr",
        "st_us",
        "firm_domain",
        "area_code",
        "zero_width",
        "homoglyph",
        "firm.fr",
        "firm.en",
    ],
)
def test_the_splits_share_no_street_domain_prefix_or_trick(key: str) -> None:
    dev, held = (source(split).lists[key] for split in SPLITS)
    shared = set(dev) & set(held)
    assert shared <= {"e:е"}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_template_stands_twice(split: str, section: str, language: str) -> None:
    lines = templates(split, section, language)
    assert [line for line, count in Counter(lines).items() if count > 1] == []


@pytest.mark.parametrize("split", SPLITS)
def test_homoglyphs_are_of_another_script(split: str) -> None:
    for entry in source(split).lists["homoglyph"]:
        letter, _, alike = entry.partition(":")
        assert letter.isascii()
        assert not alike.isascii()


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("EMAIL", r"(?i)[a-z0-9._+-]+@[a-z0-9.-]+\.[a-z]{2,}"),
        ("RAMQ", r"[A-Z]{4}[ -]?\d{4}[ -]?\d{4}"),
        ("NEQ", r"(?:11|22|33|88)[\d -]+"),
        ("DRIVER_LICENCE", r"[A-Z]\d{4}[ -]?\d{6}[ -]?\d\d|[A-Z]\d{4}-\d{8}"),
        ("MAC", r"(?i)(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}"),
        ("IP", r"(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f:]+"),
        ("POSTAL_CODE", r"[A-Z]\d[A-Z][ -]?\d[A-Z]\d"),
        ("URL_CREDENTIAL", r"[\w-]+:[^\s@/?#]+"),
        ("PASSWORD", r"\S{6,}"),
        ("SECRET", r"(?s)-----BEGIN .+-----|\S{20,}"),
        ("PLATE", r"[A-Z0-9]{2,4}[ -]?[A-Z0-9]{2,4}[ -]?(?:[A-Z]{2})?"),
        ("PASSPORT", r"[A-Z]{2}[ -]?\d{6}|[A-Z]\d{6}[A-Z]{2}|\d\d ?[A-Z]{2} ?\d{5}"),
        ("BANK_ACCOUNT", r"\d[\d /-]{3,}\d"),
        ("RECORD_NUMBER", r"(?=.*\d)[A-Z0-9./ -]{5,}"),
        ("ADDRESS", r"(?s)(?=.*\d).{8,}"),
        ("PERSON", r"[^\d@]+"),
    ],
)  # fmt: skip
def test_values_look_like_their_kind(kind: str, pattern: str) -> None:
    found = values(kind)
    assert len(found) >= 10
    assert [value for value, _ in found if not re.fullmatch(pattern, value)] == []


def test_numbers_with_a_check_digit_hold() -> None:
    for kind, sizes in {"SIN": {9}, "SIREN": {9}, "SIRET": {14}, "CARD": {14, 15, 16}}.items():
        found = values(kind)
        assert found
        for value, _ in found:
            assert len(digits(value)) in sizes, value
            assert luhn_holds(digits(value)), value


def test_tax_numbers_have_their_form_and_the_federal_one_its_check_digit() -> None:
    for value, form in values("TAX_NUMBER"):
        number, account = re.split("RT|TQ", value.replace(" ", "").replace("-", ""))
        assert re.fullmatch(r"000\d", account)
        assert luhn_holds(number) if form == "gst" else len(number) == 10, value


def test_french_social_security_numbers_have_their_key() -> None:
    for value, _ in values("NIR"):
        characters = re.sub(r"[^0-9AB]", "", value)
        number = int(characters[:13].replace("2A", "19").replace("2B", "18"))
        assert (number + int(characters[13:])) % 97 == 0, value
        assert characters[0] in "12"
        assert 1 <= int(characters[3:5]) <= 12


def test_account_numbers_hold_and_french_ones_have_their_own_key_too() -> None:
    lengths = {"FR": 27, "MC": 27, "BE": 16, "DE": 22, "CH": 21, "LU": 20, "GB": 22, "NL": 18}
    for value, _ in values("IBAN"):
        whole = value.replace(" ", "")
        assert len(whole) == lengths[whole[:2]]
        assert int("".join(str(int(c, 36)) for c in whole[4:] + whole[:4])) % 97 == 1, value
        if whole[:2] in {"FR", "MC"}:
            assert (
                int("".join(c if c.isdigit() else str((int(c, 36) - 10 + (c > "R")) % 9 + 1) for c in whole[4:])) % 97
                == 0
            )
        if whole[:2] == "BE":
            assert int(whole[14:]) == (int(whole[4:14]) % 97 or 97)


def test_american_numbers_are_ones_that_are_given_out() -> None:
    for value, _ in values("SSN"):
        area, group, serial = re.fullmatch(r"(\d{3})\D?(\d\d)\D?(\d{4})", value).groups()  # type: ignore[union-attr]
        assert area not in {"000", "666"}
        assert area < "900"
        assert group != "00"
        assert serial != "0000"
    for value, _ in values("ITIN"):
        assert re.fullmatch(r"9\d\d\D?(?:[56]\d|7\d|8[0-8]|9[0-24-9])\D?\d{4}", value), value


def test_health_cards_carry_a_date() -> None:
    for value, _ in values("RAMQ"):
        year, month, day = (int(part) for part in re.findall("..", digits(value)[:6]))
        date(1900 + year, month - 50 if month > 50 else month, day)


def test_a_persons_health_card_begins_with_the_name() -> None:
    for split in SPLITS:
        for text in corpus(split):
            people = [
                plain(text.text[label.start : label.end]).upper() for label in text.labels if label.kind == "PERSON"
            ]
            for label in text.labels:
                if label.form == "ramq" and text.section == "mixed":
                    head = text.text[label.start : label.start + 3]
                    assert any(
                        word.startswith(head)
                        for person in people
                        for word in [
                            re.sub("[^A-Z]", "", part)
                            for part in (*person.split(), person.partition(" ")[2], person.partition(",")[0])
                        ]
                    ), text


def test_persons_are_made_of_the_splits_names() -> None:
    for split in SPLITS:
        known = {
            part
            for origin in origins(split)
            for name in (*origin.female, *origin.male, *origin.surnames)
            for part in re.split(r"[ -]", plain(name).casefold())
        }
        for text in corpus(split):
            for label in text.labels:
                if label.kind == "PERSON" and label.form.partition("|")[2] in {"", *STYLES}:
                    value = plain(text.text[label.start : label.end]).casefold()
                    words = [word for word in re.split(r"[ ,-]+", value) if not word.endswith(".")]
                    assert words, text
                    assert set(words) <= known, text


def undone(value: str, disguise: str) -> str:
    """What a disguise hides."""
    match disguise:
        case "zw":
            return INVISIBLE.sub("", value)
        case "wide" | "digits":
            return "".join(
                str(unicodedata.digit(c)) if c.isdigit() else unicodedata.normalize("NFKC", c) for c in value
            )
        case "percent":
            return unquote(value)
        case "entities":
            return html.unescape(value)
        case "base64":
            return base64.b64decode(value, validate=True).decode()
        case "escapes":
            return str(json.loads(f'"{value}"'))
        case _:
            return value


def disguised() -> list[tuple[LabelledText, Label, str, str]]:
    return [
        (text, label, text.text[label.start : label.end], label.form.partition("|")[2])
        for split in SPLITS
        for text in corpus(split)
        for label in text.labels
        if "|" in label.form and label.form.partition("|")[2] not in STYLES
    ]


def test_disguises_can_be_undone_to_a_valid_value() -> None:
    kinds = Counter()
    for text, label, value, disguise in disguised():
        plainly = undone(value, disguise)
        if label.kind in {"SIN", "CARD", "SIRET"} and disguise != "homo":
            assert luhn_holds(digits(plainly)), text
            kinds[label.kind, disguise] += 1
        if label.kind == "EMAIL" and disguise in {"zw", "wide", "percent", "entities", "base64", "escapes"}:
            assert re.fullmatch(r"[a-z0-9._+-]+@[a-z0-9.-]+", plainly), text
            kinds[label.kind, disguise] += 1
    assert len(kinds) >= 15


def test_most_disguised_values_differ_from_plain_ones() -> None:
    found = disguised()
    changed = [
        value
        for _, label, value, disguise in found
        if disguise in {"spelled", "spaced", "broken"} or not value.isascii() or undone(value, disguise) != value
    ]
    assert len(changed) >= 0.9 * len(found)


def test_only_the_obfuscated_part_is_disguised() -> None:
    assert {text.section for text, *_ in disguised()} == {"obfuscated"}
