"""Our own tokens on their way out: no rule reads one as personal data, wherever it stands and however it comes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.redaction.engine import PiiEngine
from runtime.redaction.lookalikes import READ_LOOSELY, look_alikes
from runtime.redaction.stream import StreamMasker, StreamRestorer, redact
from runtime.redaction.tokens import TokenEntry, TokenMap

ENGINE = PiiEngine(ner=False)
LABELS = [
    "registration", "Vehicle registration", "immatriculation", "plaque", "license plate", "password", "mot de passe", "PIN",
    "code", "token", "api_key", "Authorization: Bearer", "client number", "dossier", "no de client", "employee no.", "SIN",
    "NAS", "NIR", "IBAN", "account", "compte", "transit", "passport", "permis", "RAMQ", "adresse", "lives at", "habite au",
    "born on", "né le", "date of birth", "phone", "tél.", "courriel", "card", "carte", "username", "https://", "policy no",
    "claim no", "SIREN", "TPS", "my password is", "wifi password", "badge", "student id", "MRN", "reference", "ID", "No",
]  # fmt: skip
SHAPES = ["{l}: {t}", "{l} {t}", "{l} is {t}.", "{l}={t}", "({l} {t})", "{l}\n{t}", '"{l}": "{t}"', "{l} #{t}", "{l},x\n{t},1"]  # fmt: skip


def test_no_label_makes_a_token_a_finding() -> None:
    for label in LABELS:
        for entity in sorted(READ_LOOSELY):
            for shape in SHAPES:
                text = shape.format(l=label, t=f"<{entity}_123>")
                assert f"<{entity}_123>" in redact(text, StreamMasker(ENGINE.scanner())), text


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(LABELS), st.sampled_from([":", " ", "\n", ",", "=", "12", "Soleil99", "\ufffc"]),
            st.builds(lambda entity, n: f"<{entity}_{n}>", st.sampled_from(sorted(READ_LOOSELY)), st.integers(1, 30)),
        ),
        max_size=10,
    ).map(" ".join),
    st.lists(st.integers(0, 120), max_size=8),
)  # fmt: skip
def test_every_token_passes_whole_for_every_cut(text: str, cuts: list[int]) -> None:
    at, out, masker = 0, "", StreamMasker(ENGINE.scanner())
    for cut in [*sorted(min(cut, len(text)) for cut in cuts), len(text)]:
        out += masker.feed(text[at:cut])
        at = cut
    out += masker.flush()
    assert [out[low:high] for low, high, _ in look_alikes(out)] == [
        text[low:high] for low, high, _ in look_alikes(text)
    ]
    assert out.count("\ufffc") <= text.count("\ufffc")


def test_what_stands_around_a_token_is_still_masked() -> None:
    masker = StreamMasker(ENGINE.scanner())
    assert redact("mot de passe : <PERSON_1>Soleil99, puis 514 555-0199", masker) == (
        "mot de passe : <PERSON_1>[SECRET], puis [PHONE_NUMBER]"
    )
    assert masker.counts == {"SECRET": 1, "PHONE_NUMBER": 1}


def test_a_number_that_no_token_of_ours_has_is_read() -> None:
    # the model cannot hide a number as a token that it invents
    assert redact("Son NAS : <CA SIN 046454286>", StreamMasker(ENGINE.scanner())) == "Son NAS : <CA SIN [CA_SIN]>"


def test_an_echo_of_the_corpus_comes_back() -> None:
    from bench.pii.letters import letters

    for text in letters("letters")[::5]:
        tokens = TokenMap()
        strict = tokens.mask(text.text, ENGINE.identifiers(text.text))
        restorer = StreamRestorer(tokens)
        masker = StreamMasker(ENGINE.scanner(), known=lambda value, said=text.text: value in said)  # type: ignore[misc]
        assert restorer.feed(redact(strict, masker)) + restorer.flush() == text.text


def test_a_signs_own_place() -> None:
    entries = [TokenEntry("<PERSON_1>", "PERSON", "Ana Roy")]
    shown = redact("\ufffc <PERSON_1> \ufffc a@b.ca", StreamMasker(ENGINE.scanner()))
    assert shown == "\ufffc <PERSON_1> \ufffc [EMAIL_ADDRESS]"
    assert TokenMap(entries).restore(shown) == "\ufffc Ana Roy \ufffc [EMAIL_ADDRESS]"
