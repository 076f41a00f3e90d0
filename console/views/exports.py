"""Exports, verifications, the place for files, and reports to take away. Pure; escaped HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from console.views.parts import moment, note, number, short, size, taken
from console.views.verdict import of_answer
from console.words import Words


def exports(found: Sequence[Mapping[str, Any]], words: Words) -> str:
    """One's own exports with what can be done with each."""
    if not found:
        return note(words("exports.none"))
    heads = "".join(
        f"<th scope=col>{escape(words(f'exports.col_{name}'))}</th>" for name in ("made", "what", "state", "doing")
    )
    rows = "".join(_export(one, words) for one in found)
    return (
        f'<table class="plain"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="hint">{escape(words("exports.kept"))}</p>'
    )


def verifications(found: Sequence[Mapping[str, Any]], words: Words) -> str:
    """The newest verification of the log with its verdict, and those before it in a line each."""
    if not found:
        return note(words("exports.never_verified"))
    newest, *earlier = found
    when = f'<p class="hint">{escape(words("exports.verified_at"))} {moment(newest.get("created_ms"))} UTC</p>'
    if newest.get("state") == "done":
        shown = of_answer(newest, words)
    elif newest.get("state") == "failed":
        shown = note(_why(newest, words), "failed")
    else:
        shown = _bar(newest, words("exports.verifying"), words)
    lines = "".join(
        f"<tr><td>{moment(one.get('created_ms'))}</td><td>{escape(_short_verdict(one, words))}</td></tr>"
        for one in earlier
    )
    before = (
        f'<details><summary>{escape(words("exports.earlier"))}</summary><table class="plain">{lines}</table></details>'
    )
    return when + shown + (before if earlier else "")


