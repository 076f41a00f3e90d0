"""What a model gave beside its text, on its way to the caller: citations, tool calls, reasoning where policy keeps it.

All are masked, guarded and restored like the answer itself (`outward`), but whole, at its end. A citation that the
guards refuse is left out; an address that holds personal data is reduced to its site. Reasoning that the guards refuse
ends the turn as an answer would. What is not kept is forgotten here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from memory.recall import decode_messages, encode_messages
from policies.model import Decision, Effect
from runtime import said
from runtime.backends.base import Citation
from runtime.backends.citations import site_of
from runtime.exchange import Extras
from runtime.json_leaves import Leaf
from runtime.masking import Masking, Route
from runtime.redaction.stream import StreamRestorer, redact
from runtime.redaction.tokens import TokenMap
from runtime.tool_use import ToolsOut
from runtime.turn_state import Turn

MOST_REASONING = 20_000
"""Characters of reasoning that are kept at most."""


class ExtrasOut:
    """The way out for one turn's extras.

    Attributes:
        masked, passed: what was masked, or only counted, by its place (entity: count).
    """

    def __init__(self, masking: Masking, tokens: TokenMap, route: Route, supplied: Callable[[str], bool]) -> None:
        self._masking = masking
        self._supplied = supplied
        self._tokens = tokens
        self._route = route
        self.masked: dict[str, Counter[str]] = {"calls": Counter(), "reasoning": Counter(), "citations": Counter()}
        self.passed: dict[str, Counter[str]] = {place: Counter() for place in self.masked}

    def release(self, turn: Turn, refuse: Callable[[Decision], None]) -> Extras:
        """What may go out of what a turn was given; `refuse` is called when the guards refuse the reasoning."""
        citations = () if turn.finished is None else turn.finished.citations
        turn.masked_beside, turn.passed_beside = self.masked, self.passed
        kept = self._out("".join(turn.reasoning)[:MOST_REASONING], "reasoning")
        if kept and (decision := self._screen(kept, self.masked["reasoning"])).effect is not Effect.ALLOW:
            refuse(decision)
        found = [pair for pair in map(self._citation, citations) if pair is not None]
        if found and self._screen("\n".join(title for title, _ in found)).effect is not Effect.ALLOW:
            found = [pair for pair in found if self._screen(pair[0]).effect is Effect.ALLOW]
        calls = ToolsOut(self._masking, self._tokens, self._route, self._supplied)
        self.masked["calls"], self.passed["calls"] = calls.masked, calls.passed
        tool_calls = calls.release(turn.calls, turn.request.tools, turn.request.tool_choice, refuse)
        return Extras(
            tool_calls=tool_calls,
            citations=tuple({"title": title, "url": url} for title, url in found),
            reasoning=kept,
            citations_dropped=len(citations) - len(found),
        )

    def _citation(self, citation: Citation) -> tuple[str, str] | None:
        """A source as it may go out; one in which the policy blocks what was found stays here."""
        masked = Counter(self.masked["citations"])
        url = citation.url
        if self._mask(url, "citations") != url:
            url = site_of(url)
            if self._mask(url, "citations") != url:
                return None
        title = self._out(citation.title, "citations")
        if self._screen("", self.masked["citations"] - masked).effect is not Effect.ALLOW:
            return None
        return title, url

    def _screen(self, text: str, masked: Iterable[str] = ()) -> Decision:
        return self._masking.screen_outward(text, masked, self._route)

    def _mask(self, text: str, place: str) -> str:
        masker = self._masking.outward(self._supplied, self._route)
        shown = redact(text, masker)
        self.masked[place].update(masker.counts)
        self.passed[place].update(masker.passed)
        return shown

    def _out(self, text: str, place: str) -> str:
        if not text:
            return ""
        restorer = StreamRestorer(self._tokens)
        return restorer.feed(self._mask(text, place)) + restorer.flush()


def texts_of(extras: Extras) -> list[Leaf]:
    """Every text in them, to be put into its strictest view; `sealed_form` takes them back in this order."""
    flat = [Leaf(text) for citation in extras.citations for text in (citation["title"], citation["url"])]
    if extras.tool_calls:
        flat += said.texts(said.of_model(extras.tool_calls))
    return [*flat, Leaf(extras.reasoning)] if extras.reasoning else flat


def sealed_form(extras: Extras, strict: Sequence[str]) -> dict[str, bytes]:
    """What is stored of them, by the names under which records know it."""
    stored: dict[str, bytes] = {}
    if extras.citations:
        pairs = [list(strict[at : at + 2]) for at in range(0, 2 * len(extras.citations), 2)]
        stored["citations"] = json.dumps(pairs, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if extras.tool_calls:
        start = 2 * len(extras.citations)
        stored["tool_calls"] = encode_messages([said.sealed(said.of_model(extras.tool_calls), strict[start:])])
    if extras.reasoning:
        stored["reasoning"] = strict[-1].encode("utf-8", "surrogatepass")
    return stored


def restored(parts: Mapping[str, bytes], tokens: TokenMap) -> Extras:
    """Extras as they were released, from their stored form."""
    pairs = json.loads(parts["citations"]) if "citations" in parts else []
    calls = decode_messages(parts["tool_calls"])[-1] if "tool_calls" in parts else None
    return Extras(
        tool_calls=() if calls is None else said.calls_of(said.unsealed(calls, tokens.restore)),
        citations=tuple({"title": tokens.restore(title), "url": tokens.restore(url)} for title, url in pairs),
        reasoning=tokens.restore(parts.get("reasoning", b"").decode("utf-8", "surrogatepass")),
    )
