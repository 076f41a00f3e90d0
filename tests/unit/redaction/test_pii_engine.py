"""The engine as the pipeline meets it: offline, bounded, refusing rather than guessing, unharmed by a failure."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from runtime.redaction.engine import PiiEngine
from runtime.redaction.errors import PiiUnavailable, TextTooLong
from runtime.redaction.spans import Span
from runtime.redaction.tokens import TokenMap

TEXT = "Bonjour, je m'appelle Jean Roy ; écrivez à jean.roy@exemple.ca ou au 514 555-0123."

OFFLINE = """
import socket, sys

def trap(*args, **kwargs):
    print("NETWORK", args, file=sys.stderr, flush=True)
    raise SystemExit(3)

socket.socket.connect = socket.socket.connect_ex = trap
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = trap
from runtime.redaction.engine import PiiEngine
engine = PiiEngine()
engine.load()
text = "Jean Roy, jean.roy@exemple.ca, +33 6 12 34 56 78, 5145550123, http://a:b@exemple.ca, FR76 3000 6000 0112 3456 7890 189"
found = {span.entity for span in engine.analyze([text])[0]}
assert {"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "URL_CREDENTIALS", "IBAN_CODE"} <= found, found
print("offline")
"""


@pytest.mark.ner
def test_neither_loading_nor_analysing_touches_the_network() -> None:
    done = subprocess.run([sys.executable, "-c", OFFLINE], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout.strip(), done.returncode) == ("offline", 0), done.stderr


@pytest.mark.ner
def test_texts_of_both_languages_in_one_call(engine: PiiEngine) -> None:
    french, english = engine.analyze([TEXT, "My name is Robert Lee, call 902-555-0143."])
    assert [one.entity for one in french] == ["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER"]
    assert [one.entity for one in english] == ["PERSON", "PHONE_NUMBER"]
    assert engine.analyze([]) == []
    assert engine.analyze(["", " ", "\n"]) == [[], [], []]


@pytest.mark.ner
def test_a_long_text_is_read_to_its_end(engine: PiiEngine) -> None:
    text = "Le temps passe et rien ne change dans la vallée. " * 400 + TEXT
    entities = [one.entity for one in engine.analyze([text])[0]]
    assert entities[-3:] == ["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER"]


@pytest.mark.ner
def test_whatever_the_text_spans_are_apart_and_come_back(engine: PiiEngine) -> None:
    for text in (
        "\ud800 x \x00 Jean Roy\u200b",
        "💬" * 50,
        "JEAN ROY " * 50,
        "<PERSON_1> Jean Roy <",
        "Roy 514 555-0123 Jean",
    ):
        spans = engine.analyze([text])[0]
        assert all(a.end <= b.start for a, b in pairwise(spans))
        tokens = TokenMap()
        assert tokens.restore(tokens.mask(text, spans)) == text


@pytest.mark.ner
def test_several_threads_at_once(engine: PiiEngine) -> None:
    expected = engine.analyze([TEXT])
    with ThreadPoolExecutor(4) as threads:
        assert all(result == expected for result in threads.map(lambda _: engine.analyze([TEXT]), range(24)))


def test_an_engine_that_is_not_loaded_refuses() -> None:
    with pytest.raises(PiiUnavailable, match="not loaded"):
        PiiEngine().analyze(["x"])


def test_a_text_over_the_limit_is_refused(rules: PiiEngine) -> None:
    engine = PiiEngine(ner=False, max_chars=10)
    assert engine.analyze(["0 1 2 3 4 "]) == [[]]
    with pytest.raises(TextTooLong):
        engine.analyze(["ok", "0123456789a"])
    assert issubclass(TextTooLong, PiiUnavailable)


def test_an_analysis_that_takes_too_long_stops(rules: PiiEngine) -> None:
    with pytest.raises(PiiUnavailable, match="too long"):
        rules.analyze([TEXT], time_limit=-1)
    assert len(rules.analyze([TEXT], time_limit=60)[0]) == 2


class Breaking(PiiEngine):
    """Fails on one text."""

    def find(self, segment: str, left: str) -> list[Span]:
        if "514" in segment:
            raise RuntimeError(segment)
        return super().find(segment, left)


def test_a_failure_is_a_refusal_and_harms_nothing_after() -> None:
    engine = Breaking(ner=False)
    with pytest.raises(PiiUnavailable) as refusal:
        engine.analyze([TEXT])
    assert "514" not in str(refusal.value)
    assert [one.entity for one in engine.analyze(["a@b.ca"])[0]] == ["EMAIL_ADDRESS"]


def test_the_revision_names_what_decided(rules: PiiEngine) -> None:
    assert rules.revision.startswith("sha256:")
    assert len(rules.revision) == 71
    assert rules.revision == PiiEngine(ner=False).revision
    assert rules.revision != PiiEngine(ner=False, max_chars=5).revision
    assert rules.revision != PiiEngine().revision


def test_entities_are_listed(rules: PiiEngine) -> None:
    assert {"CA_SIN", "CA_NEQ", "EMAIL_ADDRESS"} <= set(rules.entities)
    assert "PERSON" not in rules.entities
    assert {"PERSON", "LOCATION"} <= set(PiiEngine().entities)
    assert list(rules.entities) == sorted(rules.entities)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r'{"m": "x\njean@courriel.example"}', ["jean@courriel.example"]),
        (r'{"m": "x\\njean@courriel.example"}', ["njean@courriel.example"]),
        (r"tabs\t514-555-1234\r514-555-1235", ["514-555-1234", "514-555-1235"]),
        (r'{"nom": "M. Ren\u00e9 L\u00e9vesque"}', [r"Ren\u00e9 L\u00e9vesque"]),
        (r'{"a": "Bonjour,\nMarie Tremblay habite ici.\n"}', ["Marie Tremblay"]),
        ("Bonjour Ren&eacute; L&eacute;vesque, R&D chez AT&T", ["Ren&eacute; L&eacute;vesque"]),
    ],
)
def test_escapes_hide_nothing_and_lose_nothing(engine: PiiEngine, text: str, found: list[str]) -> None:
    """What is found begins behind an escape, not inside it: JSON stays JSON, and a value is what it was."""
    (spans,) = engine.analyze([text])
    assert [text[span.start : span.end] for span in spans] == found
