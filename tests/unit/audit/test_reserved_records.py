"""What the log says of itself, nobody else may say: a worker that turned hostile cannot fake a restart or a manifest."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runtime.audit.client import InProcessLog
from runtime.audit.errors import DraftRefused
from runtime.audit.keys import init_keys
from runtime.audit.record import Draft, new_record_id
from runtime.audit.verify import main as verify
from runtime.audit.writer import LogWriter

ACTOR = {"actor": {"type": "system", "ref": "test"}}
OTHERS = (("policy", "0" * 64),)


@pytest.mark.parametrize(
    ("event", "subjects"),
    [
        ("log.started", OTHERS),
        ("log.recovered", OTHERS),
        ("segment.sealed", OTHERS),
        ("segment.pruned", OTHERS),
        ("admin", (("keys.json", "0" * 64),)),
    ],
)
def test_only_the_log_says_it(tmp_path: Path, event: str, subjects: tuple[tuple[str, str], ...]) -> None:
    init_keys(tmp_path / "keys", tmp_path / "logs", origin="test.local/log")
    writer = LogWriter(tmp_path / "logs", tmp_path / "keys", software={"version": "1", "digest": "none"})

    async def run() -> int:
        log = InProcessLog(writer)
        try:
            with pytest.raises(DraftRefused):
                await log.append(Draft(new_record_id(), event, ACTOR, subjects))
            return (await log.append(Draft(new_record_id(), "admin", ACTOR, OTHERS))).index
        finally:
            await log.aclose()

    assert asyncio.run(run()) == 1  # the refused one left no trace, and the log goes on
    assert verify([str(tmp_path / "logs"), "--root-key", str(tmp_path / "keys" / "root.pub.pem")]) == 0
