"""What each provider documents of itself: what it accepts, what it refuses and in which words, how it answers.

Strict: a field, a value or an order of messages that the provider's documentation does not have is refused here, even
where the real server would let it pass in silence, so that nothing is sent that means nothing. `FakeProvider` takes one
of these; faults beyond them are its modes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

Json = dict[str, Any]

REASONING = ("The capital ", "is asked for.")
ANSWER = ("Ottawa", " is the capital", " of Canada [1].")
SOURCES = (
    {"title": "Ottawa - an encyclopedia", "url": "https://encyclopedia.example.org/Ottawa", "date": "2026-01-02"},
    {"title": "Canada <b>in</b> brief", "url": "https://canada.example.org/brief?lang=en", "date": None},
)


def number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def boolean(value: Any) -> bool:
    return isinstance(value, bool)


def usage_options(value: Any) -> bool:
    return value == {"include_usage": True}


def schema(value: Any) -> bool:
    inner = value.get("json_schema") if isinstance(value, dict) and value.get("type") == "json_schema" else None
    return (
        isinstance(inner, dict) and inner.keys() <= {"name", "schema", "strict"} and isinstance(inner["schema"], dict)
    )


def tools(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_function(tool) for tool in value)


def _function(tool: Any) -> bool:
    known = isinstance(tool, dict) and tool.keys() == {"type", "function"} and tool["type"] == "function"
    return known and tool["function"].keys() == {"name", "description", "parameters"}


def choice_words(value: Any) -> bool:
    return value in ("auto", "none", "required")


def choice(value: Any) -> bool:
    if isinstance(value, dict):
        return value.keys() == {"type", "function"} and value["function"].keys() == {"name"}
    return choice_words(value)


COMMON: dict[str, Callable[[Any], bool]] = {
    "model": lambda value: isinstance(value, str),
    "messages": lambda value: isinstance(value, list) and bool(value),
    "max_tokens": whole(1, 1_000_000),
    "stream": boolean,
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "presence_penalty": number(-2, 2),
    "response_format": schema,
}
OPENAI = {**COMMON, "seed": whole(0, 2**63), "stream_options": usage_options, "tools": tools}


def template_kwargs(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"enable_thinking"} and boolean(value["enable_thinking"])


TEMPLATED = {**OPENAI, "chat_template_kwargs": template_kwargs, "tool_choice": choice}


@dataclass
class Dialect:
    """One provider.

    Attributes:
        root: what the base URL ends with.
        fields: the fields it accepts, each with a test of its value.
        models: what it serves.
        key: the bearer token it wants; None: none.
        build: the version that it names.
        thinks: its answers are preceded by reasoning.
        loading: it is there, and not ready.
        listed: the names under which it lists its models, where these differ.
    """

    name: str
    root: str = "/v1"
    fields: dict[str, Callable[[Any], bool]] = field(default_factory=lambda: OPENAI)
    models: tuple[str, ...] = ("model-1",)
    key: str | None = None
    build: str = "1.2.3"
    thinks: bool = False
    loading: bool = False
    answer: tuple[str, ...] = ANSWER
    listed: tuple[str, ...] | None = None
    sources: tuple[Json, ...] = SOURCES
    called: str = "tool_calls"

    def get(self, path: str) -> tuple[int, Json | None]:
        """Status and body of a GET."""
        if path == f"{self.root}/models":
            return 200, {
                "object": "list",
                "data": [{"id": name, "object": "model"} for name in self.listed or self.models],
            }
        return 404, {"error": {"message": "not found", "type": "not_found_error", "code": 404}}

    def refusal(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes, str] | None:
        """Status, body and content type with which a chat request is refused; None when it is a good one."""
        if self.key is not None and headers.get("authorization") != f"Bearer {self.key}":
            return self.unauthorized()
        if path != f"{self.root}/chat/completions":
            return 404, b'{"detail":"Not Found"}', "application/json"
        asked = json.loads(body)
        if not self.knows(asked.get("model")):
            return self.error(*self.unknown_model(asked.get("model")))
        wrong = [key for key, value in asked.items() if key not in self.fields or not self.fields[key](value)]
        if wrong:
            return self.error(400, f"Extra inputs or values are not permitted: {wrong[0]}", "invalid_request_error")
        if not all(self.message(message) for message in asked["messages"]):
            return self.error(400, "messages: unknown members", "invalid_request_error")
        return self.order(asked["messages"])

    def message(self, message: Json) -> bool:
        """Whether its members are those of its role."""
        further = {"assistant": {"tool_calls"}, "tool": {"tool_call_id"}}.get(message.get("role", ""), set())
        needed = {"role", "content"} | ({"tool_call_id"} if message.get("role") == "tool" else set())
        return needed <= message.keys() <= {"role", "content"} | further

    def knows(self, model: object) -> bool:
        """Whether it answers when asked for this model."""
        return model in self.models

    def order(self, messages: list[Json]) -> tuple[int, bytes, str] | None:
        """What is wrong with the messages as a whole."""
        return None

    def unauthorized(self) -> tuple[int, bytes, str]:
        return self.error(401, "Incorrect API key provided", "invalid_request_error")

    def unknown_model(self, model: object) -> tuple[int, str, str]:
        return 404, f"The model `{model}` does not exist.", "NotFoundError"

    def error(self, status: int, message: str, kind: str) -> tuple[int, bytes, str]:
        body = {"error": {"message": message, "type": kind, "param": None, "code": status}}
        return status, json.dumps(body).encode(), "application/json"

    def events(self, asked: Json) -> list[bytes]:
        """A good answer as the bytes of its events."""
        chunks = [self.chunk({"role": "assistant", "content": ""})]
        if self.thinks:
            chunks += [self.chunk(self.thought(text)) for text in REASONING]
        if "tools" in asked:
            chunks += [self.chunk({"tool_calls": [delta]}) for delta in self.calls(asked["tools"][0]["function"])]
            chunks.append(self.chunk({}, self.called))
        else:
            chunks += [self.chunk({"content": text}) for text in self.said(asked)]
            chunks.append(self.chunk({}, "stop"))
        if asked.get("stream_options"):
            chunks.append({**self.chunk({}), "choices": [], "usage": self.usage()})
        return [*(sse(chunk) for chunk in self.finish(chunks, asked)), b"data: [DONE]\n\n"]

    def finish(self, chunks: list[Json], _asked: Json) -> list[Json]:
        """What is particular about the chunks of an answer as a whole."""
        return chunks

    def said(self, asked: Json) -> tuple[str, ...]:
        """The answer's pieces; JSON of the asked form where a schema is given."""
        return ('{"capital": ', '"Ottawa"}') if "response_format" in asked else self.answer

    def calls(self, function: Json) -> list[Json]:
        """A call of a tool in pieces, every text of its parameters the name of a city."""
        given = json.dumps(dict.fromkeys(function["parameters"].get("required", ()), "Montréal"))
        first = {"index": 0, "id": "chatcmpl-tool-1", "type": "function"}
        pieces = [{"index": 0, "function": {"arguments": given[at : at + 3]}} for at in range(0, len(given), 3)]
        return [{**first, "function": {"name": function["name"], "arguments": ""}}, *pieces]

    def thought(self, text: str) -> Json:
        return {"reasoning_content": text}

    def usage(self) -> Json:
        return {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}

    def chunk(self, delta: Json, finish: str | None = None) -> Json:
        return {
            "id": "chatcmpl-7f3a",
            "object": "chat.completion.chunk",
            "created": 1_760_000_000,
            "model": self.models[0],
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }


