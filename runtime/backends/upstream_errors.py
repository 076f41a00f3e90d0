"""Every way in which a remote request fails, as one of our codes. Nothing of what the provider said is repeated.

A provider's error may quote the prompt, an SDK's exception holds the request: both are read here to choose a code, and
dropped. `Failure.retriable` says whether the same bytes may be sent again; whether they are is decided by `retry`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx2
import openai

from runtime.backends.base import BackendError
from runtime.backends.gated_transport import ResponseTooLargeError
from runtime.backends.retry import parse_retry_after
from runtime.backends.streamed_answer import request_id

_OVERFLOW: Final = re.compile(
    r"context[ _](length|size|window)|maximum context|too many tokens|prompt is too long", re.IGNORECASE
)
_OVERFLOW_DETAIL: Final = "the messages exceed the context of the provider's model"


@dataclass(frozen=True, slots=True)
class Failure:
    """What to tell the caller, and whether nothing has happened yet that a repetition would do twice."""

    error: BackendError
    retriable: bool = False


def failure_of(error: Exception, *, answering: bool) -> Failure:
    """Name a failure. `answering`: the provider had begun its answer (a success status had arrived)."""
    failure = _named(error, answering=answering)
    if isinstance(error, openai.APIStatusError):
        failure.error.provider_request_id = request_id(error.response.headers)
    return failure


def _named(error: Exception, *, answering: bool) -> Failure:
    match error:
        case BackendError():
            return Failure(error)
        case openai.APITimeoutError():
            return _transport(error.__cause__, answering=answering)
        case openai.APIConnectionError():
            return _transport(error.__cause__, answering=answering)
        case openai.APIStatusError():
            return _status(error)
        case openai.APIError():  # an error event in the stream
            if _is_overflow(error):
                return Failure(BackendError("upstream.context_overflow", _OVERFLOW_DETAIL))
            return Failure(BackendError("upstream.bad_response", "the provider ended its answer with an error"))
        case TimeoutError():
            return Failure(BackendError("upstream.timeout", "the provider did not answer in time"))
        case ResponseTooLargeError():
            return Failure(BackendError("upstream.bad_response", "the provider's answer is too large or compressed"))
        case _:  # what its bytes did to a parser
            return Failure(BackendError("upstream.bad_response", "the provider's answer cannot be read"))


def _transport(cause: BaseException | None, *, answering: bool) -> Failure:
    match cause:
        case httpx2.PoolTimeout():
            return Failure(BackendError("upstream.busy", "all connections to the provider are in use", retry_after=1))
        case httpx2.ConnectTimeout():
            return Failure(BackendError("upstream.timeout", "the provider cannot be reached in time"), retriable=True)
        case httpx2.TimeoutException():
            return Failure(BackendError("upstream.timeout", "the provider did not answer in time"))
        case httpx2.ConnectError():
            return Failure(BackendError("upstream.unreachable", "the provider cannot be reached"), retriable=True)
        case _ if answering:
            return Failure(BackendError("upstream.bad_response", "the provider's answer broke off"))
        case _:
            return Failure(BackendError("upstream.unreachable", "the connection to the provider broke"))


def _status(error: openai.APIStatusError) -> Failure:
    status = error.status_code
    retry_after = parse_retry_after(error.response.headers.get("retry-after"), datetime.now(UTC))
    if status == 429:
        wait = 1 if retry_after is None else retry_after
        limited = BackendError("upstream.rate_limited", "the provider limits our requests", retry_after=wait)
        return Failure(limited, retriable=True)
    if status in {503, 529}:
        detail = "the provider is not available"
        return Failure(BackendError("upstream.unavailable", detail, retry_after=retry_after), retriable=True)
    if status >= 500:
        detail = f"the provider failed (HTTP {status})"
        return Failure(BackendError("upstream.bad_response", detail, retry_after=retry_after))
    if status in {400, 413, 422} and _is_overflow(error):
        return Failure(BackendError("upstream.context_overflow", _OVERFLOW_DETAIL))
    if status in {401, 403}:
        return Failure(BackendError("upstream.rejected", f"the provider refuses our key (HTTP {status})"))
    if status == 404:
        detail = "the provider knows no such model or address (HTTP 404)"
        return Failure(BackendError("upstream.rejected", detail))
    if 400 <= status < 500:
        return Failure(BackendError("upstream.rejected", f"the provider refused the request (HTTP {status})"))
    return Failure(BackendError("upstream.bad_response", f"the provider answered with HTTP {status}"))


def _is_overflow(error: openai.APIError) -> bool:
    """Servers agree on no code for it: vLLM writes a sentence, others `context_length_exceeded`."""
    body = error.body if isinstance(error.body, dict) else {}
    words = (error.code, body.get("code"), body.get("type"), body.get("message"))
    return any(isinstance(word, str) and _OVERFLOW.search(word[:500]) for word in words)
