"""The model host's service on a real socket, in this process and event loop, with a fake engine behind it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from runtime.models.host import bind
from runtime.models.service import ModelService
from runtime.models.wire import MAX_LINE
from tests.fakes.engine import FakeEngine


@contextlib.asynccontextmanager
async def serving(
    engine: FakeEngine, socket_path: Path, *, queue: int = 8, wait: float = 30.0
) -> AsyncIterator[ModelService]:
    """Serve `engine` at `socket_path` for as long as the block lasts."""
    listener = bind(socket_path)
    service = ModelService(engine, model="fake-model", queue=queue, wait=wait)
    worker = asyncio.create_task(service.run())
    server = await asyncio.start_unix_server(service.connection, sock=listener, limit=MAX_LINE)
    try:
        yield service
    finally:
        server.close()
        await service.stop()
        await worker
        service.close()