@dataclass
class Vllm(Dialect):
    """https://docs.vllm.ai: reasoning in its own member (called `reasoning` since 0.11), usage in a last chunk."""

    name: str = "vllm"
    fields: dict[str, Callable[[Any], bool]] = field(default_factory=lambda: {**TEMPLATED, "top_k": whole(-1, 10**6)})
    models: tuple[str, ...] = ("qwen3-14b",)
    build: str = "0.11.2"
    member: str = "reasoning_content"

    def get(self, path: str) -> tuple[int, Json | None]:
        return {"/health": (200, None), "/version": (200, {"version": self.build})}.get(path) or super().get(path)

    def thought(self, text: str) -> Json:
        return {self.member: text}


@dataclass
class Ollama(Dialect):
    """https://github.com/ollama/ollama/blob/main/docs/openai.md: no top_k here, tags instead of models."""

    name: str = "ollama"
    models: tuple[str, ...] = ("qwen3:4b",)
    build: str = "0.13.1"

    def get(self, path: str) -> tuple[int, Json | None]:
        if path == "/api/tags":
            return 200, {"models": [{"name": name, "model": name, "size": 2_600_000_000} for name in self.models]}
        return (200, {"version": self.build}) if path == "/api/version" else super().get(path)

    def unknown_model(self, model: object) -> tuple[int, str, str]:
        return 404, f'model "{model}" not found, try pulling it first', "api_error"

    def thought(self, text: str) -> Json:
        return {"content": "", "reasoning": text}

    def calls(self, function: Json) -> list[Json]:
        """Whole, and without an index."""
        first, *pieces = super().calls(function)
        first["function"]["arguments"] = "".join(piece["function"]["arguments"] for piece in pieces)
        return [{key: value for key, value in first.items() if key != "index"}]


