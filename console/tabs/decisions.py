"""The Decisions tab: find a record, read it in words, verify it now, take its papers along, export what was found."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr

from console.api_decisions import Wanted, dossier, grown, listed, proven
from console.api_exports import begin_export
from console.client import ApiDown, ApiFailure
from console.judging import Look, judge, judge_growth
from console.markup import html
from console.moments import moment, moment_field
from console.page import Page, SignedOut
from console.tabs import Tab
from console.views import decisions as views
from console.views import verdict as verdicts
from console.views.parts import note
from console.words import Words
from runtime.audit.errors import KeysError
from runtime.audit.fields import RECORD_ID
from runtime.audit.words_kinds import KIND_WORDS, kind_text

_FAILURES = (ApiFailure, ApiDown, SignedOut)
_DECISIONS = ("allow", "redact", "deny", "require_approval", "error")
_ORDER = "decisions.order"  # one list of a session at a time
_LOOK = "decisions.look"  # the tree that this session saw last


def build(page: Page) -> None:
    """Its components."""
    words = page.words
    with gr.Accordion(words("decisions.filter"), elem_id="decisions-filter"):
        with gr.Row():
            begin = moment_field(words, "decisions.from", "decisions-from")
            end = moment_field(words, "decisions.to", "decisions-to")
            decision = gr.Dropdown(
                _decision_choices(words), value="", label=words("decisions.col_decision"), elem_id="decisions-decision"
            )
            masked = gr.Dropdown(
                _entity_choices(words),
                value="",
                label=words("decisions.col_masked"),
                elem_id="decisions-masked",
            )
        with gr.Row():
            rule = gr.Textbox(label=words("decisions.rule"), elem_id="decisions-rule")
            model = gr.Textbox(label=words("decisions.col_model"), elem_id="decisions-model")
            principal = gr.Textbox(
                label=words("decisions.col_principal"),
                info=words("decisions.principal_help"),
                visible=page.may("decision.read_any"),
                elem_id="decisions-principal",
            )
            event = gr.Dropdown(
                [(words("decisions.events_turn"), ""), (words("decisions.events_any"), "any")],
                value="",
                label=words("decisions.events"),
                visible=page.may("decision.read_any"),
                elem_id="decisions-event",
            )
        with gr.Row(elem_classes="actions"):
            search = gr.Button(words("decisions.search"), variant="primary", elem_id="decisions-search")
            clear = gr.Button(words("decisions.clear"), elem_id="decisions-clear")
    table = html(elem_id="decisions-table")
    with gr.Row(elem_classes="actions"):
        newer = gr.Button(words("decisions.newer"), interactive=False, elem_id="decisions-newer")
        older = gr.Button(words("decisions.older"), interactive=False, elem_id="decisions-older")
        export = gr.Button(words("decisions.export"), visible=page.may("audit.export"), elem_id="decisions-export")
    exported = html(elem_id="decisions-exported")
    picked = gr.Textbox(elem_id="decisions-picked", visible="hidden", show_label=False)
    ticked = gr.Textbox(elem_id="decisions-ticked", visible="hidden", show_label=False)
    shown = gr.State("")  # the record that is open
    asked = gr.State(Wanted())
    cursors = gr.State([])  # where the pages before this one begin, the newest first
    following = gr.State(None)  # where the next one does
    about = html(elem_id="decisions-about")
    with gr.Row(visible=False, elem_classes="actions") as doing:
        verify = gr.Button(words("decisions.verify"), variant="primary", elem_id="decisions-verify")
    verdict = html(elem_id="decisions-verdict")
    papers = html(elem_id="decisions-papers")
    fields = [begin, end, decision, masked, rule, model, principal, event]
    listing = [table, newer, older, asked, cursors, following]

    async def show(wanted: Wanted, before: list[int | None], request: gr.Request) -> tuple[Any, ...]:
        """One page of the list; `before` ends with where it begins. What was asked last is shown last."""
        try:
            async with page.session(request).kept.setdefault(_ORDER, asyncio.Lock()):
                found = await listed(page.api(request), wanted, before[-1] if before else None)
        except _FAILURES as error:
            return note(page.sentence(error), "failed"), _live(False), _live(False), wanted, before, None
        more = found["next_before"]
        text = views.table(
            found["decisions"],
            words,
            ticks=page.may("audit.export"),
            more=more is not None,
            whose=page.may("decision.read_any"),
        )
        return text, _live(len(before) > 0), _live(more is not None), wanted, before, more

    async def first(request: gr.Request, *given: str | None) -> tuple[Any, ...]:
        try:
            wanted = _wanted(*given)
        except ValueError:
            return note(words("frame.moment_wrong"), "failed"), _live(False), _live(False), None, [], None
        return await show(wanted, [], request)

    async def next_page(
        wanted: Wanted, before: list[int | None], more: int | None, request: gr.Request
    ) -> tuple[Any, ...]:
        return await show(wanted, [*before, more], request)

    async def previous(wanted: Wanted, before: list[int | None], request: gr.Request) -> tuple[Any, ...]:
        return await show(wanted, before[:-1], request)

    async def cleared(request: gr.Request) -> tuple[Any, ...]:
        return ("", "", "", "", "", "", "", "", *await show(Wanted(), [], request))

    async def opened(value: str, request: gr.Request) -> tuple[Any, ...]:
        record_id = value.partition(" ")[0]
        if RECORD_ID.fullmatch(record_id) is None:
            return "", "", "", "", gr.Row(visible=False)
        try:
            found = await dossier(page.api(request), record_id)
        except _FAILURES as error:
            return record_id, note(page.sentence(error), "failed"), "", "", gr.Row(visible=True)
        may_report = page.may("report.own", "report.any")
        return (
            record_id,
            views.about(found, words),
            "",
            views.papers(found, words, reports=may_report),
            gr.Row(visible=True),
        )

    async def verified(record_id: str, request: gr.Request) -> str:
        return await _verified(page, record_id, request)

    async def exported_now(ticks: str, wanted: Wanted | None, request: gr.Request) -> str:
        records = [one for one in ticks.split() if RECORD_ID.fullmatch(one)]
        if wanted is None:
            return note(words("frame.moment_wrong"), "failed")
        selection: dict[str, Any] = {"records": records} if records else {"filter": wanted.query()}
        try:
            await begin_export(page.api(request), selection)
        except _FAILURES as error:
            return note(page.sentence(error), "failed")
        said = (
            words("decisions.exporting_ticked", count=len(records)) if records else words("decisions.exporting_found")
        )
        return note(said, "done")

    page.on_open(first, fields, listing)
    sought = [search.click, *(box.submit for box in (begin, end, rule, model, principal))]
    # Who searches again before an answer has come means the newer filter: it is sent next, never dropped.
    gr.on(sought, first, fields, listing, trigger_mode="always_last")
    clear.click(cleared, None, [*fields, *listing])
    older.click(next_page, [asked, cursors, following], listing)
    newer.click(previous, [asked, cursors], listing)
    picked.change(opened, picked, [shown, about, verdict, papers, doing])
    verify.click(verified, shown, verdict)
    export.click(exported_now, [ticked, asked], exported)


async def _verified(page: Page, record_id: str, request: gr.Request) -> str:
    """The verdict of this process on a record as the API hands it out now."""
    words = page.words
    try:
        api, kept = page.api(request), page.session(request).kept
        record, proof, keys = await proven(api, record_id)
        root = page.parts.root.of({"keys": keys.decode("utf-8", "replace")})
        report, look = await asyncio.to_thread(judge, record, proof, keys, root)
        earlier = kept.get(_LOOK)
        if look is not None and isinstance(earlier, Look) and look != earlier:
            proof_of_growth = await grown(api, earlier.size, look.size) if look.size >= earlier.size else []
            wrong = judge_growth(earlier, look, proof_of_growth)
            if wrong is not None:
                report.problem(wrong.code, **wrong.facts)
    except ApiFailure as error:
        if error.code == "evidence.damaged" or error.status == 404:
            return verdicts.broken(views.damaged(error, words), page.sentence(error), words)
        return note(page.sentence(error), "failed")
    except KeysError:
        return verdicts.broken(words("decisions.no_root"), words("decisions.no_root_why"), words)
    except (ApiDown, SignedOut) as error:
        return note(page.sentence(error), "failed")
    if report.whole and look is not None:
        kept[_LOOK] = look
    return verdicts.of_report(report, words)


def _wanted(*given: str | None) -> Wanted:
    """The filter's fields, in their order. Raises: ValueError, of a time."""
    begin, end, *codes = given
    decision, masked, rule, model, principal, event = ((code or "").strip() for code in codes)
    return Wanted(moment(begin), moment(end, end=True), decision, masked, rule, model, principal, event=event)


def _decision_choices(words: Words) -> list[tuple[str, str]]:
    return [(words("decisions.any"), ""), *((words(f"decisions.word_{value}"), value) for value in _DECISIONS)]


def _entity_choices(words: Words) -> list[tuple[str, str]]:
    return [(words("decisions.any"), ""), *sorted((kind_text(value, words.language), value) for value in KIND_WORDS)]


def _live(interactive: bool) -> Any:
    return gr.Button(interactive=interactive)


TAB = Tab("decisions", order=20, title="decisions.tab", needs=("decision.list",), build=build)
