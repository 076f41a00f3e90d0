"""Decisions as tables and pages: a list of records, one record in words, what belongs to it. Pure; escaped HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from console.api_decisions import Dossier
from console.client import ApiDown, ApiFailure
from console.views.failure import failure_text
from console.views.parts import (
    bullets,
    decision_word,
    entities,
    event_word,
    folded,
    note,
    raw,
    short,
    taken,
    texts,
    when,
)
from console.words import Words
from runtime.audit.words_kinds import kind_text

_NOTHING = "–"
_FORMS = ("html", "pdf", "json")


def table(records: Sequence[Mapping[str, Any]], words: Words, *, ticks: bool, more: bool, whose: bool) -> str:
    """A list of records whose rows can be picked, by pointer or keyboard.

    Args:
        records: predicates, newest first.
        words: of the page.
        ticks: rows can be ticked, for an export.
        more: there may be older ones.
        whose: say who acted.
    """
    if not records:
        return note(words("decisions.none_here") if more else words("decisions.none"))
    heads = [words(f"decisions.col_{name}") for name in ("time", "decision", "model", "masked")]
    heads += [words("decisions.col_principal")] if whose else []
    marks = ' data-ticks="decisions-ticked"' if ticks else ""
    first = f'<th><span class="unseen">{escape(words("decisions.col_tick"))}</span></th>' if ticks else ""
    head = first + "".join(f"<th scope=col>{escape(text)}</th>" for text in heads)
    rows = "".join(
        _row(record, words, ticks=ticks, whose=whose, first=number == 0) for number, record in enumerate(records)
    )
    return (
        f'<p class="hint">{escape(words("decisions.table_help"))}</p>'
        f'<table class="pickable" data-into="decisions-picked"{marks} '
        f'aria-label="{escape(words("decisions.tab"))}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f"{_offers('rule', (code for one in records for code in texts(one.get('rules'))))}"
        f"{_offers('model', (name for one in records for name in _models(one)))}"
    )


def _offers(field: str, values: Iterable[str]) -> str:
    """What a field of the filter offers to be chosen; the script of the page ties them together."""
    options = "".join(f'<option value="{escape(value)}"></option>' for value in sorted(set(values)))
    return f'<datalist id="decisions-{field}-offers" data-offers="decisions-{field}">{options}</datalist>'


def _models(record: Mapping[str, Any]) -> list[str]:
    model = _part(record, "model")
    return [str(model[name]) for name in ("request_model", "response_model") if model.get(name)]


def _row(record: Mapping[str, Any], words: Words, *, ticks: bool, whose: bool, first: bool) -> str:
    record_id = escape(str(record.get("record_id")))
    masked = [f"{escape(kind_text(name, words.language))} {count}" for name, count in entities(record).items()]
    reasons = [f"<code>{escape(code)}</code>" for code in texts(record.get("reasons"))]
    model = _part(record, "model")
    cells = [
        ("time", when(record.get("time"))),
        ("decision", " ".join([decision_word(record, words), *reasons])),
        ("model", escape(str(model.get("response_model") or model.get("request_model") or _NOTHING))),
        ("masked", ", ".join(masked) or _NOTHING),
    ]
    if whose:
        actor = _part(record, "actor")
        cells.append(("principal", f"{short(actor.get('ref', _NOTHING))} {escape(_role(actor, words))}"))
    tick = ""
    if ticks:
        label = escape(words("decisions.tick"))
        tick = f'<td class="tick"><input type="checkbox" data-tick="{record_id}" aria-label="{label}"></td>'
    told = "".join(
        f'<td class="{name}{" none" if value == _NOTHING else ""}" '
        f'data-label="{escape(words(f"decisions.col_{name}"))}">{value}</td>'
        for name, value in cells
    )
    return f'<tr data-pick="{record_id}" tabindex="{0 if first else -1}">{tick}{told}</tr>'


def about(found: Dossier, words: Words) -> str:
    """A record in plain words: what came of it and why, then all that it says."""
    record = _part(found.record, "record")
    title = words("decisions.about", what=_plain_word(record, words))
    back = f'<button type="button" class="back" data-back>{escape(words("decisions.back"))}</button>'
    lines: list[str] = []
    if isinstance(found.explained, Mapping):
        summary = found.explained.get("summary")
        lines += [f'<p class="lead">{escape(str(summary))}</p>'] if summary else []
        said = [
            f"{escape(str(one.get('text')))} <code>{escape(str(one.get('code')))}</code>"
            for one in found.explained.get("reasons", ())
        ]
        lines.append(bullets(said))
        lines += [f"<p>{escape(line)}</p>" for line in str(found.explained.get("text", "")).splitlines()]
    else:
        lines.append(_failed(found.explained, words))
    return (
        f'<article class="record"><h3 tabindex="-1" data-focus="{escape(str(found.record.get("record_id")))}">'
        f"{escape(title)}</h3>{back}{''.join(lines)}</article>"
    )


def papers(found: Dossier, words: Words, *, reports: bool) -> str:
    """What can be taken away, then the record, its proof and its relatives."""
    record_id = str(found.record.get("record_id"))
    parts = [_take(record_id, words)] if reports else []
    place = f"/download/decisions/{record_id}"
    record_link = f"<p>{taken(place, words('decisions.record_file'), words)}</p>"
    parts.append(folded(words("decisions.record"), record_link + raw(found.record)))
    if isinstance(found.proof, Mapping):
        forms = (("json", words("decisions.proof_json")), ("tlog-proof", words("decisions.proof_tlog")))
        links = " · ".join(taken(f"{place}/proof", text, words, format=form) for form, text in forms)
        said = words("decisions.proof_says", index=found.proof.get("log_index"), size=found.proof.get("tree_size"))
        parts.append(folded(words("decisions.proof"), f"<p>{escape(said)}</p><p>{links}</p>{raw(found.proof)}"))
    else:
        parts.append(folded(words("decisions.proof"), _failed(found.proof, words)))
    inner = _related(found.related, record_id, words)
    parts.append(f"<details open><summary>{escape(words('decisions.related'))}</summary>{inner}</details>")
    return f'<div class="papers">{"".join(parts)}</div>'


def damaged(error: Exception, words: Words) -> str:
    """Why a record could not be verified now, as a sentence of a verdict."""
    if isinstance(error, ApiFailure) and error.status == 404:
        return words("decisions.gone")
    return words("decisions.damaged")


def _take(record_id: str, words: Words) -> str:
    rows = []
    for kind, title in (("decisions", words("decisions.dossier")), ("persons", words("decisions.person_page"))):
        cells = []
        for language, name in (("en", "English"), ("fr", "Français")):
            place = f"/download/reports/{kind}/{record_id}"
            links = " · ".join(
                taken(place, form.upper(), words, label=f"{title}, {name}, {form}", language=language, format=form)
                for form in _FORMS
            )
            cells.append(f'<td data-label="{name}" lang="{language}">{links}</td>')
        rows.append(f"<tr><th scope=row>{escape(title)}</th>{''.join(cells)}</tr>")
    head = "<tr><td></td><th scope=col lang=en>English</th><th scope=col lang=fr>Français</th></tr>"
    hint = f'<p class="hint">{escape(words("decisions.take_help"))}</p>'
    return (
        f'<h4>{escape(words("decisions.take"))}</h4><table class="take"><thead>{head}</thead>'
        f"<tbody>{''.join(rows)}</tbody></table>{hint}"
    )


def _related(related: dict[str, Any] | ApiFailure | ApiDown, record_id: str, words: Words) -> str:
    if not isinstance(related, Mapping):
        return _failed(related, words)
    parent = related.get("parent")
    groups = [
        (words("decisions.rel_turn"), related.get("turn", [])),
        (words("decisions.rel_parent"), [parent] if parent else []),
        (words("decisions.rel_children"), related.get("children", [])),
    ]
    parts, seen = [], {record_id}
    for title, members in groups:
        others = [one for one in members if one.get("record_id") not in seen]
        seen |= {one.get("record_id") for one in others}
        if others:
            rows = "".join(
                f'<tr data-pick="{escape(str(one.get("record_id")))}" tabindex="{0 if position == 0 else -1}">'
                f'<td data-label="{escape(words("decisions.col_time"))}">{when(one.get("time"))}</td>'
                f"<td>{_related_word(one, words)}</td></tr>"
                for position, one in enumerate(others)
            )
            parts.append(
                f'<h5>{escape(title)}</h5><table class="pickable" data-into="decisions-picked" '
                f'aria-label="{escape(title)}"><tbody>{rows}</tbody></table>'
            )
    if not parts:
        parts.append(note(words("decisions.rel_none")))
    if related.get("complete") is not True:
        parts.append(f'<p class="hint">{escape(words("decisions.rel_incomplete"))}</p>')
    return "".join(parts)


def _related_word(record: Mapping[str, Any], words: Words) -> str:
    detail = _part(record, "detail")
    action = f" <code>{escape(str(detail['action']))}</code>" if "action" in detail else ""
    marked = f" {decision_word(record, words)}" if record.get("decision") else ""
    return f"{event_word(record, words)}{marked}{action}"


def _role(actor: Mapping[str, Any], words: Words) -> str:
    role = str(actor.get("role", ""))
    return words(f"frame.role_{role}") if words.has(f"frame.role_{role}") else role


def _plain_word(record: Mapping[str, Any], words: Words) -> str:
    decision = str(record.get("decision", ""))
    if words.has(f"decisions.word_{decision}"):
        return words(f"decisions.word_{decision}")
    return str(record.get("event", "?"))


def _failed(error: Exception, words: Words) -> str:
    return note(failure_text(error, words), "failed")


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}
