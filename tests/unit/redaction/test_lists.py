"""Texts that an operator allows or denies."""

from __future__ import annotations

import io

import pytest

from runtime.redaction.command import main
from runtime.redaction.engine import PiiEngine
from runtime.redaction.lists import LONGEST, RULE, Lists
from runtime.redaction.stream import StreamMasker, redact

LISTS = Lists(
    allow=[
        ("info@exemple.org", None),
        ("514 555-0199", "PHONE_NUMBER"),
        ("2900 boul. Édouard-Montpetit, Montréal", None),
    ],
    deny=[
        ("Project Falcon", "CODE_NAME"),
        ("opération Été bleu", "CODE_NAME"),
        ("ZX-9", "PRODUCT"),
        ("le cygne", "BIRD"),
    ],
)
ENGINE = PiiEngine(ner=False, lists=LISTS)

ANSWERS = [
    ("Write to info@exemple.org or INFO@exemple.org.", "Write to info@exemple.org or INFO@exemple.org."),
    ("Write to jean.info@exemple.org.", "Write to [EMAIL_ADDRESS]."),
    ("Tel. 514 555-0199 or 514 555-0188.", "Tel. 514 555-0199 or [PHONE_NUMBER]."),
    ("Tel. 514 555-0199, ext. 4.", "Tel. [PHONE_NUMBER]."),
    ("Rendez-vous au 2900 boul. Edouard-Montpetit, Montreal, demain.", None),
    ("Le 2900 boul. Édouard-Montpetit,\nMontréal est ouvert.", None),
    ("Au 2901 boul. Édouard-Montpetit, Montréal.", "Au [STREET_ADDRESS]."),
    ("Nothing about project falcon here.", "Nothing about [CODE_NAME] here."),
    ("(PROJECT\n  FALCON), too", "([CODE_NAME]), too"),
    ("Pro\u200bject Fal\u00adcon and Project Falconry", "[CODE_NAME] and Project Falconry"),
    ("l'opération « Été bleu », l'Operation ete bleu", "l'opération « Été bleu », l'[CODE_NAME]"),
    ("The ZX-9 and the ZX-90, zx-9!", "The [PRODUCT] and the ZX-90, [PRODUCT]!"),
    ("le cygne est sur le lac, le livre sur la table, Le Cygne", "[BIRD] est sur le lac, le livre sur la table, [BIRD]"),
    ("Project info@exemple.org Falcon", "Project info@exemple.org Falcon"),
    ("Project\n\nFalcon", "Project\n\nFalcon"),
    ("UHJvamVjdCBGYWxjb24=", "[CODE_NAME]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), ANSWERS)
def test_listed_texts(text: str, shown: str | None) -> None:
    assert redact(text, StreamMasker(ENGINE.scanner())) == (text if shown is None else shown)


@pytest.mark.parametrize(("text", "shown"), ANSWERS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11])
def test_streams_answer_alike(text: str, shown: str | None, size: int) -> None:
    masker = StreamMasker(ENGINE.scanner())
    out = "".join(masker.feed(text[at : at + size]) for at in range(0, len(text), size)) + masker.flush()
    assert out == (text if shown is None else shown)


def test_a_denied_text_over_two_chunks_is_held_and_prose_is_not() -> None:
    masker = StreamMasker(ENGINE.scanner())
    assert masker.feed("This is Project ") == "This is "
    assert masker.feed("Falcon at work, and it goes on well. ") == "[CODE_NAME] at work, and it goes on "


def test_whole_texts_say_which_rule(rules: PiiEngine) -> None:
    [[span]] = ENGINE.analyze(["a Project Falcon b"])
    assert (span.start, span.end, span.entity, span.rule) == (2, 16, "CODE_NAME", RULE)
    assert {"CODE_NAME", "PRODUCT"} <= set(ENGINE.entities)
    assert ENGINE.revision != rules.revision


def test_a_denied_text_in_a_finding_wins_and_the_rest_stays_masked() -> None:
    engine = PiiEngine(ner=False, lists=Lists(allow=[("jean@falcon.ca", None)], deny=[("falcon", "CODE_NAME")]))
    assert redact("jean@falcon.ca", StreamMasker(engine.scanner())) == "jean@[CODE_NAME].ca"
    engine = PiiEngine(ner=False, lists=Lists(deny=[("falcon", "CODE_NAME")]))
    assert redact("jean@falcon.ca", StreamMasker(engine.scanner())).startswith("[EMAIL_ADDRESS][CODE_NAME]")


def test_long_texts_hold_them_where_they_are_cut() -> None:
    for shift in range(0, 140, 7):
        text = "1 " * 180 + "x" * shift + " Project Falcon " + "2 " * 300
        assert "Falcon" not in redact(text, StreamMasker(ENGINE.scanner()))


@pytest.mark.parametrize("text", ["", "...", "x" * (LONGEST + 1)])
def test_what_cannot_be_listed(text: str) -> None:
    with pytest.raises(ValueError, match="listed text"):
        Lists(allow=[(text, None)])


def test_the_command_shows_them() -> None:
    out = io.StringIO()
    assert main(["--no-names", "--rules", "On Project Falcon."], stdout=out, lists=lambda: LISTS) == 0
    assert out.getvalue() == "On <CODE_NAME_1>.\n3\t17\tCODE_NAME\t1.00\tdeny-list\n"


@pytest.mark.ner
def test_names_too() -> None:
    engine = PiiEngine(lists=Lists(allow=[("Jean Roy", "PERSON")], deny=[("Luc Bédard", "CODE_NAME")]))
    engine.load()
    text = "Bonjour, je m'appelle Jean Roy. Je travaille avec Marie Tremblay et Luc Bédard."
    [spans] = engine.analyze([text])
    found = {(span.entity, text[span.start : span.end]) for span in spans}
    assert found == {("PERSON", "Marie Tremblay"), ("CODE_NAME", "Luc Bédard")}
