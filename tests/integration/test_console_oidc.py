"""Signing in to the console at a provider: the real console and API, and a browser that keeps cookies as browsers do."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from console.client import ApiFailure
from console.oidc import Held, SignIn, SignInFailed
from console.oidc_settings import OidcClient, read, write
from console.settings import ConsoleError, ConsoleSettings, environment, load
from console.words import Words
from tests.fakes.oidc_provider import CLIENT, Key, OidcProvider
from tests.faults.machine import free_port
from tests.faults.processes import ROOT, Process

from .doors import engine, operational_log
from .harness import Filagent, running
from .oidc_site import oidc_settings


@dataclass
class Browser:
    """Follows nothing by itself; sends a cookie where its path fits, as a browser would."""

    cookies: dict[str, tuple[str, str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def go(self, method: str, url: str, body: str | None = None, **headers: str) -> Page:
        parts = urlsplit(url)
        sent = [f"{name}={value}" for name, (value, path) in self.cookies.items() if parts.path.startswith(path)]
        fields = {**({"Cookie": "; ".join(sent)} if sent else {}), **headers}
        if method == "POST":
            fields |= {
                "Origin": f"{parts.scheme}://{parts.netloc}",
                "Content-Type": "application/x-www-form-urlencoded",
            }
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        try:
            connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, fields)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            for header in response.headers.get_all("set-cookie") or []:
                for name, morsel in SimpleCookie(header).items():
                    self.cookies[name] = (morsel.value, morsel["path"])
                    if morsel["max-age"] == "0":
                        del self.cookies[name]
            self.seen += [url, text, str(response.headers)]
            return Page(response.status, dict(response.headers.items()), text)
        finally:
            connection.close()

    def get(self, url: str, **headers: str) -> Page:
        return self.go("GET", url, **headers)


@dataclass
class Page:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def location(self) -> str:
        return next(value for name, value in self.headers.items() if name.lower() == "location")

    @property
    def told(self) -> str:
        found = re.search(r'role="alert">(.*?)</p>', self.text)
        return unescape(found[1]) if found else ""

    @property
    def leads_to(self) -> str:
        found = re.search(r'content="0;url=(.*?)"', self.text)
        return unescape(found[1]) if found else ""


@dataclass
class Console:
    address: str
    site: OidcProvider
    app: Filagent

    def begin(self, browser: Browser, lang: str = "en") -> str:
        """Where the provider sends the browser back to, once somebody has signed in there."""
        left = browser.get(f"{self.address}/oidc/begin?lang={lang}")
        assert left.status == 303, left.text
        back = browser.get(left.location)
        assert back.status == 302, back.text
        return back.location

    def sign_in(self, browser: Browser) -> Page:
        done = browser.get(self.begin(browser))
        assert (done.status, done.leads_to) == (200, "/en/"), done.text
        return done


@contextlib.contextmanager
def serving(folder: Path, settings: ConsoleSettings) -> Iterator[None]:
    """The console as the process that it is; what it prints lies in `folder`."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment(settings)}
    process = Process(["-m", "console"], environ, folder / "console.err")
    try:
        process.await_word(b"console on")
        yield
    finally:
        process.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    home = tmp_path_factory.mktemp("console")
    address = f"http://127.0.0.1:{(port := free_port())}"
    with OidcProvider() as site, running(home, engine=engine(), settings=oidc_settings(home, site)) as app:
        site.redirect_uris.add(f"{address}/oidc/callback")
        client = OidcClient(site.issuer, CLIENT, "Example", address)
        with serving(home, ConsoleSettings(api=f"http://127.0.0.1:{app.port}", port=port, oidc=client)):
            yield Console(address, site, app)


@pytest.fixture
def console(shared: Console) -> Iterator[Console]:
    yield shared
    site = shared.site
    site.person, site.refuse, site.id_changes = {"sub": "ada", "roles": ["staff"]}, None, {}
    site.keys, site.metadata, site.mode, site.token_seconds = site.keys[:1], {}, "ok", 300
    site.modes.clear()


