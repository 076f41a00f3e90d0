"""`filagent backends check`: real requests to a backend, judged, as an acceptance report.

Exit 0: everything that was asked for works; 1: something does not; 2: usage or environment. The requests are `probe`'s:
recorded before they leave, within the budget, without personal data.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from runtime.audit.errors import AuditError
from runtime.backends.base import BackendError, ChatBackend, Tool
from runtime.backends.openai_compatible import OpenAICompatibleBackend
from runtime.choice import budgets, build_backends
from runtime.errors import FilAgentError, Invalid, SettingsError
from runtime.failures import translate
from runtime.json_output import compact, conforms
from runtime.prices import load_prices
from runtime.probe import Probe, Seen
from runtime.settings import Settings, load_settings
from runtime.spending import Spending
from runtime.workspace import workspace

Outcome = Literal["pass", "fail", "not_offered"]
_QUESTION = "What is the capital of Canada? Answer with one word."
_COUNT = "Count from 1 to 20, with a comma between the numbers. Write nothing else."
_PUZZLE = "A bat and a ball cost 11 dollars together; the bat costs 10 more than the ball. What does the ball cost?"
_SCHEMA = {
    "type": "object",
    "properties": {"capital": {"type": "string"}},
    "required": ["capital"],
    "additionalProperties": False,
}
_ERRAND = "What is the weather in Montreal?"
_TOOL = Tool(
    "weather",
    "The weather in a city, now.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False},
)
_MARKS = ("<think>", "</think>", "<thinking>", "[THINK]")

WORDS: dict[str, tuple[str, str]] = {
    "pass": ("pass", "réussi"),
    "fail": ("FAIL", "ÉCHEC"),
    "not_offered": ("not offered", "non offert"),
    "served": ("server and model", "serveur et modèle"),
    "plain": ("plain answer", "réponse simple"),
    "streaming": ("streaming", "diffusion"),
    "reasoning": ("reasoning", "raisonnement"),
    "json": ("JSON answer", "réponse JSON"),
    "tools": ("tool calls", "appels d'outils"),
    "answers": ("the server answers", "le serveur répond"),
    "answered": ("an answer, with its ending", "une réponse, avec sa fin"),
    "empty": ("the answer is empty", "la réponse est vide"),
    "pieces": ("the answer came in {count} pieces", "la réponse est venue en {count} morceaux"),
    "one_piece": ("the answer came in one piece", "la réponse est venue d'un seul bloc"),
    "apart": ("told apart, {count} tokens", "séparé, {count} jetons"),
    "none": ("the model does not reason aloud", "le modèle ne raisonne pas à voix haute"),
    "mixed": ("marks of reasoning are in the answer", "des marques de raisonnement sont dans la réponse"),
    "as_asked": ("JSON of the form asked for", "du JSON de la forme demandée"),
    "other_form": ("not JSON of the form asked for", "pas du JSON de la forme demandée"),
    "no_schema": ("this backend takes no JSON schema", "ce moteur n'accepte pas de schéma JSON"),
    "no_tools": ("this backend takes no tools", "ce moteur n'accepte pas d'outils"),
    "called": ("the call that was asked for", "l'appel demandé"),
    "not_called": ("not the call that was asked for", "pas l'appel demandé"),
    "backend": ("backend", "moteur"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. `reason` is a key of `WORDS` or an error's stable code; times are milliseconds."""

    name: str
    outcome: Outcome
    reason: str
    detail: str = ""
    count: int = 0
    total_ms: int | None = None
    first_token_ms: int | None = None
    tokens_per_second: float | None = None


def main(words: Sequence[str]) -> int:
    """Run `filagent backends …`; its exit code."""
    options = _parser().parse_args(words)
    settings = load_settings()
    try:
        return asyncio.run(_check(settings, options.name, as_json=options.json, french=options.lang == "fr"))
    except Invalid as error:
        raise SettingsError(error.detail) from error
    except AuditError as error:
        raise SettingsError(str(error)) from error


async def _check(settings: Settings, name: str | None, *, as_json: bool, french: bool) -> int:
    backends = build_backends(settings)
    try:
        chosen = [backends.choose(name)] if name else backends.all()
        async with workspace(settings) as home:
            spending = Spending(load_prices(settings.prices_file), budgets(settings), home.database)
            probe = Probe(home.log, spending, "backend.check")
            reports = {backend.name: await check_backend(backend, probe) for backend in chosen}
    finally:
        await backends.aclose()
    if as_json:
        print(json.dumps({each: [asdict(check) for check in checks] for each, checks in reports.items()}, indent=1))
    else:
        for each in chosen:
            _show(each, reports[each.name], french=french)
    return int(any(check.outcome == "fail" for checks in reports.values() for check in checks))


