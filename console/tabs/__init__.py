"""The tabs of the console: one module each, found by themselves.

How to write one:

    # console/tabs/decisions.py
    from console.markup import html
    from console.page import Page
    from console.tabs import Tab

    def build(page: Page) -> None:              # called inside this tab's gr.Tab, once for each face
        button = gr.Button(page.words("decisions.refresh"))
        shown = html()

        @page.told                              # failures become a notice; catch them to show `page.sentence(error)`
        async def refresh(request: gr.Request) -> str:
            found = await decisions(page.api(request))          # console/api_decisions.py: functions that take an `Api`
            return table(found, page.words)                     # console/views/decisions.py: pure; escape what you show

        button.click(refresh, None, shown)

    TAB = Tab("decisions", order=20, title="decisions.tab", needs=("decision.list",), build=build)

- Words stand in `console/words/<area>.en.yaml` and `.fr.yaml`, flat keys `area.name`. Call `words("area.name")` with a
  literal key, or an f-string that begins with a literal prefix: a test looks for both.
- `needs`: the tab is in the page if the role may do one of these actions; `page.may(...)` asks for more inside it.
- A face (the Gradio page of a language and a set of actions) is shared by all sessions that have it: nothing of a
  session in variables of `build`. What must last between two calls is in `page.session(request).kept`
  (named `<area>/<name>`), never in the browser and never a credential.
- What is shown as soon as the page is there: `page.on_load(handler, inputs, outputs)`. Better when the tab is opened:
  `page.on_open(handler, inputs, outputs)`.
- Handlers are coroutines, or asynchronous generators under `@page.told_all`. Nothing blocks the event loop.
- The page's policy (Content-Security-Policy) allows no `eval`, so no `js=` on events, and no gr.Plot, gr.LinePlot,
  gr.BarPlot, gr.HTML (they compile code in the browser): `console.markup.html` shows HTML, SVG charts too, in which
  you have escaped every text (`escape` of the module html), and is given texts, never a `gr.update` (hide the gr.Column
  around it). gr.Markdown never gets text that people or models wrote.
- Styles stand in `console/static/<area>.css`, colours for light and (`.dark`) dark, and must do at 390 px.
- Downloads are links to routes (`console/routes.py` shows one): nothing is written into a temporary folder.
- `<details data-load="/path">` is filled at first opening with the HTML that our own GET route answers.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from console.page import Page


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab.

    Attributes:
        name: of the module; also the tab's id in the page.
        order: from left to right.
        title: the key of its title.
        needs: it is shown to who may do one of these.
        build: makes its components, inside its gr.Tab.
    """

    name: str
    order: int
    title: str
    needs: tuple[str, ...]
    build: Callable[[Page], None]


@cache
def all_tabs() -> tuple[Tab, ...]:
    """Every tab, in their order."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return tuple(sorted((module.TAB for module in modules if hasattr(module, "TAB")), key=lambda tab: tab.order))


def tabs_for(actions: frozenset[str]) -> tuple[Tab, ...]:
    """The tabs of somebody who may do these."""
    return tuple(tab for tab in all_tabs() if not actions.isdisjoint(tab.needs))
