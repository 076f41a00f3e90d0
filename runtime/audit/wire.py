"""Frames between a log client and the log writer: one JSON object and an LF each, in both directions.

    {"id":1,"draft":["DR-…","turn","[…]",",…"]}                        the arguments of `record.admit`
    {"id":1,"ok":{…}}                                                 the fields of `Appended`
    {"id":1,"error":{"code":"audit.draft_refused","detail":"…"}}
    {"id":2,"status":true}                                            answered by {"id":2,"ok":{"size":…}}
    {"id":3,"do":"pause"}                                             answered by {"id":3,"ok":{"size":7}}
    {"id":3,"do":"reload_keys"}                                       answered by {"id":3,"ok":{"version":2}}
    {"id":4,"do":"prune","held":["p_…"]}                              answered by {"id":4,"ok":{"pruned":[0]}}

Drafts travel as the text that is to be signed: the writer checks the very characters, and parses nothing. Answers come
in any order. A frame that cannot be read is answered with "id": null. Pure: no I/O.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from runtime.audit.errors import BY_CODE, AuditError, DraftRefused, LogUnavailable
from runtime.audit.record import Appended, Draft, Prepared, admit, serialise

MAX_FRAME = 1 << 18  # bytes, without the LF
_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


class FrameError(ValueError):
    """A frame that is none."""


def encode(frame: dict[str, Any]) -> bytes:
    return _ENCODE(frame).encode("ascii") + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """A frame without its LF. Raises: FrameError."""
    try:
        frame = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FrameError("not JSON") from error
    if not isinstance(frame, dict) or type(frame.get("id", "")) not in {int, type(None)}:
        raise FrameError("not an object with an id")
    return frame


def draft_frame(number: int, draft: Draft) -> bytes:
    """A request to record `draft`.

    Raises:
        DraftRefused: it cannot be serialised, or would never fit a line.
    """
    try:
        frame = encode({"id": number, "draft": serialise(draft)})
    except (TypeError, ValueError) as error:
        raise DraftRefused("record_id or event: not text") from error
    if len(frame) > MAX_FRAME:
        raise DraftRefused("predicate: too long for a line")
    return frame


def read_draft(body: Any) -> Prepared:
    """The draft of a request.

    Raises:
        FrameError: it is none.
        DraftRefused: it may not enter the log.
    """
    if not isinstance(body, list) or [type(part) for part in body] != [str, str, str, str]:
        raise FrameError("not a draft")
    return admit(*body)


@dataclass(frozen=True, slots=True)
class Task:
    """A request for upkeep: `pause`, `reload_keys`, or `prune` without what names a reference in `held`."""

    name: str
    held: frozenset[str] = frozenset()


def task_frame(number: int, task: Task) -> bytes:
    """A request for upkeep.

    Raises:
        DraftRefused: more references than a frame holds.
    """
    frame = encode({"id": number, "do": task.name, **({"held": sorted(task.held)} if task.held else {})})
    if len(frame) > MAX_FRAME:
        raise DraftRefused("too many references are held to be named at once")
    return frame


def read_task(frame: dict[str, Any]) -> Task:
    """The task of a request. Raises: FrameError."""
    name, held = frame.get("do"), frame.get("held", [])
    if name not in ("pause", "reload_keys", "prune") or not isinstance(held, list):
        raise FrameError("no such task")
    if any(not isinstance(reference, str) for reference in held):
        raise FrameError("references are text")
    return Task(name, frozenset(held))


def ok_frame(number: int, appended: Appended) -> bytes:
    # By hand, as most of what the writer does with JSON would be this; only line and checkpoint have to be escaped.
    inclusion = ",".join([f'"{value}"' for value in appended.inclusion])
    return (
        f'{{"id":{number},"ok":{{"record_id":"{appended.record_id}","index":{appended.index},"time":"{appended.time}",'
        f'"line_sha256":"{appended.line_sha256}","tree_size":{appended.tree_size},'
        f'"inclusion":[{inclusion}],"checkpoint":{_ENCODE(appended.checkpoint)},'
        f'"line":{_ENCODE(appended.line)}}}}}\n'
    ).encode("ascii")


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
