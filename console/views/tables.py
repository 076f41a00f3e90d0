"""Tables and small pieces of HTML. Everything that is put in is escaped, unless it is a `Markup` made here. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape


class Markup(str):
    """HTML that was made by this package: it is put in as it stands."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Any value as HTML: escaped, and its line breaks kept by the style."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


def code(value: object) -> Markup:
    """An identifier, as machines know it."""
    return Markup(f"<code>{escape(str(value))}</code>")


def codes(values: Iterable[object]) -> Markup:
    """Identifiers in a row."""
    return Markup(" ".join(code(value) for value in values))


def ticked(value: str) -> Markup:
    """A sentence of the API in which backticks stand around identifiers."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(value)))


def badge(value: str, tone: str) -> Markup:
    """A word that says how it stands. `tone`: good, bad, warn or plain; it colours, the word tells."""
    return Markup(f'<span class="ops-badge ops-{tone}">{escape(value)}</span>')


def paragraph(value: str | Markup, kind: str = "") -> Markup:
    """A paragraph; `kind` is a class of ours, such as `ops-empty`."""
    return Markup(f'<p class="{kind}">{text(value)}</p>' if kind else f"<p>{text(value)}</p>")


def failed(sentence: str) -> Markup:
    """A failure where its answer would have been."""
    return Markup(f'<p class="ops-error" role="alert">{escape(sentence)}</p>')


def heading(value: str) -> Markup:
    """A heading inside a tab."""
    return Markup(f"<h3>{escape(value)}</h3>")


def table(
    heads: Sequence[str | Markup], rows: Sequence[Sequence[object]], *, caption: str, empty: str = "", kind: str = ""
) -> Markup:
    """A table that scrolls by itself where it is wider than the page; its first column names the row.

    Args:
        heads: one for each column.
        rows: of as many cells.
        caption: what it is, said to those who do not see it.
        empty: what is said instead where there are no rows.
        kind: a class of ours: `ops-cards` makes each row a card on a phone, `ops-wide` keeps the first column in view.
    """
    if not rows and empty:
        return paragraph(empty, "ops-empty")
    top = "".join(f'<th scope="col">{text(head)}</th>' for head in heads)
    labels = [escape(re.sub(r"<[^>]*>", "", head) if isinstance(head, Markup) else head) for head in heads]
    body = "".join(f"<tr>{_row(row, labels)}</tr>" for row in rows)
    return Markup(
        f'<div class="ops-scroll {kind}" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f'<caption class="ops-unseen">{escape(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def facts(pairs: Iterable[tuple[str, object]]) -> Markup:
    """Names with their values."""
    inside = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in pairs)
    return Markup(f'<dl class="ops-facts">{inside}</dl>')


def items(values: Iterable[object], kind: str = "ops-items") -> Markup:
    """A list."""
    return Markup(f'<ul class="{kind}">{"".join(f"<li>{text(value)}</li>" for value in values)}</ul>')


def joined(*pieces: str) -> Markup:
    """Pieces of markup one after the other; whatever is not markup is escaped."""
    return Markup("".join(text(piece) for piece in pieces))


def _row(row: Sequence[object], labels: Sequence[str]) -> str:
    first = f'<th scope="row">{text(row[0])}</th>' if row else ""
    rest = (
        f'<td data-label="{label}"><div>{text(cell)}</div></td>'
        for cell, label in zip(row[1:], labels[1:], strict=True)
    )
    return first + "".join(rest)
