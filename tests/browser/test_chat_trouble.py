"""The Chat tab when things go wrong: a model that writes hostile text, a question that is stopped, an API that dies."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.chatting import ask, box, turns
from tests.browser.conftest import Visit
from tests.browser.operation import open_tab
from tests.browser.site import Site, site
from tests.fakes.provider import FakeProvider

NO_NAMES = {"masking": {"ner": False}}  # the model for names takes long to load, and is not what is tested here
HOSTILE = (
    "![p](http://evil.example/pixel.png)\n\n",
    "<img src='http://evil.example/img.png' onerror='window.pwned=1'>\n",
    "<script src='http://evil.example/x.js'></script><script>window.pwned=1</script>\n",
    "<iframe src='http://evil.example/frame'></iframe><link rel=stylesheet href='//evil.example/a.css'>\n",
    "<style>body{background:url(http://evil.example/bg)}</style><svg onload='window.pwned=1'></svg>\n",
    "[click](javascript:window.pwned=1) <a href='javascript:window.pwned=1'>here</a> $$\\href{javascript:alert(1)}{x}$$\n",
    "<details data-load='/signout' open></details> <form action='http://evil.example'><button>x</button></form>\n",
    "```mermaid\ngraph TD; A-->B\n```\n",
)


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(deltas=HOSTILE) as running:
        yield running


@pytest.fixture(scope="module")
def troubled(provider: FakeProvider) -> Iterator[Site]:
    """A site whose model is a server that the tests hold by the hand."""
    with site(settings=NO_NAMES, LLM_BACKEND="vllm", VLLM_BASE_URL=provider.url) as running:
        yield running


def test_nothing_that_a_model_writes_is_loaded_or_run(troubled: Site, visit: Visit) -> None:
    page = visit(None)
    asked: list[str] = []
    spoken: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: spoken.append(message.text))
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    page.goto(f"{troubled.console}/signin?lang=en")
    page.fill("#key", troubled.key("user"))
    page.press("#key", "Enter")
    page.wait_for_selector("#chat-box textarea")
    turn = ask(page, "Show me <img src='http://evil.example/mine.png'> and ![x](http://evil.example/mine2.png)")
    answer = turn.locator(".answer")
    for text in (
        "![p](http://evil.example/pixel.png)",
        "<img src='http://evil.example/img.png'",
        "<iframe src=",
        "[click](javascript:",
    ):
        expect(answer).to_contain_text(text)  # it is there to be read
    expect(turn.locator(".mark")).to_have_class("mark verified")
    assert (
        turn.locator(
            "img, script, iframe, link, style, svg, form, a[href^='javascript'], details[data-load='/signout']"
        ).count()
        == 0
    )
    page.reload()
    page.wait_for_selector("header.frame .who")
    page.get_by_label("Conversation", exact=True).click()
    page.get_by_role("option").first.click()
    expect(turns(page)).to_have_count(1)
    expect(turns(page).locator(".mark")).to_have_class("mark verified")  # it is drawn anew when this is known
    page.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true })")
    expect(page.locator(".view")).to_contain_text("evil.example/mine.png")
    assert page.evaluate("window.pwned") is None
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith("data:")}
    assert hosts == {f"127.0.0.1:{troubled.console_port}"}, hosts
    assert not [text for text in spoken if "Content Security Policy" in text], spoken


def test_the_whole_console_asks_nobody_else(console: Site, visit: Visit) -> None:
    for lang in ("en", "fr"):
        page = visit("admin", lang=lang)
        asked: list[str] = []
        page.on("request", lambda request, kept=asked: kept.append(request.url))
        page.reload()
        page.wait_for_selector("header.frame .who")
        for tab in page.get_by_role("tab").all():
            tab.click()
            expect(page.get_by_role("tabpanel").locator("visible=true").first).to_be_visible()
        hosts = {urlsplit(url).netloc for url in asked if not url.startswith("data:")}
        assert hosts == {f"127.0.0.1:{console.console_port}"}, hosts


def test_stop_leaves_the_request_and_the_api_records_it(troubled: Site, visit: Visit, provider: FakeProvider) -> None:
    page = visit("user", at=troubled, name="Stopping")
    provider.plan("stepped")
    box(page).fill("Tell me everything.")
    box(page).press("Enter")
    assert provider.request_seen.wait(20)
    provider.step(2)
    expect(page.locator("#chat-now .answer .text")).to_contain_text("evil.example/pixel")
    page.get_by_role("button", name="Stop").click()
    turn = turns(page).first
    alert = turn.locator(".stopped")
    expect(alert).to_contain_text("You stopped this answer, and that is recorded.", timeout=20_000)
    expect(alert.locator("code")).to_have_text(["client.gone"])
    expect(turn).to_contain_text("DR-")
    assert provider.client_gone.wait(20)
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    again = ask(page, "And now?")
    expect(again.locator(".mark")).to_have_class("mark verified")


def test_a_model_that_is_down_is_named(troubled: Site, visit: Visit, provider: FakeProvider) -> None:
    page = visit("user", at=troubled, lang="fr", name="Outage")
    provider.plan(*["error_500"] * 8)
    turn = ask(page, "Bonjour ?")
    alert = turn.get_by_role("alert")
    expect(alert).to_contain_text("Pas de réponse")
    expect(alert.locator("code").first).to_contain_text("upstream.")
    provider.plan()


def test_an_api_that_dies_is_told_in_words_and_the_console_lives_on(visit: Visit) -> None:
    with site(settings=NO_NAMES, LLM_BACKEND="scripted") as running:
        page, operator = visit("user", at=running), visit("operator", at=running)
        assert running.api_process is not None
        expect(ask(page, "Hello?").locator(".answer")).to_contain_text("Hello, world.")
        running.api_process.signal(signal.SIGTERM)
        running.api_process.wait()
        turn = ask(page, "Still there?")
        alert = turn.get_by_role("alert")
        expect(alert).to_contain_text("FilAgent's API does not answer")
        assert "Traceback" not in page.inner_text("body")
        open_tab(operator, "overview")
        told = operator.locator("#overview-told, #overview-alarms").get_by_text("FilAgent's API does not answer")
        expect(told.first).to_be_visible()
        expect(told).to_have_count(1)
        page.reload()
        page.wait_for_selector("header.frame .who")
        expect(page.get_by_text("FilAgent's API does not answer").first).to_be_visible()
        running.start_api()
        page.reload()
        page.wait_for_selector("header.frame .who")
        expect(ask(page, "And now?").locator(".mark")).to_have_class("mark verified")
        assert running.console_process is not None
        assert running.console_process.code is None
        assert "Traceback" not in (running.home / "console.err").read_text()
