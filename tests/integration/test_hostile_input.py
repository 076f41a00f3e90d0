"""Requests that nobody sends by accident: each gets a clear problem with a stable code, and costs nothing but itself."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.backends.scripted import Pause, Script, ScriptedBackend

from .doors import Cue, Operational, Wire, assert_log_whole, engine, let_on, operational_log, raw, records, size, until
from .harness import Filagent, running

HELLO = b'{"messages":[{"role":"user","content":"Hello"}]}'
LIMIT = 1 << 20


@pytest.fixture(scope="module")
def cue() -> Cue:
    return Cue()


@pytest.fixture(scope="module")
def backend(cue: Cue) -> ScriptedBackend:
    return cue.backend()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, backend: ScriptedBackend) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("hostile"), backend, engine=engine()) as started:
        yield started


@pytest.fixture(scope="module")
def logged(app: Filagent) -> Iterator[Operational]:
    with operational_log() as collected:
        yield collected


@pytest.fixture(autouse=True)
def _nothing_breaks(app: Filagent, cue: Cue, backend: ScriptedBackend, logged: Operational) -> Iterator[None]:
    """After every test the process lives, has shown nobody a traceback, and holds nothing open."""
    cue.script = Script()
    yield
    assert app.request("GET", "/health", key=None).status == 200
    assert until(lambda: backend.open == 0)
    assert "Traceback" not in logged.text
    assert "Exception in ASGI" not in logged.text


def head(app: Filagent, method: str = "POST", path: str = "/chat", **fields: str) -> bytes:
    """The head of a request, with credential and Host unless another is given."""
    wanted = {"Host": "localhost", "Authorization": f"Bearer {app.admin_key}", **fields}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in wanted.items() if value)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n"


def whole(app: Filagent, body: bytes, **fields: str) -> bytes:
    return head(app, **{"Content-Length": str(len(body)), "Content-Type": "application/json"} | fields) + b"\r\n" + body


def assert_problem(status: int, headers: dict[str, str], body: bytes, wanted: tuple[int, str]) -> dict[str, Any]:
    """The answer is problem+json (RFC 9457) with this status and code."""
    assert headers["content-type"] == "application/problem+json", body
    told: dict[str, Any] = json.loads(body)
    assert (status, told["code"]) == wanted
    assert told["status"] == status
    assert told["type"] == f"urn:filagent:error:{told['code']}"
    assert told["title"]
    assert told["detail"]
    return told


# bodies ------------------------------------------------------------------------------------------------------------

BODIES: list[tuple[str, bytes, tuple[int, str]]] = [
    ("nothing", b"", (422, "request.not_json")),
    ("no object", b"[]", (422, "request.not_json")),
    ("no messages", b'{"messages":[]}', (422, "request.invalid")),
    ("an empty object", b"{}", (422, "request.invalid")),
    ("empty content", b'{"messages":[{"role":"user","content":""}]}', (422, "request.invalid")),
    ("blank content", b'{"messages":[{"role":"user","content":" \\n\\t"}]}', (422, "request.invalid")),
    ("no-break spaces", '{"messages":[{"role":"user","content":"\u00a0\u2003"}]}'.encode(), (422, "request.invalid")),
    ("an unknown role", b'{"messages":[{"role":"tool","content":"a"}]}', (422, "request.invalid")),
    ("the model last", b'{"messages":[{"role":"assistant","content":"a"}]}', (422, "request.invalid")),
    ("an unknown field", HELLO[:-1] + b',"max_tokens":5}', (422, "request.invalid")),
    ("an own class", HELLO[:-1] + b',"__class__":"Admin"}', (422, "request.invalid")),
    ("NUL", b'{"messages":[{"role":"user","content":"a\\u0000b"}]}', (422, "request.bad_text")),
    ("NUL as it is", b'{"messages":[{"role":"user","content":"a\x00b"}]}', (422, "request.not_json")),
    ("a lone surrogate", b'{"messages":[{"role":"user","content":"\\udc80"}]}', (422, "request.bad_text")),
    ("a surrogate in bytes", b'{"messages":[{"role":"user","content":"\xed\xb2\x80"}]}', (422, "request.not_json")),
    ("invalid UTF-8", b'{"messages":[{"role":"user","content":"\xff"}]}', (422, "request.not_json")),
    ("UTF-16", HELLO.decode().encode("utf-16"), (422, "request.not_json")),
    ("100,000 brackets", b"[" * 100_000, (422, "request.not_json")),
    ("100,000 objects", b'{"a":' * 100_000, (422, "request.not_json")),
    ("the same key twice", HELLO[:-1] + b',"messages":[]}', (422, "request.not_json")),
    ("NaN", HELLO[:-1] + b',"options":{"temperature":NaN}}', (422, "request.not_json")),
    ("a number beyond doubles", HELLO[:-1] + b',"options":{"temperature":1e999}}', (422, "request.invalid")),
    ("a long integer", HELLO[:-1] + b',"options":{"seed":' + b"9" * 6000 + b"}}", (422, "request.not_json")),
    ("an integer of 20 digits", HELLO[:-1] + b',"options":{"seed":' + b"9" * 20 + b"}}", (422, "request.invalid")),
    ("a fraction for a count", HELLO[:-1] + b',"options":{"max_tokens":1e2}}', (422, "request.invalid")),
    ("a path", HELLO[:-1] + b',"conversation_id":"../../etc/passwd"}', (422, "request.invalid")),
    ("a path in percents", HELLO[:-1] + b',"conversation_id":"%2e%2e%2f"}', (422, "request.invalid")),
    ("a long id", HELLO[:-1] + b',"conversation_id":"' + b"C" * 100_000 + b'"}', (422, "request.invalid")),
    ("a wildcard", HELLO[:-1] + b',"conversation_id":"%"}', (422, "request.invalid")),
    ("a query", HELLO[:-1] + b',"conversation_id":"\' OR 1=1 --"}', (422, "request.invalid")),
    ("an address for a backend", HELLO[:-1] + b',"backend":"http://10.0.0.1/"}', (422, "request.backend_unknown")),
    ("5 MB", b'{"messages":[{"role":"user","content":"' + b"a" * 5_000_000 + b'"}]}', (413, "request.too_large")),
    ("one byte too many", b" " * (LIMIT + 1), (413, "request.too_large")),
]


@pytest.mark.parametrize(("body", "wanted"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
def test_a_body_that_is_not_a_question_is_refused(
    app: Filagent, backend: ScriptedBackend, body: bytes, wanted: tuple[int, str]
) -> None:
    before = len(backend.sent)
    answer = app.request("POST", "/chat", body)
    assert_problem(answer.status, answer.headers, answer.raw, wanted)
    assert len(backend.sent) == before


def test_the_same_refusals_for_a_title(app: Filagent) -> None:
    place = app.chat("Hello").json["conversation_id"]
    for body, wanted in [
        (b"", (422, "request.not_json")),
        (b'{"title":""}', (422, "request.invalid")),
        (b'{"title":"  "}', (422, "request.invalid")),
        (b'{"title":"a\\u0000"}', (422, "request.bad_text")),
        (b'{"title":"a","owner":"me"}', (422, "request.invalid")),
        (b'{"title":"' + b"a" * 201 + b'"}', (422, "request.invalid")),
        (b'{"title":"' + b"a" * LIMIT + b'"}', (413, "request.too_large")),
    ]:
        answer = app.request("PATCH", f"/conversations/{place}", body)
        assert_problem(answer.status, answer.headers, answer.raw, wanted)


@pytest.mark.parametrize(
    "text",
    [
        "\u202eevil\u202c \u200b\u200d\ufeff",
        "\U0010ffff \ufffe \ufdd0",
        "a\u0301" * 3000,
        "🏴‍☠️" * 500,
        "<EMAIL_ADDRESS_1> <b onload=x> &amp; [1]",
        "A" * 20_000,
        "'; DROP TABLE turns; --",
        "{{7*7}} ${jndi:ldap://x} %s %n \\x00",
    ],
    ids=["directions", "non-characters", "accents", "joined", "markers", "long", "sql", "templates"],
)
def test_strange_text_is_only_text(app: Filagent, text: str) -> None:
    answer = app.chat(text)
    assert answer.status == 200
    told = app.request("GET", f"/conversations/{answer.json['conversation_id']}").json
    assert told["messages"][0]["content"] == text


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_compressed_bodies_are_not_unpacked(app: Filagent, encoding: str) -> None:
    answer = app.request("POST", "/chat", b"\x1f\x8b\x08\x00" + bytes(50), headers={"Content-Encoding": encoding})
    assert_problem(answer.status, answer.headers, answer.raw, (422, "request.not_json"))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"messages=Hello&role=user"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nHello\r\n--x--'),
        ("application/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
        ("application/msgpack", b"\x81\xa8messages\x90"),
        ("text/plain", b"Hello"),
    ],
)
def test_other_kinds_of_content_are_refused(app: Filagent, kind: str, body: bytes) -> None:
    answer = app.request("POST", "/chat", body, headers={"Content-Type": kind})
    assert_problem(answer.status, answer.headers, answer.raw, (422, "request.not_json"))


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json; charset=utf-16", "nonsense"])
def test_json_is_json_whatever_its_label(app: Filagent, kind: str) -> None:
    answer = raw(app, whole(app, HELLO, **{"Content-Type": kind}))
    assert answer is not None
    assert answer.status == 200


# methods, paths, parameters ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_refused(app: Filagent, method: str) -> None:
    answer = raw(app, head(app, method) + b"\r\n")
    assert answer is not None
    assert_problem(answer.status, answer.headers, answer.body, (405, "request.method_not_allowed"))
    assert answer.headers["allow"] == "POST"


def test_head_has_a_status_and_no_body(app: Filagent) -> None:
    answer = raw(app, head(app, "HEAD") + b"\r\n", head=True)
    assert answer is not None
    assert answer.status == 405


PATHS: list[tuple[str, set[tuple[int, str]]]] = [
    ("/", {(404, "request.not_found")}),
    ("/chat/", {(404, "request.not_found")}),
    ("//chat", {(404, "request.not_found")}),
    ("/admin", {(404, "request.not_found")}),
    ("/conversations/../../etc/passwd", {(404, "request.not_found")}),
    ("/conversations/..%2f..%2fetc%2fpasswd", {(404, "request.not_found")}),
    ("/conversations/%2e%2e", {(422, "request.invalid")}),
    ("/conversations/%00", {(422, "request.invalid")}),
    ("/conversations/C-1%0a", {(422, "request.invalid")}),
    ("/conversations/%ff%fe", {(422, "request.invalid")}),
    ("/conversations/" + "C" * 5000, {(422, "request.invalid")}),
    ("/conversations/C-0", {(404, "conversation.not_found")}),
    ("/conversations?limit=0", {(422, "request.invalid")}),
    ("/conversations?limit=201", {(422, "request.invalid")}),
    ("/conversations?limit=1e3", {(422, "request.invalid")}),
    ("/conversations?limit=" + "9" * 5000, {(422, "request.invalid")}),
    ("/conversations?before=x", {(404, "conversation.not_found")}),
    ("/conversations?before=" + "9" * 400, {(404, "conversation.not_found")}),
    ("/conversations?before=%00", {(404, "conversation.not_found")}),
    ("/turns/..", {(422, "request.invalid"), (404, "request.not_found")}),
    ("/turns/%f0%9f%92%a9", {(422, "request.invalid")}),
    ("/turns/T-0", {(404, "turn.not_found")}),
    ("/decisions?limit=x", {(422, "request.invalid")}),
    ("/decisions?before=-1", {(422, "request.invalid")}),
    ("/decisions?before=99999999999999999999999", {(422, "request.invalid")}),
    ("/decisions?decision=maybe", {(422, "request.invalid")}),
    ("/decisions/DR-1", {(404, "decision.not_found")}),
    ("/decisions/%2e%2e%2fkeys", {(404, "request.not_found")}),
    ("/decisions/%00", {(404, "decision.not_found")}),
    ("/decisions/" + "DR-" * 2000, {(404, "decision.not_found")}),
    ("/decisions/DR-01a1fdc2-113c-7000-89c5-4c9d08f4adb7", {(404, "decision.not_found")}),
    ("/decisions/DR-ffffffff-ffff-7fff-bfff-ffffffffffff", {(404, "decision.not_found")}),
    ("/decisions/DR-01a1fdc2-113c-7000-89c5-4c9d08f4adb7/explain?lang=de", {(422, "request.invalid")}),
    ("/log/tile/../../keys/root.pem", {(404, "log.no_tile"), (404, "request.not_found")}),
    ("/log/tile/%2e%2e%2f%2e%2e%2fkeys%2froot.pem", {(404, "log.no_tile")}),
    ("/log/tile/0/000/../../checkpoint", {(404, "log.no_tile"), (404, "request.not_found")}),
    ("/log/tile/0/999", {(404, "log.no_tile")}),
    ("/log/tile/%00", {(404, "log.no_tile")}),
    ("/log/tile/" + "x" * 3000, {(404, "log.no_tile")}),
    ("/log/tile/entries/..%2f..", {(404, "log.no_tile")}),
]


@pytest.mark.parametrize(("path", "wanted"), PATHS, ids=[path[:48] for path, _ in PATHS])
def test_strange_paths_lead_nowhere(app: Filagent, path: str, wanted: set[tuple[int, str]]) -> None:
    answer = raw(app, head(app, "GET", path) + b"\r\n")
    assert answer is not None
    told = json.loads(answer.body)
    assert (answer.status, told["code"]) in wanted, told
    assert_problem(answer.status, answer.headers, answer.body, (answer.status, told["code"]))
    assert b"root:" not in answer.body
    assert str(app.settings.home).encode() not in answer.body


# heads ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:80", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.nip.io", 421),
        ("127.0.0.1:80@evil.example", 421),
        ("[::1]evil", 421),
        ("localhost:port", 421),
        ("0.0.0.0", 421),
        ("2130706433", 421),
        ("localhost, evil.example", 421),
        ("", 421),
    ],
)
def test_only_our_own_host_is_served(app: Filagent, host: str, status: int) -> None:
    answer = raw(app, head(app, "GET", "/health", Host=host) + b"\r\n")
    assert answer is not None
    assert answer.status == status
    if status == 421:
        assert_problem(answer.status, answer.headers, answer.body, (421, "request.host"))


def test_two_hosts_are_none(app: Filagent) -> None:
    answer = raw(app, head(app, "GET", "/health") + b"Host: evil.example\r\n\r\n")
    assert answer is not None
    assert_problem(answer.status, answer.headers, answer.body, (421, "request.host"))


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        ("http://localhost:7860", True),
        ("https://127.0.0.1", True),
        ("http://[::1]:8000", True),
        ("https://evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1:80@evil.example", False),
        ("null", False),
        ("file://", False),
        ("localhost", False),
        ("chrome-extension://localhost", False),
        ("http://\xe9vil", False),
        ("http://[::1", False),
        (" ", False),
    ],
)
@pytest.mark.parametrize("path", ["/chat", "/metrics", "/health"])
def test_a_foreign_origin_is_refused(app: Filagent, origin: str, accepted: bool, path: str) -> None:
    method = "POST" if path == "/chat" else "GET"
    answer = raw(app, head(app, method, path, Origin=origin, **{"Content-Length": "0"}) + b"\r\n")
    assert answer is not None
    if accepted:
        assert answer.status in {200, 422}
        assert "access-control-allow-origin" not in answer.headers
    else:
        assert_problem(answer.status, answer.headers, answer.body, (403, "request.origin"))


def test_many_headers_cost_nothing(app: Filagent) -> None:
    many = {f"X-Header-{number}": "v" * 100 for number in range(500)}
    answer = raw(app, whole(app, HELLO, **many))
    assert answer is not None
    assert answer.status in {200, 400, 431}


@pytest.mark.parametrize(
    "key",
    ["", "two words", "tab\there", "é", "k" * 256],
    ids=["empty", "space", "tab", "accent", "long"],
)
def test_an_idempotency_key_is_visible_ascii(app: Filagent, backend: ScriptedBackend, key: str) -> None:
    before = len(backend.sent)
    request = head(app, **{"Content-Length": str(len(HELLO))}) + b"Idempotency-Key: " + key.encode("latin-1")
    answer = raw(app, request + b"\r\n\r\n" + HELLO)
    assert answer is not None
    assert_problem(answer.status, answer.headers, answer.body, (422, "request.invalid"))
    assert len(backend.sent) == before


@pytest.mark.parametrize(
    "broken",
    [
        b"Idempotency-Key: a\nX-Role: admin",
        b"Idempotency-Key: a\rX-Role: admin",
        b"Idempotency-Key: a\x00b",
        b"Idempotency-Key: \x7f",
        b"Idempotency Key: a",
        b": a",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: +5",
        b"Content-Length: 5, 5",
        b"Content-Length: 99999999999999999999999",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked, identity",
    ],
)
def test_a_head_that_can_be_read_in_two_ways_opens_no_turn(
    app: Filagent, backend: ScriptedBackend, broken: bytes
) -> None:
    before, recorded = len(backend.sent), size(app)
    with Wire(app) as wire:
        wire.send(head(app) + broken + b"\r\n\r\n" + HELLO)
        wire.socket.shutdown(socket.SHUT_WR)
        answer = wire.answer()
    assert answer is None or 400 <= answer.status < 500
    assert len(backend.sent) == before
    assert not records(app, "turn", start=recorded)


# how bodies arrive -------------------------------------------------------------------------------------------------


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


def test_a_chunked_body_without_length_is_read(app: Filagent) -> None:
    fields = {"Transfer-Encoding": "chunked", "Content-Type": "application/json"}
    answer = raw(app, head(app, **fields) + b"\r\n" + chunked(HELLO[:10], HELLO[10:11], HELLO[11:]))
    assert answer is not None
    assert answer.status == 200


def test_a_chunked_body_meets_the_limit_too(app: Filagent) -> None:
    fields = {"Transfer-Encoding": "chunked", "Content-Type": "application/json"}
    with Wire(app) as wire:
        wire.send(head(app, **fields) + b"\r\n")
        for _ in range(5 * 16):
            wire.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        wire.send(b"0\r\n\r\n")
        answer = wire.answer()
    assert answer is not None
    assert_problem(answer.status, answer.headers, answer.body, (413, "request.too_large"))


def test_a_length_over_the_limit_is_refused_before_the_body_comes(app: Filagent) -> None:
    with Wire(app) as wire:
        wire.send(head(app, **{"Content-Length": str(10**12)}) + b"\r\n")
        answer = wire.answer()
    assert answer is not None
    assert_problem(answer.status, answer.headers, answer.body, (413, "request.too_large"))


def test_whoever_waits_for_a_word_gets_one(app: Filagent) -> None:
    with Wire(app) as wire:
        wire.send(head(app, **{"Content-Length": str(len(HELLO)), "Expect": "100-continue"}) + b"\r\n")
        told = wire.answer()
        assert told is not None
        assert told.status == 100
        wire.send(HELLO)
        answer = wire.answer()
    assert answer is not None
    assert answer.status == 200


@pytest.mark.parametrize("cut", [0, 1, 20, len(HELLO) - 1])
def test_a_body_that_is_cut_off_opens_no_turn(app: Filagent, backend: ScriptedBackend, cut: int) -> None:
    before, recorded = len(backend.sent), size(app)
    with Wire(app) as wire:
        for at in range(cut):
            wire.send((whole(app, HELLO) if at == 0 else b"")[: -len(HELLO)] + HELLO[at : at + 1])
        wire.socket.shutdown(socket.SHUT_WR)
        answer = wire.answer()
    assert answer is None or 400 <= answer.status < 500
    assert len(backend.sent) == before
    assert not records(app, "turn", start=recorded)


def test_pipelined_requests_are_answered_one_after_the_other(app: Filagent, cue: Cue) -> None:
    held = Pause(asyncio.Event())
    cue.script = Script((held, "Slow."))
    with Wire(app) as wire:
        wire.send(whole(app, HELLO) + head(app, "GET", "/health") + b"\r\n" + whole(app, b"[]"))
        until(held.reached.is_set)
        let_on(app, held.until)
        answers = [wire.answer() for _ in range(3)]
    assert [answer.status for answer in answers if answer] == [200, 200, 422]
    assert answers[0] is not None
    assert answers[0].json["content"] == "Slow."


def test_noise_is_not_a_request(app: Filagent, backend: ScriptedBackend) -> None:
    chance, before = random.Random(11), len(backend.sent)
    noises = [chance.randbytes(chance.randint(1, 400)) for _ in range(30)]
    noises += [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n" * 100,
    ]
    for noise in noises:
        with Wire(app) as wire:
            wire.send(noise)
            wire.socket.shutdown(socket.SHUT_WR)
            answer = wire.answer()
        assert answer is None or 400 <= answer.status < 500, noise
    assert len(backend.sent) == before


# what it leaves behind -----------------------------------------------------------------------------------------------


def test_refusals_without_a_record_are_counted_and_the_count_is_signed(app: Filagent) -> None:
    def flush() -> None:
        asyncio.run_coroutine_threadsafe(app.services.denials.flush(), app.loop).result(30)

    flush()
    before = size(app)
    for _ in range(3):
        app.request("POST", "/chat", b"not json")
    app.request("POST", "/chat", HELLO, key=None)
    app.request("POST", "/chat", HELLO, key="fa_wrong")
    app.request("GET", "/decisions?limit=x")
    app.request("GET", "/health", headers={"Origin": "https://evil.example"})
    app.request("GET", "/log/tile/entries/000", key=app.key("user"))
    flush()
    (counted,) = records(app, "denials.counted", start=before)
    assert counted["detail"] == {
        "request.not_json": 3, "auth.missing": 1, "auth.invalid": 1, "request.invalid": 1, "request.origin": 1,
        "policy.role_lacks_permission": 1,
    }  # fmt: skip
    flush()
    assert len(records(app, "denials.counted", start=before)) == 1


def test_after_all_of_this_it_answers_and_the_log_is_whole(app: Filagent) -> None:
    answer = app.chat("Hello", key=app.key("user"))
    assert answer.status == 200
    assert app.request("GET", "/ready", key=None).status == 200
    assert_log_whole(app)
    closed = [found["turn_ref"] for found in records(app, "turn")]
    assert {found["turn_ref"] for found in records(app, "model.intent")} <= set(closed)
