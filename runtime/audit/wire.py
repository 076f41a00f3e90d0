"""Frames between a log client and the log writer: one JSON object and an LF each, in both directions.

    {"id":1,"draft":{"record_id":"DR-…","event":"turn","predicate":{…},"subjects":[["input","<64 hex>"]]}}
    {"id":1,"ok":{…}}                                                 the fields of `Appended`
    {"id":1,"error":{"code":"audit.draft_refused","detail":"…"}}
    {"id":2,"status":true}                                            answered by {"id":2,"ok":{"size":…}}

Answers come in any order. A frame that cannot be read is answered with "id": null. Pure: no I/O.
"""

from __future__ import annotations

import json
from typing import Any

from runtime.audit.errors import BY_CODE, AuditError, DraftRefused, LogUnavailable
from runtime.audit.record import Appended, Draft

MAX_FRAME = 1 << 18  # bytes, without the LF
_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


class FrameError(ValueError):
    """A frame that is none."""


def encode(frame: dict[str, Any]) -> bytes:
    return _ENCODE(frame).encode("ascii") + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """A frame without its LF. Raises: FrameError."""
    try:
        frame = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FrameError("not JSON") from error
    if not isinstance(frame, dict) or type(frame.get("id")) not in {int, type(None)}:
        raise FrameError("not an object with an id")
    return frame


def draft_frame(number: int, draft: Draft) -> bytes:
    """A request to record `draft`.

    Raises:
        DraftRefused: it holds something that has no JSON.
    """
    body = {
        "record_id": draft.record_id,
        "event": draft.event,
        "predicate": draft.predicate,
        "subjects": draft.subjects,
    }
    try:
        frame = encode({"id": number, "draft": body})
    except (TypeError, ValueError, RecursionError) as error:
        raise DraftRefused("predicate: not JSON") from error
    if len(frame) > MAX_FRAME:
        raise DraftRefused("predicate: too long for a line")
    return frame


def read_draft(body: Any) -> Draft:
    """The draft of a request; whether it may be recorded is for `record.prepare` to say. Raises: FrameError."""
    if not isinstance(body, dict) or body.keys() != {"record_id", "event", "predicate", "subjects"}:
        raise FrameError("not a draft")
    subjects = body["subjects"]
    if not isinstance(subjects, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in subjects):
        raise FrameError("not a draft")
    pairs = tuple((name, digest) for name, digest in subjects)
    return Draft(record_id=body["record_id"], event=body["event"], predicate=body["predicate"], subjects=pairs)


def ok_frame(number: int, appended: Appended) -> bytes:
    body = {
        "record_id": appended.record_id,
        "index": appended.index,
        "time": appended.time,
        "line_sha256": appended.line_sha256,
        "tree_size": appended.tree_size,
        "inclusion": appended.inclusion,
        "checkpoint": appended.checkpoint,
        "line": appended.line,
    }
    return encode({"id": number, "ok": body})


def error_frame(number: int | None, error: AuditError) -> bytes:
    return encode({"id": number, "error": {"code": error.code, "detail": str(error)}})


def read_appended(body: dict[str, Any]) -> Appended:
    """The receipt in an answer. Raises: FrameError."""
    try:
        return Appended(**{**body, "inclusion": tuple(body["inclusion"])})
    except (KeyError, TypeError) as error:
        raise FrameError("not a receipt") from error


def read_error(body: Any) -> AuditError:
    """The error in an answer; an unknown one means that nothing was acknowledged."""
    if not isinstance(body, dict):
        return LogUnavailable("an answer that cannot be read")
    return BY_CODE.get(str(body.get("code")), LogUnavailable)(str(body.get("detail")))
