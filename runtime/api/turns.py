"""What all doors to a turn share: sampling options, the Idempotency-Key, and the response with its metrics."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StringConstraints

from runtime.api.access import services
from runtime.api.sse import TurnResponse
from runtime.errors import FilAgentError, Invalid
from runtime.exchange import Answer, Options, Release, TurnRequest
from runtime.json_output import ANY_OBJECT, SchemaRefused, check_schema

IDEMPOTENCY_KEY = r"^[\x21-\x7e]{1,255}$"

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
Text = Annotated[str, StringConstraints(strict=True, min_length=1)]
Temperature = Annotated[StrictFloat, Field(ge=0, le=2)]
MaxTokens = Annotated[StrictInt, Field(ge=1, le=32768)]
Seed = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]


class StrictModel(BaseModel):
    """A request body: what is not named is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ChatOptions(StrictModel):
    """How the answer is drawn; what is left out is the configured default."""

    temperature: Temperature | None = None
    top_p: Annotated[StrictFloat, Field(gt=0, le=1)] | None = None
    top_k: Annotated[StrictInt, Field(ge=0, le=1000)] | None = None
    max_tokens: MaxTokens | None = None
    seed: Seed | None = None
    presence_penalty: Annotated[StrictFloat, Field(ge=-2, le=2)] | None = None
    thinking: StrictBool | None = None

    def as_options(self) -> Options:
        return Options(
            temperature=decimal_text(self.temperature),
            top_p=decimal_text(self.top_p),
            top_k=self.top_k,
            max_tokens=self.max_tokens,
            seed=self.seed,
            presence_penalty=decimal_text(self.presence_penalty),
            thinking=self.thinking,
        )


class JsonSchema(StrictModel):
    """As OpenAI has it; only `schema` counts."""

    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    name: Identifier | None = None
    strict: StrictBool | None = None
    description: str | None = None


class ResponseFormat(StrictModel):
    """That the answer must be JSON: any object, or of a schema (docs/backends.md)."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    def as_schema(self) -> Mapping[str, Any] | None:
        """The schema that the answer must keep to.

        Raises:
            Invalid: `request.schema_unsupported`, `request.invalid`.
        """
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise Invalid("request.invalid", "response_format: json_schema goes with the type json_schema")
        if self.type == "text":
            return None
        try:
            return ANY_OBJECT if self.json_schema is None else check_schema(self.json_schema.schema_)
        except SchemaRefused as error:
            raise Invalid("request.schema_unsupported", str(error)) from error


def governed(
    request: Request, turn: TurnRequest, *, shape: Callable[[Answer], dict[str, Any]] = Answer.as_json
) -> TurnResponse:
    """The response that runs `turn`; `shape` makes the body of its answer."""
    parts = services(request)

    async def run(release: Release) -> Answer:
        with parts.telemetry.duration.labels(turn.door).time():
            return await parts.pipeline.run(turn, release)

    def on_end(status: int, error: FilAgentError | None) -> None:
        parts.telemetry.requests.labels(turn.door, str(status)).inc()
        if error is not None:
            parts.telemetry.errors.labels(error.code).inc()

    return TurnResponse(run, stream=turn.stream, on_end=on_end, shape=shape)


def schema(model: type[BaseModel], *, replays: bool = True) -> dict[str, Any]:
    """What the description of the API says of a door whose body is read by hand; `replays`: with an Idempotency-Key."""
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}}
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}},
        "parameters": [key] if replays else [],
    }


def decimal_text(value: float | None) -> str | None:
    """A decimal as the records write it: no exponent, at most four places."""
    if value is None:
        return None
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def idempotency_key(request: Request) -> str | None:
    """The caller's Idempotency-Key. Raises: Invalid."""
    key = request.headers.get("idempotency-key")
    if key is not None and not re.fullmatch(IDEMPOTENCY_KEY, key):
        raise Invalid("request.invalid", "Idempotency-Key: 1 to 255 visible ASCII characters")
    return key
