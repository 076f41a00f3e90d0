"""Older doors to the same turn: `/ai/local/qwen/generate`, `/ai/cloud/qwen/generate` and `/api/chat/message`.

They take the older callers' fields and answer with theirs; policy, masking, records, errors and limits are those of
`/chat`, and so are the statuses: nothing here answers 200 for a failure.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import StrictBool, StringConstraints
from starlette.responses import Response

from runtime.api import wire
from runtime.api.access import authenticate, services
from runtime.api.turns import (
    ChatOptions,
    Identifier,
    MaxTokens,
    Name,
    Seed,
    StrictModel,
    Temperature,
    Text,
    governed,
    idempotency_key,
    schema,
)
from runtime.backends.base import Kind
from runtime.errors import Invalid
from runtime.exchange import Answer, Message, TurnRequest

router = APIRouter(tags=["older callers"])

Reference = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=256)]


class GenerateBody(StrictModel):
    """One prompt, as llama.cpp's own server takes it; the model's chat template is applied all the same."""

    prompt: Text
    system: Text | None = None
    temperature: Temperature | None = None
    n_predict: MaxTokens | None = None
    seed: Seed | None = None
    stream: StrictBool = False
    model: Name | None = None
    conversation_id: Identifier | None = None


class MessageBody(StrictModel):
    """One message. `user_id` names a data subject, never who asks: that is the credential's to say.

    `user_name` is taken because older callers send it; it is not used and not kept.
    """

    message: Text
    user_id: Reference | None = None
    user_name: Reference | None = None
    conversation_id: Identifier | None = None


@router.post(
    "/ai/local/qwen/generate", summary="One prompt to a model on this machine", openapi_extra=schema(GenerateBody)
)
async def generate_local(request: Request) -> Response:
    return await _generate(request, "local")


@router.post("/ai/cloud/qwen/generate", summary="One prompt to a remote model", openapi_extra=schema(GenerateBody))
async def generate_cloud(request: Request) -> Response:
    return await _generate(request, "remote")


async def _generate(request: Request, kind: Kind) -> Response:
    caller = await authenticate(request)
    parts = services(request)
    body = await wire.read_body(request, parts.settings.server.request_bytes)
    wanted = wire.validate(GenerateBody, wire.parse_json(body))
    options = ChatOptions(temperature=wanted.temperature, max_tokens=wanted.n_predict, seed=wanted.seed).as_options()
    system = (Message("system", wanted.system),) if wanted.system else ()
    turn = TurnRequest(
        caller=caller,
        door=f"generate.{kind}",
        body=body,
        messages=(*system, _asked(wanted.prompt, "prompt")),
        conversation_id=wanted.conversation_id,
        backend=parts.backends.of_kind(kind),
        model=wanted.model,
        options=options,
        stream=wanted.stream,
        idempotency_key=idempotency_key(request),
    )
    return governed(request, turn)


@router.post("/api/chat/message", summary="One message, one answer", openapi_extra=schema(MessageBody))
async def message(request: Request) -> Response:
    caller = await authenticate(request)
    parts = services(request)
    body = await wire.read_body(request, parts.settings.server.request_bytes)
    wanted = wire.validate(MessageBody, wire.parse_json(body))
    turn = TurnRequest(
        caller=caller,
        door="message",
        body=body,
        messages=(_asked(wanted.message, "message"),),
        conversation_id=wanted.conversation_id,
        data_subjects=(wanted.user_id,) if wanted.user_id else (),
        idempotency_key=idempotency_key(request),
    )

    def shape(answer: Answer) -> dict[str, Any]:
        local = answer.model.get("provider") == "llama.cpp"
        gpu = any(getattr(backend, "on_gpu", False) for backend in parts.backends.all())
        return {
            **answer.as_json(),  # so that the answer can be verified as any other
            "success": True,
            "response": answer.content,
            "intent": None,  # what a caller means is not guessed
            "model": answer.model.get("response_model") or answer.model.get("request_model"),
            "device": ("gpu" if gpu else "cpu") if local else "remote",
        }

    return governed(request, turn, shape=shape)


def _asked(text: str, field: str) -> Message:
    if not text.strip():
        raise Invalid("request.invalid", f"{field}: it is empty")
    return Message("user", text)
