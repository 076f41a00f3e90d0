"""A demanded quorum of witnesses: without it nothing begins, and readiness and the log say why."""

from __future__ import annotations

import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.cosignature import witness_key
from runtime.audit.files import Files
from runtime.backends.scripted import ScriptedBackend
from runtime.evidence_settings import EvidenceSettings, WitnessSettings
from runtime.settings import Settings
from runtime.witness_status import StatesFile, WitnessStates, WitnessStatus

from .doors import assert_log_whole, records
from .harness import running, settings_for

WITNESS = witness_key("one.example", Ed25519PrivateKey.generate())


def demanding(home: Path) -> Settings:
    witness = WitnessSettings(url="http://127.0.0.1:9", key=str(WITNESS))
    evidence = EvidenceSettings(witnesses=(witness,), quorum=1, interval_seconds=1, max_unwitnessed_seconds=600)
    return settings_for(home).model_copy(update={"evidence": evidence})


def heard(settings: Settings, at: float, status: str = "ok") -> None:
    said = WitnessStatus(
        name=WITNESS.name, key_id=WITNESS.key_id.hex(), status=status, size=5, cosigned=int(at), heard=int(at)
    )
    states = WitnessStates(origin="log.example/x", updated=int(at), witnesses=(said,))
    StatesFile(settings.logs_dir).write(states, Files())


def test_without_a_quorum_nothing_begins_and_it_is_said(tmp_path: Path) -> None:
    settings = demanding(tmp_path)
    backend = ScriptedBackend()
    with running(tmp_path, backend, settings=settings) as app:
        refused = app.chat("Hello")
        assert (refused.status, refused.json["code"]) == (503, "evidence.unwitnessed")
        assert "retry-after" in refused.headers
        assert backend.sent == []
        assert app.request("GET", "/ready", key=None).json["checks"]["evidence"] == "unavailable"
        said = next(r for r in records(app) if r["record_id"] == refused.json["decision_id"])
        assert (said["decision"], said["reasons"]) == ("error", ["evidence.unwitnessed"])

        heard(settings, time.time())
        assert app.chat("Hello").status == 200
        assert app.request("GET", "/ready", key=None).status == 200

        heard(settings, time.time() - 3600)
        assert app.chat("Hello").status == 503
        heard(settings, time.time(), "disagrees")
        assert app.chat("Hello").status == 503
        assert_log_whole(app)


def test_without_a_demand_no_witness_is_waited_for(tmp_path: Path) -> None:
    with running(tmp_path) as app:
        assert app.chat("Hello").status == 200
