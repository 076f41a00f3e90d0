"""Which model to use on this machine: by what fits, not by a name; pure, with a reason for every candidate.

`choose` takes what is known (the registry, the machine, which files are here, what is wanted) and returns what it would
use, what would be better if it were pulled, and why each other candidate was passed over. Looking at the machine is
`resources`' and `probes`', fetching `pull`'s, words are `verdicts`'.

The rules, in order:

1. What is named (IA_MODEL, LLM_BACKEND, --model) is taken or refused with a reason; nothing else is taken in its place.
2. A candidate must be here: a file with a known hash, or a model that a running server offers. Nothing is downloaded.
3. It must fit: weights + keys and values for the context + overhead, within what is free now less a reserve. On a
   graphics card where llama.cpp was built for it and everything fits there, else in main memory.
4. On main memory it must be fast enough to be waited for (`SLOWEST`, estimated).
5. Unless it was named or is loaded on a server already, its licence must be open and it must be meant for the wanted
   use; for a use that nothing here is meant for, the default use is looked at.
6. Among these: what a vLLM or llama-server holds in memory already, since somebody started it for this; then the one
   with most parameters (of experts, the geometric mean of all and active ones), and of those the more exact weights.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, Final, Literal

from runtime.models.entries import ModelEntry, Registry, RemoteSource, Use
from runtime.models.resources import Machine, ModelServer, OfferedModel

OVERHEAD: Final = 512 * 1024 * 1024
"""Bytes beside weights and KV: the process, its buffers for computing, the vocabulary."""
RESERVE: Final = 1024 * 1024 * 1024
"""Bytes of main memory that stay free for everything else; at least a tenth of the machine's."""
GPU_RESERVE: Final = 512 * 1024 * 1024
"""Bytes of each graphics card that its driver and the screen need."""
SLOWEST: Final = 5.0
"""Tokens a second below which people stop reading along."""
_CORE_RATE: Final = 8e9
_RATE: Final = 40e9
_WITHOUT_AVX2: Final = 0.4
_KV_UNKNOWN: Final = 160 * 1024
"""Bytes a token of a model whose layers are unknown: as an 8B to 14B model of today."""

