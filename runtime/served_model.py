"""Which model this home serves, as the log tells it: a `model.changed` record whenever it is another than before.

"Before" is what the log says: `logs/served_model.json` only points at its newest `model.changed` record. Without that
file, or where it points at something else, the newest records are looked through; a record too many does no harm, a
missing one would. The file is removed before a new record is made and written after it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runtime.audit import reader
from runtime.audit.client import LogClient
from runtime.audit.errors import LogDamaged
from runtime.audit.record import is_name
from runtime.evidence import system_draft
from runtime.models.registry import ModelFile
from runtime.settings import Settings

_POINTER: Final = "served_model.json"
_LOOK_BACK: Final = 4096
_EVENT: Final = "model.changed"


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The default backend's model. `weights_sha256` is known of local weights only."""

    provider: str
    name: str
    weights_sha256: str | None = None

    @property
    def fields(self) -> dict[str, str]:
        """As a record names it; a name that may not stand in a record is left out."""
        found = {"provider": self.provider}
        if is_name(self.name):
            found["request_model"] = self.name
        if self.weights_sha256 is not None:
            found["weights_sha256"] = self.weights_sha256
        return found

    @property
    def subject(self) -> tuple[str, str]:
        """What the record is about: the weights, or provider and name where nobody can hash weights."""
        if self.weights_sha256 is not None:
            return "weights", self.weights_sha256
        return "model", hashlib.sha256(f"{self.provider}\n{self.name}".encode()).hexdigest()


def served_by(settings: Settings, file: ModelFile | None) -> ServedModel | None:
    """What the settings serve; None for the scripted backend, which is no model."""
    if settings.backend == "scripted":
        return None
    if file is not None:
        return ServedModel("llama.cpp", file.id, file.sha256)
    return ServedModel(settings.backend, getattr(settings, settings.backend).model)


async def record_model(settings: Settings, log: LogClient, model: ServedModel) -> bool:
    """Make a `model.changed` record if the log's newest one is about another model; whether one was made."""
    last = _last(settings.logs_dir)
    if last == model.fields:
        return False
    pointer = settings.logs_dir / _POINTER
    pointer.unlink(missing_ok=True)
    made = await log.append(
        system_draft(
            _EVENT,
            subject=model.subject,
            model=model.fields,
            detail=None if last is None else {f"previous_{name}": value for name, value in last.items()},
            reasons=["model.first" if last is None else "model.replaced"],
        )
    )
    pointer.write_text(json.dumps({"record_id": made.record_id, "log_index": made.index}) + "\n", encoding="utf-8")
    pointer.chmod(0o600)
    return True


def _last(logs_dir: Path) -> dict[str, Any] | None:
    """The model of the newest `model.changed` record, as far as it can be found."""
    try:
        return _pointed_at(logs_dir) or _looked_for(logs_dir)
    except LogDamaged:
        return None  # the log's writer is who judges it; here it only means that nothing is known


def _pointed_at(logs_dir: Path) -> dict[str, Any] | None:
    try:
        pointer = json.loads((logs_dir / _POINTER).read_text(encoding="utf-8"))
        index, record_id = pointer["log_index"], pointer["record_id"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    line = reader.read_line(logs_dir, index) if type(index) is int else None
    if line is None:
        return None
    record = reader.read_record(index, line).record
    return _model_of(record) if record.get("record_id") == record_id else None


def _looked_for(logs_dir: Path) -> dict[str, Any] | None:
    size = reader.covered_size(logs_dir)
    for record in reader.iter_records(logs_dir, size - _LOOK_BACK, end=size, reverse=True):
        found = _model_of(record.record)
        if found is not None:
            return found
    return None


def _model_of(record: dict[str, Any]) -> dict[str, Any] | None:
    model = record.get("model")
    return model if record.get("event") == _EVENT and isinstance(model, dict) else None
