"""The tab for exports and verification: files and the log verified, exports made and taken, reports, incidents."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from console import api_exports
from console.client import ApiDown, ApiFailure
from console.markup import html
from console.moments import moment, moment_field
from console.page import Page, SignedOut
from console.routes_evidence import MOST_SENT
from console.tabs import Tab
from console.tabs.incident import incident
from console.views import exports as views
from console.views.parts import note

_FAILURES = (ApiFailure, ApiDown, SignedOut)
_EXPORT = re.compile(r"export_[A-Za-z0-9_-]{16,64}")
_SECONDS = 1.0  # between two looks at what is running
_KINDS = ("period", "subject", "conversation")


def build(page: Page) -> None:
    """Its components: of each part, what the role may use."""
    words = page.words
    with gr.Column(elem_classes="sections"):
        if page.may("audit.verify"):
            html(f"<h3>{words('exports.verify_file')}</h3>{views.drop_zone(words, MOST_SENT)}", elem_id="exports-drop")
            _log(page)
        if page.may("audit.export"):
            _exports(page)
        if page.may("report.any"):
            now = datetime.now(UTC)
            days = views.reports(words, f"{now:%Y-%m-%d}", f"{now:%Y-%m}-01")
            html(f"<h3>{words('exports.reports')}</h3>{days}", elem_id="exports-reports")
        if page.may("incident.record"):
            incident(page)


def _log(page: Page) -> None:
    """Verify the log that the API serves."""
    words = page.words
    html(f"<h3>{words('exports.verify_log')}</h3><p class='hint'>{words('exports.verify_log_help')}</p>")
    with gr.Row(elem_classes="actions"):
        begin = gr.Button(words("exports.verify_now"), variant="primary", elem_id="exports-verify")
    shown = html(elem_id="exports-log")
    timer = gr.Timer(_SECONDS, active=False)

    async def look(request: gr.Request) -> tuple[Any, Any]:
        try:
            found = await api_exports.verifications(page.api(request))
        except _FAILURES as error:
            return note(page.sentence(error), "failed"), gr.Timer(active=False)
        return views.verifications(found, words), gr.Timer(active=views.is_running(found))

    async def started(request: gr.Request) -> tuple[Any, Any]:
        try:
            await api_exports.begin_verification(page.api(request))
        except _FAILURES as error:
            return note(page.sentence(error), "failed"), gr.Timer(active=False)
        return await look(request)

    page.on_open(look, None, [shown, timer])
    begin.click(started, None, [shown, timer])
    timer.tick(look, None, [shown, timer], show_progress="hidden")


def _exports(page: Page) -> None:
    """Make an export; see how one's own stand, take them, remove them."""
    words = page.words
    html(f"<h3>{words('exports.title')}</h3><p class='hint'>{words('exports.help')}</p>")
    kind = gr.Radio(
        [(words(f"exports.kind_{name}"), name) for name in _KINDS],
        value="period",
        label=words("exports.kind"),
        elem_id="exports-kind",
    )
    with gr.Row(visible=True) as period:
        begin = moment_field(words, "decisions.from", "exports-from")
        end = moment_field(words, "decisions.to", "exports-to")
    with gr.Row(visible=False) as named:
        name = gr.Textbox(label=words("exports.person"), info=words("exports.person_help"), elem_id="exports-person")
    with gr.Row(visible=False) as talked:
        conversation = gr.Textbox(
            label=words("exports.conversation"), info=words("exports.conversation_help"), elem_id="exports-conversation"
        )
    with gr.Row(elem_classes="actions"):
        make = gr.Button(words("exports.make"), variant="primary", elem_id="exports-make")
        refresh = gr.Button(words("exports.refresh"), elem_id="exports-refresh")
    said = html(elem_id="exports-said")
    listed = html(elem_id="exports-list")
    remove = gr.Textbox(elem_id="exports-remove", visible="hidden", show_label=False)
    timer = gr.Timer(_SECONDS, active=False)

    async def chosen(which: str) -> tuple[Any, ...]:
        return tuple(gr.Row(visible=which == each) for each in _KINDS)

    async def look(request: gr.Request) -> tuple[Any, Any]:
        try:
            found = await api_exports.exports(page.api(request))
        except _FAILURES as error:
            return note(page.sentence(error), "failed"), gr.Timer(active=False)
        return views.exports(found, words), gr.Timer(active=views.is_running(found))

    async def made(request: gr.Request, *given: Any) -> tuple[Any, ...]:
        try:
            selection = _selection(*given)
        except ValueError:
            return note(words("frame.moment_wrong"), "failed"), *await look(request)
        if selection is None:
            return note(words("exports.incomplete"), "failed"), *await look(request)
        try:
            await api_exports.begin_export(page.api(request), selection)
        except _FAILURES as error:
            return note(page.sentence(error), "failed"), *await look(request)
        return note(words("exports.begun"), "done"), *await look(request)

    async def removed(value: str, request: gr.Request) -> tuple[Any, ...]:
        export_id = value.partition(" ")[0]
        if _EXPORT.fullmatch(export_id) is None:
            return "", *await look(request)
        try:
            await api_exports.remove_export(page.api(request), export_id)
        except _FAILURES as error:
            return note(page.sentence(error), "failed"), *await look(request)
        return note(words("exports.removed"), "done"), *await look(request)

    kind.change(chosen, kind, [period, named, talked], show_progress="hidden")
    make.click(made, [kind, begin, end, name, conversation], [said, listed, timer])
    refresh.click(look, None, [listed, timer])
    remove.change(removed, remove, [said, listed, timer])
    page.on_open(look, None, [listed, timer])
    timer.tick(look, None, [listed, timer], show_progress="hidden")


def _selection(which: str, first: str | None, last: str | None, who: str, talk: str) -> dict[str, Any] | None:
    """The body of an export; None where what it needs is not given. Raises: ValueError, of a time."""
    if which == "period":
        begin, end = moment(first), moment(last, end=True)
        return {"period": {"from": begin} | ({"to": end} if end else {})} if begin else None
    if which == "subject":
        return {"subject": who.strip()} if (who or "").strip() else None
    return {"conversation": talk.strip()} if (talk or "").strip() else None


TAB = Tab(
    "exports",
    order=40,
    title="exports.tab",
    needs=("audit.export", "audit.verify", "report.any", "incident.record"),
    build=build,
)
