"""Statistics over decision records: counting one record, adding counts up, and the answer of `GET /stats`. Pure.

A table is start (seconds since 1970) -> `provider|model` -> counts, and is JSON as it stands. Latencies are counted in
classes that grow by 5 %, so tables can be added up; a percentile is the upper end of its class: at most 5 % too high.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from runtime.prices import NANOS, decimal_of

Counts = dict[str, Any]
Table = dict[int, dict[str, Counts]]
Bucket = Literal["minute", "hour", "day"]

SECONDS: Mapping[Bucket, int] = {"minute": 60, "hour": 3600, "day": 86_400}
MOST_BUCKETS = 1500
_GROWTH = math.log(1.05)
_ANSWERED = frozenset({"allow", "redact"})
_NO_MODEL = "|"


def count(table: Table, start: int, record: Mapping[str, Any]) -> None:
    """Count a `turn` or `denials.counted` record.

    Raises:
        KeyError, TypeError, AttributeError, ValueError, ArithmeticError: it has not the form of one; a part may be
            counted.
    """
    if record["event"] == "denials.counted":
        counts = table.setdefault(start, {}).setdefault(_NO_MODEL, {})
        for code, number in record.get("detail", {}).items():
            _add(counts, "door", code, int(number))
        return
    decision, model = record["decision"], record.get("model", {})
    asked = model.get("request_model") or model.get("response_model") or ""
    counts = table.setdefault(start, {}).setdefault(f"{model.get('provider', '')}|{asked}", {})
    _add(counts, "decisions", decision, 1)
    if decision in _ANSWERED:
        _add(counts, "latency", str(_class(int(record.get("timings_ms", {}).get("total", 0)))), 1)
    elif decision in {"deny", "error"}:
        for code in record.get("reasons", ()):
            _add(counts, "refusals" if decision == "deny" else "failures", code, 1)
    for kind in ("prompt_tokens", "completion_tokens"):
        if number := int(record.get("usage", {}).get(kind, 0)):
            _add(counts, "tokens", kind, number)
    for name, value in record.get("usage", {}).items():
        if name.startswith("cost_"):
            _add(counts, "cost", name.removeprefix("cost_"), int(Decimal(value) * NANOS))
    for way, found in record.get("redactions", {}).items():
        for entity, number in found.items():
            _add(counts, f"masked_{way}", entity, int(number))


def summary(tables: Iterable[Table], begin: int, end: int, bucket: Bucket) -> dict[str, Any]:
    """What the tables say of [begin, end) (seconds since 1970, both at the start of a bucket).

    Returns:
        `total`, `buckets` (each with `start`, empty ones too) and `models` (each with `backend` and `model`).
    """
    width = SECONDS[bucket]
    total: Counts = {}
    buckets: dict[int, Counts] = {start: {} for start in range(begin, end, width)}
    models: dict[str, Counts] = {}
    for table in tables:
        for at, groups in table.items():
            place = buckets.get(at - at % width)
            if place is None:
                continue
            for name, counts in groups.items():
                for into in (total, place, models.setdefault(name, {})):
                    _merge(into, counts)
    return {
        "total": _told(total),
        "buckets": [{"start": _iso(start), **_told(counts)} for start, counts in buckets.items()],
        "models": [
            {"backend": name.partition("|")[0] or None, "model": name.partition("|")[2] or None, **_told(counts)}
            for name, counts in sorted(models.items())
        ],
    }


def _told(counts: Counts) -> dict[str, Any]:
    decisions = counts.get("decisions", {})
    tokens = counts.get("tokens", {})
    latency = {int(name): number for name, number in counts.get("latency", {}).items()}
    return {
        "requests": sum(decisions.values()),
        "decisions": decisions,
        "refusals": counts.get("refusals", {}),
        "failures": counts.get("failures", {}),
        "refused_at_the_door": counts.get("door", {}),
        "tokens": {"prompt": tokens.get("prompt_tokens", 0), "completion": tokens.get("completion_tokens", 0)},
        "cost": {currency: decimal_of(nanos) for currency, nanos in counts.get("cost", {}).items()},
        "latency_ms": {name: _percentile(latency, share) for name, share in (("p50", 50), ("p95", 95), ("p99", 99))},
        "masked": {"in": counts.get("masked_in", {}), "out": counts.get("masked_out", {})},
    }


def _percentile(classes: Mapping[int, int], share: int) -> int | None:
    total = sum(classes.values())
    seen = 0
    for number in sorted(classes):
        seen += classes[number]
        if seen * 100 >= total * share:
            return 0 if number < 0 else math.floor(math.exp(number * _GROWTH) + 1e-9)
    return None


def _class(milliseconds: int) -> int:
    return -1 if milliseconds < 1 else math.ceil(math.log(milliseconds) / _GROWTH - 1e-9)


def _add(counts: Counts, topic: str, name: str, number: int) -> None:
    numbers = counts.setdefault(topic, {})
    numbers[name] = numbers.get(name, 0) + number


def _merge(into: Counts, counts: Counts) -> None:
    for topic, numbers in counts.items():
        for name, number in numbers.items():
            _add(into, topic, name, number)


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
