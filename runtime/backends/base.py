"""What every backend is: a chat request in, deltas, tool calls and one final event out, a gate before any byte leaves.

This file holds the types and the error, no behaviour. Choosing a backend, deciding whether a caller may use it, and
recording what it was given are left to others. A further backend is one new file that satisfies `ChatBackend`.

The gate is the hinge of "record before effect": `chat` awaits `gate(body)` with exactly the bytes that the transport
will be handed, for every transmission, a retry included. A gate that raises forbids: nothing is sent and its exception
reaches the caller unchanged.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

Kind = Literal["local", "remote"]
Mode = Literal["fast", "reproducible"]
Gate = Callable[[bytes], Awaitable[None]]

ErrorCode = Literal[
    "upstream.timeout",
    "upstream.unreachable",
    "upstream.rate_limited",
    "upstream.rejected",
    "upstream.bad_response",
    "upstream.busy",
    "upstream.context_overflow",
    "upstream.unavailable",
    "upstream.circuit_open",
    "upstream.model_unclear",
]

STATUS: Final[dict[str, int]] = {
    "upstream.timeout": 504,
    "upstream.unreachable": 502,
    "upstream.rate_limited": 503,  # the provider limited us, not the caller: he gets 503 and Retry-After
    "upstream.rejected": 502,
    "upstream.bad_response": 502,
    "upstream.busy": 503,
    "upstream.context_overflow": 422,
    "upstream.unavailable": 503,
    "upstream.circuit_open": 503,
    "upstream.model_unclear": 503,
}
"""The HTTP status with which a door answers each code."""


class BackendError(Exception):
    """A model could not be reached, refused, failed or answered nonsense.

    Attributes:
        code: one of `STATUS`.
        detail: a sentence for the caller, written here: never a provider's words, a prompt, a key or a path.
        retry_after: whole seconds after which trying again may help, or None.
        status: the HTTP status for this code.
        provider_request_id: the provider's reference of what failed, reduced to a safe one, or None.
    """

    def __init__(self, code: ErrorCode, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: ErrorCode = code
        self.detail = detail
        self.retry_after = retry_after
        self.status = STATUS[code]
        self.provider_request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may ask its caller to call.

    Attributes:
        description: what it does, in the caller's words; may be empty.
        parameters: the JSON schema of its arguments, an object's.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Whether the model may (`auto`), must not (`none`) or must (`required`) call, or which tool it must (`named`)."""

    mode: Literal["auto", "none", "required", "named"] = "auto"
    name: str | None = None


ANY_TOOL: Final = ToolChoice()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that a model asks for. `arguments` is the text of a JSON object, as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message as the model shall see it; `role` is system, user, assistant or tool.

    Attributes:
        tool_calls: what the assistant asked for in it.
        tool_call_id: whose result a tool's message is.
    """

    role: str
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How to draw the answer. Decimals are strings, as in records; None leaves the choice to the backend's defaults."""

    max_tokens: int
    temperature: str | None = None
    top_p: str | None = None
    top_k: int | None = None
    seed: int | None = None
    presence_penalty: str | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to one model.

    Attributes:
        messages: what the model reads, oldest first.
        options: sampling and the bound on the answer's length.
        owner: opaque and random; model state is never shared between two owners.
        model: a model name where the backend offers several; None takes its default.
        mode: `reproducible` starts from an empty model state, `fast` may reuse the owner's last prefix.
        json_schema: the answer must be JSON of this schema (compact JSON text); None leaves its form free.
        thinking: whether the model shall think first, where the server can be told; None: as it does by itself.
        tools: what it may ask to be called; a backend that `takes_tools` alone is given any.
        tool_choice: what it may or must do with them; `none` comes with no tools.
    """

    messages: tuple[ChatMessage, ...]
    options: SamplingOptions
    owner: str
    model: str | None = None
    mode: Mode = "fast"
    json_schema: str | None = None
    thinking: bool | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ANY_TOOL


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer: never empty, always whole characters."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of what the model said to itself, which is no part of the answer; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A source that the provider names: a title (may be empty) and an http or https URL, both checked and capped."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Finished:
    """How the answer ended; exactly one, always last.

    Attributes:
        finish_reason: stop, length, content_filter, tool_calls or other.
        prompt_tokens: tokens read.
        completion_tokens: tokens written.
        response_model: the model's own name as it reported it, reduced to a safe identifier.
        provider_request_id: the provider's reference, likewise, or None.
        seed: the seed that was used, where the backend knows it.
        cached_prompt_tokens: how many of `prompt_tokens` were taken from the owner's last state.
        usage_estimated: the provider reported no usage and the counts are ours (four characters a token).
        reasoning_tokens: tokens of reasoning as the provider counts them; None when it does not say.
        citation_tokens: tokens of sources, where the provider bills them.
        search_queries: searches made, where the provider bills them.
        citations: the sources that it names.
    """

    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    response_model: str
    provider_request_id: str | None = None
    seed: int | None = None
    cached_prompt_tokens: int = 0
    usage_estimated: bool = False
    reasoning_tokens: int | None = None
    citation_tokens: int = 0
    search_queries: int = 0
    citations: tuple[Citation, ...] = ()


ChatEvent = TextDelta | ReasoningDelta | ToolCall | Finished


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Which model a record names: provider, requested model, hash of the weights and build, where they are ours."""

    provider: str
    request_model: str
    weights_sha256: str | None = None
    build: str | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds allowed to connect, from handing over the request to the first token, and for the whole call.

    The clock of the last two starts when the gate has let the request pass: a slow log is not a slow provider.
    """

    connect: float = 5.0
    first_token: float = 60.0
    total: float = 300.0


class ChatBackend(Protocol):
    """A way to reach a model.

    Attributes:
        name: how settings, policies and metrics call it.
        kind: whether prompts stay on this machine.
    """

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> Kind: ...

    def describe(self) -> ModelFacts:
        """What a record says about the model; complete at the latest when the gate is called."""
        ...

    def chat(self, request: ChatRequest, gate: Gate) -> AsyncGenerator[ChatEvent, None]:
        """Ask the model; yields deltas, then one `Finished`. Closing the iterator stops the work upstream.

        Raises:
            BackendError: while iterating, for every failure upstream.
            Exception: whatever `gate` raised, unchanged.
        """
        ...

    async def health(self) -> None:
        """Return when the model can be asked.

        Raises:
            BackendError: it cannot.
        """
        ...

    async def aclose(self) -> None:
        """Release connections; calls after this fail."""
        ...


FINISH_REASONS: Final = frozenset({"stop", "length", "content_filter", "tool_calls"})
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}")
_REFERENCE: Final = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9][A-Za-z0-9._-]{0,95}")


def safe_finish_reason(value: object) -> str:
    """`value` if it is one of the known reasons, else `other`: a provider's free words do not travel on."""
    return value if isinstance(value, str) and value in FINISH_REASONS else "other"


def safe_identifier(value: object) -> str | None:
    """`value` if it looks like a name or reference (at most 128 of `A-Za-z0-9._:/+-`), else None.

    Names given by a provider end in records and headers, so they may carry no text.
    """
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else None


def safe_reference(value: object) -> str | None:
    """`value` if it looks like a reference of a request (at most 96 of `A-Za-z0-9._-`, a digit among them), else None.

    Stricter than `safe_identifier`: a word or a name without a digit is no reference.
    """
    return value if isinstance(value, str) and _REFERENCE.fullmatch(value) else None
