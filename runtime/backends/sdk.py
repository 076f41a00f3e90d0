"""The `openai` SDK as it is used here: nothing of this machine's environment, and event streams read as they are meant.

What the SDK would do beyond putting a request and parsing chunks (keys, headers, retries) is switched off or replaced
beneath it (`gated_transport`).
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import AsyncIterator

import openai
from openai._streaming import ServerSentEvent, SSEDecoder


class Sdk(openai.AsyncOpenAI):
    """The SDK, reading event streams as the standard says: an event without data is none (some servers send them)."""

    def _make_sse_decoder(self) -> SSEDecoder:
        return _SseDecoder()


class _SseDecoder(SSEDecoder):
    async def aiter_bytes(self, iterator: AsyncIterator[bytes]) -> AsyncIterator[ServerSentEvent]:
        async for event in super().aiter_bytes(_without_mark(iterator)):
            if event.data:
                yield event


async def _without_mark(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A stream without the byte order mark that it may begin with: read as text, it would hide the first event."""
    head, begun = b"", False
    async for chunk in chunks:
        if begun:
            yield chunk
            continue
        head += chunk
        if len(head) >= len(BOM_UTF8):
            begun = True
            yield head.removeprefix(BOM_UTF8)
    if head and not begun:
        yield head