def test_one_signs_in_uses_the_console_and_signs_out(console: Console) -> None:
    browser = Browser()
    console.site.person = {"sub": "ada", "roles": ["staff"], "name": "Ada Lovelace", "email": "ada@courriel.example"}
    offered = browser.get(f"{console.address}/signin?lang=en")
    assert '<a class="way" href="/oidc/begin?lang=en">Sign in with Example</a>' in offered.text
    assert "Ouvrir une session avec Example" in browser.get(f"{console.address}/signin?lang=fr").text
    back = console.begin(browser)
    assert set(parse_qs(urlsplit(back).query)) == {"code", "state", "iss"}
    done = browser.get(back)
    assert (done.status, done.leads_to) == (200, "/en/")
    assert "filagent_signin" not in browser.cookies
    assert browser.get(f"{console.address}/en/").status == 200
    left = browser.go("POST", f"{console.address}/signout", "")
    away = urlsplit(left.leads_to)
    assert away.path == "/end_session"
    assert parse_qs(away.query) == {
        "client_id": [CLIENT], "post_logout_redirect_uri": [f"{console.address}/signin"],
    }  # fmt: skip
    assert browser.get(f"{console.address}/en/").status == 303
    assert browser.get(left.leads_to).location == f"{console.address}/signin"


def test_no_token_ever_reaches_the_browser_or_a_log(console: Console) -> None:
    browser = Browser()
    with operational_log() as operational:
        console.sign_in(browser)
        browser.get(f"{console.address}/en/")
        browser.go("POST", f"{console.address}/signout", "")
    everything = "\n".join(browser.seen)
    assert "eyJ" not in everything  # the beginning of every JWT
    assert "refresh_token" not in everything
    assert "eyJ" not in operational.text
    assert (console.app.settings.home / "console.err").read_bytes() == b""


def test_a_code_is_asked_for_as_it_should_be(console: Console) -> None:
    browser = Browser()
    asked = [parse_qs(urlsplit(browser.get(f"{console.address}/oidc/begin").location).query) for _ in range(2)]
    for query in asked:
        assert query["response_type"] == ["code"]
        assert query["code_challenge_method"] == ["S256"]
        assert query["redirect_uri"] == [f"{console.address}/oidc/callback"]
        assert query["scope"] == ["openid"]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    left = browser.get(f"{console.address}/oidc/begin")
    cookie = left.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/oidc/" in cookie


def altered(url: str, **changes: str | None) -> str:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    kept = {name: value for name, value in query.items() if value is not None}
    return parts._replace(query=urlencode(kept)).geturl()


RETURNS: list[tuple[str, Callable[[str], str], str]] = [
    ("without a state", lambda url: altered(url, state=None), "stale"),
    ("with another state", lambda url: altered(url, state="x" * 43), "stale"),
    ("with a state beyond ASCII", lambda url: altered(url, state="é"), "stale"),
    ("without a code", lambda url: altered(url, code=None), "failed"),
    ("with another code", lambda url: altered(url, code="made-up"), "failed"),
    ("from another provider", lambda url: altered(url, iss="https://evil.example"), "failed"),
    ("from a provider that does not say who it is", lambda url: altered(url, iss=None), "failed"),
    ("with two codes", lambda url: url + "&code=another", "failed"),
    ("with a code without end", lambda url: altered(url, code="x" * 9000), "failed"),
    ("with an error", lambda url: altered(url, code=None, error="server_error"), "failed"),
    ("with markup in an error", lambda url: altered(url, code=None, error="<script>alert(1)</script>"), "failed"),
    ("with a refusal", lambda url: altered(url, code=None, error="access_denied"), "denied"),
]


@pytest.mark.parametrize(("change", "word"), [case[1:] for case in RETURNS], ids=[case[0] for case in RETURNS])
def test_a_browser_that_comes_back_otherwise_is_told_so(
    console: Console, change: Callable[[str], str], word: str
) -> None:
    browser = Browser()
    done = browser.get(change(console.begin(browser)))
    assert done.told == Words("en")(f"identity.{word}")
    assert done.status in {400, 403, 502}
    assert "filagent_session" not in browser.cookies
    assert "alert(1)" not in done.text


def test_one_who_was_sent_a_link_is_not_signed_in_as_somebody_else(console: Console) -> None:
    """Login CSRF: the attacker's code and state, in the victim's browser."""
    attacker, victim = Browser(), Browser()
    link = console.begin(attacker)
    assert victim.get(link).told == Words("en")("identity.stale")
    console.begin(victim)
    assert victim.get(link).told == Words("en")("identity.stale")
    assert "filagent_session" not in victim.cookies


def test_a_return_is_good_once(console: Console) -> None:
    browser = Browser()
    back = console.begin(browser)
    kept = dict(browser.cookies)
    assert browser.get(back).leads_to == "/en/"
    again = Browser(cookies=kept)
    assert again.get(back).told == Words("en")("identity.stale")