@dataclass
class LlamaServer(Dialect):
    """https://github.com/ggml-org/llama.cpp/tree/master/tools/server: 503 while the model loads; timings at the end.

    It answers to any name of a model and says that name back; its list has the file's path or an alias, and `aliases`.
    A prompt is counted at four characters a token here, as `context` is.
    """

    name: str = "llama_server"
    fields: dict[str, Callable[[Any], bool]] = field(
        default_factory=lambda: {
            **TEMPLATED,
            "top_k": whole(0, 10**6),
            "min_p": number(0, 1),
            "tool_choice": choice_words,
        }
    )
    models: tuple[str, ...] = ("smollm2.gguf",)
    build: str = "b7000-0a1b2c3d"
    context: int = 4096
    aliases: tuple[str, ...] = ()

    def get(self, path: str) -> tuple[int, Json | None]:
        if self.loading:
            return 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
        if path == "/health":
            return 200, {"status": "ok"}
        if path == "/props":
            settings = {"n_ctx": self.context}
            return 200, {"default_generation_settings": settings, "total_slots": 1, "build_info": self.build}
        if path == "/v1/models":
            names = self.listed or self.models
            listed = [{"id": name, "aliases": [name, *self.aliases], "object": "model"} for name in names]
            return 200, {"models": [{"name": name, "model": name} for name in names], "object": "list", "data": listed}
        return 404, {"error": {"message": "File Not Found", "type": "not_found_error", "code": 404}}

    def knows(self, model: object) -> bool:
        return isinstance(model, str)

    def unauthorized(self) -> tuple[int, bytes, str]:
        return self.error(401, "Invalid API Key", "authentication_error")

    def order(self, messages: list[Json]) -> tuple[int, bytes, str] | None:
        tokens = sum(len(message["content"] or "") for message in messages) // 4
        if tokens < self.context:
            return None
        text = (
            f"request ({tokens} tokens) exceeds the available context size ({self.context} tokens), try increasing it"
        )
        return self.error(400, text, "exceed_context_size_error", n_prompt_tokens=tokens, n_ctx=self.context)

    def error(self, status: int, message: str, kind: str, **more: int) -> tuple[int, bytes, str]:
        body = {"error": {"code": status, "message": message, "type": kind, **more}}
        return status, json.dumps(body).encode(), "application/json; charset=utf-8"

    def chunk(self, delta: Json, finish: str | None = None) -> Json:
        return super().chunk({**delta, "content": delta.get("content") or None} if "role" in delta else delta, finish)

    def finish(self, chunks: list[Json], asked: Json) -> list[Json]:
        timings = {"cache_n": 0, "prompt_n": 20, "predicted_n": 10, "predicted_per_second": 60.1}
        return [{**each, "model": asked["model"]} for each in (*chunks[:-1], {**chunks[-1], "timings": timings})]

    def usage(self) -> Json:
        return {**super().usage(), "prompt_tokens_details": {"cached_tokens": 0}}


@dataclass
class Perplexity(Dialect):
    """https://docs.perplexity.ai/api-reference/chat-completions-post.

    No seed and no stream_options; after system messages, user and assistant take turns and the user is last. Each chunk
    repeats the whole message so far, the sources and the usage; lines end with CR LF, and there is no [DONE].
    """

    name: str = "perplexity"
    root: str = ""
    fields: dict[str, Callable[[Any], bool]] = field(
        default_factory=lambda: {**COMMON, "top_k": whole(0, 2048), "temperature": number(0, 1.9999)}
    )
    models: tuple[str, ...] = ("sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research")
    key: str | None = "pplx-of-a-test-0123456789"

    def get(self, path: str) -> tuple[int, Json | None]:
        return 404, None

    def unauthorized(self) -> tuple[int, bytes, str]:
        page = b"<html><head><title>401 Authorization Required</title></head><body>openresty</body></html>"
        return 401, page, "text/html"

    def unknown_model(self, model: object) -> tuple[int, str, str]:
        return 400, f"Invalid model '{model}'. Permitted models can be found in the documentation.", "invalid_model"

    def order(self, messages: list[Json]) -> tuple[int, bytes, str] | None:
        roles = [message["role"] for message in messages]
        talk = roles[next((at for at, role in enumerate(roles) if role != "system"), len(roles)) :]
        if not talk or talk[-1] != "user" or "system" in talk or any(a == b for a, b in pairwise(talk)):
            text = "After the (optional) system message(s), user and assistant roles should be alternating."
            return self.error(400, text, "invalid_message")
        return None

    def events(self, asked: Json) -> list[bytes]:
        marked = ("<think>", *REASONING, "</think>\n\n") if self.thinks else ()
        pieces = [*marked, *self.said(asked)]
        made = []
        for at, (text, so_far) in enumerate(zip(pieces, accumulate(pieces), strict=True)):
            chunk = self.chunk({"role": "assistant", "content": text}, "stop" if at == len(pieces) - 1 else None)
            chunk["choices"][0]["message"] = {"role": "assistant", "content": so_far}
            chunk |= {
                "usage": self.usage(),
                "citations": [source["url"] for source in self.sources],
                "search_results": list(self.sources),
            }
            made.append(sse(chunk, b"\r\n"))
        return made

    def usage(self) -> Json:
        cost = {"input_tokens_cost": 2e-05, "output_tokens_cost": 1e-05, "request_cost": 0.005, "total_cost": 0.00503}
        return {**super().usage(), "search_context_size": "low", "cost": cost}


def sse(data: Json, newline: bytes = b"\n") -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + newline * 2
