"""Failures of masking. All of them mean the same to the pipeline: refuse the turn, let nothing leave.

PiiUnavailable      the engine cannot answer: a model is missing or broken, or an analysis failed
└── TextTooLong     a text is over the engine's size limit
TokenMapCorrupt     a conversation's stored tokens contradict each other or are not tokens
"""

from __future__ import annotations

from typing import ClassVar


class RedactionError(Exception):
    """Base of masking's failures. The message never holds content.

    Attributes:
        code: dotted and stable across releases.
    """

    code: ClassVar[str] = "pii.error"


class PiiUnavailable(RedactionError):
    """Personal data cannot be looked for, so the text may not be used."""

    code = "pii.unavailable"


class TextTooLong(PiiUnavailable):
    """A text is longer than `PiiEngine.max_chars`; it is refused, never cut."""

    code = "pii.text_too_long"


class TokenMapCorrupt(RedactionError):
    """Stored tokens that no TokenMap can have written."""

    code = "pii.token_map_corrupt"
