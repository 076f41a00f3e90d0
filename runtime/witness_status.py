"""How it stands between this log and its witnesses: who vouches, who is silent, who disagrees. Pure but for one file.

`logs/anchors/state.json` is written by the housekeeper alone, which asks the witnesses (`witnessing`); whoever else
wants to know reads it. Times are seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.audit.anchors import ANCHORS_DIR
from runtime.audit.files import Files
from runtime.audit.notation import VerifierKey
from runtime.audit.survey import read_limited
from runtime.evidence_settings import EvidenceSettings

STATE_FILE = "state.json"
Status = Literal["new", "ok", "silent", "disagrees"]
_MAX_STATE = 1 << 20  # bytes


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class WitnessStatus(_Strict):
    """One witness.

    Attributes:
        name: of the witness.
        key_id: of its key, in hex.
        status: new until it vouched for the first time or was given up as silent.
        since: when it became so; of a silent one, when it was heard last.
        reason: why it did not vouch the last time it was asked, '' where it did.
        size: of the largest checkpoint that it vouched for.
        cosigned: when it did so last, by its own clock; 0: never.
        heard: when the checkpoint that it vouched for last was read, by our clock; 0: never.
        recorded: the status that the log holds a record of.
    """

    name: str
    key_id: str
    status: Status = "new"
    since: int = 0
    reason: str = ""
    size: int = 0
    cosigned: int = 0
    heard: int = 0
    recorded: Status = "new"

    def is_of(self, key: VerifierKey) -> bool:
        return (self.name, self.key_id) == (key.name, key.key_id.hex())

    @property
    def unrecorded(self) -> bool:
        """Whether the log has yet to be told of this status."""
        return self.status not in {"new", self.recorded}


class WitnessStates(_Strict):
    """All witnesses of one log, as they stood at `updated`."""

    version: Literal[1] = 1
    origin: str
    updated: int
    witnesses: tuple[WitnessStatus, ...] = Field(max_length=64)

    def of(self, key: VerifierKey) -> WitnessStatus | None:
        return next((item for item in self.witnesses if item.is_of(key)), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking a witness.

    Attributes:
        kind: it vouched; there was no usable answer; or it holds another tree than ours.
        reason: a code that says why not, '' where it vouched.
        size: of the checkpoint that was put to it, or that it claims to have.
        time: of the cosignature.
        note: the checkpoint with the cosignature, '' where there is none.
    """

    kind: Literal["vouched", "failed", "disagrees"]
    reason: str = ""
    size: int = 0
    time: int = 0
    note: str = ""


def advance(
    before: WitnessStatus, answer: Answer, *, asked: int, now: int, started: int, silent_after: float
) -> WitnessStatus:
    """The status after an answer.

    Args:
        before: the status until now.
        answer: what came of asking.
        asked: when the checkpoint was read that was put to the witness.
        now: the present time.
        started: since when it is asked without a break: nobody is silent who was not asked.
        silent_after: how long no answer is silence.
    """
    status: Status = before.status
    since, heard = before.since, min(before.heard, now)  # the clock may have been set back
    changes: dict[str, int | str] = {"reason": answer.reason, "heard": heard}
    if answer.kind == "vouched":
        status = "ok"
        changes |= {"size": answer.size, "cosigned": answer.time, "heard": asked}
    elif answer.kind == "disagrees":
        status = "disagrees"
    # A witness that disagreed is not forgiven for having become silent.
    elif status != "disagrees" and now - max(heard, started) >= silent_after:
        status = "silent"
    if status != before.status:
        since = now if status != "silent" else heard or min(started, now)
    return before.model_copy(update={**changes, "status": status, "since": since})


def quorum_lacking(states: WitnessStates | None, evidence: EvidenceSettings, now: float) -> bool:
    """Whether answers must be withheld because too few witnesses vouched lately for what the log held.

    False where no quorum is demanded. A witness that disagrees does not count, nor one that is not configured (any
    more), nor one that was heard in the future: then the clock was set back and nothing is known.

    Args:
        states: from `StatesFile`; None, where they cannot be read, is no quorum.
        evidence: the settings.
        now: seconds since 1970.
    """
    if not evidence.quorum or not evidence.max_unwitnessed_seconds:
        return False
    if states is None:
        return True
    oldest, newest = now - evidence.max_unwitnessed_seconds, now + evidence.interval_seconds
    known = [states.of(key) for key in evidence.policy.witnesses]
    fresh = [item for item in known if item and item.status != "disagrees" and oldest <= item.heard <= newest]
    return len(fresh) < evidence.quorum


class StatesFile:
    """`state.json` of a log directory; read again when it has changed."""

    def __init__(self, logs_dir: Path) -> None:
        self._path = logs_dir / ANCHORS_DIR / STATE_FILE
        self._seen: tuple[int, int] | None = None
        self._states: WitnessStates | None = None

    def read(self) -> WitnessStates | None:
        """The states; None where there are none that can be read."""
        try:
            found = self._path.stat()
            if (found.st_ino, found.st_mtime_ns) != self._seen:
                data = read_limited(self._path, _MAX_STATE)
                self._states = WitnessStates.model_validate_json(data or b"")
                self._seen = (found.st_ino, found.st_mtime_ns)
        except (OSError, ValidationError):
            self._seen = self._states = None
        return self._states

    def write(self, states: WitnessStates, files: Files) -> None:
        """Put new states in place, durably. Raises: OSError."""
        files.make_dir(self._path.parent)
        files.replace(self._path, f"{states.model_dump_json()}\n".encode(), durable=True)
