"""The records made lately, as a log writer remembers them: a repeated draft is answered, not recorded again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from runtime.audit.recovery import TAIL


@dataclass(frozen=True, slots=True)
class Known:
    """Where a record stands, and what tells a repetition of its draft from a clash."""

    index: int
    time: str
    line_sha256: str
    fingerprint: int


class Memory:
    """What was recorded lately: at least the last TAIL records, also after a restart."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, Known] = OrderedDict()
        self._closed: OrderedDict[str, str] = OrderedDict()

    def remember(self, record_id: str, known: Known, closes: str | None) -> None:
        self._records[record_id] = known
        if closes is not None:
            self._closed[closes] = record_id
        for kept in (self._records, self._closed):
            if len(kept) > 2 * TAIL:
                kept.popitem(last=False)

    def record(self, record_id: str) -> Known | None:
        return self._records.get(record_id)

    def closed_by(self, turn_ref: str | None) -> str | None:
        return self._closed.get(turn_ref) if turn_ref else None
