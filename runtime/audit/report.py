"""What a verification found, as values: problems that break the verdict, remarks that do not. Pure: no I/O.

The procedures (`verify`, `bundle_check`, `receipt`) fill a report; `words` puts it into sentences. Only the first few
notes of a kind are kept, the rest are counted, so that a log with a million bad lines is reported in bounded memory.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

KEPT = 5  # notes of one code that are kept in full

Fact = str | int


@dataclass(frozen=True, slots=True)
class Note:
    """One thing found. `code` is a key of `words.NOTES`, `facts` fill its sentence (index, file, reason, ...)."""

    code: str
    facts: dict[str, Fact]


@dataclass(slots=True)
class Report:
    """The findings of one verification.

    Attributes:
        subject: what was verified.
        facts: what is known about it: origin, size, records, first_time, last_time, custody...
        problems: each of them alone makes the verdict "not whole".
        remarks: what a reader should know; none of them changes the verdict.
        counts: how often each code was found, kept or not.
    """

    subject: Literal["log", "bundle", "receipt"]
    facts: dict[str, Fact] = field(default_factory=dict)
    problems: list[Note] = field(default_factory=list)
    remarks: list[Note] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def whole(self) -> bool:
        """The verdict."""
        return not self.problems

    def problem(self, code: str, **facts: Fact) -> None:
        """Note something that breaks the verdict."""
        self._note(self.problems, code, facts)

    def remark(self, code: str, **facts: Fact) -> None:
        """Note something that a reader should know."""
        self._note(self.remarks, code, facts)

    def more(self, code: str, count: int) -> None:
        """Count notes of a code that were dropped where they were found; at least one of them was kept."""
        self.counts[code] += count

    def left_out(self, code: str) -> int:
        """How many notes of a code are counted but not kept."""
        return self.counts[code] - sum(note.code == code for note in (*self.problems, *self.remarks))

    def _note(self, notes: list[Note], code: str, facts: dict[str, Fact]) -> None:
        self.counts[code] += 1
        if self.counts[code] <= KEPT:
            notes.append(Note(code, facts))
