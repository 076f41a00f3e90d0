"""A conversation as HTML: questions, answers, and under each what stands behind it. Pure; everything is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any, Literal

from console.proving import Verdict
from console.views.prose import plain, prose
from console.words import Words
from runtime.audit.words_kinds import kind_text

_SIGNS = {"verified": "✓", "unproven": "?", "tampered": "✕"}


@dataclass(slots=True, eq=False)
class Entry:
    """One question and what came of it.

    Attributes:
        question: as typed.
        text: of the answer, as far as it is here.
        state: what came of it.
        turn_id: of the API; None until it is known.
        answer: as `/chat` gave it, or the problem of a refusal.
        sentences: what was decided and why, or what failed; plain text.
        codes: stable, of a refusal or failure.
        verdict: of its evidence; None: not looked at (yet).
        checking: it is being looked at.
    """

    question: str
    text: str = ""
    state: Literal["asking", "answered", "refused", "failed", "stopped"] = "asking"
    turn_id: str | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    verdict: Verdict | None = None
    checking: bool = False


def talk(entries: Sequence[Entry], words: Words) -> str:
    """All of them."""
    return f'<div class="talk">{"".join(entry_html(entry, words) for entry in entries)}</div>'


def nothing(text: str) -> str:
    """Where no conversation is open: what one can do."""
    return f'<div class="talk empty"><p>{escape(text)}</p></div>'


def entry_html(entry: Entry, words: Words) -> str:
    """One question with its answer."""
    asked = f'<div class="question"><span class="by">{escape(words("chat.you"))}</span>{_plain(entry.question)}</div>'
    return f'<article class="turn">{asked}{_reply(entry, words)}{_evidence(entry, words)}</article>'


def model_name(model: Mapping[str, Any]) -> str:
    """The backend and the model that answered."""
    name = model.get("response_model") or model.get("request_model")
    return " / ".join(str(part) for part in (model.get("provider"), name) if part)


def masked(redactions: Mapping[str, Any], words: Words) -> str:
    """What was masked, by type."""
    return ", ".join(f"{kind_text(entity, words.language)} × {count}" for entity, count in sorted(redactions.items()))


def title_of(conversation: Mapping[str, Any], words: Words) -> str:
    """A conversation in the list."""
    when = datetime.fromtimestamp(int(conversation["updated_ms"]) / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    count = conversation["turns"]
    turns = words("chat.turn") if count == 1 else words("chat.turns", count=count)
    title = conversation.get("title") or words("chat.untitled")
    return f"{title} · {when} · {turns}"


def view_html(view: Mapping[str, Any], words: Words) -> str:
    """The view that the model saw."""
    rows = "".join(
        f"<dt>{escape(_role(message, words))}</dt><dd>{plain(str(message['content']))}</dd>"
        for message in view["messages"]
    )
    exact = words("chat.view_exact" if view["exact"] else "chat.view_strict")
    return f'<div class="view"><p>{escape(exact)}</p><dl>{rows}</dl></div>'


def _role(message: Mapping[str, Any], words: Words) -> str:
    if message.get("role") == "assistant":
        return words("chat.view_assistant" if message.get("origin") == "model" else "chat.view_claimed")
    key = f"chat.view_{message.get('role')}"
    return words(key) if words.has(key) else str(message.get("role"))


def _plain(text: str) -> str:
    return f'<div class="text plain">{escape(text)}</div>'


def _reply(entry: Entry, words: Words) -> str:
    by = f'<span class="by">{escape(words("chat.machine"))}</span>'
    text = f'<div class="text">{prose(entry.text)}</div>' if entry.text else ""
    if entry.state == "asking":
        waiting = "" if entry.text else f'<p class="waiting">{escape(words("chat.waiting"))}</p>'
        return f'<div class="answer" aria-live="polite" aria-busy="true">{by}{text}{waiting}</div>'
    if entry.state == "answered":
        return f'<div class="answer">{by}{text}{_sources(entry, words)}</div>'
    head = {"refused": "chat.refused", "failed": "chat.failed", "stopped": "chat.stopped"}[entry.state]
    told = "".join(f"<p>{escape(sentence)}</p>" for sentence in entry.sentences)
    codes = " ".join(f"<code>{escape(code)}</code>" for code in entry.codes)
    coded = f'<p class="codes">{escape(words("chat.code"))} {codes}</p>' if codes else ""
    shown = f'<div class="answer">{by}{text}</div>' if text else ""
    return f'{shown}<div class="{entry.state}" role="alert"><b>{escape(words(head))}</b>{told}{coded}</div>'


def _sources(entry: Entry, words: Words) -> str:
    """Where a search-backed answer comes from: addresses to read, none to click on unseen."""
    cited = entry.answer.get("citations")
    if not isinstance(cited, list) or not cited:
        return ""
    items = "".join(
        f"<li>{escape(str(each.get('title') or ''))} <code>{escape(str(each.get('url') or ''))}</code></li>"
        for each in cited
        if isinstance(each, dict)
    )
    return f'<details class="sources"><summary>{escape(words("chat.sources"))}</summary><ol>{items}</ol></details>'


def _evidence(entry: Entry, words: Words) -> str:
    if entry.state == "asking":
        return ""
    answer = entry.answer
    facts = []
    if entry.state == "answered":
        model = answer.get("model")
        if isinstance(model, dict):
            facts.append(escape(model_name(model)))
        found = masked(answer.get("redactions") or {}, words) if answer else ""
        if answer:
            facts.append(escape(words("chat.masked", what=found) if found else words("chat.masked_nothing")))
        if answer.get("degraded"):
            facts.append(f'<b class="warn">{escape(words("chat.degraded"))}</b>')
        if answer.get("history_trimmed"):
            facts.append(escape(words("chat.history_trimmed")))
    line = " · ".join([_mark(entry, words), *facts]).strip(" ·")
    return f'<footer class="evidence">{line}{_details(entry, words)}</footer>'


def _mark(entry: Entry, words: Words) -> str:
    if entry.checking:
        return f'<span class="mark checking">{escape(words("chat.mark_checking"))}</span>'
    if entry.verdict is None:
        return ""
    state = entry.verdict.state
    text = escape(words(f"chat.mark_state_{state}"))
    return f'<span class="mark {state}"><span aria-hidden="true">{_SIGNS[state]}</span> {text}</span>'


def _details(entry: Entry, words: Words) -> str:
    answer, rows = entry.answer, []
    decision = answer.get("decision_id")
    if entry.state == "answered":
        rows += [f"<p>{escape(sentence)}</p>" for sentence in entry.sentences]
    if entry.verdict is not None and not entry.checking:
        rows.append("<ul>" + "".join(f"<li>{escape(text)}</li>" for text in entry.verdict.findings) + "</ul>")
    if decision:
        rows.append(f"<p>{escape(words('chat.decision'))} <code>{escape(str(decision))}</code></p>")
    turn = escape(entry.turn_id or "", quote=True)
    if turn and entry.state != "refused":  # nothing went to a model then
        rows.append(
            f'<details data-load="/fragment/view/{turn}?lang={words.language}"><summary>{escape(words("chat.view"))}'
            f'</summary><div class="loaded"><p>{escape(words("chat.loading"))}</p></div></details>'
        )
    if entry.state == "answered" and turn:
        rows.append(f'<p><a href="/download/receipt/{turn}" download>{escape(words("chat.receipt"))}</a></p>')
    elif decision and isinstance(answer.get("receipt"), dict):
        name = escape(str(decision), quote=True)
        rows.append(f'<p><a href="/download/refusal/{name}" download>{escape(words("chat.receipt"))}</a></p>')
    if not rows:
        return ""
    return f'<details class="more"><summary>{escape(words("chat.evidence"))}</summary>{"".join(rows)}</details>'
