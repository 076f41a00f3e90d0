"""What a stream holds back: an undecided tail of bounded length, whatever the prose, in English and French."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.redaction.engine import PiiEngine
from runtime.redaction.segments import KEPT, WINDOW
from runtime.redaction.stream import StreamMasker, redact

ENGINE = PiiEngine(ner=False)
HELD_WORDS = KEPT + 3
_WORD = re.compile(r"\S+\s*|\s+")

PROSE = [
    "Of course, with pleasure, here it comes. The answer is simple, and it has three parts that follow each other.",
    "Bien sûr, avec plaisir, la voici. La réponse est simple, et elle a trois parties qui se suivent dans l'ordre.",
    "In 2019 the company had 447 employees, 12 offices and 3 factories; by 2024 it had grown to 1,882 people.",
    "En 2019, la société comptait 447 employés, 12 bureaux et 3 usines ; en 2024, elle en avait 1 882 au total.",
    "Choose a password that is long, keep it secret, and never reuse your password for another site or account.",
    "Choisissez un mot de passe long, gardez-le secret, et ne réutilisez jamais votre mot de passe ailleurs.",
    'He said "the court will rule on this" and then, in the street, "we shall see"; the avenue was empty and long.',
    "Il a dit « la cour tranchera » puis, dans la rue, « nous verrons » ; l'avenue était vide, longue et grise.",
    "# Heading one\n\nSome text under it, of no importance.\n\n## Heading two\n\n- first item\n- second item\n- third item\n",
    "# Titre un\n\nDu texte dessous, sans importance.\n\n## Titre deux\n\n- premier point\n- deuxième point\n1. un\n2. deux\n",
    "def add(a, b):\n    return a + b\n\nfor item in items:\n    print(add(item, 1))\nif not items:\n    raise ValueError\n",
    "I moved last year, and I live in a small house where the address of the sender is no longer of any interest to us.",
    "J'habite une petite maison et j'ai déménagé l'an dernier ; le chemin qui y mène traverse un boulevard et une place.",
    "The secret of the token economy is the key: keys, tokens and secrets, codes and pins, passes and phrases, all of it.",
    "Le secret de la clé est le jeton : les clés, les codes, les jetons, les secrets, et la phrase qui passe partout.",
    "One and two and three, un et deux et trois; a one-way street, a dead end, a road, a drive, a court, a place to be.",
]


def held(text: str, pieces: list[str]) -> list[str]:
    """What is held after each piece of a text in which nothing is masked."""
    masker, given_in, given_out, tails = StreamMasker(ENGINE.scanner()), "", "", []
    for piece in pieces:
        given_in += piece
        given_out += masker.feed(piece)
        assert given_in.startswith(given_out)
        tails.append(given_in[len(given_out) :])
    assert given_out + masker.flush() == text
    return tails


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_released_word_by_word(text: str) -> None:
    for tail in held(text, _WORD.findall(text)):
        assert len(tail.split()) <= HELD_WORDS


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_released_letter_by_letter(text: str) -> None:
    for tail in held(text, list(text)):
        assert len(tail.split()) <= HELD_WORDS


@pytest.mark.parametrize(
    ("fed", "at_once"),
    [
        ("Of course, with pleasure, here it comes. ", "Of course, with pleasure, here it "),
        ("Bien sûr, avec plaisir, la voici maintenant. ", "Bien sûr, avec plaisir, la voici "),
        ("The street was empty and the court was closed. ", "The street was empty and the court was "),
        (
            "Of all the places on the road to the lake, this is it. ",
            "Of all the places on the road to the lake, this is ",
        ),
    ],
)
def test_a_sentence_does_not_wait_for_the_next(fed: str, at_once: str) -> None:
    assert StreamMasker(ENGINE.scanner()).feed(fed) == at_once


_WORDS = sorted({word for text in PROSE for word in text.split() if not any(map(str.isdigit, word))})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(words=st.lists(st.sampled_from(_WORDS), min_size=30, max_size=120))
def test_any_order_of_such_words_is_released(words: list[str]) -> None:
    text = " ".join(words)
    masker, given_in, shown = StreamMasker(ENGINE.scanner()), 0, 0
    for word in words:
        piece = word + " "
        given_in += len(piece)
        shown += len(masker.feed(piece))
        if masker.counts:
            return
        assert given_in - shown <= WINDOW + len(piece)
    if not redact(text, StreamMasker(ENGINE.scanner())).count("["):
        assert shown


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=st.lists(
        st.sampled_from([*_WORDS, "514", "555-0199", "046", "454 286", "12", "Main Street,", "H2L 1A1", "a@b.ca", ":"]),
        max_size=60,
    ).map(" ".join),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8),
)
def test_every_chunking_gives_the_same_and_holds_no_more_than_the_window(text: str, sizes: list[int]) -> None:
    masker, out, at, turn = StreamMasker(ENGINE.scanner()), "", 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        out += masker.feed(text[at : at + size])
        at, turn = at + size, turn + 1
        assert masker.held <= WINDOW
    assert out + masker.flush() == redact(text, StreamMasker(ENGINE.scanner()))
