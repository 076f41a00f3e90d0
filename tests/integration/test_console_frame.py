"""The console's frame without a browser: signing in and out, cookies, Host and Origin, whose page is whose, headers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest

from console.session import Sessions
from console.words import Words

from .console_site import ConsoleSite, console_of
from .doors import engine
from .harness import Filagent, running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("console"), engine=engine()) as started:
        yield started


@pytest.fixture(scope="module")
def site(app: Filagent, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    with console_of(app, tmp_path_factory.mktemp("console-process")) as started:
        yield started


def join(site: ConsoleSite, cookie: str, page: str, *, fn_index: int = 0) -> int:
    """Gradio's own call of a handler: the status."""
    body = json.dumps({"data": [], "fn_index": fn_index, "session_hash": page}).encode()
    headers = {"Content-Type": "application/json"}
    return site.request("POST", "/en/gradio_api/queue/join", body, cookie=cookie, headers=headers).status


def test_a_right_key_gives_a_cookie_and_the_key_stays_here(site: ConsoleSite, app: Filagent) -> None:
    answer = site.sign_in(app.key("user"))
    assert answer.status == 200
    session = next(line for line in answer.headers["set-cookie"].splitlines() if "filagent_session" in line)
    flags = {part.strip().lower() for part in session.split(";")[1:]}
    assert flags == {"httponly", "samesite=strict", "path=/"}
    assert re.search(r"filagent_session=[A-Za-z0-9_-]{43};", session)  # 256 bits
    assert app.key("user") not in str(answer)
    page = site.request("GET", "/en/", cookie=session.partition(";")[0])
    assert page.status == 200
    assert app.key("user").encode() not in page.raw


def test_behind_a_proxy_the_cookie_is_for_https_alone(app: Filagent, tmp_path: Path) -> None:
    with console_of(app, tmp_path, trusted_proxy=True) as proxied:
        plain = proxied.sign_in(app.key("user"))
        assert (plain.status, plain.raw) == (403, b"this Origin is not accepted")
        answer = proxied.sign_in(app.key("user"), headers={"Origin": f"https://127.0.0.1:{proxied.port}"})
        assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(("lang", "words"), [("en", "not valid"), ("fr", "pas valide")])
def test_a_wrong_key_is_told_so_in_words(site: ConsoleSite, lang: str, words: str) -> None:
    answer = site.sign_in("fa_wrong", lang=lang)
    assert answer.status == 401
    assert words in answer.raw.decode()
    assert "set-cookie" not in answer.headers or "filagent_session" not in answer.headers["set-cookie"]
    assert b"fa_wrong" not in answer.raw


@pytest.mark.parametrize(
    "body", [b"", b"key=", b"key=%00%01", b"nothing=1", b"key=" + b"a" * 20_000], ids=lambda b: str(b[:12])
)
def test_no_key_is_asked_for_again(site: ConsoleSite, body: bytes) -> None:
    assert site.request("POST", "/signin", body).status == 400


def test_an_api_that_is_not_there_is_said_to_be(app: Filagent, tmp_path: Path) -> None:
    with console_of(app, tmp_path, api="http://127.0.0.1:9") as lonely:  # the port of discard: nobody answers
        answer = lonely.sign_in("fa_any", lang="fr")
        assert answer.status == 503
        assert "ne répond pas" in answer.raw.decode()
        assert b"Traceback" not in answer.raw


@pytest.mark.parametrize(
    "path", ["/en/", "/fr/", "/en/config", "/en/gradio_api/info", "/en/gradio_api/queue/data?session_hash=abc",
             "/en/assets/index.js", "/fragment/view/T-1", "/download/receipt/T-1"],
)  # fmt: skip
def test_without_a_session_there_is_nothing_but_the_way_to_sign_in(site: ConsoleSite, path: str) -> None:
    for cookie in (None, "filagent_session=made-up", "filagent_session="):
        answer = site.request("GET", path, cookie=cookie)
        assert answer.status in {303, 401}
        if answer.status == 303:
            assert answer.headers["location"].startswith("/signin")


