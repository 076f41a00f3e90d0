"""Counting what a period held, record by record. Pure: entries in, figures out.

Every figure keeps the first and the last entry that it was counted from, so that somebody else can count again.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from runtime.audit.merkle import CompactRange
from runtime.reports.vocabulary import place
from runtime.reports.walk import Entry, part

#: Events that a reviewer wants to see one by one.
LISTED = frozenset(
    {
        *("admin", "key.added", "key.retired", "policy.loaded", "config.changed", "model.changed", "reveal"),
        *("erasure.intent", "erasure.completed", "rectification", "incident", "approval", "override", "stop"),
        *("log.started", "log.recovered", "segment.pruned", "anchor"),
    }
)
_MOST_LISTED = 20_000


@dataclass(slots=True)
class Bucket:
    """How many, and from which entries: the first and the last index."""

    count: int = 0
    first: int = -1
    last: int = -1

    def add(self, index: int, count: int = 1) -> None:
        self.count += count
        self.first = index if self.first < 0 else self.first
        self.last = index

    def as_json(self) -> dict[str, int]:
        return {"count": self.count, "first_entry": self.first, "last_entry": self.last}


Table = dict[str, Bucket]


@dataclass(frozen=True, slots=True)
class Listed:
    """One event that is shown by itself, with what of it may be shown."""

    index: int
    record_id: str
    time: str
    event: str
    detail: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "log_index": self.index,
            "record_id": self.record_id,
            "time": self.time,
            "event": self.event,
            "detail": self.detail,
        }


@dataclass(slots=True)
class Tally:
    """The figures of [start, end): terms as RFC 3339 text, "" for no bound.

    Attributes:
        before: the index of the last entry that is there from before the period, -1 for none.
        first, after: the indexes of the period's entries, [first, after); first is -1 where there is none.
        root: of the tree at `after`, once an entry behind the period was seen.
        tables: figures by group and name.
        listed: single events; `unlisted` counts those beyond the limit.
        turns: indexes of the decision records.
        open: turns with an intent and no decision record, by the index of their first intent.
        policy: the policy revision in force when the period began.
    """

    start: str
    end: str
    tree: CompactRange = field(default_factory=CompactRange)
    before: int = -1
    first: int = -1
    after: int | None = None
    root: bytes = b""
    records: int = 0
    tables: dict[str, Table] = field(default_factory=dict)
    listed: list[Listed] = field(default_factory=list)
    unlisted: int = 0
    turns: array[int] = field(default_factory=lambda: array("q"))
    open: dict[str, int] = field(default_factory=dict)
    policy: str = ""
    first_time: str = ""
    last_time: str = ""
    shortest: int | None = None  # days from a decision to the end of its retention
    latest_incident: dict[str, Listed] = field(default_factory=dict)

    def visit(self, entry: Entry) -> None:
        """Take the next entry; those after the period only end it."""
        if self.after is not None:
            return
        if self.end and entry.time >= self.end:
            self.after, self.root = entry.index, self.tree.root() if self.tree.size else b""
            return
        self._follow(entry)
        if self.start and entry.time < self.start:
            self.before = entry.index
            return
        self.first = entry.index if self.first < 0 else self.first
        self.first_time, self.last_time = self.first_time or entry.time, entry.time
        self.records += 1
        self._add("events", entry.event, entry)
        if entry.event == "turn":
            self._turn(entry)
        elif entry.event == "model.intent":
            model = entry.part("model")
            provider = str(model.get("provider", "?"))
            self._add("transmissions", provider, entry)
            jurisdiction = entry.part("detail").get("jurisdiction")
            if jurisdiction is not None:
                self._add("jurisdictions", str(jurisdiction), entry)
        elif entry.event == "tool.effect":
            self._add("tools", str(entry.part("tool").get("name", "?")), entry)
        elif entry.event == "denials.counted":
            for code, count in entry.part("detail").items():
                if type(count) is int:
                    self._add("denials", code, entry, count)
        elif entry.event in LISTED:
            self._list(entry)

    def table(self, name: str) -> Table:
        """A group of figures, the most frequent first; equal ones by name."""
        found = self.tables.get(name, {})
        return dict(sorted(found.items(), key=lambda item: (-item[1].count, item[0])))

    def total(self, name: str, *keys: str) -> int:
        found = self.tables.get(name, {})
        return sum(bucket.count for key, bucket in found.items() if not keys or key in keys)

    def of(self, *events: str) -> list[Listed]:
        return [one for one in self.listed if one.event in events]

    def lacks(self, pruned: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Of these ranges [first, end), those that may have held entries of the period."""
        return [
            (first, end)
            for first, end in pruned
            if end - 1 > self.before and (self.after is None or first < self.after)
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "from": self.start,
            "to": self.end,
            "records": self.records,
            "first_entry": self.first,
            "first_time": self.first_time,
            "last_time": self.last_time,
            "figures": {
                name: {key: bucket.as_json() for key, bucket in self.table(name).items()}
                for name in sorted(self.tables)
            },
            "listed": [one.as_json() for one in self.listed],
            "listed_beyond_limit": self.unlisted,
            "open_turns": len(self.open),
            "policy_at_start": self.policy,
            "shortest_retention_days": self.shortest,
        }

    def _follow(self, entry: Entry) -> None:
        """What has to be known from before the period too."""
        turn = entry.record.get("turn_ref")
        if entry.event == "model.intent" and isinstance(turn, str):
            self.open.setdefault(turn, entry.index)
        elif entry.event == "turn" and isinstance(turn, str):
            self.open.pop(turn, None)
        elif entry.event == "policy.loaded" and (not self.start or entry.time < self.start or not self.policy):
            self.policy = str(entry.part("policy").get("revision", ""))

    def _turn(self, entry: Entry) -> None:
        self.turns.append(entry.index)
        record = entry.record
        decision = str(record.get("decision"))
        self._add("decisions", decision, entry)
        self._add("roles", str(entry.part("actor").get("role", "?")), entry)
        self._add("doors", str(record.get("door", "?")), entry)
        self._add("policies", str(entry.part("policy").get("revision", "?")), entry)
        self._add("maskers", str(entry.part("masker").get("revision", "?")), entry)
        self._add("software", str(entry.part("software").get("version", "?")), entry)
        legal = entry.part("legal")
        self._add("purposes", str(legal.get("purpose", "?")), entry)
        alone = legal.get("automated_decision")
        self._add("automated", "yes" if alone is True else "no" if alone is False else "unknown", entry)
        self._keep_shortest(entry.time, legal.get("retain_until"))
        if decision in {"deny", "error"}:
            reasons = record.get("reasons")
            for code in reasons if isinstance(reasons, list) else ():
                self._add("refusals", str(code), entry)
        stated = isinstance(record.get("redactions"), dict)
        self._add("masking", "stated" if stated else "unstated", entry)
        for way in ("in", "out"):
            for entity, count in part(record.get("redactions"), way).items():
                if type(count) is int:
                    self._add(f"masked_{way}", str(entity), entry, count)
        model, step = entry.part("model"), record.get("step")
        if model:
            rules = record.get("rules")
            where = place(model.get("provider"), map(str, rules) if isinstance(rules, list) else ())
            self._add("places", where, entry, step if type(step) is int else 1)
            name = str(model.get("response_model") or model.get("request_model", "?"))
            weights = str(model.get("weights_sha256", "-"))
            self._add("models", f"{model.get('provider', '?')} {name} {weights}", entry)

    def _keep_shortest(self, made: str, until: object) -> None:
        try:
            days = (date.fromisoformat(str(until)[:10]) - date.fromisoformat(made[:10])).days
        except ValueError:
            return
        self.shortest = days if self.shortest is None else min(self.shortest, days)

    def _list(self, entry: Entry) -> None:
        if len(self.listed) >= _MOST_LISTED:
            self.unlisted += 1
            return
        detail = dict(entry.part("detail"))
        for name in ("policy", "model", "oversight"):
            detail.update({f"{name}.{key}": value for key, value in entry.part(name).items() if type(value) is str})
        one = Listed(entry.index, entry.record_id, entry.time, entry.event, detail)
        self.listed.append(one)
        if entry.event == "incident":
            self.latest_incident[str(detail.get("incident", entry.record_id))] = one

    def _add(self, table: str, key: str, entry: Entry, count: int = 1) -> None:
        self.tables.setdefault(table, {}).setdefault(key, Bucket()).add(entry.index, count)
