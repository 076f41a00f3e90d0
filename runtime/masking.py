"""Masking as the pipeline uses it: the engine in its own threads, with a time limit, under the policy's actions.

Finding personal data is `runtime/redaction`'s business; what is done with a find is the policy's. This file joins the
two and keeps the engine off the event loop: a text that takes too long is refused, not waited for.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, TypeVar

from memory.keys import ContentKey
from memory.recall import Recalled
from policies.engine import PolicyEngine
from policies.model import Decision, Effect, Passage
from runtime import said
from runtime.asked import Asked
from runtime.json_leaves import Leaf
from runtime.masked_before import MaskedBefore
from runtime.redaction.engine import PiiEngine
from runtime.redaction.errors import PiiUnavailable, TextTooLong
from runtime.redaction.spans import Span
from runtime.redaction.stream import StreamMasker
from runtime.redaction.tokens import TokenMap

Direction = Literal["in", "out"]
OFF = "sha256:" + "0" * 64
SMALL = 2_000
"""Characters that are masked on the event loop: a piece of a stream takes less than handing it to a thread."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a view goes: the policy's actions depend on it."""

    kind: Literal["local", "remote"]
    backend: str


@dataclass(slots=True)
class Masked:
    """Texts in their strictest view; what was found (entity: count), in all and in each; texts and findings as read."""

    texts: list[str]
    found: Counter[str] = field(default_factory=Counter)
    read: list[tuple[str, list[Span]]] = field(default_factory=list, repr=False)
    counts: list[Counter[str]] = field(default_factory=list)

    def part(self, start: int, end: int) -> Masked:
        """The same of some of the texts."""
        counts = self.counts[start:end]
        return Masked(self.texts[start:end], sum(counts, Counter()), self.read[start:end], counts)

    def at(self, positions: Sequence[str]) -> dict[str, Counter[str]]:
        """What was found by where it stood; `positions` has one for each text."""
        placed: dict[str, Counter[str]] = {}
        for position, counts in zip(positions, self.counts, strict=True):
            if counts:
                placed.setdefault(position, Counter()).update(counts)
        return placed


