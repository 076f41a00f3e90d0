"""Requests that get no record of their own (no credential, not well-formed, not permitted) are counted here.

One signed `denials.counted` record per interval and worker says how many there were, by code.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter

from runtime.audit.client import LogClient
from runtime.evidence import system_draft

logger = logging.getLogger("filagent")
_NAMED = 15  # codes that a record names one by one
_MOST_CODES = 15  # a record's detail holds 16 members


class Denials:
    """Counts of one worker since the last record."""

    def __init__(self, log: LogClient, interval: float) -> None:
        self._log = log
        self._interval = interval
        self._counts: Counter[str] = Counter()

    def count(self, code: str) -> None:
        self._counts[code] += 1

    async def run(self) -> None:
        """Record at every interval, for as long as the worker lives."""
        while True:
            await asyncio.sleep(self._interval)
            await self.flush()

    async def flush(self) -> None:
        """Record what was counted; what cannot be recorded now stays counted for the next time."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        detail = {code.replace(":", "."): number for code, number in counts.most_common(_MOST_CODES)}
        if len(counts) > _MOST_CODES:
            detail["other"] = counts.total() - sum(detail.values())
        subject = ("denials", hashlib.sha256(repr(sorted(counts.items())).encode()).hexdigest())
        try:
            await self._log.append(system_draft("denials.counted", subject=subject, detail=detail))
        except Exception as error:
            self._counts.update(counts)
            logger.warning("denials not recorded: %s", type(error).__name__)
