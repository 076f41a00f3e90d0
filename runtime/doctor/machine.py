"""QW-01 and QW-02: the model is here, may be used, fits, and is to the byte what registry or lock says."""

from __future__ import annotations

from pathlib import Path

from runtime.doctor.report import Fact, Part, failed, not_applicable, passed
from runtime.models.entries import ModelEntry, PathSource, RegistryError
from runtime.models.files import sha256_of
from runtime.models.registry import ModelFile, how_to_get, load_registry, resolve
from runtime.models.resources import Machine
from runtime.models.selection import gpu_room, memory_need, ram_room
from runtime.settings import Settings


def processor(machine: Machine) -> Part:
    """Whether the processor has what llama.cpp computes fast with."""
    features = ", ".join(sorted(machine.features)) or "–"
    good = bool(machine.features & {"AVX2", "NEON"})
    return (passed if good else failed)(
        "processor" if good else "processor_slow", features=features, cores=machine.cores
    )


def model_file(settings: Settings) -> tuple[Part, ModelFile | None, ModelEntry | None]:
    """The file of the model that would be served, and its entry where the registry knows it."""
    llama = settings.llama_cpp
    entry = None
    try:
        registry = load_registry(settings.models_file)
        entry = None if llama.model_path is not None else registry.entry(llama.model)
        found = resolve(registry, settings.home, model_id=llama.model, model_path=llama.model_path)
        size = found.path.stat().st_size
    except (RegistryError, OSError) as error:
        command = "filagent models list" if entry is None else how_to_get(entry)
        return failed("model_missing", detail=str(error), command=command), None, None
    return passed("model_here", model=found.id, path=str(found.path), size=size), found, entry


def memory(settings: Settings, path: Path, entry: ModelEntry | None, machine: Machine, *, running: bool) -> Part:
    """The estimate against this machine: what is available, or, where the model is loaded already, the whole."""
    weights = path.stat().st_size
    per_token = 0 if entry is None else entry.kv_bytes_per_token or 0
    need = memory_need(weights, per_token, settings.llama_cpp.context_size)
    room = machine.ram_total * 9 // 10 if running else ram_room(machine)
    if settings.llama_cpp.n_gpu_layers != 0:
        room += gpu_room(machine)
    facts: dict[str, Fact] = {
        "need": need, "room": room, "context": settings.llama_cpp.context_size,
    }  # fmt: skip
    return passed("memory", **facts) if need <= room else failed("memory_short", **facts)


def licence(entry: ModelEntry | None) -> Part:
    """Whether the model's terms are open."""
    if entry is None:
        return not_applicable("licence_unknown")
    facts: dict[str, Fact] = {"licence": entry.licence, "terms": entry.terms}
    return passed("licence", **facts) if entry.terms == "open" else failed("licence_terms", **facts)


def hashed(found: ModelFile, entry: ModelEntry | None) -> Part:
    """The whole file's SHA-256 against the one that is known beforehand."""
    try:
        actual = sha256_of(found.path)
    except OSError as error:
        return failed("hash_unreadable", path=str(found.path), detail=error.strerror or type(error).__name__)
    own = entry is None or isinstance(entry.source, PathSource)
    by = "models.yaml" if entry is not None and entry.sha256 else ".sha256" if own else "models.lock.yaml"
    facts: dict[str, Fact] = {"expected": found.sha256, "actual": actual, "by": by}
    return passed("hash", **facts) if actual == found.sha256 else failed("hash_wrong", path=str(found.path), **facts)
