"""Puts a streamed chat completion together, whatever oddities its chunks have. Pure: chunks in, text and an ending out.

Servers differ: chunks without choices, with a role and no text, with usage in each or only in the last, with `null`
where a text belongs. Chunks come from the SDK unvalidated, so nothing about them is taken for granted here.
"""

from __future__ import annotations

from typing import Final

from runtime.backends.base import BackendError, Finished, safe_finish_reason, safe_identifier

_CHARS_PER_TOKEN: Final = 4


class StreamedAnswer:
    """One answer in the making.

    Args:
        model: the model asked for, reported if the provider names none.
        request_id: the provider's reference from its headers, if any.
    """

    def __init__(self, model: str, request_id: str | None) -> None:
        self._model = model
        self._request_id = safe_identifier(request_id)
        self._response_model: str | None = None
        self._finish: str | None = None
        self._usage: tuple[int, int] | None = None
        self._chars = 0

    def take(self, chunk: object) -> str:
        """Learn from a chunk; returns the text it adds, often none."""
        self._request_id = self._request_id or safe_identifier(getattr(chunk, "id", None))
        self._response_model = safe_identifier(getattr(chunk, "model", None)) or self._response_model
        usage = getattr(chunk, "usage", None)
        prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        if prompt is not None and completion is not None:
            self._usage = prompt, completion
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list) or not choices:
            return ""
        choice = choices[0]
        if (reason := getattr(choice, "finish_reason", None)) is not None:
            self._finish = safe_finish_reason(reason)
        text = getattr(getattr(choice, "delta", None), "content", None)
        if not isinstance(text, str):
            return ""
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # pairs joined, lone halves replaced
        self._chars += len(text)
        return text

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
        )


def _count(usage: object, key: str) -> int | None:
    value = getattr(usage, key, None)
    return value if type(value) is int and 0 <= value < 2**53 else None