ID_TOKENS: list[tuple[str, dict[str, Any]]] = [
    ("for another client", {"aud": "another-app"}),
    ("for several clients, by another", {"aud": [CLIENT, "another-app"], "azp": "another-app"}),
    ("of another issuer", {"iss": "https://evil.example"}),
    ("over", {"iat": 1_000_000, "nbf": 1_000_000, "exp": 1_000_300}),
    ("of another sign-in", {"nonce": "n-1"}),
    ("of no sign-in", {"nonce": None}),
    ("of nobody", {"sub": None}),
    ("that is an access token", {"typ": "Bearer"}),
]


@pytest.mark.parametrize("changes", [changes for _, changes in ID_TOKENS], ids=[name for name, _ in ID_TOKENS])
def test_an_id_token_that_is_not_for_this_sign_in_ends_it(console: Console, changes: dict[str, Any]) -> None:
    browser = Browser()
    back = console.begin(browser)
    console.site.id_changes = changes
    done = browser.get(back)
    assert (done.status, done.told) == (502, Words("en")("identity.failed"))
    assert "filagent_session" not in browser.cookies


def test_an_id_token_of_another_key_ends_it(console: Console) -> None:
    browser = Browser()
    back = console.begin(browser)
    console.sign_in(Browser())  # the true keys are known by now
    console.site.keys = [Key("k1"), *console.site.keys]
    try:
        assert browser.get(back).told == Words("en")("identity.failed")
    finally:
        console.site.keys = console.site.keys[1:]


@pytest.mark.parametrize("mode", ["down", "http_500", "redirect", "huge", "empty"])
def test_a_provider_that_fails_at_the_code_is_told_in_words(console: Console, mode: str) -> None:
    browser = Browser()
    back = console.begin(browser, "fr")
    console.site.modes["token"] = mode
    done = browser.get(back)
    assert done.status in {502, 503}
    assert done.told in {Words("fr")("identity.provider_down"), Words("fr")("identity.failed")}
    assert 'lang="fr"' in done.text
    assert "/elsewhere" not in console.site.asked


def test_without_a_role_one_is_told_so(console: Console) -> None:
    console.site.person = {"sub": "no role", "roles": ["nothing"]}
    browser = Browser()
    done = browser.get(console.begin(browser))
    assert done.status == 403
    assert done.told == Words("en")("failure.auth.no_role") + " (auth.no_role)"
    assert "filagent_session" not in browser.cookies


def test_a_closed_account_is_told_so_and_a_session_of_it_ends(console: Console) -> None:
    console.site.person = {"sub": "closes", "roles": ["staff"]}
    browser = Browser()
    console.sign_in(browser)
    users = console.app.request("GET", "/admin/users").json["users"]
    user = [one["user_id"] for one in users if one["auth_methods"] == ["oidc"]][-1]
    assert console.app.request("POST", f"/admin/users/{user}/close").status == 204
    again = Browser()
    done = again.get(console.begin(again))
    assert (done.status, done.told) == (401, Words("en")("identity.not_accepted"))


def test_another_name_of_this_machine_is_sent_to_the_one_that_is_registered(console: Console) -> None:
    port = urlsplit(console.address).port
    left = Browser().get(f"http://127.0.0.1:{port}/oidc/begin?lang=fr", Host=f"localhost:{port}")
    assert left.location == f"{console.address}/oidc/begin?lang=fr&here=1"
    renamed = Browser().get(f"http://127.0.0.1:{port}/oidc/begin?lang=fr&here=1", Host=f"localhost:{port}")
    assert renamed.location.startswith(console.site.root), (
        "behind a proxy that renames it, it does not go round in circles"
    )


def test_where_none_is_configured_there_is_no_button_and_no_way(console: Console, tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, ConsoleSettings(api=f"http://127.0.0.1:{console.app.port}", port=port)):
        browser = Browser()
        assert "/oidc/" not in browser.get(f"http://127.0.0.1:{port}/signin").text
        for path in ("begin", "callback?code=x&state=y"):
            assert browser.get(f"http://127.0.0.1:{port}/oidc/{path}").location == "/signin"


# tokens while a session lasts ------------------------------------------------------------------------------------------


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@contextlib.asynccontextmanager
async def held(site: OidcProvider, clock: Clock, secret: str | None = None) -> AsyncIterator[Held]:
    """The tokens of a sign-in, made without a browser."""
    client = OidcClient(site.issuer, CLIENT, "Example", "http://127.0.0.1:7860", secret=secret)
    site.redirect_uris.add(client.redirect_uri)
    signin = SignIn(client, clock=clock)
    try:
        target, cookie = await signin.begin("en")
        back = {name: values[0] for name, values in parse_qs(urlsplit(Browser().get(target).location).query).items()}
        yield Held(signin, await signin.finish(signin.claim(cookie, back["state"]), back))
    finally:
        await signin.aclose()