async def check_backend(backend: ChatBackend, probe: Probe) -> list[Check]:
    """All checks of one backend, in order; when it is not there, the first one alone."""

    async def served() -> Check:
        await backend.health()
        if isinstance(backend, OpenAICompatibleBackend):
            await backend.check_served()
        return Check("served", "pass", "answers")

    async def plain() -> Check:
        seen = await probe.ask(backend, _QUESTION, max_tokens=256)
        return _measured("plain", seen, "answered" if seen.answer.strip() else "empty", good=bool(seen.answer.strip()))

    async def streaming() -> Check:
        seen = await probe.ask(backend, _COUNT, max_tokens=256)
        several = seen.pieces > 1
        return _measured("streaming", seen, "pieces" if several else "one_piece", good=several, count=seen.pieces)

    async def reasoning() -> Check:
        seen = await probe.ask(backend, _PUZZLE, max_tokens=1024)
        if any(mark in seen.answer for mark in _MARKS):
            return _measured("reasoning", seen, "mixed", good=False)
        tokens = seen.finished.reasoning_tokens or -(-len(seen.reasoning) // 4)
        return _measured("reasoning", seen, "apart" if tokens else "none", good=True, count=tokens)

    async def structured() -> Check:
        if not getattr(backend, "takes_schema", False):
            return Check("json", "not_offered", "no_schema")
        seen = await probe.ask(backend, _QUESTION, max_tokens=256, json_schema=compact(_SCHEMA))
        good = conforms(seen.answer, _SCHEMA)
        return _measured("json", seen, "as_asked" if good else "other_form", good=good)

    async def tools() -> Check:
        if not getattr(backend, "takes_tools", False):
            return Check("tools", "not_offered", "no_tools")
        seen = await probe.ask(backend, _ERRAND, max_tokens=256, tool=_TOOL)
        good = len(seen.calls) == 1 and seen.calls[0].name == _TOOL.name
        good = good and conforms(seen.calls[0].arguments, _TOOL.parameters)
        return _measured("tools", seen, "called" if good else "not_called", good=good)

    first = await _tried("served", served)
    if first.outcome == "fail":
        return [first]
    asked = {"plain": plain, "streaming": streaming, "reasoning": reasoning, "json": structured, "tools": tools}
    done = [await _tried(name, check) for name, check in asked.items()]
    return [first, *done]


async def _tried(name: str, check: Callable[[], Awaitable[Check]]) -> Check:
    try:
        return await check()
    except (BackendError, FilAgentError) as error:
        failed = translate(error)
        return Check(name, "fail", failed.code, failed.detail)


def _measured(name: str, seen: Seen, reason: str, *, good: bool, count: int = 0) -> Check:
    speed = seen.tokens_per_second
    return Check(
        name, "pass" if good else "fail", reason, count=count, total_ms=round(seen.total * 1000),
        first_token_ms=round(seen.first * 1000), tokens_per_second=None if speed is None else round(speed, 1),
    )  # fmt: skip


def _show(backend: ChatBackend, checks: Sequence[Check], *, french: bool) -> None:
    facts = backend.describe()
    print(f"{WORDS['backend'][french]} {backend.name} ({backend.kind}): {facts.provider} / {facts.request_model}")
    for check in checks:
        reason = WORDS[check.reason][french].format(count=check.count) if check.reason in WORDS else check.reason
        times = ""
        if check.total_ms is not None:
            speed = "–" if check.tokens_per_second is None else f"{check.tokens_per_second:.1f}"
            times = f"{check.total_ms:>7} ms {check.first_token_ms:>7} ms {speed:>7} t/s"
        detail = f": {check.detail}" if check.detail else ""
        print(f"  {WORDS[check.name][french]:20} {WORDS[check.outcome][french]:12} {times:31} {reason}{detail}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="filagent backends", description="The backends that are configured.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="check")
    check = commands.add_parser("check", help="ask a backend real questions and judge its answers")
    check.add_argument("name", nargs="?", help="a backend's name; default: all that are configured")
    check.add_argument("--json", action="store_true")
    check.add_argument("--lang", "--language", choices=("en", "fr"), default="en", help="the language of the report")
    return parser