def is_running(found: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of these is still at work."""
    return any(one.get("state") == "running" for one in found)


def drop_zone(words: Words, most: int) -> str:
    """Where a bundle or a receipt is dropped or chosen; the script of the page sends it."""
    told = {
        "verify": f"/verify-file?lang={words.language}",
        "most": str(most),
        "large": words("exports.file_large"),
        "hollow": words("exports.file_hollow"),
        "sending": words("exports.file_sending"),
        "judging": words("exports.file_judging"),
        "broken": words("exports.file_broken"),
    }
    data = " ".join(f'data-{name}="{escape(text)}"' for name, text in told.items())
    return (
        f'<div class="drop" {data}><p><strong>{escape(words("exports.drop"))}</strong></p>'
        f'<p class="hint">{escape(words("exports.drop_help"))}</p>'
        '<input type="file" id="exports-file" class="unseen" accept=".zip,.tar,.gz,.tgz,.json">'
        f'<label for="exports-file" class="choose">{escape(words("exports.choose"))}</label>'
        f'<progress max="1" hidden aria-label="{escape(words("exports.file_sending"))}"></progress>'
        '<div class="told" aria-live="polite"></div></div>'
    )


def reports(words: Words, today: str, month: str) -> str:
    """Forms that take a review of a period, or a register, along; `today` and `month` are days."""
    languages = "".join(
        f'<option value="{code}"{" selected" if code == words.language else ""}>{name}</option>'
        for code, name in (("en", "English"), ("fr", "Français"))
    )
    language = _select("language", words("exports.report_language"), languages)
    pages = _select("format", words("exports.report_form"), _options(("pdf", "html", "json")))
    sheets = _select("format", words("exports.report_form"), _options(("csv", "json")))
    names = "".join(
        f'<option value="{name}">{escape(words(f"exports.register_{name}"))}</option>'
        for name in ("processing", "incidents")
    )
    days = "".join(
        f'<label>{escape(words(f"exports.{key}"))}<input type="date" name="{name}" value="{escape(value)}" '
        f'max="{escape(today)}"></label>'
        for key, name, value in (("first_day", "from", month), ("last_day", "to", today))
    )
    lang = f'<input type="hidden" name="lang" value="{words.language}">'
    return (
        f'<h4>{escape(words("exports.period_review"))}</h4><p class="hint">{escape(words("exports.period_help"))}</p>'
        f'<form class="sheet" id="exports-period" action="/download/period" target="_blank">{lang}{days}'
        f"{pages}{language}"
        f'<button type="submit">{escape(words("exports.take_review"))}</button></form>'
        f'<h4>{escape(words("exports.registers"))}</h4><p class="hint">{escape(words("exports.registers_help"))}</p>'
        f'<form class="sheet" id="exports-register" action="/download/registers" target="_blank">{lang}'
        f"{_select('name', words('exports.register'), names)}{sheets}{language}"
        f'<button type="submit">{escape(words("exports.take_register"))}</button></form>'
    )


def stated(told: Mapping[str, Any], words: Words) -> str:
    """An incident that was recorded: its reference, to be named in later statements."""
    said = escape(words("exports.incident_stated"))
    return (
        f'<p class="done" role="status">{said} <code>{escape(str(told.get("incident")))}</code> · '
        f"<code>{escape(str(told.get('record_id')))}</code></p>"
    )


def _export(one: Mapping[str, Any], words: Words) -> str:
    export_id, state = escape(str(one.get("export_id"))), one.get("state")
    bundle = one.get("bundle")
    if state == "running":
        standing = _bar(one, words("exports.running"), words)
    elif state == "failed":
        standing = note(_why(one, words), "failed")
    else:
        standing = escape(words("exports.ready")) + f" · {escape(size(one.get('bytes'), words))}"
        standing += f"<br>SHA-256 {short(one.get('sha256'))}"
    doing = (
        f'<button type="button" class="remove" data-into="exports-remove" data-value="{export_id}">'
        f"{escape(words('exports.remove'))}</button>"
    )
    if one.get("download"):
        doing = f"{taken(f'/download/exports/{export_id}', words('exports.download'), words)} {doing}"
    cells = (
        ("made", moment(one.get("created_ms"))),
        ("what", _selection(bundle, words) if isinstance(bundle, Mapping) else short(one.get("export_id"))),
        ("state", standing),
        ("doing", doing),
    )
    told = "".join(
        f'<td data-label="{escape(words(f"exports.col_{name}"))}"><div>{value}</div></td>' for name, value in cells
    )
    return f'<tr data-export="{export_id}" data-state="{escape(str(state))}">{told}</tr>'


def _selection(bundle: Mapping[str, Any], words: Words) -> str:
    selection = bundle.get("selection")
    known = selection if isinstance(selection, Mapping) else {}
    count = bundle.get("selected")
    counted = number(count, words) if isinstance(count, int) else "?"
    said = words("exports.selected", count=counted)
    if "first" in known:
        last = known.get("end")
        said = words("exports.selected_range", count=counted, first=known["first"], last=(last or 1) - 1)
    elif "filter" in known:
        shown = ", ".join(f"{key} {value}" for key, value in known["filter"].items() if key not in {"first", "end"})
        said = words("exports.selected_filter", count=counted, filter=shown)
    elif "conversation_ref" in known:
        said = words("exports.selected_conversation", count=counted)
    elif "subject_refs" in known:
        said = words("exports.selected_person", count=counted)
    return escape(said)


def _bar(one: Mapping[str, Any], title: str, words: Words) -> str:
    progress = one.get("progress")
    known = progress if isinstance(progress, Mapping) else {}
    done, total = known.get("done", 0), known.get("total", 0)
    value = f' value="{int(done)}" max="{int(total)}"' if total else ""
    counted = f" {number(int(done), words)} / {number(int(total), words)}" if total else ""
    return f'<label class="running">{escape(title)}{counted} <progress{value}></progress></label>'


def _why(one: Mapping[str, Any], words: Words) -> str:
    failure = one.get("failure")
    known = failure if isinstance(failure, Mapping) else {}
    return f"{known.get('text') or words('failure.unforeseen')} ({known.get('code', '?')})"


def _short_verdict(one: Mapping[str, Any], words: Words) -> str:
    if one.get("state") == "failed":
        return _why(one, words)
    return str(one.get("verdict") or words("exports.verifying"))


def _select(name: str, label: str, options: str) -> str:
    return f'<label>{escape(label)}<select name="{name}">{options}</select></label>'


def _options(values: Sequence[str]) -> str:
    return "".join(f'<option value="{value}">{value.upper()}</option>' for value in values)