@pytest.mark.anyio
async def test_a_token_is_renewed_before_it_ends_and_once_for_everybody() -> None:
    clock = Clock()
    with OidcProvider() as site:
        async with held(site, clock) as bearer:
            first = await bearer()
            clock.now += 200
            assert await bearer() == first
            clock.now += 80
            found = await asyncio.gather(*(bearer() for _ in range(10)))
            assert len(set(found)) == 1
            assert found[0] != first
            assert site.grants == ["authorization_code", "refresh_token"]
            clock.now += 290
            assert await bearer() != found[0]  # the new refresh token, for each is good once


@pytest.mark.anyio
async def test_a_confidential_client_shows_its_secret_and_a_public_one_none() -> None:
    with OidcProvider(client_secret="s3cret:/%") as site:
        async with held(site, Clock(), "s3cret:/%") as bearer:
            assert await bearer()
        for wrong in (None, "another"):
            with pytest.raises(SignInFailed, match="failed"):
                async with held(site, Clock(), wrong):
                    pass


@pytest.mark.anyio
async def test_a_provider_that_is_away_costs_no_session_before_its_token_is_over() -> None:
    clock = Clock()
    with OidcProvider() as site:
        async with held(site, clock) as bearer:
            first = await bearer()
            site.modes["token"] = "down"
            clock.now += 280
            assert await bearer() == first
            clock.now += 30
            with pytest.raises(ApiFailure) as away:
                await bearer()
            assert (away.value.status, away.value.code) == (503, "auth.provider_unavailable")
            site.modes.clear()
            assert await bearer() != first


@pytest.mark.anyio
async def test_a_refresh_token_that_is_not_taken_ends_the_session() -> None:
    clock = Clock()
    with OidcProvider() as site:
        async with held(site, clock) as bearer:
            site._refresh.clear()
            clock.now += 290
            with pytest.raises(ApiFailure) as over:
                await bearer()
            assert (over.value.status, over.value.code) == (401, "auth.invalid")


@pytest.mark.anyio
async def test_where_a_provider_offers_no_sign_out_there_is_none() -> None:
    with OidcProvider() as site:
        for offered in (None, "http://elsewhere.example/", 7):
            site.metadata = {"end_session_endpoint": offered}
            signin = SignIn(OidcClient(site.issuer, CLIENT, "", "http://127.0.0.1:7860"))
            assert await signin.farewell() is None
            await signin.aclose()


@pytest.mark.anyio
async def test_a_sign_in_takes_ten_minutes_at_most_and_the_memory_of_them_is_bounded() -> None:
    clock = Clock()
    with OidcProvider() as site:
        signin = SignIn(OidcClient(site.issuer, CLIENT, "", "http://127.0.0.1:7860"), clock=clock)
        target, cookie = await signin.begin("en")
        state = parse_qs(urlsplit(target).query)["state"][0]
        clock.now += 601
        with pytest.raises(SignInFailed, match="stale"):
            signin.claim(cookie, state)
        begun = [await signin.begin("en") for _ in range(1200)]
        with pytest.raises(SignInFailed, match="stale"):
            signin.claim(begun[0][1], parse_qs(urlsplit(begun[0][0]).query)["state"][0])
        target, cookie = begun[-1]
        assert signin.claim(cookie, parse_qs(urlsplit(target).query)["state"][0]).language == "en"
        assert site.asked == ["discovery"] * 2
        await signin.aclose()


# settings --------------------------------------------------------------------------------------------------------------

GOOD = OidcClient("https://login.example", CLIENT, "Example", "https://console.example", secret="s")


def test_the_settings_come_out_as_they_went_in() -> None:
    settings = ConsoleSettings(oidc=GOOD)
    assert load(environment(settings)) == settings
    assert "s3" not in repr(OidcClient("https://l.example", CLIENT, "", "https://c.example", secret="s3"))


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "http://login.example"},
        {"address": "http://console.example"},
        {"scopes": ["profile"]},
        {"parameters": {"redirect_uri": "https://evil.example"}},
        {"parameters": {"code_challenge_method": "plain"}},
        {"algorithms": ["HS256"]},
        {"algorithms": []},
        {"password": "x"},
        {"client_id": None, "issuer": None},
    ],
    ids=str,
)
def test_settings_that_cannot_be_used_stop_the_start(change: dict[str, Any]) -> None:
    values = {name: value for name, value in (json.loads(write(GOOD)) | change).items() if value is not None}
    with pytest.raises(ValueError):
        read(json.dumps(values), None, "http://127.0.0.1:7860")
    with pytest.raises(ConsoleError):
        load({"FILAGENT_CONSOLE_OIDC": json.dumps(values)})
