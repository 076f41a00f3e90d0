"""The Overview tab: alarms, numbers over time as charts and tables, backends and the machine, refreshed by a timer.

The timer asks only while the tab is open and the page is in view, never twice at a time, and rests when nobody has
touched the tab for as long as a session may be idle: a page that asks by itself may not keep a session alive.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from console import api_overview
from console.client import ApiDown, ApiFailure
from console.markup import html
from console.page import Page, SignedOut
from console.tabs import Tab
from console.views import overview as views
from console.views import system as machine
from console.views.tables import Markup, failed, joined, paragraph

_SECONDS = 30
_FAILURES = (ApiFailure, ApiDown, SignedOut)


def build(page: Page) -> None:
    """Its components."""
    words = page.words
    numbers, system = page.may("metrics.read"), page.may("admin.system")
    with gr.Row(visible=numbers):
        period = gr.Dropdown(
            [(words(f"overview.period.{name}"), name) for name in (*api_overview.PERIODS, api_overview.OWN)],
            value="day",
            label=words("overview.period"),
            min_width=260,
            elem_id="overview-period",
        )
        bucket = gr.Dropdown(
            _buckets(page, "day"),
            value="hour",
            label=words("overview.bucket"),
            min_width=260,
            elem_id="overview-bucket",
        )
    with gr.Row(visible=False) as own:
        first = gr.Textbox(label=words("overview.first_day"), placeholder="2026-01-31", max_length=10)
        last = gr.Textbox(label=words("overview.last_day"), placeholder="2026-02-28", max_length=10)
    with gr.Row():
        refresh = gr.Button(words("overview.refresh"), scale=0, min_width=200, elem_id="overview-refresh")
        auto = gr.Checkbox(True, label=words("overview.auto", seconds=_SECONDS), elem_id="overview-auto")
    told = html(elem_id="overview-told")
    alarms = html(elem_id="overview-alarms")
    figures = html(elem_id="overview-figures")
    charts = html(elem_id="overview-charts")
    with gr.Accordion(words("overview.as_table"), open=False, visible=numbers, elem_id="overview-as-table"):
        tables = html(elem_id="overview-tables")
    backends = html(elem_id="overview-backends")
    witnesses = html(elem_id="overview-witnesses")
    standing = html(elem_id="overview-machine")
    timer = gr.Timer(_SECONDS, active=False)
    unattended = gr.State(0)  # refreshes since a person did something here

    chosen = [period, bucket, first, last]
    shown = [told, figures, charts, tables, alarms, backends, witnesses, standing]

    async def fill(period: str, bucket: str, first: str, last: str, request: gr.Request) -> list[str]:
        activity, standing = await asyncio.gather(
            _activity(page, numbers, (period, bucket, first, last), request), _machine(page, system, request)
        )
        if standing[0] == activity[0]:  # both doors failed alike: once is enough
            standing[0] = ""
        return [*activity, *standing]

    async def by_timer(  # noqa: PLR0917 - Gradio hands inputs over one by one
        count: int, period: str, bucket: str, first: str, last: str, request: gr.Request
    ) -> list[Any]:
        told: list[Any] = await fill(period, bucket, first, last, request)
        if (count + 1) * _SECONDS < page.parts.settings.idle_minutes * 60:
            return [*told, count + 1, gr.skip()]
        told[0] = joined(Markup(told[0]), paragraph(words("overview.resting"), "ops-warning"))
        return [*told, 0, gr.Timer(active=False)]

    async def start(auto: bool) -> list[Any]:
        return [gr.Timer(active=auto), 0]

    async def adapt(period: str) -> list[Any]:
        choices = _buckets(page, period)
        return [gr.update(choices=choices, value=choices[0][1]), gr.update(visible=period == api_overview.OWN)]

    async def leave(event: gr.SelectData) -> Any:
        return gr.skip() if event.value == words("overview.tab") else gr.Timer(active=False)

    page.on_open(fill, chosen, shown)
    page.on_open(start, auto, [timer, unattended])
    refresh.click(fill, chosen, shown).then(start, auto, [timer, unattended], show_progress="hidden")
    gr.on([bucket.input, first.submit, last.submit], fill, chosen, shown, trigger_mode="always_last")
    period.input(adapt, period, [bucket, own], show_progress="hidden").then(fill, chosen, shown)
    auto.input(start, auto, [timer, unattended], show_progress="hidden")
    timer.tick(
        by_timer,
        [unattended, *chosen],
        [*shown, unattended, timer],
        show_progress="hidden",
        trigger_mode="once",
    )
    if page.tab is not None and isinstance(page.tab.parent, gr.Tabs):
        page.tab.parent.select(leave, None, timer, show_progress="hidden")


async def _activity(page: Page, permitted: bool, chosen: tuple[str, str, str, str], request: gr.Request) -> list[str]:
    """The period in words, figures, charts and tables."""
    if not permitted:
        return ["", "", "", ""]
    words, now = page.words, datetime.now(UTC)
    try:
        period, bucket, first, last = chosen
        begin, end = api_overview.bounds(period, bucket, first, last, now)
        stats = await api_overview.stats(page.api(request), begin, end, bucket)
    except api_overview.PeriodWrong as error:
        return [paragraph(words(f"overview.period_wrong.{error.reason}"), "ops-warning"), "", "", ""]
    except _FAILURES as error:
        return [failed(page.sentence(error)), "", "", ""]
    told = views.period(stats, now.isoformat(), words)
    return [told, views.figures(stats, words), views.charts(stats, words), views.tables(stats, words)]


async def _machine(page: Page, permitted: bool, request: gr.Request) -> list[str]:
    """Alarms, backends, witnesses, and how the machine stands."""
    if not permitted:
        return ["", "", "", ""]
    words = page.words
    try:
        api = page.api(request)
        standing, backends = await asyncio.gather(api_overview.system(api), api_overview.backends(api))
    except _FAILURES as error:
        return [failed(page.sentence(error)), "", "", ""]
    return [
        machine.alarms(standing, words),
        machine.backends(backends, words),
        machine.witnesses(standing, words),
        machine.machine(standing, words),
    ]


def _buckets(page: Page, period: str) -> list[tuple[str, str]]:
    return [(page.words(f"overview.bucket.{name}"), name) for name in api_overview.buckets(period)]


TAB = Tab("overview", order=50, title="overview.tab", needs=("metrics.read", "admin.system"), build=build)
