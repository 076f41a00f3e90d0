"""What a running log is asked for beside appending: other keys, and letting old segments go.

Long reading is done in a thread beside the writer's own, so that appends go on meanwhile; what changes the log is done
by the writer, between two batches.
"""

from __future__ import annotations

import asyncio
import threading
from functools import partial

from runtime.audit.errors import LogUnavailable
from runtime.audit.group import GroupCommit
from runtime.audit.pruning import Holds
from runtime.audit.writer import LogWriter

MOST = 32  # segments pruned at a time
PAUSE = 10.0  # seconds that a change of keys may keep everybody waiting


class Upkeep:
    """The upkeep of one open log."""

    def __init__(self, writer: LogWriter, group: GroupCommit) -> None:
        """Args: a writer, and the group commit that owns it."""
        self._writer = writer
        self._group = group
        self._holds = Holds()
        self._one = asyncio.Lock()
        self._paused: tuple[threading.Event, asyncio.Future[int | None]] | None = None

    async def pause(self) -> int:
        """Let nothing be recorded until `reload_keys`, at most for PAUSE seconds; how many lines there are.

        So a manifest can name the very index at which its keys begin and the ones before end, and a receipt verifies
        by any version of the manifest from its time on.

        Raises:
            LogUnavailable: somebody else is changing the keys, or the log is closing.
        """
        if self._paused is not None:
            raise LogUnavailable("somebody else is changing the keys")
        loop = asyncio.get_running_loop()
        size: asyncio.Future[int] = loop.create_future()
        go = threading.Event()

        def wait(writer: LogWriter) -> int | None:
            loop.call_soon_threadsafe(size.set_result, writer.size)
            return writer.reload_keys() if go.wait(PAUSE) else None

        self._paused = paused = (go, asyncio.wrap_future(self._group.call(wait)))

        def over(_: object) -> None:
            if self._paused is paused:  # whoever paused it is gone
                self._paused = None

        paused[1].add_done_callback(over)
        return await size

    async def reload_keys(self) -> int:
        """Bring the newest key manifest into force, and end a pause; the version in force.

        Raises:
            KeysError: the keys are missing or belong to another log.
            LogUnavailable: nothing was recorded.
        """
        if self._paused is not None:
            (go, done), self._paused = self._paused, None
            go.set()
            version = await done
            if version is not None:
                return version
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
