"""Making reports beside the worker that was asked: verifying a long log must not slow anybody's answer.

One process of its own, started at the first report and kept; one report at a time. It ends with the worker, also where
the worker dies without a word.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.audit.errors import AuditError, LogDamaged
from runtime.errors import BY_STATUS, FilAgentError, Unavailable
from runtime.reports.making import Form, Made, Source, make_decision, make_period, make_register
from runtime.settings import Settings

_MAKERS: Mapping[str, Callable[..., Made]] = {
    "decision": make_decision,
    "period": make_period,
    "register": make_register,
}
_WATCH = 2.0  # seconds between two looks whether the worker is still there


@dataclass(frozen=True, slots=True)
class Order:
    """What to make, in a form that can be handed to another process.

    Attributes:
        maker: which function of `making`; `options` are its arguments but for the source.
        root: the root's public key, raw.
    """

    maker: Literal["decision", "period", "register"]
    options: dict[str, Any]
    form: Form
    logs_dir: Path
    root: bytes
    settings: Settings


@dataclass(slots=True)
class Aside:
    """The process, and the turnstile before it."""

    turnstile: asyncio.Lock = field(default_factory=asyncio.Lock)
    _pool: ProcessPoolExecutor | None = None

    async def make(self, order: Order) -> tuple[Made, bytes]:
        """A report and its bytes.

        Raises:
            Unavailable: `report.busy`: another one is being made, or the process that made it died.
            FilAgentError, LogDamaged: as the maker.
        """
        if self.turnstile.locked():
            raise _busy()
        async with self.turnstile:
            if self._pool is None:
                context = multiprocessing.get_context("spawn")  # not forked: a worker has threads
                self._pool = ProcessPoolExecutor(1, context, _follow, (os.getpid(),))
            try:
                outcome = await asyncio.get_running_loop().run_in_executor(self._pool, _make, order)
            except BrokenProcessPool as error:
                self.close()
                raise _busy() from error
        if isinstance(outcome, _Failed):
            raise outcome.error()
        return outcome

    def close(self) -> None:
        """End the process; the next report starts another one."""
        pool, self._pool = self._pool, None
        if pool is not None:
            # An idle process ends at once; one at work is left to notice that its worker is gone.
            pool.shutdown(wait=not self.turnstile.locked(), cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Failed:
    """An error on its way from one process to the other. `status` None: the log."""

    status: int | None
    code: str
    detail: str

    def error(self) -> Exception:
        if self.status is None:
            return LogDamaged(self.detail)
        return BY_STATUS.get(self.status, FilAgentError)(self.code, self.detail)


def _make(order: Order) -> tuple[Made, bytes] | _Failed:
    root = Ed25519PublicKey.from_public_bytes(order.root)
    source = Source(order.logs_dir, root, order.settings, jobs=1)
    try:
        made = _MAKERS[order.maker](source=source, **order.options)
        return made, made.render(order.form)
    except FilAgentError as error:
        return _Failed(error.status, error.code, error.detail)
    except AuditError as error:
        return _Failed(None, "", str(error))


def _follow(parent: int) -> None:
    """Give way to the worker, and end when it is gone."""
    os.nice(10)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _busy() -> Unavailable:
    return Unavailable("report.busy", "Another report is being made; try again.", retry_after=10)
