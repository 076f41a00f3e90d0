"""Templates become texts whose labels are the values that were put in."""

from __future__ import annotations

import pytest

from bench.pii.fill import Filler
from bench.pii.labels import LabelledText
from bench.pii.people import Person, plain


def fill(template: str, *, language: str = "en", number: int = 0, split: str = "dev") -> LabelledText:
    return Filler(split, "names", language, template, number).fill()


def labelled(text: LabelledText) -> list[str]:
    return [text.text[label.start : label.end] for label in text.labels]


def test_a_label_covers_the_value_and_nothing_around_it() -> None:
    text = fill("« {phone} », twice: {email}!")
    assert text.text == "« {} », twice: {}!".format(*labelled(text))
    assert [label.kind for label in text.labels] == ["PHONE", "EMAIL"]


def test_a_person_keeps_the_name_throughout_a_text() -> None:
    text = fill("{1:full} / {1:first} / {1:last} / {1:rev} / {1|upper}")
    full, first, last, reversed_, capitals = labelled(text)
    assert full == f"{first} {last}"
    assert reversed_ == f"{last}, {first}"
    assert capitals.startswith(first.upper())


def test_people_of_one_text_share_no_name() -> None:
    for number in range(50):
        text = fill("{1:first} {1:last}, {2:first} {2:last}, {3:first} {3:last}", number=number)
        assert len(set(labelled(text))) == 6


def test_the_sex_that_is_asked_for_decides_the_words() -> None:
    assert fill("{1f:first} {1?M.|Mme}").text.endswith(" Mme")
    assert fill("{1m:first} {1?M.|Mme}").text.endswith(" M.")


def test_elision_stays_outside_the_label() -> None:
    seen = set()
    for number in range(60):
        text = fill("le chat {de 1:first}", number=number)
        [name] = labelled(text)
        vowel = plain(name)[0] in "AEIOU"
        assert text.text == f"le chat {'d’'.replace('’', chr(39)) if vowel else 'de '}{name}"
        seen.add(vowel)
    assert seen == {True, False}


def test_nobodys_values_and_neutral_ones_are_no_labels() -> None:
    text = fill("{=date} {~city} {{x}}")
    assert text.labels == ()
    [(start, end)] = text.neutral
    assert text.text[start:end] in {
        "Toronto",
        "Halifax",
        "Boston",
        "Calgary",
        "Sudbury",
        "London",
        "Victoria",
        "Saskatoon",
        "Montreal",
    }
    assert text.text.endswith(" {x}")


def test_line_ends_tabs_and_choices() -> None:
    texts = {fill("[[a|b]]⏎{1:first}⇥", number=number).text[0] for number in range(20)}
    assert texts == {"a", "b"}
    assert "\n" in fill("a⏎{1:first}").text


def test_a_disguise_is_named_in_the_form() -> None:
    [label] = fill("{phone|spaced}").labels
    assert label.form == "phone|spaced"


def test_the_number_of_the_filling_decides_the_values() -> None:
    template = "{1} {phone}"
    assert fill(template, number=3) == fill(template, number=3)
    assert fill(template, number=3).text != fill(template, number=4).text


def test_a_slot_that_does_not_exist_stops_the_run() -> None:
    with pytest.raises(KeyError):
        fill("{phonne}")


def test_initials_of_a_compound_name() -> None:
    from datetime import date

    person = Person("Jean-François", "D'Amours", "B", female=False, born=date(1970, 1, 2))
    assert person.named("init") == "J.-F. D'Amours"
    assert person.named("revcaps") == "D'AMOURS, Jean-François"