def test_sign_out_ends_it(site: ConsoleSite) -> None:
    cookie = site.cookie()
    assert site.request("GET", "/en/", cookie=cookie).status == 200
    answer = site.request("POST", "/signout", b"", cookie=cookie)
    assert (answer.status, answer.headers["location"]) == (303, "/signin")
    assert 'filagent_session=""' in answer.headers["set-cookie"]
    assert site.request("GET", "/en/", cookie=cookie).status == 303
    assert join(site, cookie, "abc123") == 401
    assert site.request("GET", "/signout", cookie=cookie).status == 405


def test_a_session_that_ended_by_itself_is_told_at_the_way_in_and_no_first_visit_is(site: ConsoleSite) -> None:
    def told(cookie: str | None, lang: str = "en") -> bool:
        shown = site.request("GET", f"/signin?lang={lang}", cookie=cookie).raw.decode()
        return escape(Words(lang)("frame.signed_out")) in shown

    cookie = site.cookie()
    assert not told(None)
    assert not told(cookie)
    site.clock.passes(24 * 3600)
    assert told(cookie)
    assert told(cookie, "fr")
    assert not told('filagent_session=""')  # as signing out leaves it


def test_a_session_that_does_nothing_ends_and_so_does_an_old_one(app: Filagent, tmp_path: Path) -> None:
    with console_of(app, tmp_path, idle_minutes=10, session_hours=1) as site:
        cookie = site.cookie()
        for _ in range(6):
            site.clock.passes(9 * 60)
            assert site.request("GET", "/en/", cookie=cookie).status == 200
        site.clock.passes(7 * 60)  # not idle, but older than an hour
        assert site.request("GET", "/en/", cookie=cookie).status == 303
        again = site.cookie()
        site.clock.passes(11 * 60)
        assert join(site, again, "idle1") == 401
        # A page that is only open is not somebody at work.
        third = site.cookie()
        site.clock.passes(9 * 60)
        assert site.request("HEAD", "/en/gradio_api/heartbeat/beat1", cookie=third).status != 401
        site.clock.passes(2 * 60)
        assert site.request("GET", "/en/", cookie=third).status == 303


def test_a_revoked_key_ends_the_session(site: ConsoleSite, app: Filagent) -> None:
    made = app.request("POST", "/admin/keys", {"name": "Gone", "role": "user"}).json
    answer = site.sign_in(made["key"])
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert site.request("GET", "/fragment/view/T-1", cookie=cookie).status == 404
    assert app.request("DELETE", f"/admin/keys/{made['key_id']}").status in {200, 204}
    statuses = [site.request("GET", "/fragment/view/T-1", cookie=cookie).status for _ in range(2)]
    assert statuses == [401, 303]
    assert site.request("GET", "/en/", cookie=cookie).status == 303


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": "https://127.0.0.1"},
     {"Origin": "http://127.0.0.1:1"}, {"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example"}],
    ids=str,
)  # fmt: skip
def test_other_sites_cannot_post(site: ConsoleSite, app: Filagent, headers: dict[str, str]) -> None:
    assert site.sign_in(app.key("user"), headers=headers).status == 403
    cookie = site.cookie()
    assert site.request("POST", "/signout", b"", cookie=cookie, headers=headers).status == 403
    assert site.request("POST", "/en/gradio_api/queue/join", b"{}", cookie=cookie, headers=headers).status == 403
    assert site.request("GET", "/en/", cookie=cookie).status == 200


def test_a_rebound_name_reads_nothing(site: ConsoleSite) -> None:
    assert site.request("GET", "/signin", headers={"Host": "rebound.example"}).status == 403


