"""`filagent bench`: how fast a backend answers, by length of prompt: whole answers, first tokens, tokens a second.

Every request is another one, so that no cache answers, and goes through `probe`: recorded before it leaves, within the
budget. What governance adds to a turn is measured elsewhere (`make bench`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import time
from collections.abc import Sequence
from typing import Any

from runtime.audit.errors import AuditError
from runtime.backends.base import BackendError, ChatBackend
from runtime.backends.llama_cpp import LlamaCppBackend
from runtime.backends.openai_compatible import OpenAICompatibleBackend
from runtime.choice import budgets, build_backends
from runtime.errors import FilAgentError, Invalid, SettingsError
from runtime.failures import translate
from runtime.peak_memory import peak_bytes, process_behind, process_listening
from runtime.prices import load_prices
from runtime.probe import Probe, Seen
from runtime.settings import Settings, load_settings
from runtime.spending import Spending
from runtime.workspace import workspace

_FILLER = ("the", "river", "carries", "sand", "past", "old", "mills", "while", "towns", "wake", "slowly", "to", "bells")
_MIB = 1 << 20

WORDS: dict[str, tuple[str, str]] = {
    "callers": ("at a time", "à la fois"),
    "memory": ("peak memory of the server", "mémoire maximale du serveur"),
    "elsewhere": ("not on this machine", "pas sur cette machine"),
    "colon": (":", " :"),
    "words": ("words", "mots"),
    "tokens": ("tokens", "jetons"),
    "requests": ("requests", "requêtes"),
    "total": ("total ms", "total ms"),
    "first": ("first token ms", "premier jeton ms"),
    "speed": ("tokens/s", "jetons/s"),
    "all": ("tokens/s in all", "jetons/s en tout"),
    "failed": ("failed", "échecs"),
}


def main(words: Sequence[str]) -> int:
    """Run the command; 0, or 1 when a request failed."""
    options = _parser().parse_args(words)
    if options.requests < 1 or options.callers < 1 or options.tokens < 1 or min(options.words) < 1:
        raise SettingsError("bench: numbers must be at least 1")
    try:
        report = asyncio.run(_bench(load_settings(), options))
    except Invalid as error:
        raise SettingsError(error.detail) from error
    except (BackendError, FilAgentError) as error:
        failed = translate(error)
        raise SettingsError(f"{failed.detail} ({failed.code})") from error
    except AuditError as error:
        raise SettingsError(str(error)) from error
    if options.json:
        print(json.dumps(report, indent=1))
    else:
        _show(report, french=options.lang == "fr")
    return int(any(row["failed"] for row in report["prompts"]))


async def _bench(settings: Settings, options: argparse.Namespace) -> dict[str, Any]:
    backends = build_backends(settings)
    try:
        backend = backends.choose(options.backend)
        async with workspace(settings) as home:
            spending = Spending(load_prices(settings.prices_file), budgets(settings), home.database)
            probe = Probe(home.log, spending, "backend.bench")
            await probe.ask(backend, "Say: ready.", max_tokens=4)  # whatever is loaded at the first request is loaded
            rows = [await _length(backend, probe, words, options) for words in options.words]
    finally:
        await backends.aclose()
    peak = peak_bytes(_server_of(backend, settings))
    return {
        "backend": backend.name,
        "kind": backend.kind,
        "model": backend.describe().request_model,
        "callers": options.callers,
        "max_tokens": options.tokens,
        "peak_memory_mib": None if peak is None else round(peak / _MIB),
        "prompts": rows,
    }


async def _length(backend: ChatBackend, probe: Probe, words: int, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one length of prompt with so many callers at a time."""
    numbers = iter(range(options.requests))
    seen: list[Seen] = []
    failed: dict[str, int] = {}

    async def caller() -> None:
        for number in numbers:
            try:
                prompt = _prompt(words, number)
                seen.append(await probe.ask(backend, prompt, max_tokens=options.tokens, seed=number))
            except (BackendError, FilAgentError) as error:
                code = translate(error).code
                failed[code] = failed.get(code, 0) + 1

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(options.callers)))
    seconds = time.perf_counter() - started
    speeds = [speed for each in seen if (speed := each.tokens_per_second) is not None]
    written = sum(each.finished.completion_tokens for each in seen)
    return {
        "words": words,
        "prompt_tokens": round(sum(each.finished.prompt_tokens for each in seen) / len(seen)) if seen else None,
        "requests": len(seen),
        "failed": failed,
        "total_ms": _percentiles([each.total * 1000 for each in seen]),
        "first_token_ms": _percentiles([each.first * 1000 for each in seen]),
        "tokens_per_second": _percentiles(speeds, lower_is_worse=True),
        "tokens_per_second_all": round(written / seconds, 1) if seconds > 0 else None,
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank: the smallest value that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _percentiles(values: Sequence[float], *, lower_is_worse: bool = False) -> dict[str, float] | None:
    """p50, p95 and p99 of what is worse when higher; of speeds, what all but so many exceed."""
    if not values:
        return None
    sign = -1 if lower_is_worse else 1
    signed = [sign * value for value in values]
    return {f"p{share}": round(sign * percentile(signed, share / 100), 1) for share in (50, 95, 99)}


def _prompt(words: int, number: int) -> str:
    """Words without meaning, another beginning for each request."""
    filler = " ".join(_FILLER[(number + at) % len(_FILLER)] for at in range(words))
    return f"Request {number}. {filler}. Tell a short story about it."


def _server_of(backend: ChatBackend, settings: Settings) -> int | None:
    if isinstance(backend, LlamaCppBackend):
        return process_behind(settings.model_socket)
    if isinstance(backend, OpenAICompatibleBackend) and backend.loopback_port is not None:
        return process_listening(backend.loopback_port)
    return None


def _show(report: dict[str, Any], *, french: bool) -> None:
    word = {name: texts[french] for name, texts in WORDS.items()}
    memory = report["peak_memory_mib"]
    print(f"{report['backend']} ({report['kind']}), {report['model']}: {report['callers']} {word['callers']}")
    print(f"{word['memory']}: {word['elsewhere'] if memory is None else f'{memory} MiB'}")
    print(f"p50 / p95 / p99{word['colon']}")
    titles = "".join(f" {word[name]:>24}" for name in ("total", "first", "speed"))
    print(f"{word['words']:>6} {word['tokens']:>7} {word['requests']:>9}{titles} {word['all']:>14}")
    for row in report["prompts"]:
        cells = [_triple(row[name]) for name in ("total_ms", "first_token_ms", "tokens_per_second")]
        print(
            f"{row['words']:>6} {row['prompt_tokens'] or '–':>7} {row['requests']:>9} {cells[0]:>24} {cells[1]:>24} "
            f"{cells[2]:>24} {row['tokens_per_second_all'] or '–':>14}"
        )
        for code, count in row["failed"].items():
            print(f"       {word['failed']}: {count} x {code}")


def _triple(found: dict[str, float] | None) -> str:
    return "–" if found is None else " / ".join(f"{value:g}" for value in found.values())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="filagent bench", description="How fast a backend answers.")
    parser.add_argument("--backend", metavar="NAME", help="default: the configured one")
    parser.add_argument("--words", type=int, nargs="+", default=[20, 200, 1000], help="lengths of prompts")
    parser.add_argument("--requests", type=int, default=20, help="for each length")
    parser.add_argument("--callers", type=int, default=1, help="requests at a time")
    parser.add_argument("--tokens", type=int, default=64, help="the longest answer")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--lang", "--language", choices=("en", "fr"), default="en", help="the language of the table")
    return parser
