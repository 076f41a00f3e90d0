"""What a model writes is shown as text: nothing in it can become an element, a link or an address that is fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from console.markup import one_line
from console.views.prose import plain, prose

ALLOWED = {"p", "br", "ul", "ol", "li", "pre", "code", "strong", "em", "blockquote", "span", "div"}


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


HOSTILE = [
    "![x](https://evil.example/a.png)",
    "[click](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<iframe src='https://evil.example'></iframe>",
    "<svg/onload=alert(1)>",
    "<a href='https://evil.example'>a</a>",
    "**<b onclick=alert(1)>x</b>**",
    "`<script>`",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "- <img src=//evil.example>\n- b",
    "> <style>@import url(//evil.example)</style>",
    "# <link rel=stylesheet href=//evil.example>",
    '" onmouseover="alert(1)',
    "<EMAIL_ADDRESS_1><script>",
    "&lt;script&gt;",
    "<details data-load='/signout' open>",
    "a\r\n\r\n<script>alert(1)</script>\r<b>",
    "https://evil.example",
    "<https://evil.example>",
    "[1]: https://evil.example\n![1]",
    "~~~\n<x>\n",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_it_becomes_an_element(text: str) -> None:
    for html in (prose(text), plain(text)):
        found = Elements(one_line(html))
        for tag, attributes in found.tags:
            assert tag in ALLOWED
            assert set(attributes) <= {"class", "start"}
        shown = "".join(found.texts)
        for word in re.findall(r"[a-z]{4,}", text.replace("&lt;", "<").replace("&gt;", ">")):
            assert word in shown, "what was written stays to be read"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_block_stays_one_block(text: str) -> None:
    html = one_line(plain(text))
    assert "\n" not in html
    assert "\r" not in html
    assert html.startswith("<div")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a\nb\n\nc", "<p>a<br>b</p><p>c</p>"),
        ("**a** and *b*", "<p><strong>a</strong> and <em>b</em></p>"),
        ("2 * 3 * 4", "<p>2 * 3 * 4</p>"),
        ("- a\n* b", "<ul><li>a</li><li>b</li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("`a*b*c`", "<p><code>a*b*c</code></p>"),
        ("```py\nx = 1\n\ny\n```\nz", "<pre><code>x = 1\n\ny</code></pre><p>z</p>"),
        ("## Title", '<p class="heading">Title</p>'),
        ("> a\n> b", "<blockquote>a<br>b</blockquote>"),
        ("text\n- item", "<p>text</p><ul><li>item</li></ul>"),
        ("<PERSON_1> [EMAIL_ADDRESS]", '<p><span class="token">&lt;PERSON_1&gt;</span> <span class="token">[EMAIL_ADDRESS]</span></p>'),
        ("", ""),
    ],
)  # fmt: skip
def test_a_little_markdown_is_shown(text: str, html: str) -> None:
    assert prose(text) == html
