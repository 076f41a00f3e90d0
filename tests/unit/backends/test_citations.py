"""What of a provider's sources may travel on: plain web addresses and clean, short titles."""

from __future__ import annotations

import pytest

from runtime.backends.base import Citation
from runtime.backends.citations import MOST, read_citations, safe_title, safe_url, site_of

URLS = {
    "plain": ("https://example.org/a?b=c#d", True),
    "without encryption": ("http://example.org", True),
    "capitals": ("HTTPS://Example.org/A", True),
    "version 6": ("https://[2001:db8::1]:8443/a", True),
    "escaped": ("https://example.org/%C3%A9t%C3%A9", True),
    "a script": ("javascript:alert(1)", False),
    "data": ("data:text/html,x", False),
    "a file": ("file:///etc/passwd", False),
    "no scheme": ("//example.org", False),
    "no host": ("https://", False),
    "credentials": ("https://jean:secret@example.org/", False),
    "a space": ("https://example.org/a b", False),
    "a line break": ("https://example.org/a\n", False),
    "quotes": ('https://example.org/"onclick="x', False),
    "angle brackets": ("https://example.org/<b>", False),
    "backslash": ("https://example.org\\@evil.org", False),
    "not ASCII": ("https://example.org/été", False),
    "a look-alike host": ("https://exаmple.org/", False),
    "a bad port": ("https://example.org:99999999/", False),
    "too long": ("https://example.org/" + "a" * 2048, False),
    "no text": (7, False),
}


@pytest.mark.parametrize("case", URLS)
def test_addresses(case: str) -> None:
    url, good = URLS[case]
    assert safe_url(url) == (url if good else None)


TITLES = {
    "as it is": ("A title", "A title"),
    "on one line": (" A\r\n\ttitle ", "A title"),
    "turned around": ("abc\u202edef\u2066", "abcdef"),
    "invisible": ("a\u200bb\u0000c\u001b[31m", "abc[31m"),
    "half a pair": ("a\ud800b", "ab"),
    "too long": ("é" * 1000, "é" * 300),
    "none": (None, ""),
    "markup is text": ("<b>x</b> [y](z)", "<b>x</b> [y](z)"),
}


@pytest.mark.parametrize("case", TITLES)
def test_titles(case: str) -> None:
    given, clean = TITLES[case]
    assert safe_title(given) == clean


def test_both_lists_make_one_without_doubles() -> None:
    results = [{"title": "A", "url": "https://a.example"}, {"title": "bad", "url": "x"}, "https://c.example", None, 3]
    assert read_citations(results, ["https://b.example", "https://a.example", {"url": 7}]) == (
        Citation("A", "https://a.example"),
        Citation("", "https://c.example"),
        Citation("", "https://b.example"),
    )


@pytest.mark.parametrize("nonsense", [None, "https://a.example", {"url": "https://a.example"}, 7, [[["x"]]]])
def test_nonsense_is_no_source(nonsense: object) -> None:
    assert read_citations(nonsense, nonsense) == ()


def test_their_number_is_bounded() -> None:
    assert len(read_citations([{"url": f"https://e.example/{n}"} for n in range(10_000)], None)) == MOST


def test_the_site_of_an_address() -> None:
    assert site_of("https://example.org:8443/a/b?c") == "https://example.org:8443/"
