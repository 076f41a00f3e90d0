"""Strict reading of request bodies: what is committed to must mean one thing only.

Refused here, each with a stable code: bodies over the limit (413) or too slow (400), anything that is not UTF-8 JSON
with unique keys, finite numbers and sane depth (422), texts with lone surrogates or NUL (422). Schema checks follow in
the models.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, NoReturn, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from runtime.errors import BadRequest, Invalid, TooLarge

Model = TypeVar("Model", bound=BaseModel)

MAX_DEPTH = 16
BODY_SECONDS = 30.0
# Possessive, and a string that never ends reaches to the end: linear time whatever the text.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_BAD_TEXT = re.compile("[\x00\ud800-\udfff]")


async def read_body(request: Request, limit: int, *, seconds: float = BODY_SECONDS) -> bytes:
    """The exact bytes of the body, at most `limit` of them; reading stops where the limit or the time is passed.

    Raises:
        TooLarge: `request.too_large`.
        BadRequest: `request.incomplete`, `request.slow`.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise TooLarge("request.too_large", f"The request body may hold {limit} bytes at the most.")
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise TooLarge("request.too_large", f"The request body may hold {limit} bytes at the most.")
    except ClientDisconnect as error:
        raise BadRequest("request.incomplete", "The request ended before its body was complete.") from error
    except TimeoutError as error:
        raise BadRequest("request.slow", "The body of the request took too long to arrive.") from error
    return bytes(body)


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON object, read strictly.

    Raises:
        Invalid: `request.not_json` or `request.bad_text`.
    """
    try:
        text = body.decode("utf-8")
        if _too_deep(text):
            raise Invalid("request.not_json", f"JSON deeper than {MAX_DEPTH} levels is refused.")
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Invalid("request.not_json", "The body must be JSON in UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise Invalid("request.not_json", "The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise Invalid("request.not_json", "The body must be a JSON object.")
    if "\\u" in text:  # nothing else spells NUL or a lone surrogate in JSON that was UTF-8
        _check_texts(value)
    return value


def validate(model: type[Model], value: dict[str, Any]) -> Model:
    """`value` as `model`; the error names the fields, never their contents."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        fields = sorted({_name(item["loc"], item["type"], item["msg"]) for item in error.errors(include_input=False)})
        raise Invalid("request.invalid", "; ".join(fields)[:1000]) from None


def _name(location: tuple[int | str, ...], kind: str, message: str) -> str:
    where = ".".join(str(part)[:40] if str(part).isidentifier() or isinstance(part, int) else "?" for part in location)
    return f"{where or 'body'}: " + ("unknown field" if kind == "extra_forbidden" else message)


def _too_deep(text: str) -> bool:
    """Whether brackets nest deeper than `MAX_DEPTH`, counted without recursion; those in strings do not count."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token[0] in "]}":
            depth -= 1
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if _BAD_TEXT.search(value):
            raise Invalid("request.bad_text", "Texts may not hold NUL or lone surrogates.")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)
