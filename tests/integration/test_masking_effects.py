"""What masking does, seen from the model's side and from the caller's; and what happens when it cannot be done."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from memory import repository
from memory.recall import decode_messages, open_stored
from runtime.backends.scripted import Script, ScriptedBackend
from runtime.redaction.engine import PiiEngine
from runtime.redaction.errors import PiiUnavailable, TextTooLong
from runtime.redaction.spans import Span

from .doors import (
    Cue,
    assert_log_whole,
    changed_settings,
    echo,
    engine,
    joined,
    on_loop,
    receipt_report,
    record,
    records,
    size,
    streaming,
    until,
)
from .harness import Filagent, running, settings_for

# text, and the pieces of it that no model may see
SECRETS: list[tuple[str, str, tuple[str, ...]]] = [
    ("e-mail", "Write to jean.roy@courriel.example today.", ("jean.roy", "courriel")),
    ("phone", "Call 514-555-0142 or +1 (438) 555-0199.", ("555-0142", "555-0199")),
    ("French phone", "Mon numéro est le 06 12 34 56 78.", ("12 34 56",)),
    ("NAS", "Mon NAS est 046 454 286.", ("046", "454")),
    ("SIN", "My SIN is 046-454-286.", ("046", "454")),
    ("card", "Card 4111 1111 1111 1111, please.", ("4111", "1111")),
    ("card over two lines", "Card 4111 1111\n1111 1111, please.", ("4111", "1111")),
    ("full-width card", "Card ４１１１ １１１１ １１１１ １１１１.", ("４１１１", "1111")),
    ("RAMQ", "Ma carte d'assurance maladie: TREM 8001 0112.", ("TREM", "8001")),
    ("postal code", "J'habite à H2L 1A1, Montréal.", ("H2L", "1A1")),
    ("IBAN", "Pay to FR76 3000 6000 0112 3456 7890 189.", ("3000 6000", "7890")),
    ("address in the net", "It came from 203.0.113.77.", ("203.0.113",)),
    ("secret", "My key is sk-proj-abcdefghijklmnop1234567890ABCDEFGH.", ("abcdefghij", "ABCDEFGH")),
]
ENGLISH = "My colleague Margaret Thornbury lives next door and will call Margaret Thornbury's brother."
FRENCH = "Ma collègue Geneviève Castonguay habite à côté et verra Geneviève Castonguay demain."


@pytest.fixture(scope="module")
def cue() -> Cue:
    return Cue()


@pytest.fixture(scope="module")
def backend(cue: Cue) -> ScriptedBackend:
    return cue.backend()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, backend: ScriptedBackend) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("masking"), backend, engine=engine()) as started:
        yield started


@pytest.fixture(scope="module")
def parrot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Filagent, ScriptedBackend]]:
    """A model that says again what it was told."""
    backend = ScriptedBackend(echo)
    with running(tmp_path_factory.mktemp("parrot"), backend, engine=engine()) as started:
        yield started, backend


@pytest.fixture(autouse=True)
def _plain_answers(cue: Cue) -> None:
    cue.script = Script()


def seen(backend: ScriptedBackend, since: int = 0) -> str:
    """Everything that the model was sent, to the byte."""
    return "\n".join(sent.body.decode() for sent in backend.sent[since:])


def stored(app: Filagent, turn_id: str, person: str = "admin") -> dict[str, str]:
    """What the database holds of a turn, unsealed: the texts of input, view and output."""
    ledger = app.services.ledger
    turn = on_loop(app, ledger.database.read(partial(repository.find_turn, turn_id=turn_id)))
    assert turn is not None
    found = on_loop(
        app, ledger.database.read(lambda conn: repository.read_turn(conn, turn_id, turn.principal_id or ""))
    )
    assert found is not None
    parts, _ = open_stored(found, ledger.keys)
    return {
        name: "\n".join(message.content for message in decode_messages(parts[name]))
        for name in ("input", "view", "output")
    }


# what the model sees -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "pieces"), [case[1:] for case in SECRETS], ids=[case[0] for case in SECRETS])
def test_no_identifier_reaches_the_model_and_all_come_back(
    parrot: tuple[Filagent, ScriptedBackend], text: str, pieces: tuple[str, ...]
) -> None:
    app, backend = parrot
    before = len(backend.sent)
    answer = app.chat(text).json
    told = "\n".join(message.content for sent in backend.sent[before:] for message in sent.request.messages)
    assert [piece for piece in pieces if piece in told] == []
    assert text not in seen(backend, before)
    assert answer["content"] == text
    assert sum(answer["redactions"].values()) >= 1


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_every_message_is_masked_whoever_is_said_to_speak(app: Filagent, backend: ScriptedBackend, role: str) -> None:
    before = len(backend.sent)
    messages = [{"role": role, "content": "I am jean.roy@courriel.example"}, {"role": "user", "content": "Hello"}]
    assert app.request("POST", "/chat", {"messages": messages}).status == 200
    assert "courriel" not in seen(backend, before)


def test_what_was_said_earlier_stays_masked(app: Filagent, backend: ScriptedBackend, cue: Cue) -> None:
    cue.script = Script(("You are <EMAIL_ADDRESS_1>, and I know boss@courriel.example.",))
    place = app.chat("I am jean.roy@courriel.example").json["conversation_id"]
    before = len(backend.sent)
    app.chat("What did you say?", conversation_id=place)
    assert "courriel" not in seen(backend, before)
    assert "You are <EMAIL_ADDRESS_1>" in seen(backend, before)


def test_data_subjects_are_for_the_evidence_not_for_the_model(app: Filagent, backend: ScriptedBackend) -> None:
    before = len(backend.sent)
    app.chat("Hello", data_subjects=["Zacharie Quintal", "jean.roy@courriel.example"])
    assert "Quintal" not in seen(backend, before)
    assert "courriel" not in seen(backend, before)


def test_the_owner_that_a_model_hears_of_is_a_random_reference(app: Filagent, backend: ScriptedBackend) -> None:
    first = app.chat("Hello").json
    app.chat("Again", conversation_id=first["conversation_id"])
    app.chat("Hello")
    owners = [sent.request.owner for sent in backend.sent[-3:]]
    assert owners[0] == owners[1] != owners[2]
    assert first["conversation_id"] not in seen(backend)
    assert owners[0] == record(app, first["decision_id"])["conversation_ref"]


# typed look-alikes -----------------------------------------------------------------------------------------------------

LOOK_ALIKES = [
    "<EMAIL_ADDRESS_1>",
    "< EMAIL_ADDRESS_1 >",
    "<email_address_1>",
    "EMAIL_ADDRESS_1",
    "＜EMAIL_ADDRESS_1＞",
    "<EMAIL_ADDRESS\u200b_1>",
    "<LITERAL_1>",
    "<<EMAIL_ADDRESS_1>>",
    "&lt;EMAIL_ADDRESS_1&gt;",
    "[EMAIL_ADDRESS_1]",
    "[EMAIL_ADDRESS]",
]


@pytest.mark.parametrize("typed", LOOK_ALIKES)
@pytest.mark.parametrize("stream", [False, True])
def test_a_typed_look_alike_reads_nothing(parrot: tuple[Filagent, ScriptedBackend], typed: str, stream: bool) -> None:
    app, _ = parrot
    key = app.key("admin", f"typist {LOOK_ALIKES.index(typed)} {stream}")
    place = app.chat("I am jean.roy@courriel.example", key=key).json["conversation_id"]
    text = f"Say {typed} twice: {typed}"
    if stream:
        with streaming(app, text, key=key, conversation_id=place) as events:
            said = joined(events.rest())
    else:
        said = app.chat(text, key=key, conversation_id=place).json["content"]
    assert said == text


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_a_planted_token_reads_nothing(parrot: tuple[Filagent, ScriptedBackend], role: str) -> None:
    app, backend = parrot
    key = app.key("admin", f"planter {role}")
    place = app.chat("I am jean.roy@courriel.example", key=key).json["conversation_id"]
    messages = [
        {"role": role, "content": "It is <EMAIL_ADDRESS_1>."},
        {"role": "user", "content": "Say <EMAIL_ADDRESS_1>."},
    ]
    before = len(backend.sent)
    answer = app.request("POST", "/chat", {"messages": messages, "conversation_id": place}, key=key).json
    assert answer["content"] == "Say <EMAIL_ADDRESS_1>."
    new = [message.content for message in backend.sent[before].request.messages[-2:]]
    assert [text for text in new if "<EMAIL_ADDRESS_1>" in text] == []


def test_a_token_of_another_conversation_reads_nothing(app: Filagent, cue: Cue) -> None:
    app.chat("I am jean.roy@courriel.example")
    cue.script = Script(("It is <EMAIL_ADDRESS_1>.",))
    assert app.chat("Who am I?").json["content"] == "It is <EMAIL_ADDRESS_1>."


# what is stored --------------------------------------------------------------------------------------------------------


def test_what_is_stored_holds_no_identifier(app: Filagent, cue: Cue) -> None:
    cue.script = Script(("Dear <EMAIL_ADDRESS_1>, call 514-555-0188.",))
    answer = app.chat("I am jean.roy@courriel.example").json
    assert answer["content"] == "Dear jean.roy@courriel.example, call [PHONE_NUMBER]."
    kept = stored(app, answer["turn_id"])
    assert kept["input"] == "I am <EMAIL_ADDRESS_1>"
    assert kept["view"] == "I am <EMAIL_ADDRESS_1>"
    assert kept["output"].startswith("Dear <EMAIL_ADDRESS_1>, call ")
    again = app.request("GET", f"/turns/{answer['turn_id']}").json
    assert again == answer
    assert receipt_report(app, again).whole


@pytest.mark.parametrize(
    "said", ["<EMAIL_ADDRESS_1> <EMAIL_ADDRESS_7> [EMAIL_ADDRESS]", "a < b > c <B_1", "\r\n \u2028"]
)
def test_a_turn_gives_back_the_same_bytes(app: Filagent, cue: Cue, said: str) -> None:
    cue.script = Script((said,))
    answer = app.chat("I am jean.roy@courriel.example").json
    again = app.request("GET", f"/turns/{answer['turn_id']}").json
    assert again["content"] == answer["content"]
    assert receipt_report(app, again).whole


# names -----------------------------------------------------------------------------------------------------------------


@pytest.mark.ner
@pytest.mark.parametrize(("text", "name"), [(ENGLISH, "Margaret Thornbury"), (FRENCH, "Geneviève Castonguay")])
def test_a_local_model_sees_names_and_what_is_stored_does_not(tmp_path: Path, text: str, name: str) -> None:
    backend = ScriptedBackend(echo)
    with running(tmp_path, backend, engine=engine(ner=True)) as app:
        answer = app.chat(f"{text} jean.roy@courriel.example").json
        assert name in seen(backend)
        assert "courriel" not in seen(backend)
        assert answer["content"] == f"{text} jean.roy@courriel.example"
        kept = stored(app, answer["turn_id"])
        assert [part for part, words in kept.items() if name.split()[1] in words] == []
        assert app.request("GET", f"/turns/{answer['turn_id']}").json == answer
        assert receipt_report(app, answer).whole
        # The next turn, too, is told the name: a view is made of what is stored.
        app.chat("And now?", conversation_id=answer["conversation_id"])
        assert backend.sent[-1].body.decode().count(name) >= 2


@pytest.mark.ner
@pytest.mark.parametrize(("text", "name"), [(ENGLISH, "Margaret Thornbury"), (FRENCH, "Geneviève Castonguay")])
def test_a_remote_model_sees_tokens_and_the_caller_his_names(tmp_path: Path, text: str, name: str) -> None:
    backend = ScriptedBackend(echo, name="vllm", kind="remote")
    with running(tmp_path, backend, engine=engine(ner=True)) as app:
        answer = app.chat(text).json
        for word in name.split():
            assert word not in seen(backend)
        assert "<PERSON_1>" in seen(backend)
        assert answer["content"] == text
        assert answer["redactions"]["PERSON"] >= 2
        # Earlier turns are told without names as well.
        app.chat("And now?", conversation_id=answer["conversation_id"])
        for word in name.split():
            assert word not in seen(backend)


# when it cannot be done --------------------------------------------------------------------------------------------------


class Unwell(PiiEngine):
    """The engine, with something that happens to it first."""

    def __init__(self) -> None:
        super().__init__(ner=False)
        self.fails: Exception | None = None
        self.hold: threading.Event | None = None
        self.held = threading.Event()

    def analyze(self, texts: Sequence[str], **options: Any) -> list[list[Span]]:
        if self.hold is not None and texts != ["ready"]:
            self.held.set()
            self.hold.wait(30)
        if self.fails is not None:
            raise self.fails
        return super().analyze(texts, **options)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Filagent, ScriptedBackend, Unwell]]:
    home = tmp_path_factory.mktemp("ward")

    def hurried(settings: dict[str, Any]) -> None:
        settings["masking"]["timeout_seconds"] = 0.3

    settings = settings_for(home, FILAGENT_CONFIG=changed_settings(home / "agent.yaml", hurried))
    backend, patient = ScriptedBackend(), Unwell()
    with running(home, backend, settings=settings, engine=patient) as started:
        yield started, backend, patient


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (PiiUnavailable("jean.roy@courriel.example"), 503, "pii.unavailable"),
        (TextTooLong("jean.roy@courriel.example"), 413, "pii.too_long"),
        (RuntimeError("jean.roy@courriel.example"), 500, "internal.error"),
    ],
)
def test_without_masking_there_is_no_turn(
    ward: tuple[Filagent, ScriptedBackend, Unwell], failure: Exception, status: int, code: str, stream: bool
) -> None:
    app, backend, patient = ward
    before, asked = size(app), len(backend.sent)
    patient.fails = failure
    try:
        answer = app.chat("I am jean.roy@courriel.example", stream=stream)
    finally:
        patient.fails = None
    assert (answer.status, answer.json["code"]) == (status, code)
    assert "courriel" not in answer.raw.decode()
    assert len(backend.sent) == asked
    assert [found["event"] for found in records(app, start=before)] == ["turn"]
    found = record(app, answer.json["decision_id"])
    assert (found["effect"], found["reasons"]) == ({"status": "none"}, [code])


def test_a_masker_that_hangs_is_not_waited_for_and_holds_nobody_up(
    ward: tuple[Filagent, ScriptedBackend, Unwell],
) -> None:
    app, backend, patient = ward
    asked = len(backend.sent)
    patient.hold = threading.Event()
    try:
        with ThreadPoolExecutor(4) as pool:
            turns = [pool.submit(app.chat, "I am jean.roy@courriel.example") for _ in range(4)]
            until(patient.held.is_set)
            # The event loop is free while the threads hang.
            assert app.request("GET", "/health", key=None).status == 200
            assert app.request("GET", "/conversations").status == 200
            answers = [turn.result(30) for turn in turns]
    finally:
        patient.hold.set()
        patient.hold = None
    assert {(answer.status, answer.json["code"]) for answer in answers} == {(503, "pii.timeout")}
    assert len(backend.sent) == asked
    for answer in answers:
        assert record(app, answer.json["decision_id"])["reasons"] == ["pii.timeout"]
    until(lambda: app.chat("Hello").status == 200)


def test_an_answer_that_cannot_be_masked_for_the_store_is_not_given(
    ward: tuple[Filagent, ScriptedBackend, Unwell],
) -> None:
    app, backend, patient = ward

    def falls_ill(_request: Any) -> Script:
        patient.fails = PiiUnavailable("gone")
        return Script(("A secret answer.",))

    choose, backend._choose = backend._choose, falls_ill
    try:
        answer = app.chat("Hello")
    finally:
        backend._choose, patient.fails = choose, None
    assert (answer.status, answer.json["code"]) == (503, "pii.unavailable")
    assert "secret answer" not in answer.raw.decode()
    assert record(app, answer.json["decision_id"])["effect"] == {"status": "none"}


def test_after_all_of_this_the_log_is_whole(
    app: Filagent, parrot: tuple[Filagent, ScriptedBackend], ward: tuple[Filagent, ScriptedBackend, Unwell]
) -> None:
    for one in (app, parrot[0], ward[0]):
        assert_log_whole(one)


class Counting(PiiEngine):
    """The real engine, which also counts how often it is given a text."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def analyze(self, texts: Sequence[str], *, time_limit: float | None = None) -> list[list[Span]]:
        self.asked += texts
        return super().analyze(texts, time_limit=time_limit)


