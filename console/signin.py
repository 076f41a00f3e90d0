"""The sign-in page: a small form that works without JavaScript. Pure: HTML from words; what it means is `web`'s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from console.words import Words, other


@dataclass(frozen=True, slots=True)
class Way:
    """Another way to sign in than an API key: where its button leads (by GET), the key of its text, and whose it is."""

    href: str
    text: str
    name: str = ""


def page(words: Words, *, message: str = "", ways: Sequence[Way] = ()) -> str:
    """The whole page.

    Args:
        words: of its language.
        message: why one is here again; plain text.
        ways: besides the API key.
    """
    switch = other(words.language)
    told = f'<p class="told" role="alert">{escape(message)}</p>' if message else ""
    more = "".join(
        f'<a class="way" href="{escape(way.href)}?lang={words.language}">{escape(words(way.text, name=way.name))}</a>'
        for way in ways
    )
    return f"""<!doctype html>
<html lang="{words.language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(words("frame.sign_in"))} · {escape(words("frame.title"))}</title>
<link rel="stylesheet" href="/static/console.css"></head>
<body class="signin"><main>
<h1>{escape(words("frame.title"))}</h1>
<p>{escape(words("frame.sign_in_intro"))}</p>{told}
<form method="post" action="/signin?lang={words.language}">
<label for="key">{escape(words("frame.key"))}</label>
<input id="key" name="key" type="password" autocomplete="off" spellcheck="false" autocapitalize="off"
 required autofocus aria-describedby="help">
<p id="help">{escape(words("frame.key_help"))}</p>
<button type="submit">{escape(words("frame.sign_in"))}</button>
</form>{more}
<p class="switch">
<a href="/signin?lang={switch}" hreflang="{switch}" lang="{switch}">{escape(words("frame.switch"))}</a>
</p>
</main></body></html>
"""
