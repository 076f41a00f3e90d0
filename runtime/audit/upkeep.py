"""What a running log is asked for beside appending: other keys, and letting old segments go.

Long reading is done in a thread beside the writer's own, so that appends go on meanwhile; what changes the log is done
by the writer, between two batches.
"""

from __future__ import annotations

import asyncio
from functools import partial

from runtime.audit.group import GroupCommit
from runtime.audit.pruning import Holds
from runtime.audit.writer import LogWriter

MOST = 32  # segments pruned at a time


class Upkeep:
    """The upkeep of one open log."""

    def __init__(self, writer: LogWriter, group: GroupCommit) -> None:
        """Args: a writer, and the group commit that owns it."""
        self._writer = writer
        self._group = group
        self._holds = Holds()
        self._one = asyncio.Lock()

    async def reload_keys(self) -> int:
        """Bring the newest key manifest into force; its version.

        Raises:
            KeysError: the keys are missing or belong to another log.
            LogUnavailable: nothing was recorded.
        """
        return await asyncio.wrap_future(self._group.call(lambda writer: writer.reload_keys()))

    async def prune(self, held: frozenset[str]) -> list[int]:
        """Prune segments whose time is over; the indexes of their first leaves.

        Args:
            held: references whose records may not go.

        Raises:
            LogUnavailable: something cannot be read, recorded or removed; what was pruned before that stays pruned.
        """
        async with self._one:
            cuts = await asyncio.to_thread(self._writer.prepare_pruning, self._holds, held, MOST)
            pruned = []
            for cut in cuts:
                task = partial(LogWriter.prune, cut=cut, holds=self._holds)
                pruned.append(await asyncio.wrap_future(self._group.call(task)))
            return pruned
