"""One decision and every record that belongs to it, from the log.

With the whole log at hand, all of it is looked through. For one's own page only the neighbourhood of the decision is,
and what may lie elsewhere (a later approval, an incident) is said not to have been looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.audit import reader
from runtime.audit.envelope import parse_line
from runtime.audit.errors import EnvelopeError, LogDamaged
from runtime.reports.walk import Entry, Progress, Walked, entry_of, walk

_NEAR = 4096  # entries before a decision among which its intents are looked for, on one's own page
_HUMAN = frozenset({"approval", "override", "stop"})
_TOOLS = frozenset({"tool.intent", "tool.effect", "action.blocked"})


@dataclass(slots=True)
class Decision:
    """A turn's decision record and what goes with it.

    Attributes:
        turn: the decision record.
        intents: the model was about to be asked, one for each transmission.
        tools, human, others: what else names this turn or a record of it.
        searched: whether the whole log was looked through for them.
    """

    turn: Entry
    intents: list[Entry] = field(default_factory=list)
    tools: list[Entry] = field(default_factory=list)
    human: list[Entry] = field(default_factory=list)
    others: list[Entry] = field(default_factory=list)
    searched: bool = True

    @property
    def entries(self) -> list[Entry]:
        """All of them, upwards."""
        found = [self.turn, *self.intents, *self.tools, *self.human, *self.others]
        return sorted(found, key=lambda entry: entry.index)

    @property
    def steps(self) -> int:
        """How many transmissions to a model the decision record counts."""
        step = self.turn.record.get("step", 0)
        return step if type(step) is int else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "decision": self.turn.record,
            "searched_whole_log": self.searched,
            "records": [
                {
                    "log_index": entry.index,
                    "leaf": entry.leaf,
                    "record": entry.record,
                    "subjects": [{"name": name, "sha256": digest} for name, digest in entry.subjects],
                    "line": entry.line,
                }
                for entry in self.entries
            ],
        }


def find_turn(logs_dir: Path, record_id: str, size: int, *, depth: int | None = None) -> Entry | None:
    """The decision record of this id among the first `size` entries; a damaged log is searched as far as it goes."""
    try:
        found = reader.read_decision(logs_dir, record_id, depth=depth)
        if found is None or found["log_index"] >= size:
            return None
        entry: Entry | None = entry_of(reader.read_record(found["log_index"], found["line"].encode("ascii")))
    except LogDamaged:
        hits: list[Entry] = []
        walk(logs_dir, size, hits.append, wanted=_naming(record_id.encode()))
        entry = next((hit for hit in hits if hit.record_id == record_id), None)
    return entry if entry is not None and entry.event == "turn" else None


def gather(
    logs_dir: Path, turn: Entry, size: int, *, roots: frozenset[int], end: int, progress: Progress
) -> tuple[Decision, Walked]:
    """Everything about a decision among the first `size` entries, from one walk over the leaves [0, end)."""
    found = Decision(turn)
    names = tuple(name.encode() for name in (str(turn.record.get("turn_ref", "")), turn.record_id) if name)

    def take(entry: Entry) -> None:
        if entry.index < size and entry.index != turn.index:
            _sort(found, entry)

    walked = walk(logs_dir, end, take, roots=roots, wanted=_naming(*names), progress=progress)
    return found, walked


def gather_near(logs_dir: Path, turn: Entry) -> Decision:
    """The transmissions of a decision, looked for backwards from it until all that it counts are found."""
    found = Decision(turn, searched=False)
    wanted = found.steps or int("parent_record_id" in turn.record)
    lowest = max(0, turn.index - _NEAR)
    for record in reader.iter_records(logs_dir, lowest, end=turn.index, reverse=True):
        if len(found.intents) >= wanted:
            break
        if record.record.get("turn_ref") == turn.record.get("turn_ref"):
            _sort(found, entry_of(record))
    found.intents.reverse()
    return found


def _naming(*names: bytes) -> Callable[[int, bytes], bool]:
    def names_it(_index: int, line: bytes) -> bool:
        try:
            payload = parse_line(line).payload
        except EnvelopeError:
            return True  # it is counted as unreadable
        return any(name in payload for name in names)

    return names_it


def _sort(found: Decision, entry: Entry) -> None:
    if entry.event == "model.intent":
        found.intents.append(entry)
    elif entry.event in _TOOLS:
        found.tools.append(entry)
    elif entry.event in _HUMAN:
        found.human.append(entry)
    elif entry.event != "access.export":  # pages made of it earlier; a page is no part of the decision
        found.others.append(entry)
