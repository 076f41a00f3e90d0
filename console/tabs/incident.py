"""The form that states an incident: codes, dates and counts; words stay with whoever runs FilAgent."""

from __future__ import annotations

from typing import Any

import gradio as gr

from console.api_exports import state_incident
from console.client import ApiDown, ApiFailure
from console.markup import html
from console.moments import day, day_field
from console.page import Page, SignedOut
from console.views.exports import stated
from console.views.parts import note

_KINDS = ("unauthorized_access", "unauthorized_use", "unauthorized_disclosure", "loss", "other")


def incident(page: Page) -> None:
    """Its components and what they do."""
    words = page.words
    html(f"<h3>{words('exports.incident')}</h3><p class='hint'>{words('exports.incident_help')}</p>")
    with gr.Accordion(words("exports.incident_open"), open=False, elem_id="exports-incident"):
        action = gr.Radio(
            [(words(f"exports.incident_{name}"), name) for name in ("opened", "updated", "closed")],
            value="opened",
            label=words("exports.incident_action"),
            elem_id="incident-action",
        )
        with gr.Row():
            kind = gr.Dropdown(
                [(words(f"exports.incident_{name}"), name) for name in _KINDS],
                value="other",
                label=words("exports.incident_kind"),
                elem_id="incident-kind",
            )
            reference = gr.Textbox(
                label=words("exports.incident_reference"),
                info=words("exports.incident_reference_help"),
                elem_id="incident-reference",
            )
            decision = gr.Textbox(label=words("exports.incident_decision"), elem_id="incident-decision")
        with gr.Row():
            days = {
                name: day_field(words, f"exports.incident_{name}", f"incident-{name}")
                for name in ("known", "occurred", "occurred_until", "authority_notified", "persons_notified")
            }
        with gr.Row():
            persons = gr.Number(
                label=words("exports.incident_persons"), precision=0, minimum=0, value=None, elem_id="incident-persons"
            )
            injury = gr.Dropdown(
                [(words(f"exports.incident_{name}"), name) for name in ("undetermined", "yes", "no")],
                value="undetermined",
                label=words("exports.incident_injury"),
                elem_id="incident-injury",
            )
            approximate = gr.Checkbox(label=words("exports.incident_approximate"), elem_id="incident-approximate")
            public = gr.Checkbox(label=words("exports.incident_public"), elem_id="incident-public")
        with gr.Row(elem_classes="actions"):
            state = gr.Button(words("exports.incident_state"), elem_id="incident-state")
        said = html(elem_id="incident-said")

    async def record(request: gr.Request, *values: Any) -> str:
        what, which, ref, about, count, harm, roughly, told, *given = values
        body: dict[str, Any] = {"action": what, "kind": which, "serious_injury": harm, "public_notice": bool(told)}
        try:
            stated_days = {name: day(value) for name, value in zip(days, given, strict=True)}
        except ValueError:
            return note(words("frame.day_wrong"), "failed")
        body |= {name: value for name, value in stated_days.items() if value}
        body |= {name: text.strip() for name, text in (("incident", ref), ("decision", about)) if (text or "").strip()}
        if count is not None:
            body |= {"persons": int(count), "persons_approximate": bool(roughly)}
        if "known" not in body:
            return note(words("exports.incident_needs_day"), "failed")
        try:
            return stated(await state_incident(page.api(request), body), words)
        except (ApiFailure, ApiDown, SignedOut) as error:
            return note(page.sentence(error), "failed")

    fields = [action, kind, reference, decision, persons, injury, approximate, public, *days.values()]
    state.click(record, fields, said)