def test_what_a_conversation_sends_again_is_masked_again_without_another_look(tmp_path: Path) -> None:
    finder = Counting()
    finder.load()
    words = "You help Margaret Thornbury, margaret@thornbury.example."
    backend = ScriptedBackend()
    with running(tmp_path, backend, engine=finder) as app:
        turns: list[dict[str, Any]] = []
        for question in ("First, call 514-555-0142.", "Second, call 514-555-0142."):
            messages = [{"role": "system", "content": words}, {"role": "user", "content": question}]
            more = {"conversation_id": turns[0]["conversation_id"]} if turns else {}
            answer = app.request("POST", "/chat", {"messages": messages, **more})
            assert answer.status == 200, answer.json
            turns.append(answer.json)
        assert finder.asked.count(words) == 1
        assert finder.asked.count("Second, call 514-555-0142.") == 1
        for sent in backend.sent:
            shown = "\n".join(message.content for message in sent.request.messages)
            assert "margaret@" not in shown
            assert "555-0142" not in shown
        found = [record(app, turn["decision_id"])["redactions"]["in"] for turn in turns]
        assert found[0] == found[1]
        assert found[0]["EMAIL_ADDRESS"] == 1
        elsewhere = [{"role": "system", "content": words}, {"role": "user", "content": "Another"}]
        assert app.request("POST", "/chat", {"messages": elsewhere}).status == 200
        assert finder.asked.count(words) == 2  # another conversation knows nothing of it
