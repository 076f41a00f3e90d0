"""The networks are evaluated by us; spaCy says what they should answer."""

from __future__ import annotations

import pytest
import spacy

from runtime.redaction.dictionary import Dictionary
from runtime.redaction.errors import PiiUnavailable
from runtime.redaction.ner import MODELS, NameModel, installed_version
from runtime.redaction.words import features

pytestmark = pytest.mark.ner

TEXTS = [
    "Hello, my name is Margaret Thompson and I work in Halifax. I must send the papers to Robert Lee.",
    "Bonjour Jean-François Tremblay, Trois-Rivières est-elle à Québec, Canada ?",
    "I don't think you're right: it's John's book, isn't it? We'll see (maybe) on Monday at 5pm, U.S. time...",
    "L'ami d'Émile, M. Côté, s'appelle-t-il Étienne ? Qu'est-ce que c'est ? Aujourd'hui, j'irai à l'Hôtel-Dieu d'Arthabaska.",
    "Les anti-inflammatoires et les porte-avions, peut-être; dis-moi, vas-y, donne-le-lui. « Bien sûr », dit-elle à Saint-Denis.",
    "Please e-mail me@x.com, visit https://example.com/a?b=c or call +1 (514) 555-0123. Thanks, Bob!",
    "Voici l’adresse d’André : 10 rue Saint-Denis, Montréal (Qc). N’oublie pas !",
    "  deux  espaces\n\n\tet des lignes \n",
    "Barack Obama",
    "名前は田中です。 Привет, мир! 🙂 €5 $10 100%",
    "a", " ", "", "\n", "'", "-- ...",
]  # fmt: skip
UNUSED = ["tagger", "parser", "senter", "attribute_ruler", "lemmatizer", "morphologizer", "tok2vec"]


@pytest.mark.parametrize("language", MODELS)
def test_entities_are_those_of_spacy(language: str) -> None:
    reference = spacy.load(MODELS[language], exclude=UNUSED)
    model = NameModel(language)
    batch = model.find(TEXTS)
    for text, entities in zip(TEXTS, batch, strict=True):
        doc = reference(text)
        words = model._tokenizer.words(text)
        assert [(word.text, word.start) for word in words] == [(token.text, token.idx) for token in doc]
        if len(doc):
            assert (features(words) == doc.to_array(["NORM", "PREFIX", "SUFFIX", "SHAPE"])).all()
        expected = [(one.start_char, one.end_char, one.label_) for one in doc.ents]
        assert [tuple(one) for one in entities] == expected
        assert [tuple(one) for one in model.find([text])[0]] == expected


def test_a_missing_model_is_refused_and_not_fetched() -> None:
    with pytest.raises(PiiUnavailable, match="not installed"):
        installed_version("xx_no_such_model_sm")


@pytest.mark.parametrize(
    ("language", "common", "not_common"),
    [
        ("fr", ["explique", "écris", "dossier", "pouvez"], ["tremblay", "sophie"]),
        ("en", ["write", "explaining"], ["robert", "mary"]),
    ],
)
def test_the_dictionary_knows_common_words(language: str, common: list[str], not_common: list[str]) -> None:
    dictionary = Dictionary(language)
    assert all(word in dictionary for word in common)
    assert not any(word in dictionary for word in not_common)
