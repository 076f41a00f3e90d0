"""The selection in words, English and French: what was looked at, and why each candidate was or was not chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from runtime.models.phrases import Language, fill, phrase
from runtime.models.resources import Machine
from runtime.models.selection import Candidate, Choice, Reason, Wish

_REASONS: Final[dict[str, tuple[str, str]]] = {
    "fits": ("needs {need:size}, {room:size} free", "prend {need:size} sur {room:size} libres"),
    "fits_cpu": (
        "needs {need:size}, {room:size} free; about {rate:.0f} tokens/s",
        "prend {need:size} sur {room:size} libres ; environ {rate:.0f} jetons/s",
    ),
    "loaded": ("{server} holds it in memory already", "{server} l'a déjà en mémoire"),
    "not_here": (
        "not on this machine: filagent models pull {model}",
        "absent de cette machine : filagent models pull {model}",
    ),
    "not_served": ("{server} does not serve it", "{server} ne le sert pas"),
    "no_room": ("needs {need:size}, only {room:size} free", "prend {need:size}, seulement {room:size} libres"),
    "too_slow": (
        "about {rate:.1f} tokens/s on this processor: too slow to wait for",
        "environ {rate:.1f} jetons/s sur ce processeur : trop lent",
    ),
    "licence": (
        "licence {licence}: only when it is named",
        "licence {licence} : seulement s'il est nommé",
    ),
    "other_use": ("not meant for the use {use}", "pas destiné à l'usage {use}"),
    "short_context": (
        "its context is {context} tokens, {wanted} are wanted",
        "son contexte est de {context} jetons, il en faut {wanted}",
    ),
    "no_chat": ("makes embeddings, no answers", "produit des vecteurs, pas de réponses"),
    "not_named": ("another one is named", "un autre est nommé"),
    "alias": (
        "{alias} is another name: today it means {model} ({title})",
        "{alias} est un autre nom : il désigne aujourd'hui {model} ({title})",
    ),
    "names_backend": (
        "that is a backend, not a model: one is chosen among what {backend} has",
        "c'est un moteur, pas un modèle : le choix se fait parmi ce que {backend} possède",
    ),
    "server_absent": (
        "{server} does not answer on this machine's loopback: start it first",
        "{server} ne répond pas sur la boucle locale : démarrez-le d'abord",
    ),
    "unknown_model": (
        "nobody here knows a model {name}: filagent models list",
        "aucun modèle {name} n'est connu ici : filagent models list",
    ),
    "no_use": (
        "nothing here is meant for the use {use}: general models are looked at",
        "rien ici n'est destiné à l'usage {use} : les modèles généraux sont considérés",
    ),
    "model_path": (
        "MODEL_PATH (or llama_cpp.model_path) names a file: it is served whatever is chosen here",
        "MODEL_PATH (ou llama_cpp.model_path) nomme un fichier : il est servi quoi qu'il soit choisi ici",
    ),
}

_VERDICTS: Final[dict[str, tuple[str, str]]] = {
    "chosen": ("chosen", "choisi"),
    "better": ("better", "meilleur"),
    "possible": ("possible", "possible"),
    "out": ("out", "écarté"),
}

_LINES: Final[dict[str, tuple[str, str]]] = {
    "memory": (
        "memory: {total:size}, {available:size} available; a model may take {room:size}",
        "mémoire : {total:size}, dont {available:size} disponibles ; un modèle peut en prendre {room:size}",
    ),
    "cores": ("processor: {cores} cores, {features}", "processeur : {cores} cœurs, {features}"),
    "gpu": (
        "graphics card: {name}, {free:size} of {total:size} free",
        "carte graphique : {name}, {free:size} libres sur {total:size}",
    ),
    "no_gpu": ("graphics cards: none", "cartes graphiques : aucune"),
    "no_gpu_build": (
        "llama.cpp was built without graphics cards (CMAKE_ARGS=-DGGML_CUDA=on)",
        "llama.cpp a été compilé sans cartes graphiques (CMAKE_ARGS=-DGGML_CUDA=on)",
    ),
    "server": ("{name}: {state}", "{name} : {state}"),
    "running": ("running, {count} models", "en marche, {count} modèles"),
    "absent": ("not running", "pas en marche"),
    "elsewhere": ("not on this machine, not asked", "pas sur cette machine, non interrogé"),
    "wish": (
        "wanted: use {use}, context {context} tokens{more}",
        "demandé : usage {use}, contexte de {context} jetons{more}",
    ),
    "chosen": ("would be used: {model} ({backend}): {why}", "serait utilisé : {model} ({backend}) : {why}"),
    "nothing": ("nothing can be used as things are", "rien n'est utilisable en l'état"),
    "better": ("better, and it fits: {model}: {why}", "mieux, et il tient : {model} : {why}"),
}


def reason_text(reason: Reason, language: Language) -> str:
    """One reason as a clause."""
    return fill(_REASONS[reason.code], language, **reason.facts)


def why(candidate: Candidate, language: Language) -> str:
    """All reasons of one candidate."""
    return ("; " if language == "en" else " ; ").join(reason_text(reason, language) for reason in candidate.reasons)


def summary(choice: Choice, language: Language) -> Iterator[str]:
    """What would be used, and what would be better."""
    for note in choice.notes:
        yield reason_text(note, language)
    if choice.chosen is None:
        yield _line("nothing", language)
        for one in choice.candidates:
            if (
                any(reason.code != "not_named" for reason in one.reasons)
                and one.verdict == "out"
                and _wanted(choice, one)
            ):
                yield f"  {one.model} ({one.backend}): {why(one, language)}"
    for code, found in (("chosen", choice.chosen), ("better", choice.better)):
        if found is not None:
            yield _line(code, language, model=found.model, backend=found.backend, why=why(found, language))


def explanation(choice: Choice, machine: Machine, wish: Wish, room: int, language: Language) -> Iterator[str]:
    """The inputs, every candidate with its verdict and reasons, and the outcome."""
    yield _line("memory", language, total=machine.ram_total, available=machine.ram_available, room=room)
    features = ", ".join(sorted(machine.features)) or "-"
    yield _line("cores", language, cores=machine.cores, features=features)
    for gpu in machine.gpus:
        yield _line("gpu", language, name=gpu.name, free=gpu.free, total=gpu.total)
    if not machine.gpus:
        yield _line("no_gpu", language)
    elif not machine.gpu_build:
        yield _line("no_gpu_build", language)
    for server in machine.servers:
        state = _line(server.state, language, count=len(server.models))
        yield _line("server", language, name=server.name, state=state)
    named = [f"{name} {value}" for name, value in (("model", wish.model), ("backend", wish.backend)) if value]
    yield _line("wish", language, use=wish.use, context=wish.context, more="".join(f", {item}" for item in named))
    yield ""
    width = max((len(one.model) for one in choice.candidates), default=0)
    for one in choice.candidates:
        verdict = fill(_VERDICTS[one.verdict], language)
        yield f"  {verdict:9} {one.model:{width}}  {one.backend:12} {why(one, language)}"
    yield ""
    yield from summary(choice, language)


def candidate_json(one: Candidate) -> dict[str, Any]:
    """One candidate as data; codes and facts, no sentences."""
    return {
        "backend": one.backend,
        "model": one.model,
        "registry_id": None if one.entry is None else one.entry.id,
        "here": one.here,
        "verdict": one.verdict,
        "device": one.device,
        "need_bytes": one.need,
        "room_bytes": one.room,
        "tokens_per_second": None if one.rate is None else round(one.rate, 1),
        "reasons": [{"code": reason.code, **reason.facts} for reason in one.reasons],
    }


def choice_json(choice: Choice, machine: Machine) -> dict[str, Any]:
    """The outcome as data, and what it was judged by; sizes in bytes."""
    return {
        "machine": {
            "ram_total": machine.ram_total,
            "ram_available": machine.ram_available,
            "cores": machine.cores,
            "features": sorted(machine.features),
            "gpus": [{"name": gpu.name, "total": gpu.total, "free": gpu.free} for gpu in machine.gpus],
            "gpu_build": machine.gpu_build,
            "servers": [
                {"name": each.name, "state": each.state, "models": [model.name for model in each.models]}
                for each in machine.servers
            ],
        },
        "chosen": None if choice.chosen is None else candidate_json(choice.chosen),
        "better": None if choice.better is None else candidate_json(choice.better),
        "notes": [{"code": note.code, **note.facts} for note in choice.notes],
        "candidates": [candidate_json(one) for one in choice.candidates],
    }


def proposal(better: Candidate, size: int | None, language: Language) -> str:
    """The one line that a first start may print; `size` is what would be downloaded, in bytes."""
    pair = (
        "a better model fits this machine: {model} ({size:size}, {licence}) - filagent models pull {model}",
        "un meilleur modèle tient sur cette machine : {model} ({size:size}, {licence}) - filagent models pull {model}",
    )
    entry = better.entry
    size = size or (None if entry is None else entry.weights)
    return fill(pair, language, model=better.model, size=size, licence="?" if entry is None else entry.licence)


def own_file(language: Language) -> str:
    """That a file of one's own is served, whatever was chosen."""
    return fill(_REASONS["model_path"], language)


def fits_text(one: Candidate, language: Language) -> str:
    """Yes or no, as the list shows it."""
    return phrase("no" if any(reason.code == "no_room" for reason in one.reasons) else "yes", language)


def _wanted(choice: Choice, one: Candidate) -> bool:
    """Whether a wish that came to nothing was about it: of a wish for one model that one, else what is here."""
    others = any(reason.code == "not_named" for other in choice.candidates for reason in other.reasons)
    return (others or one.here) and all(reason.code != "not_named" for reason in one.reasons)


def _line(code: str, language: Language, **facts: Any) -> str:
    return fill(_LINES[code], language, **facts)