class Masking:
    """Finds and replaces personal data.

    Args:
        engine: loaded before use.
        policy: says what happens to an entity, per route and direction.
        timeout: seconds that one analysis may take.
    """

    def __init__(self, engine: PiiEngine, policy: PolicyEngine, *, timeout: float, enabled: bool = True) -> None:
        self.engine = engine
        self.enabled = enabled
        self._policy = policy
        self._timeout = timeout
        self.before = MaskedBefore(lambda: self.revision)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="masking")

    @property
    def revision(self) -> str:
        """What masks here, as records name it; all zeros where masking is switched off (development only)."""
        return self.engine.revision if self.enabled else OFF

    @property
    def policy_revision(self) -> str:
        """The policy that says what is masked for whom."""
        return self._policy.revision

    async def mask(
        self,
        texts: Sequence[Leaf],
        tokens: TokenMap,
        *,
        after: tuple[str, ContentKey | None] = ("", None),
    ) -> Masked:
        """Put `texts` into their strictest view; new tokens are added to `tokens`.

        A label is read with its text and is not masked. Everything found is masked, whatever today's policy shows to
        whom: a view is derived from it when it is needed, under the policy of that day and for that backend. What the
        turn before brought already is not looked at again: `after` names its conversation and has its key.

        Raises:
            PiiUnavailable, TimeoutError: no analysis, no turn.
        """
        wordings = [f"{leaf.label}: {leaf.text}" if leaf.label else leaf.text for leaf in texts]
        known = self.before.known(*after, wordings)
        end = time.monotonic() + self._timeout
        return await self.run(partial(self._masked, texts, wordings, known, tokens, end))

    def _masked(
        self,
        texts: Sequence[Leaf],
        wordings: Sequence[str],
        known: Sequence[list[Span] | None],
        tokens: TokenMap,
        end: float,
    ) -> Masked:
        """The work of `mask`, in a thread; nobody waits for it past `end`, so it stops then."""
        new = iter(self._find([text for text, spans in zip(wordings, known, strict=True) if spans is None]))
        found = [next(new) if spans is None else spans for spans in known]
        result = Masked([], read=list(zip(wordings, found, strict=True)))
        for (text, label), read in zip(texts, found, strict=True):
            if time.monotonic() > end:
                raise PiiUnavailable("masking took too long")
            spans = _behind(read, len(label) + 2) if label else read
            result.counts.append(Counter(span.entity for span in spans))
            result.found.update(result.counts[-1])
            result.texts.append(tokens.mask(text, spans))
        return result

    def shares(
        self, found: Mapping[str, int], route: Route, direction: Direction
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Of what was found, what is masked on its way to that route, and what is let through and counted."""
        actions = {entity: self._policy.masking(entity, route.kind, route.backend, direction) for entity in found}
        masked = {entity: count for entity, count in found.items() if actions[entity] == "mask"}
        return masked, {entity: count for entity, count in found.items() if actions[entity] == "count"}

    def blocks(self, found: Iterable[str], route: Route, direction: Direction) -> bool:
        """Whether the policy refuses one of these entities."""
        return any(self._policy.masking(entity, route.kind, route.backend, direction) == "block" for entity in found)

    async def again(self, recalled: Recalled, tokens: TokenMap) -> Recalled:
        """Recalled messages masked by today's engine: what another one, or none, had let through is masked now."""
        asked = Asked(tuple(said.changed(message, tokens.restore) for message in recalled.messages))
        masked = await self.mask(asked.texts(), tokens)
        return replace(recalled, messages=asked.with_texts(masked.texts).messages)

    async def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, within the time limit."""
        return await self.run(partial(self._find, texts)) if self.enabled else [[] for _ in texts]

    def _find(self, texts: Sequence[str]) -> list[list[Span]]:
        return self.engine.analyze(texts, time_limit=self._timeout) if self.enabled else [[] for _ in texts]

    async def run(self, work: Callable[[], T], size: int = SMALL) -> T:
        """Do something with texts of so many characters: here if it is little, else in a thread with the time limit.

        Raises:
            TextTooLong: it is more than the engine takes.
            TimeoutError: it took too long.
        """
        if size < SMALL:
            return work()
        if size > self.engine.max_chars:
            raise TextTooLong(f"a text is longer than {self.engine.max_chars} characters")
        return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(self._threads, work), self._timeout)

    def view(self, strict: str, tokens: TokenMap, route: Route, direction: Direction = "in") -> str:
        """What a backend on `route` may read of a strictest view: allowed entities are values again."""
        return tokens.view(strict, self.shown(route, direction))

    def shown(self, route: Route, direction: Direction = "in") -> Callable[[str], bool]:
        """Whether an entity goes to `route` in clear; with `out`, from there to the caller who did not supply it."""
        return lambda entity: self._policy.masking(entity, route.kind, route.backend, direction) in {"allow", "count"}

    def outward(self, supplied: Callable[[str], bool], route: Route) -> StreamMasker:
        """Masks what the caller did not supply himself, on its way to him; `supplied` tells which values he did."""
        return StreamMasker(
            self.engine.scanner(),
            known=supplied,
            masks=lambda entity: (
                self.enabled and self._policy.masking(entity, route.kind, route.backend, "out") in {"mask", "block"}
            ),
            counted=lambda entity: self._policy.masking(entity, route.kind, route.backend, "out") == "count",
        )

    def restored_for(self, tool: str) -> Callable[[str], bool]:
        """Which entities are values again in the calls of a tool that the caller runs."""
        return lambda entity: self._policy.restores(tool, entity)

    def screen_outward(self, text: str, masked: Iterable[str], route: Route) -> Decision:
        """May this piece of an answer go out? Not when `outward` met a blocked entity; else the guards say."""
        if self.blocks(masked, route, "out"):
            return Decision(Effect.DENY, ("masking.out.block",), ("policy.entity_blocked",))
        return self._policy.screen("out", [Passage("assistant", text)])

    def load(self) -> None:
        """Load the models; blocking, offline.

        Raises:
            PiiUnavailable: they cannot be had; nothing may start then.
        """
        if self.enabled:
            self.engine.load()

    async def ping(self) -> None:
        """Return when the engine analyses a text."""
        await self.find(["ready"])

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _behind(spans: Sequence[Span], label: int) -> list[Span]:
    """The spans of a text whose label was read before it; what reaches into the label begins with the text."""
    return [replace(span, start=max(0, span.start - label), end=span.end - label) for span in spans if span.end > label]
