"""The ten checks of a local model's installation, in their order, each with its evidence.

    QW-01 the model is here, may be used and fits      QW-06 what is configured can be used
    QW-02 its hash is the one known beforehand          QW-07 nothing leaves this machine, nothing lies open
    QW-03 the model host answers, to this user alone    QW-08 the answer is in the log, and the log is whole
    QW-04 a question in Chinese gets an answer          QW-09 guards refuse what they must
    QW-05 the server is ready, its older door too       QW-10 first piece and tokens a second

With a server and an API key the questions go through `/chat`. Without either they go to the model host, with a record
before each; without a server, one is started for the check and ended after it. While questions are answered, the
sockets of everything that takes part are watched.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Final

from runtime.doctor import asked, home, machine, model_host
from runtime.doctor.asked import Asked, Asker, ThroughChat, ThroughProbe
from runtime.doctor.report import Check, Fact, Part, failed, not_applicable, passed
from runtime.doctor.served import Server, answers_from, supervisor_of
from runtime.doctor.sockets import Watch, can_look
from runtime.models.registry import ModelFile
from runtime.models.resources import Machine
from runtime.models.selection import SLOWEST
from runtime.settings import Settings

CODES: Final = tuple(f"QW-{number:02}" for number in range(1, 11))
ROUNDS: Final = 5
TOKENS: Final = 64
FIRST_SECONDS: Final = 2.5
"""How long the first piece of an answer may take, in 95 of 100 cases."""


def unusable(reason: str) -> list[Check]:
    """The report when the settings cannot be read: nothing else can be looked at."""
    bad = {"QW-06": failed("settings_bad", detail=reason)}
    return [Check(code, (bad.get(code, not_applicable("needs_settings")),)) for code in CODES]


def check(settings: Settings, key: str | None, seen: Machine) -> list[Check]:
    """Run all ten.

    Args:
        settings: of the home to look at.
        key: an API key that may chat, or None.
        seen: this machine.
    """
    supervisor = supervisor_of(settings) if can_look() else None
    server = Server(settings, None)
    alive = server.get("/health")
    own = not can_look() or (supervisor is not None and answers_from(settings, supervisor))
    trusted = alive is not None and own
    if trusted:
        server = Server(settings, key)  # whoever else answers on that port gets no key
    found: dict[str, list[Part]] = {"QW-06": home.settings_parts(settings)}
    with ExitStack() as stack:
        model, host = None, None
        if settings.backend == "llama.cpp":
            model, found["QW-01"], found["QW-02"] = _model(settings, seen, running=supervisor is not None)
            if model is not None:
                host, why = stack.enter_context(model_host.model_host(settings, model))
                found["QW-03"] = [failed("host_silent", detail=why) if host is None else model_host.answers(host)]
            else:
                found["QW-03"] = [not_applicable("needs_model")]
        else:
            other = not_applicable("other_backend", backend=settings.backend)
            found |= {code: [other] for code in ("QW-02", "QW-03")} | {"QW-01": [machine.processor(seen), other]}
        asker = _asker(settings, server if trusted else None, host)
        before = home.log_size(settings)
        roots = tuple(pid for pid in (supervisor, None if host is None else host.pid) if pid is not None)
        watch = stack.enter_context(Watch(roots)) if roots and can_look() else None
        found["QW-04"], answered = _chinese(asker)
        found["QW-05"] = _gateway(
            server, None if alive is None else alive.status, port=settings.server.port if not trusted else None
        )
        found["QW-10"] = _speed(asker)
        found["QW-09"] = [home.guards(settings), *_refusal(server, asker)]
        stack.close()
    found["QW-07"] = [
        _sockets(settings, watch, supervisor, served=alive is not None, trusted=trusted),
        *home.outward(settings),
        home.permissions(settings),
    ]
    found["QW-08"] = home.logged(settings, answered, before)
    return [Check(code, tuple(found[code])) for code in CODES]


def _model(settings: Settings, seen: Machine, *, running: bool) -> tuple[ModelFile | None, list[Part], list[Part]]:
    here, model, entry = machine.model_file(settings)
    parts = [machine.processor(seen), here]
    if model is None:
        return None, parts, [not_applicable("needs_model")]
    parts += [machine.memory(settings, model.path, entry, seen, running=running), machine.licence(entry)]
    return model, parts, [machine.hashed(model, entry)]


def _asker(settings: Settings, server: Server | None, host: model_host.Host | None) -> Asker | Part:
    """How to ask, or why nothing can be asked."""
    if server is not None and server.key:
        return ThroughChat(server)
    if host is not None:
        return ThroughProbe(settings, host.backend) if home.log_size(settings) is not None else not_applicable("no_log")
    return not_applicable("needs_key" if server is not None else "needs_server")


def _chinese(asker: Asker | Part) -> tuple[list[Part], Asked | None]:
    if isinstance(asker, Part):
        return [asker], None
    one = asker.ask(asked.CHINESE, max_tokens=TOKENS)
    if one.error:
        return [failed("no_answer_came", code=one.error, detail=one.detail)], None
    facts: dict[str, Fact] = {"tokens": one.tokens, "chars": len(one.answer.strip()), "ms": round(one.total * 1000)}
    if not one.answer.strip():
        return [failed("empty_answer", **facts)], one
    return [passed(f"answered_{asker.way}", **facts)], one


def _gateway(server: Server, health: int | None, *, port: int | None) -> list[Part]:
    """`port` is given where somebody else answers there."""
    if health is None:
        return [not_applicable("needs_server")]
    if port is not None:
        return [failed("untraced", port=port)]
    ready = server.get("/ready")
    status = 0 if ready is None else ready.status
    states = ready.body.get("checks") if ready is not None else None
    bad = sorted(name for name, state in states.items() if state != "ok") if isinstance(states, dict) else []
    good = health == status == 200
    parts = [passed("ready") if good else failed("not_ready", health=health, ready=status, bad=", ".join(bad) or "–")]
    if not server.key:
        return [*parts, not_applicable("needs_key")]
    reply = server.post("/ai/local/qwen/generate", {"prompt": asked.CHINESE, "n_predict": 16})
    if reply.status != 200:
        return [*parts, failed("door_failed", code=reply.code, detail=str(reply.body.get("detail", "")))]
    return [*parts, passed("door", ms=round(reply.total * 1000))]


def _refusal(server: Server, asker: Asker | Part) -> list[Part]:
    """The guards once more, from outside: the server refuses, and its refusal is a recorded decision."""
    if not isinstance(asker, ThroughChat):
        return []
    reply = server.chat(next(iter(home.ATTACKS.values())), max_tokens=16)
    decision = reply.body.get("decision_id")
    if reply.status == 403 and reply.code.startswith("guard.") and isinstance(decision, str):
        return [passed("refused", code=reply.code, decision=decision)]
    return [failed("not_refused", code=reply.code)]


def _speed(asker: Asker | Part) -> list[Part]:
    if isinstance(asker, Part):
        return [asker]
    done = [asker.ask(asked.STORY.format(number=number), max_tokens=TOKENS) for number in range(1, ROUNDS + 1)]
    if errors := sorted({one.error for one in done if one.error}):
        return [failed("no_answer_came", code=", ".join(errors), detail="")]
    return judged_speed(done)


def judged_speed(done: list[Asked]) -> list[Part]:
    """Against how long people wait for a first piece, and how fast they read."""
    firsts = sorted(one.first for one in done)
    worst = firsts[max(0, math.ceil(0.95 * len(firsts)) - 1)]
    first: dict[str, Fact] = {
        "p50": round(firsts[(len(firsts) - 1) // 2] * 1000), "p95": round(worst * 1000), "rounds": len(done),
        "limit": round(FIRST_SECONDS * 1000),
    }  # fmt: skip
    parts = [passed("first_piece", **first) if worst <= FIRST_SECONDS else failed("first_late", **first)]
    speeds = sorted(speed for one in done if (speed := one.speed) is not None)
    if not speeds:
        return [*parts, not_applicable("too_short")]
    rate = speeds[(len(speeds) - 1) // 2]
    facts: dict[str, Fact] = {"rate": round(rate, 1), "tokens": max(one.tokens for one in done), "limit": SLOWEST}
    return [*parts, passed("speed", **facts) if rate >= SLOWEST else failed("slow", **facts)]


def _sockets(settings: Settings, watch: Watch | None, supervisor: int | None, *, served: bool, trusted: bool) -> Part:
    if watch is None:
        if not can_look():
            return not_applicable("no_proc")
        return failed("untraced", port=settings.server.port) if served else not_applicable("needs_server")
    facts: dict[str, Fact] = {
        "processes": watch.processes, "sockets": len(watch.seen), "looks": watch.looks,
        "seconds": round(watch.seconds, 1), "listening": ", ".join(watch.listening) or "–",
    }  # fmt: skip
    if watch.leaving:
        return failed("sockets_leave", which="; ".join(str(one) for one in watch.leaving[:5]), **facts)
    if supervisor is None:
        return failed("untraced", port=settings.server.port) if served else passed("sockets_host", **facts)
    return passed("sockets", **facts) if trusted else failed("untraced", port=settings.server.port)
