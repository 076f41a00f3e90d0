"""Step 9 of a turn: the answer with its receipt, and refusals with theirs."""

from __future__ import annotations

from typing import Any

from memory.repository import OpenedTurn
from runtime.audit.receipt import make_receipt
from runtime.audit.record import Appended
from runtime.errors import FilAgentError
from runtime.exchange import Answer, Extras
from runtime.ledger import LiveTurn
from runtime.recorder import TurnRecorder

NOTICE = (
    "This answer was written by a machine and may be wrong. / "
    "Cette réponse a été rédigée par une machine et peut contenir des erreurs."
)


def build_answer(
    record: TurnRecorder, opened: OpenedTurn, released: str, appended: Appended, keys: str, *, extras: Extras
) -> Answer:
    """The answer to the caller; `released` and `extras` are exactly what the record's commitments cover."""
    model = record.model or {}
    salts = {name: record.salts.of(name) for name in ("input", "output", *extras.exact())}
    return Answer(
        conversation_id=opened.conversation_id,
        turn_id=opened.turn_id,
        decision_id=appended.record_id,
        content=released,
        model={
            key: model[key] for key in ("provider", "request_model", "response_model", "mode", "seed") if key in model
        },
        usage=dict(record.usage),
        redactions=_sum(record.redactions_in, record.redactions_out),
        notice=NOTICE,
        degraded=bool(record.detail.get("degraded")),
        processing_time_ms=record.elapsed_ms(),
        receipt=receipt_of(appended, keys, **salts),
        citations=extras.citations,
        reasoning=with_text(record.reasoning, extras),
        tool_calls=extras.tool_calls,
        history_trimmed=bool(record.detail.get("history_trimmed")),
    )


def with_text(reasoning: dict[str, Any] | None, extras: Extras) -> dict[str, Any] | None:
    """What an answer says of the model's reasoning: that there was some, and its text where policy keeps it."""
    return reasoning if reasoning is None or not extras.reasoning else {**reasoning, "text": extras.reasoning}


def refusal(
    error: FilAgentError,
    record: TurnRecorder,
    live: LiveTurn | None,
    appended: Appended | None,
    keys: str,
    *,
    released: str = "",
) -> FilAgentError:
    """`error` with what proves its record, where one was made; `released` is what a cut stream handed over."""
    if live is not None:
        error.conversation_id, error.turn_id = live.opened.conversation_id, live.opened.turn_id
    if appended is not None:
        error.decision_id = appended.record_id
        names = ("input", "output") if released else ("input",)
        error.receipt = receipt_of(appended, keys, **{name: record.salts.of(name) for name in names})
    return error


def stored_form(answer: Answer) -> dict[str, Any]:
    """What is kept to give the same answer again: no content and no salts (those are inside the ciphertexts)."""
    kept = answer.as_json()
    for name in ("status", "content", "message", "citations", "conversation_id", "turn_id"):
        del kept[name]
    kept.pop("tool_calls", None)
    if kept["reasoning"] is not None:
        kept["reasoning"] = {name: value for name, value in kept["reasoning"].items() if name != "text"}
    kept["receipt"] = {name: value for name, value in kept["receipt"].items() if name != "salts"}
    return kept


def receipt_of(appended: Appended, keys: str, **salts: bytes) -> dict[str, Any]:
    """What a caller keeps to check his own question and answer offline."""
    return make_receipt(appended, appended.line.encode(), keys.encode(), salts)


def _sum(*counts: dict[str, int]) -> dict[str, int]:
    total: dict[str, int] = {}
    for mapping in counts:
        for entity, count in mapping.items():
            total[entity] = total.get(entity, 0) + count
    return total