def test_a_page_load_belongs_to_the_session_that_began_it(site: ConsoleSite) -> None:
    mine, other = site.cookie("user"), site.cookie("viewer")
    assert join(site, mine, "page1") == 200
    assert join(site, other, "page1") == 403
    assert site.request("GET", "/en/gradio_api/queue/data?session_hash=page1", cookie=other).status == 403
    assert site.request("HEAD", "/en/gradio_api/heartbeat/page1", cookie=other).status == 403
    body = json.dumps({"session_hash": "page1", "fn_index": 0, "event_id": "x"}).encode()
    for path in ("cancel", "reset"):
        assert site.request("POST", f"/en/gradio_api/{path}", body, cookie=other).status == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/en/gradio_api/file=/etc/passwd"), ("GET", "/en/gradio_api/file/etc/passwd"), ("GET", "/en/monitoring"),
     ("GET", "/en/gradio_api/proxy=http://127.0.0.1:1/"), ("POST", "/en/gradio_api/vibe-edit"),
     ("GET", "/en/gradio_api/openapi.json"), ("POST", "/en/gradio_api/call/who"), ("POST", "/en/gradio_api/run/who"),
     ("POST", "/en/gradio_api/process_recording"), ("GET", "/en/gradio_api/runs"), ("POST", "/en/login"),
     ("GET", "/en/custom_component/x/y/z/w"), ("PUT", "/en/"), ("GET", "/openapi.json"), ("GET", "/docs")],
)  # fmt: skip
def test_the_rest_of_gradio_is_not_there(site: ConsoleSite, method: str, path: str) -> None:
    body = b"{}" if method != "GET" else None
    headers = {"Origin": site.origin}
    assert site.request(method, path, body, cookie=site.cookie("admin"), headers=headers).status in {404, 405}


def test_every_answer_forbids_what_is_not_ours(site: ConsoleSite) -> None:
    cookie = site.cookie()
    for path in ("/signin", "/en/", "/en/config", "/static/console.js", "/nowhere", "/en/theme.css"):
        headers = site.request("GET", path, cookie=cookie).headers
        policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'self'"
        assert policy["connect-src"] == policy["form-action"] == policy["base-uri"] == "'self'"
        assert policy["frame-ancestors"] == policy["object-src"] == policy["frame-src"] == "'none'"
        assert policy["img-src"] == "'self' data:"
        assert "unsafe" not in policy["script-src"]
        assert "*" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers


def test_inline_scripts_are_named_anew_for_each_page(site: ConsoleSite) -> None:
    cookie = site.cookie()
    nonces = set()
    for _ in range(2):
        page = site.request("GET", "/fr/", cookie=cookie)
        nonce = re.search(r"'nonce-([^']+)'", page.headers["content-security-policy"])
        assert nonce is not None
        nonces.add(nonce[1])
        text = page.raw.decode()
        assert set(re.findall(r"<script([^>]*)>", text)) != set()
        assert all(f'nonce="{nonce[1]}"' in tag for tag in re.findall(r"<script[^>]*>", text))
        assert '<html\n\tlang="fr"' in text
        assert not re.search(r'(?:src|href|content)="https?://', text)
    assert len(nonces) == 2


def test_a_page_holds_what_its_role_may_do_and_nothing_else(site: ConsoleSite) -> None:
    def page(role: str) -> str:
        return site.request("GET", "/en/", cookie=site.cookie(role)).raw.decode()

    user, auditor, viewer = page("user"), page("auditor"), page("viewer")
    assert '"chat-box"' in user
    assert '"tab-chat"' not in auditor
    assert '"tab-chat"' in viewer
    assert '"chat-box"' not in viewer


def test_the_way_in_is_in_the_language_that_is_asked_for(site: ConsoleSite) -> None:
    def told(path: str = "/signin", **headers: str) -> str:
        return site.request(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        ).raw.decode()

    assert 'lang="en"' in told()
    assert "Clé d'API" in told(Accept_Language="fr-CA,en;q=0.5").replace("&#x27;", "'")
    assert "API key" in told("/signin?lang=en", Accept_Language="fr")
    assert "Clé" in told(Cookie="filagent_language=fr")


def test_sessions_make_room_and_forget() -> None:
    sessions = Sessions(idle_seconds=1e9, most_seconds=1e9, clock=lambda: 0.0)
    made = [sessions.begin(f"key {number}", {"actions": []}) for number in range(1001)]
    assert sessions.find(made[0].id) is None
    assert made[0].credential == ""
    assert sessions.find(made[-1].id) is made[-1]
    assert len({each.id for each in made}) == 1001
    assert "key" not in repr(made[-1])
