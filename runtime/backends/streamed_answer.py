"""Puts a streamed chat completion together, whatever oddities its chunks have. Pure: chunks in, an answer out.

Servers differ: chunks without choices, with a role and no text, with usage in each or only in the last, with `null`
where a text belongs; tool calls in pieces, with or without an index; reasoning in `reasoning_content` or `reasoning`;
sources in any chunk. Chunks come from the SDK unvalidated, so nothing about them is taken for granted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.backends.base import (
    BackendError,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    safe_finish_reason,
    safe_identifier,
    safe_reference,
)
from runtime.backends.citations import read_citations

_CHARS_PER_TOKEN: Final = 4
_MOST_CALLS: Final = 64
_REFERENCES: Final = ("x-request-id", "request-id", "x-amzn-requestid", "cf-ray")


class StreamedAnswer:
    """One answer in the making.

    Args:
        model: the model asked for, reported if the provider names none.
        headers: of the answer; its reference is looked for there first.
    """

    def __init__(self, model: str, headers: Mapping[str, str]) -> None:
        self._model = model
        self._request_id = request_id(headers)
        self._response_model: str | None = None
        self._finish: str | None = None
        self._usage: tuple[int, int] | None = None
        self._reasoning_tokens: int | None = None
        self._cached_tokens = 0
        self._citation_tokens = 0
        self._search_queries = 0
        self._sources: tuple[object, object] = (None, None)
        self._calls: dict[int, list[str]] = {}
        self._chars = 0

    def take(self, chunk: object) -> list[TextDelta | ReasoningDelta]:
        """Learn from a chunk; returns what it adds, often nothing."""
        self._request_id = self._request_id or safe_reference(_get(chunk, "id"))
        self._response_model = safe_identifier(_get(chunk, "model")) or self._response_model
        self._take_usage(_get(chunk, "usage"))
        sources = _get(chunk, "search_results"), _get(chunk, "citations")
        self._sources = sources if any(sources) else self._sources  # some repeat them in every chunk: read at the end
        choices = _get(chunk, "choices")
        if not isinstance(choices, list) or not choices:
            return []
        choice = choices[0]
        if (reason := _get(choice, "finish_reason")) is not None:
            self._finish = safe_finish_reason(reason)
        delta = _get(choice, "delta")
        reasoning = _text(_get(delta, "reasoning_content")) or _text(_get(delta, "reasoning"))
        text = _text(_get(delta, "content"))
        self._chars += len(text) + len(reasoning) + self._take_calls(_get(delta, "tool_calls"))
        parts: list[TextDelta | ReasoningDelta] = [ReasoningDelta(reasoning)] if reasoning else []
        return [*parts, TextDelta(text)] if text else parts

    def calls(self) -> list[ToolCall]:
        """The tool calls of the answer, in order; whole, once the stream is over."""
        made = [self._calls[index] for index in sorted(self._calls)]
        return [ToolCall("", name, arguments or "{}") for name, arguments in made]

    def finished(self, *, prompt_chars: int) -> Finished:
        """The ending, once the stream is over. `prompt_chars` serves to estimate what was not reported.

        Raises:
            BackendError: `upstream.bad_response`, the provider never said that it had finished.
        """
        if self._finish is None:
            raise BackendError("upstream.bad_response", "the provider's answer broke off")
        estimate = -(-prompt_chars // _CHARS_PER_TOKEN), -(-self._chars // _CHARS_PER_TOKEN)
        prompt_tokens, completion_tokens = self._usage or estimate
        return Finished(
            finish_reason=self._finish,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            response_model=self._response_model or safe_identifier(self._model) or "unnamed",
            provider_request_id=self._request_id,
            usage_estimated=self._usage is None,
            cached_prompt_tokens=self._cached_tokens,
            reasoning_tokens=self._reasoning_tokens,
            citation_tokens=self._citation_tokens,
            search_queries=self._search_queries,
            citations=read_citations(*self._sources),
        )

    def _take_calls(self, deltas: object) -> int:
        """Put pieces of calls where they belong; how many characters they brought.

        Raises:
            BackendError: `upstream.bad_response`, more calls than any answer has.
        """
        taken = 0
        for place, delta in enumerate(deltas if isinstance(deltas, list) else []):
            index = _count(delta, "index")
            call = self._calls.setdefault(place if index is None else index, ["", ""])
            if len(self._calls) > _MOST_CALLS:
                raise BackendError("upstream.bad_response", "the provider's answer asks for too many tool calls")
            function = _get(delta, "function")
            name, arguments = _text(_get(function, "name")), _text(_get(function, "arguments"))
            call[0] = call[0] or name  # sent once by most, repeated by some
            call[1] += arguments
            taken += len(name) + len(arguments)
        return taken

    def _take_usage(self, usage: object) -> None:
        prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        if prompt is not None and completion is not None:
            self._usage = prompt, completion
        cached = _count(_get(usage, "prompt_tokens_details"), "cached_tokens")
        self._cached_tokens = self._cached_tokens if cached is None else cached
        details = _get(usage, "completion_tokens_details")
        for reported in (_count(details, "reasoning_tokens"), _count(usage, "reasoning_tokens")):
            self._reasoning_tokens = self._reasoning_tokens if reported is None else reported
        self._citation_tokens = _count(usage, "citation_tokens") or self._citation_tokens
        self._search_queries = _count(usage, "num_search_queries") or self._search_queries


def request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's reference of a request, from its answer's headers, if it is a safe one."""
    found = (safe_reference(headers.get(name)) for name in _REFERENCES)
    return next((value for value in found if value is not None), None)


def _get(value: object, name: str) -> Any:
    """A member of what the SDK made of a chunk: an object of its own, or the bare JSON of fields it does not know."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # pairs joined, lone halves replaced


def _count(usage: object, key: str) -> int | None:
    value = _get(usage, key)
    return value if type(value) is int and 0 <= value < 2**53 else None
