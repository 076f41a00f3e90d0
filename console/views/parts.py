"""Small pieces of HTML that views are made of. Pure; everything that is put into them is escaped here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import urlencode

from console.words import Words
from runtime.audit.words_records import DECISION_WORDS, EVENT_WORDS

_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?Z")
_SHORT = 10


def when(time: object) -> str:
    """A time of a record, to the second, in UTC."""
    match = _TIME.fullmatch(str(time))
    if match is None:
        return escape(str(time))
    return f'<time datetime="{match[0]}">{match[1]} {match[2]}</time>'


def moment(milliseconds: object) -> str:
    """The same of a number of milliseconds since 1970."""
    if not isinstance(milliseconds, int):
        return ""
    return when(datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def number(value: int, words: Words) -> str:
    """A whole number with the separators of the language."""
    return f"{value:,}" if words.language == "en" else f"{value:,}".replace(",", "\u202f")


def size(value: object, words: Words) -> str:
    """Bytes as people say them."""
    if not isinstance(value, int):
        return ""
    for power, unit in ((3, "g"), (2, "m"), (1, "k")):
        if value >= 1000**power:
            shown = f"{value / 1000**power:.1f}"
            return f"{shown if words.language == 'en' else shown.replace('.', ',')} {words(f'exports.size_{unit}')}"
    return f"{value} {words('exports.size_b')}"


def short(reference: object) -> str:
    """The beginning of a long reference; the whole of it for whoever points at it."""
    text = str(reference)
    if len(text) <= _SHORT + 2:
        return f"<code>{escape(text)}</code>"
    return f'<code title="{escape(text)}">{escape(text[:_SHORT])}…</code>'


def decision_word(record: Mapping[str, Any], words: Words) -> str:
    """What was decided, in a word or two, as a mark with its colour; the event where nothing was decided."""
    decision, position = str(record.get("decision", "")), 0 if words.language == "en" else 1
    if decision in DECISION_WORDS:
        return f'<span class="mark {escape(decision)}">{escape(DECISION_WORDS[decision][position])}</span>'
    return f'<span class="mark">{event_word(record, words)}</span>'


def event_word(record: Mapping[str, Any], words: Words) -> str:
    """What kind of record it is."""
    event = str(record.get("event", "?"))
    known = EVENT_WORDS.get(event)
    return escape(event if known is None else known[0 if words.language == "en" else 1])


def entities(record: Mapping[str, Any]) -> dict[str, int]:
    """What was masked on the way in and out, by type."""
    redactions = record.get("redactions")
    found: dict[str, int] = {}
    for way in ("in", "out"):
        counts = redactions.get(way) if isinstance(redactions, Mapping) else None
        for entity, count in counts.items() if isinstance(counts, Mapping) else ():
            found[str(entity)] = found.get(str(entity), 0) + (count if isinstance(count, int) else 0)
    return found


def texts(values: object) -> list[str]:
    """The texts of a list, none of anything else."""
    return [str(value) for value in values] if isinstance(values, Sequence) and not isinstance(values, str) else []


def bullets(items: Iterable[str]) -> str:
    """A list of HTML; nothing where there are none."""
    listed = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{listed}</ul>" if listed else ""


def raw(value: Any) -> str:
    """JSON to be read."""
    return f'<pre tabindex="0"><code>{escape(json.dumps(value, indent=1, ensure_ascii=False))}</code></pre>'


def folded(title: str, inner: str) -> str:
    """Something behind a title that opens it; `title` is plain text, `inner` HTML."""
    return f"<details><summary>{escape(title)}</summary>{inner}</details>"


def taken(path: str, text: str, words: Words, *, label: str = "", **params: str) -> str:
    """A link to one of our downloads, which opens beside the page; `label` says more to whoever only hears it."""
    query = urlencode({"lang": words.language, **params})
    said = f' aria-label="{escape(label)}"' if label else ""
    return f'<a href="{escape(f"{path}?{query}")}" target="_blank"{said}>{escape(text)}</a>'


def note(text: str, kind: str = "empty") -> str:
    """A paragraph for people: `empty`, `failed` or `done`; plain text."""
    live = ' role="alert"' if kind == "failed" else ""
    return f'<p class="{kind}"{live}>{escape(text)}</p>'