BACKENDS: Final = ("llama.cpp", "vllm", "ollama", "llama_server")
Device = Literal["cpu", "gpu", "server"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted. `model` may be an id, an alias, a name on a server, or the name of a backend (`ollama`)."""

    context: int = 4096
    use: Use = "default"
    model: str | None = None
    backend: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code, and the facts that its sentence needs."""

    code: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model on one backend, judged.

    Attributes:
        backend: by which it would be asked.
        model: the registry's id, or the name on the server.
        entry: in the registry, where it is known there.
        here: it could be used without downloading anything.
        need: bytes of memory; None where it is unknown or somebody else's.
        room: bytes that there are on the device.
        device: where it would be computed.
        rate: tokens a second, estimated, on main memory.
        context: tokens that it can hold, where that is known.
        strength: what candidates are ranked by.
        verdict: `chosen`, `better` (the best that fits if it is pulled), `possible`, `out`.
        reasons: why.
    """

    backend: str
    model: str
    entry: ModelEntry | None
    here: bool
    need: int | None
    room: int
    device: Device
    rate: float | None
    context: int | None
    strength: tuple[bool, float, int]
    verdict: Literal["chosen", "better", "possible", "out"] = "possible"
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """The outcome. `notes` are about the wish itself: an alias, a use that nothing here is meant for."""

    chosen: Candidate | None
    better: Candidate | None
    candidates: tuple[Candidate, ...]
    notes: tuple[Reason, ...] = ()


def memory_need(weights: int, kv_bytes_per_token: int, context: int) -> int:
    """Bytes that a model takes with this context: weights + KV + overhead."""
    return weights + kv_bytes_per_token * context + OVERHEAD


def ram_room(machine: Machine) -> int:
    """Bytes of main memory that a model may take."""
    return max(0, machine.ram_available - max(RESERVE, machine.ram_total // 10))


def gpu_room(machine: Machine) -> int:
    """Bytes on graphics cards that a model may take; llama.cpp spreads its layers over them."""
    return cards_room(machine) if machine.gpu_build else 0


def layers_on_gpu(machine: Machine, weights: int, kv_bytes_per_token: int, context: int, layers: int | None) -> int:
    """How many layers a graphics card takes: -1 for all, fewer where its memory ends, 0 where there is none to use.

    `layers` None: how many the model has is not known, so it is all or none.
    """
    need, room = memory_need(weights, kv_bytes_per_token, context), gpu_room(machine)
    if need <= room:
        return -1
    return max(0, layers * (room - OVERHEAD) // (need - OVERHEAD)) if layers and room > OVERHEAD else 0


def tokens_per_second(machine: Machine, active_bytes: float) -> float:
    """About how fast main memory brings the weights past the cores, which is what bounds generation.

    8 GB/s for each core up to 40 GB/s: two cores gave 15 to 26 GB/s with a 0.5B model; desktop memory ends near 40.
    Very small models are slower than this says, since other work than reading weights shows.
    """
    rate = min(_CORE_RATE * machine.cores, _RATE)
    if not machine.features & {"AVX2", "NEON"}:
        rate *= _WITHOUT_AVX2
    return rate / max(1.0, active_bytes)


def choose(registry: Registry, machine: Machine, wish: Wish, here: Collection[str]) -> Choice:
    """Apply the rules above.

    Args:
        registry: the known models.
        machine: with the servers that were asked.
        wish: what is wanted.
        here: ids of the models whose files are on this machine, with a hash to check them against.
    """
    backend, entry, wanted, notes = _named(registry, wish)
    candidates = tuple(_candidates(registry, machine, wish, here))

    def judge(use: Use) -> list[Candidate]:
        asked = replace(wish, use=use)
        return [_judge(one, asked, backend=backend, entry=entry, wanted=wanted) for one in candidates]

    judged = judge(wish.use)
    if wanted is None and wish.use != "default" and not any(_usable(one) for one in judged):
        notes = (*notes, Reason("no_use", {"use": wish.use}))
        general = zip(judged, judge("default"), strict=True)
        judged = [second if _usable(second) else first for first, second in general]
    if wanted is not None and entry is None and not any(_is_named(one, None, wanted) for one in judged):
        notes = (*notes, Reason("unknown_model", {"name": wanted}))
    states = {server.name: server.state for server in machine.servers}
    if backend in BACKENDS[1:] and states.get(backend) != "running":
        notes = (*notes, Reason("server_absent", {"server": backend}))
    return _ranked(judged, notes)


def _usable(one: Candidate) -> bool:
    return one.here and one.verdict == "possible"


def _ranked(judged: list[Candidate], notes: tuple[Reason, ...]) -> Choice:
    """Rule 6, and the order in which candidates are shown."""
    ranked = sorted(judged, key=lambda one: (one.verdict == "possible", one.here, one.strength), reverse=True)
    possible = [one for one in ranked if one.verdict == "possible"]
    chosen = next((one for one in possible if one.here), None)
    better = next((one for one in possible if not one.here), None)
    if chosen is not None and better is not None and better.strength <= chosen.strength:
        better = None
    final = []
    for one in ranked:
        if one is chosen:
            chosen = replace(one, verdict="chosen")
            final.append(chosen)
        elif one is better:
            better = replace(one, verdict="better")
            final.append(better)
        else:
            final.append(one)
    return Choice(chosen, better, tuple(final), notes)


def _named(registry: Registry, wish: Wish) -> tuple[str | None, ModelEntry | None, str | None, tuple[Reason, ...]]:
    """(backend, entry, name) that rule 1 asks for. `IA_MODEL=ollama` names a backend."""
    name = wish.model
    if name is None:
        return wish.backend, None, None, ()
    as_backend = {"llama_cpp": "llama.cpp", "llama-server": "llama_server"}.get(name.lower(), name.lower())
    if as_backend in BACKENDS:
        return wish.backend or as_backend, None, None, (Reason("names_backend", {"backend": as_backend}),)
    entry = registry.find(name)
    if entry is None or name.lower() == entry.id:
        return wish.backend, entry, name, ()
    return wish.backend, entry, name, (Reason("alias", {"alias": name, "model": entry.id, "title": entry.title}),)


def _candidates(registry: Registry, machine: Machine, wish: Wish, here: Collection[str]) -> Iterable[Candidate]:
    for entry in registry.models:
        if isinstance(entry.source, RemoteSource):
            if not any(entry is found for _, _, found in _served(registry, machine.servers)):
                yield _from_entry(entry, machine, wish, here=False)
        else:
            yield _from_entry(entry, machine, wish, here=entry.id in here)
    for server, model, known in _served(registry, machine.servers):
        yield _from_server(server, model, known, machine, wish)


def _served(
    registry: Registry, servers: Iterable[ModelServer]
) -> Iterable[tuple[ModelServer, OfferedModel, ModelEntry | None]]:
    remote: dict[tuple[str, str], ModelEntry] = {
        (e.source.server, e.source.name): e for e in registry.models if isinstance(e.source, RemoteSource)
    }
    for server in servers:
        for model in server.models:
            yield server, model, remote.get((server.name, model.name)) or registry.find(model.name)


def cards_room(machine: Machine) -> int:
    """Bytes that are free on graphics cards, for servers that can use them."""
    return sum(max(0, gpu.free - GPU_RESERVE) for gpu in machine.gpus)


def _from_entry(entry: ModelEntry, machine: Machine, wish: Wish, *, here: bool) -> Candidate:
    weights, context = entry.weights or 0, min(wish.context, entry.context)
    need = memory_need(weights, entry.kv_bytes_per_token or _KV_UNKNOWN, context)
    remote = isinstance(entry.source, RemoteSource)
    on_gpu = not remote and need <= gpu_room(machine)
    share = (entry.active_parameters or entry.parameters) / entry.parameters
    return Candidate(
        backend=entry.source.server if isinstance(entry.source, RemoteSource) else "llama.cpp",
        model=entry.id,
        entry=entry,
        here=here,
        need=need,
        room=cards_room(machine) if remote else gpu_room(machine) if on_gpu else ram_room(machine),
        device="server" if remote else "gpu" if on_gpu else "cpu",
        rate=None if on_gpu or remote else tokens_per_second(machine, weights * share),
        context=entry.context,
        strength=(False, _power(entry.parameters, entry.active_parameters), weights),
    )


def _from_server(
    server: ModelServer, model: OfferedModel, known: ModelEntry | None, machine: Machine, wish: Wish
) -> Candidate:
    """A model of a running server. Ollama loads it when it is asked, into whatever memory there is."""
    weights = model.size or (known.weights if known else None)
    kv = known.kv_bytes_per_token if known and known.kv_bytes_per_token else _KV_UNKNOWN
    need = None if model.loaded or weights is None else memory_need(weights, kv, wish.context)
    cards = cards_room(machine)
    parameters = model.parameters or (known.parameters if known else 0)
    on_cpu = need is not None and need > cards
    return Candidate(
        backend=server.name,
        model=model.name,
        entry=known,
        here=True,
        need=need,
        room=max(cards, ram_room(machine)),
        device="server",
        rate=tokens_per_second(machine, weights) if on_cpu and weights else None,
        context=model.context or (known.context if known else None),
        strength=(model.loaded, _power(parameters, known.active_parameters if known else None), weights or 0),
        reasons=() if model.chat else (Reason("no_chat", {}),),
    )


def _power(parameters: int, active: int | None) -> float:
    return sqrt(parameters * float(active or parameters))


def _is_named(one: Candidate, entry: ModelEntry | None, wanted: str) -> bool:
    return (entry is not None and one.entry is entry) or one.model.lower() == wanted.lower()


def _judge(
    one: Candidate, wish: Wish, *, backend: str | None, entry: ModelEntry | None, wanted: str | None
) -> Candidate:
    """Rules 1 to 5: out with every reason against it, or possible."""
    against = list(one.reasons)
    named = wanted is not None
    if (wanted is not None and not _is_named(one, entry, wanted)) or (backend not in {None, one.backend}):
        return replace(one, verdict="out", reasons=(Reason("not_named", {}),))
    if one.need is not None and one.need > one.room:
        against.append(Reason("no_room", {"need": one.need, "room": one.room}))
    if one.device == "server" and not one.here:
        against.append(Reason("not_served", {"server": one.backend}))
    if one.rate is not None and one.rate < SLOWEST and not named:
        against.append(Reason("too_slow", {"rate": one.rate}))
    if one.entry is not None and not named and not (one.strength[0]):
        if one.entry.terms != "open":
            against.append(Reason("licence", {"licence": one.entry.licence}))
        if wish.use not in one.entry.use:
            against.append(Reason("other_use", {"use": wish.use}))
    if one.entry is None and not named and wish.use not in _uses_of_unknown(one):
        against.append(Reason("other_use", {"use": wish.use}))
    if one.context is not None and one.context < wish.context:
        against.append(Reason("short_context", {"context": one.context, "wanted": wish.context}))
    if named and not one.here and not any(reason.code == "not_served" for reason in against):
        against.append(Reason("not_here", {"model": one.model}))
    if against:
        return replace(one, verdict="out", reasons=tuple(against))
    for_it = [] if one.here else [Reason("not_here", {"model": one.model})]
    if one.strength[0]:
        for_it.append(Reason("loaded", {"server": one.backend}))
    elif one.need is not None:
        facts = {"need": one.need, "room": one.room, "rate": one.rate}
        for_it.append(Reason("fits" if one.rate is None else "fits_cpu", facts))
    return replace(one, reasons=tuple(for_it))


def _uses_of_unknown(one: Candidate) -> set[str]:
    return {"default", "code"} if "code" in one.model.lower() else {"default"}
