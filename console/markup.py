"""HTML of ours in a page, by a component that runs no code in the browser.

Gradio's own gr.HTML compiles templates there, which our Content-Security-Policy forbids. Its Markdown shows HTML as it
stands, as long as a block holds no line break: those of the text become character references.
"""

from __future__ import annotations

from typing import Any

import gradio as gr


def html(value: str = "", **options: Any) -> gr.Markdown:
    """A place for HTML that a view has made and escaped (`html.escape`), for its first value and for what events give.

    Events give it texts alone: a `gr.update` of its properties would make Gradio build another component in its place.
    Hide the gr.Column around it instead.
    """
    place = gr.Markdown(sanitize_html=False, latex_delimiters=[], container=False, padding=False, **options)
    place.postprocess = _postprocess  # type: ignore[method-assign,assignment]  # Gradio writes files beside subclasses
    place.value = _postprocess(value)
    return place


def one_line(value: str) -> str:
    """The same HTML without a line break; inside `<pre>` they are shown all the same."""
    text = value.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "&#10;")
    return text if text.startswith("<div") else f"<div>{text}</div>"


def _postprocess(value: str | None) -> str:
    return one_line(value) if value else ""
