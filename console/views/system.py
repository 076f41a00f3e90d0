"""How the machine stands: alarms, backends, disk, log, witnesses, versions, as HTML. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from console.views.numbers import moment, number, percent, size, span
from console.views.tables import Markup, badge, code, codes, facts, heading, joined, paragraph, table, text
from console.words import Words

_WITNESS = {"ok": "good", "new": "plain", "silent": "bad", "disagrees": "bad"}
_CIRCUIT = {"closed": "good", "half_open": "warn", "open": "bad"}


def alarms(system: Mapping[str, Any], words: Words) -> Markup:
    """What rings, the worst first, or that nothing does."""
    if not system["alarms"]:
        return Markup(f'<p class="ops-quiet" role="status">{text(words("overview.no_alarm"))}</p>')
    ringing = sorted(system["alarms"], key=lambda one: one["severity"] != "critical")
    told = "".join(f'<li class="ops-alarm">{_alarm(one, words)}</li>' for one in ringing)
    return Markup(f'<ul class="ops-alarms" role="alert" aria-label="{text(words("overview.alarms"))}">{told}</ul>')


def machine(system: Mapping[str, Any], words: Words) -> Markup:
    """Disk, database, log and its newest checkpoint, versions; a dash where it cannot be seen."""
    lang, disk, log, versions = words.language, system["disk"], system["log"], system["versions"]
    used = percent(disk["used_percent"], lang)
    free = words("overview.disk_free", free=size(disk["free"], lang), total=size(disk["bytes"], lang))
    writable = badge(words("overview.yes"), "good") if log["writable"] else badge(words("overview.no"), "bad")
    stored = facts(
        [
            (words("overview.disk"), joined(_meter(disk["used_percent"], used), " ", text(f"{used} · {free}"))),
            (words("overview.database"), size(system["database"]["bytes"], lang)),
            (words("overview.log_size"), _or_dash(log["bytes"], lambda value: size(value, lang))),
            (words("overview.log_records"), _or_dash(log["records"], lambda value: number(value, lang))),
            (words("overview.log_segments"), _or_dash(log["segments"], lambda value: number(value, lang))),
            (words("overview.log_writable"), writable),
            (words("overview.checkpoint"), _checkpoint(log["checkpoint"], words)),
        ]
    )
    mode = words(f"overview.mode.{system['mode']}")
    about = facts(
        [
            (words("overview.version"), code(versions["filagent"])),
            (words("overview.mode"), mode),
            (words("overview.workers"), number(system["workers"], lang)),
            (words("overview.policy"), code(versions["policy"])),
            (words("overview.masker"), code(versions["masker"])),
            (words("overview.software"), code(versions["software"])),
            ("Python", code(versions["python"])),
            ("SQLite", code(versions["sqlite"])),
        ]
    )
    return joined(heading(words("overview.stored")), stored, heading(words("overview.versions")), about)


def witnesses(system: Mapping[str, Any], words: Words) -> Markup:
    """Who vouches for the log, and who does not."""
    told, lang = system["witnesses"], words.language
    rows = [
        [
            one["name"],
            badge(words(f"overview.witness.{one['status']}"), _WITNESS[one["status"]]),
            _since(one["since"], words),
            number(one["size"], lang),
            _since(one["cosigned"], words),
            one["reason"] or "–",
        ]
        for one in told["states"]
    ]
    heads = [words(f"overview.witness_{name}") for name in ("name", "status", "since", "size", "cosigned", "reason")]
    title = words("overview.witnesses")
    said: list[Markup] = [heading(title)]
    if told["withheld"]:
        said.append(Markup(f'<p class="ops-warning" role="alert">{text(words("overview.withheld"))}</p>'))
    if told["quorum"]:
        said.append(paragraph(words("overview.quorum", count=number(told["quorum"], lang)), "ops-note"))
    said.append(table(heads, rows, caption=title, empty=words("overview.no_witness"), kind="ops-cards"))
    return joined(*said)


def backends(told: Sequence[Mapping[str, Any]], words: Words) -> Markup:
    """Whether each backend can be asked now, and how it stands with its circuit breaker."""
    rows = [
        [
            _name(one, words),
            words(f"overview.place.{one['kind']}"),
            _health(one, words),
            _circuit(one["circuit"], words),
            codes(one["models"] or [one["model"]]),
        ]
        for one in told
    ]
    heads = [words(f"overview.backend_{name}") for name in ("name", "place", "health", "circuit", "models")]
    title = words("overview.backends")
    return joined(
        heading(title), table(heads, rows, caption=title, empty=words("overview.no_backend"), kind="ops-cards")
    )


def _alarm(one: Mapping[str, Any], words: Words) -> Markup:
    severe = one["severity"] == "critical"
    said = words(f"overview.severity.{'critical' if severe else 'warning'}")
    return joined(badge(said, "bad" if severe else "warn"), " ", text(one["text"]), " ", code(one["alarm"]))


def _checkpoint(told: Mapping[str, Any] | None, words: Words) -> Markup:
    if told is None:
        return text(words("overview.no_checkpoint"))
    lang = words.language
    said = words(
        "overview.checkpoint_told",
        size=number(told["size"], lang),
        time=moment(told["time"], lang, seconds=True),
        ago=span(told["age_seconds"], lang),
    )
    return joined(text(said), " ", code(told["origin"]))


def _name(one: Mapping[str, Any], words: Words) -> Markup:
    name = code(one["name"])
    return joined(name, " ", badge(words("overview.default"), "plain")) if one["default"] else name


def _health(one: Mapping[str, Any], words: Words) -> Markup:
    if one["healthy"]:
        return badge(words("overview.healthy"), "good")
    said = one.get("text") or ""
    return joined(badge(words("overview.ill"), "bad"), " ", text(said), " ", code(one["code"]))


def _circuit(state: str | None, words: Words) -> Markup:
    if state is None:
        return text("–")
    return badge(words(f"overview.circuit.{state}"), _CIRCUIT.get(state, "plain"))


def _meter(value: float, said: str) -> Markup:
    return Markup(f'<meter min="0" max="100" low="60" high="80" optimum="0" value="{value:.1f}">{text(said)}</meter>')


def _since(seconds: int, words: Words) -> str:
    return moment(seconds * 1000, words.language) if seconds else "–"


def _or_dash(value: Any, write: Any) -> str:
    return "–" if value is None else str(write(value))
