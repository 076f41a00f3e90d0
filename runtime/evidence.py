"""How the rest of the runtime reaches the log: through the running writer, or in process under the same lock."""

from __future__ import annotations

import socket
import time
from typing import Any

from policies.bundle import load_bundle
from policies.model import PolicyFault
from runtime.audit.client import InProcessLog, LogClient, SocketLog
from runtime.audit.manifest import MANIFEST_SUBJECT
from runtime.audit.record import Draft, new_record_id
from runtime.audit.writer import LogWriter
from runtime.errors import SettingsError, Unavailable
from runtime.settings import Settings
from runtime.software import software
from runtime.witness_status import StatesFile, quorum_lacking


def open_log(settings: Settings) -> LogClient:
    """For one-shot commands: the served log when a server runs here, else the log itself.

    Raises:
        AuditError: the log is locked by another process that does not answer, or it is damaged.
    """
    if writer_listens(settings):
        return SocketLog(settings.writer_socket)
    writer = LogWriter(
        settings.logs_dir,
        settings.keys_dir,
        passphrase=settings.passphrase(),
        software=software(),
        retain_days=retain_days(settings),
        immutable=settings.mode == "production",
    )
    return InProcessLog(writer)


def retain_days(settings: Settings) -> int:
    """How long a segment is kept at least: what it holds beside decisions is worth as much as they are.

    Raises:
        SettingsError: there is no usable policy.
    """
    try:
        return load_bundle(settings.policies_file).decision_record_days
    except PolicyFault as fault:
        raise SettingsError(str(fault)) from fault


def writer_listens(settings: Settings) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(settings.writer_socket))
        except OSError:
            return False
    return True


class Evidence:
    """What a worker knows of the log's standing: the key manifest for receipts, and what witnesses say."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.logs_dir / MANIFEST_SUBJECT
        self._seen: tuple[int, str] = (-1, "")
        self._demanded = settings.evidence
        self._states = StatesFile(settings.logs_dir)

    def manifest(self) -> str:
        """The signed key manifest as receipts carry it, read again when it changes."""
        changed = self._path.stat().st_mtime_ns
        if changed != self._seen[0]:
            self._seen = (changed, self._path.read_text("ascii"))
        return self._seen[1]

    @property
    def unwitnessed(self) -> bool:
        """Whether a quorum of witnesses is demanded and has not vouched lately."""
        return bool(self._demanded.quorum) and quorum_lacking(self._states.read(), self._demanded, time.time())

    def demand(self) -> None:
        """Let nothing begin that too few witnesses would see.

        Raises:
            Unavailable: `evidence.unwitnessed`.
        """
        if self.unwitnessed:
            raise Unavailable("evidence.unwitnessed", "Too few witnesses vouched for the log lately.", retry_after=60)


def system_draft(
    event: str,
    *,
    subject: tuple[str, str],
    actor: dict[str, str] | None = None,
    detail: dict[str, Any] | None = None,
    **fields: Any,
) -> Draft:
    """A record of something that happened outside a turn (policy loaded, key made, person erased …).

    Args:
        event: one of docs/log-format.md's.
        subject: name and hex SHA-256 of the object acted on.
        actor: who; by default the system itself.
        detail: safe codes and numbers.
        fields: further fields of the predicate.
    """
    predicate: dict[str, Any] = {
        "actor": actor or {"type": "system", "ref": "system", "role": "system", "auth_method": "none"},
        "software": software(),
        **fields,
    }
    if detail:
        predicate["detail"] = detail
    return Draft(record_id=new_record_id(), event=event, predicate=predicate, subjects=(subject,))
