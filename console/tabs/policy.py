"""The Policy tab: what is in force, what would happen, and the masking lab."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gradio as gr

from console import api_policy
from console.client import ApiDown, ApiFailure
from console.markup import html
from console.page import Page, SignedOut
from console.tabs import Tab
from console.views import policy as views
from console.views import trying
from console.views.kinds import role
from console.views.tables import failed, paragraph

_CHARACTERS = 20_000  # more is for the API's limits, not for a form
_FAILURES = (ApiFailure, ApiDown, SignedOut)


def build(page: Page) -> None:
    """Its three parts, each for those who may."""
    words = page.words
    if page.may("admin.policy"):
        in_force = _in_force(page)
        with gr.Accordion(words("policy.try"), elem_id="policy-try"):
            choices = _what_would_happen(page)

        async def load(request: gr.Request) -> list[Any]:
            try:
                policy = await api_policy.policy(page.api(request))
            except _FAILURES as error:
                return [failed(page.sentence(error)), *[""] * (len(in_force) - 1), *[gr.skip()] * len(choices)]
            shown = (views.standing, views.permissions, views.masking, views.backends)
            return [*(view(policy, words) for view in shown), *_filled(page, policy)]

        page.on_open(load, None, [*in_force, *choices])
    if page.may("mask.try"):
        with gr.Accordion(words("policy.lab"), elem_id="policy-lab"):
            _lab(page)


def _in_force(page: Page) -> list[gr.components.Component]:
    words = page.words
    standing = html(elem_id="policy-standing")
    with gr.Accordion(words("policy.section_who"), open=False, elem_id="policy-who"):
        permissions = html(elem_id="policy-permissions")
    with gr.Accordion(words("policy.section_masking"), open=False, elem_id="policy-how"):
        masking = html(elem_id="policy-masking")
    with gr.Accordion(words("policy.section_backends"), open=False, elem_id="policy-where"):
        backends = html(elem_id="policy-backends")
    return [standing, permissions, masking, backends]


def _what_would_happen(page: Page) -> list[gr.components.Component]:
    """The form and its answer; returns what the policy fills: roles, actions, backends, purposes, classifications."""
    words = page.words
    html(paragraph(words("policy.try_lead"), "ops-note"))
    with gr.Row():
        asked_role = gr.Dropdown([], label=words("policy.role_name"), elem_id="try-role")
        action = gr.Dropdown([], label=words("policy.action"), elem_id="try-action")
        backend = gr.Dropdown([], label=words("policy.backend_name"), elem_id="try-backend")
    text = gr.Textbox(
        label=words("policy.try_text"),
        info=words("policy.try_text_info"),
        lines=3,
        max_length=_CHARACTERS,
        elem_id="try-text",
    )
    with gr.Accordion(words("policy.try_more"), open=False), gr.Row():
        purpose = gr.Dropdown([], label=words("policy.try_purpose"))
        classification = gr.Dropdown([], label=words("policy.try_classification"))
    with gr.Row():
        ask = gr.Button(words("policy.try_ask"), variant="primary", scale=0, min_width=300, elem_id="try-ask")
    told = html(paragraph(words("policy.try_empty"), "ops-empty"), elem_id="try-told")

    async def evaluate(  # noqa: PLR0917 - Gradio hands inputs over one by one
        asked_role: str | None,
        action: str | None,
        backend: str | None,
        text: str,
        purpose: str | None,
        classification: str | None,
        request: gr.Request,
    ) -> str:
        if not asked_role or not action:
            return paragraph(words("policy.try_empty"), "ops-empty")
        try:
            outcome = await api_policy.evaluate(
                page.api(request),
                asked_role,
                action,
                text=text,
                backend=backend,
                purpose=purpose,
                classification=classification,
            )
        except _FAILURES as error:
            return failed(page.sentence(error))
        return trying.outcome(outcome, words)

    ask.click(evaluate, [asked_role, action, backend, text, purpose, classification], told, show_progress="minimal")
    return [asked_role, action, backend, purpose, classification]


def _filled(page: Page, policy: dict[str, Any]) -> Iterable[Any]:
    """The choices of the form, from the policy."""
    words, legal = page.words, policy["legal"]
    roles = [(role(one["role"], words), one["role"]) for one in policy["roles"]]
    actions = [(one["text"], one["action"]) for one in policy["actions"]]
    backends = [_backend(page, one) for one in policy["offered"]]
    unstated = (words("policy.try_unstated"), "")
    purposes = [unstated, *((name, name) for name in legal["purposes"])]
    levels = [unstated, *((name, name) for name in policy["classification"]["levels"])]
    first = next((value for _, value in roles if value == "user"), roles[0][1] if roles else None)
    yield gr.update(choices=roles, value=first)
    yield gr.update(choices=actions, value=api_policy.ASK)
    yield gr.update(choices=[(words("policy.try_default"), ""), *backends], value="")
    yield gr.update(choices=purposes, value="")
    yield gr.update(choices=levels, value="")


def _backend(page: Page, offered: dict[str, Any]) -> tuple[str, str]:
    place = page.words(f"policy.place.{offered['kind']}")
    return f"{offered['name']} ({place})", str(offered["name"])


def _lab(page: Page) -> None:
    words = page.words
    html(paragraph(words("policy.lab_lead"), "ops-note"))
    text = gr.Textbox(label=words("policy.lab_input"), lines=5, max_length=_CHARACTERS, elem_id="lab-text")
    with gr.Row():
        kind = gr.Radio(
            [(words("policy.lab_local"), "local"), (words("policy.lab_remote"), "remote")],
            value="remote",
            label=words("policy.lab_kind"),
            elem_id="lab-kind",
        )
        direction = gr.Radio(
            [(words("policy.lab_in"), "in"), (words("policy.lab_out"), "out")],
            value="in",
            label=words("policy.lab_direction"),
            elem_id="lab-direction",
        )
    with gr.Row():
        ask = gr.Button(words("policy.lab_ask"), variant="primary", scale=0, min_width=300, elem_id="lab-ask")
    told = html(paragraph(words("policy.lab_empty"), "ops-empty"), elem_id="lab-told")

    async def mask(text: str, kind: str, direction: str, request: gr.Request) -> str:
        if not text:
            return paragraph(words("policy.lab_empty"), "ops-empty")
        try:
            answer = await api_policy.mask(page.api(request), text, kind=kind, direction=direction)
        except _FAILURES as error:
            return failed(page.sentence(error))
        return trying.lab(text, answer, words)

    ask.click(mask, [text, kind, direction], told, show_progress="minimal")


TAB = Tab("policy", order=40, title="policy.tab", needs=("admin.policy", "mask.try"), build=build)
