"""How this installation stands: disk, log, witnesses, database, versions, and the alarms that would ring.

The alarms are those of config/alerts.yml under the same names, judged by what this process can see itself: the log
where Prometheus would ask its counters. Nothing in it is about anybody.
"""

from __future__ import annotations

import asyncio
import platform
import shutil
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.audit import reader
from runtime.audit.checkpoint import parse_checkpoint
from runtime.audit.errors import AuditError
from runtime.audit.segments import list_segments
from runtime.audit.survey import CHECKPOINT_FILE
from runtime.software import software
from runtime.witness_status import StatesFile, WitnessStates

if TYPE_CHECKING:
    from runtime.server import Services

DISK_PERCENT, ERROR_PERCENT, SLOW_MS, TOKENS_A_DAY = 80, 5, 10_000, 1_000_000
_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm by its name in config/alerts.yml, in words of one language."""

    name: str
    severity: str
    text: str


_TEXTS: dict[str, tuple[str, str, str]] = {
    "FilAgentEvidenceUnavailable": (
        "critical",
        "The log accepts no records: requests are refused and nothing is released.",
        "Le journal n'accepte aucun enregistrement : les demandes sont refusées et rien n'est remis.",
    ),
    "FilAgentWitness": (
        "critical",
        "A witness is silent or disagrees with this log.",
        "Un témoin est muet ou contredit ce journal.",
    ),
    "FilAgentDisk": (
        "warning",
        "The disk is more than 80 % full.",
        "Le disque est rempli à plus de 80 %.",
    ),
    "FilAgentErrorRate": (
        "warning",
        "More than 5 % of the turns of the last five minutes failed.",
        "Plus de 5 % des échanges des cinq dernières minutes ont échoué.",
    ),
    "FilAgentSlow": (
        "warning",
        "5 % of the answers of the last five minutes took longer than 10 seconds.",
        "5 % des réponses des cinq dernières minutes ont pris plus de 10 secondes.",
    ),
    "FilAgentTokensPerDay": (
        "warning",
        "More than 1,000,000 tokens were used in 24 hours.",
        "Plus de 1 000 000 de jetons ont été utilisés en 24 heures.",
    ),
}


async def describe(parts: Services, *, french: bool) -> dict[str, Any]:
    """What `GET /admin/system` answers. Raises: nothing that a part of it lacks: what cannot be seen is null."""
    settings = parts.settings
    disk, log, database = await asyncio.gather(
        asyncio.to_thread(shutil.disk_usage, settings.home),
        asyncio.to_thread(_log, settings.logs_dir),
        asyncio.to_thread(_size, settings.home / "data", "filagent.sqlite*"),
    )
    try:
        status = await asyncio.wait_for(parts.log.status(), 5)
    except (AuditError, TimeoutError, OSError):
        status = {"writable": False, "disk_full": None}
    witnesses = await asyncio.to_thread(StatesFile(settings.logs_dir).read)
    used = round(100 * (disk.total - disk.free) / disk.total, 1)
    writable = bool(status["writable"]) and not status["disk_full"]
    ringing = await _ringing(parts, used=used, writable=writable, witnesses=witnesses)
    alarms = [Alarm(name, _TEXTS[name][0], _TEXTS[name][2 if french else 1]) for name in _TEXTS if name in ringing]
    return {
        "versions": {
            "filagent": software()["version"],
            "software": software()["digest"],
            "policy": parts.policy.revision,
            "masker": parts.masking.revision,
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
        },
        "mode": settings.mode,
        "workers": settings.server.workers,
        "disk": {"bytes": disk.total, "free": disk.free, "used_percent": used},
        "database": {"bytes": database},
        "log": {"writable": writable, "disk_full": status["disk_full"], **log},
        "witnesses": {
            "quorum": settings.evidence.quorum,
            "withheld": parts.evidence.unwitnessed,
            "states": [item.model_dump(exclude={"recorded"}) for item in witnesses.witnesses] if witnesses else [],
        },
        "alarms": [{"alarm": alarm.name, "severity": alarm.severity, "text": alarm.text} for alarm in alarms],
    }


async def _ringing(parts: Services, *, used: float, writable: bool, witnesses: WitnessStates | None) -> set[str]:
    states = {item.status for item in witnesses.witnesses} if witnesses else set()
    ringing = {
        "FilAgentEvidenceUnavailable": not writable,
        "FilAgentDisk": used > DISK_PERCENT,
        "FilAgentWitness": bool(states & {"silent", "disagrees"}),
    }
    now = datetime.now(UTC)
    try:
        recent = await parts.digests.summary(_floor(now - _WINDOW), _floor(now) + timedelta(minutes=1), "minute")
        today = await parts.digests.summary(_hour(now - timedelta(days=1)), _hour(now) + timedelta(hours=1), "hour")
    except (AuditError, OSError):
        pass  # the first alarm says it
    else:
        last = recent["total"]
        failed, p95 = last["decisions"].get("error", 0), last["latency_ms"]["p95"]
        ringing |= {
            "FilAgentErrorRate": failed * 100 > last["requests"] * ERROR_PERCENT,
            "FilAgentSlow": p95 is not None and p95 > SLOW_MS,
            "FilAgentTokensPerDay": sum(today["total"]["tokens"].values()) > TOKENS_A_DAY,
        }
    return {name for name, rings in ringing.items() if rings}


def _log(logs_dir: Path) -> dict[str, Any]:
    """Size, records and newest checkpoint; null where they cannot be read."""
    unknown = {"records": None, "bytes": None, "segments": None, "checkpoint": None}
    try:
        segments = list_segments(logs_dir)
        text = reader.latest_checkpoint(logs_dir)
        written = (logs_dir / CHECKPOINT_FILE).stat().st_mtime if text is not None else 0.0
        signed = parse_checkpoint(text) if text is not None else None
        size = sum(segment.path.stat().st_size for segment in segments)
    except (AuditError, OSError):
        return unknown
    checkpoint = signed and {
        "origin": signed.origin,
        "size": signed.size,
        "time": datetime.fromtimestamp(int(written), UTC).isoformat(),
        "age_seconds": max(0, int(time.time() - written)),
    }
    return {
        "records": signed.size if signed else 0,
        "bytes": size,
        "segments": len(segments),
        "checkpoint": checkpoint,
    }


def _size(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern))


def _floor(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
