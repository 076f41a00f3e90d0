"""In which language a door answers in words: `?lang=`, else `Accept-Language`, else English."""

from __future__ import annotations

import re
from typing import Literal

from fastapi import Request

from runtime.errors import Invalid

Language = Literal["en", "fr"]
_LANGUAGES: tuple[Language, ...] = ("en", "fr")
_RANGE = re.compile(r"\s*([A-Za-z*]{1,8})(?:-[A-Za-z0-9-]{1,40})?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?\s*")


def language_of(request: Request) -> Language:
    """The caller's language.

    Raises:
        Invalid: `lang` names another one.
    """
    asked = request.query_params.get("lang")
    if asked is not None:
        for known in _LANGUAGES:
            if asked == known:
                return known
        raise Invalid("request.invalid", "lang: en or fr")
    best, weight = _LANGUAGES[0], 0.0
    for part in request.headers.get("accept-language", "")[:200].split(","):
        match = _RANGE.fullmatch(part)
        for known in _LANGUAGES:
            if match is not None and match[1].lower() == known and float(match[2] or 1) > weight:
                best, weight = known, float(match[2] or 1)
    return best
