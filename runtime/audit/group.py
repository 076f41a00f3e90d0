"""Group commit: a thread that owns the writer and records together whatever is waiting.

While one batch is being synced, the next one gathers. Callers that were answered together ask again together, so a
round waits a moment for as many drafts as the last one saw, at most as long as the sync that this may save. A single
caller never waits. How drafts get here is `server`'s and `client`'s business.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from runtime.audit.errors import DraftRefused, LogUnavailable
from runtime.audit.manifest import MANIFEST_SUBJECT
from runtime.audit.record import Prepared
from runtime.audit.writer import Committed, LogWriter, Result

# What the log says of itself, and the manifests that vouch for its keys: nobody else may say it in the log.
OWN_EVENTS = frozenset({"log.started", "log.recovered", "segment.sealed", "segment.pruned", "key.added", "key.retired"})
MAX_BATCH = 256
LONGEST_WAIT = 0.002  # seconds
# Called in the writer's thread, once per batch, with (token, result) for every draft of that sink.
Sink = Callable[[list[tuple[Any, Result]]], None]
OnCommitted = Callable[[Sequence[Committed]], None]

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)


class GroupCommit:
    """Takes prepared drafts from any thread; results come back through sinks."""

    def __init__(self, writer: LogWriter, on_committed: OnCommitted | None = None) -> None:
        """Start the thread.

        Args:
            writer: used by this thread alone from now on.
            on_committed: called behind the answers with the lines that have become durable; it should not block.
        """
        self._writer = writer
        self._on_committed = on_committed
        self._queue: SimpleQueue[tuple[Prepared, Any, Sink] | Callable[[], None] | None] = SimpleQueue()
        self._tasks: deque[Callable[[], None]] = deque()
        self._gate = threading.Lock()
        self._closed = False
        self._expected = 0  # how many drafts were on their way in the last round
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def submit(self, draft: Prepared, token: Any, sink: Sink) -> None:
        """Have a draft recorded; `sink` is called with `token` and the result.

        Raises:
            DraftRefused: only the log itself may record that.
            LogUnavailable: the writer is closing.
        """
        if draft.event in OWN_EVENTS or f'"{MANIFEST_SUBJECT}"' in draft.subjects:
            raise DraftRefused("event: only the log itself records that")
        with self._gate:
            if self._closed:
                raise LogUnavailable("the log writer is closing")
            self._queue.put((draft, token, sink))

    def call(self, task: Callable[[LogWriter], T]) -> Future[T]:
        """Have `task` called with the writer in its thread, between two batches; what comes of it.

        Raises:
            LogUnavailable: the writer is closing.
        """
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(task(self._writer))
            except Exception as error:
                done.set_exception(error)

        with self._gate:
            if self._closed:
                raise LogUnavailable("the log writer is closing")
            self._queue.put(run)
        return done

    def status(self) -> dict[str, str | int | bool | None]:
        return self._writer.status()

    def close(self) -> None:
        """Record what is queued, then let go of the log. Blocks until done."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._tell()
            while batch := self._next_batch():
                results = self._commit([draft for draft, _, _ in batch])
                by_sink: dict[Sink, list[tuple[Any, Result]]] = {}
                for (_, token, sink), result in zip(batch, results, strict=True):
                    by_sink.setdefault(sink, []).append((token, result))
                self._expected = len(batch) + self._queue.qsize()
                for sink, answers in by_sink.items():
                    self._answer(sink, answers)
                self._tell()
        finally:
            self._writer.close()

    def _next_batch(self) -> list[tuple[Prepared, Any, Sink]]:
        while callable(first := self._tasks.popleft() if self._tasks else self._queue.get()):
            first()
            self._tell()
        if first is None:
            return []
        batch = [first]
        deadline = time.monotonic() + min(self._writer.last_sync, LONGEST_WAIT)
        while len(batch) < MAX_BATCH:
            try:
                if len(batch) < self._expected:
                    item = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
                else:
                    item = self._queue.get_nowait()
            except Empty:
                break
            if item is None:
                self._queue.put(None)
                break
            if callable(item):
                self._tasks.append(item)
                break
            batch.append(item)
        return batch

    def _commit(self, drafts: list[Prepared]) -> Sequence[Result]:
        try:
            return self._writer.commit(drafts)
        except BaseException as error:
            # The writer turns what it expects into results; whoever waits, now or later, must hear of the rest too.
            _LOGGER.exception("the log writer failed")
            self._writer.close()
            return [LogUnavailable(f"the log writer failed: {type(error).__name__}")] * len(drafts)

    def _answer(self, sink: Sink, answers: list[tuple[Any, Result]]) -> None:
        try:
            sink(answers)
        except Exception:
            # Whoever asked is gone. His record stands.
            _LOGGER.exception("an answer could not be handed over")

    def _tell(self) -> None:
        committed = self._writer.take_committed()
        if self._on_committed is not None and committed:
            try:
                self._on_committed(committed)
            except Exception:
                # What is made from the log can be made again; the log goes on.
                _LOGGER.exception("what follows the log failed")
