"""A whole `filagent serve` with a witness: the housekeeper asks it, any worker's /metrics says how it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from runtime.audit.anchors import read_anchored
from runtime.audit.notation import LOG_KEY, VerifierKey
from runtime.audit.reader import covered_size
from runtime.witness import store
from runtime.witness_status import StatesFile
from tests.faults.asking import get, until
from tests.faults.machine import machine
from tests.integration.witness_site import witness
from tests.unit.audit.log_rig import listed_keys

pytestmark = pytest.mark.faults


def test_a_served_log_is_witnessed(tmp_path: Path) -> None:
    with machine() as home, witness(tmp_path / "w") as served:
        logs = home.settings.logs_dir
        origin = (logs / "checkpoint").read_text().split("\n")[0]
        key = next(key for role, _, key in listed_keys(logs) if role == "log")
        store.add_log(served.home, origin, str(VerifierKey(origin, LOG_KEY, key.public_bytes_raw())))
        config = Path(home.environ["FILAGENT_CONFIG"])
        values = yaml.safe_load(config.read_text())
        values["evidence"] = {
            "witnesses": [{"url": served.settings.url, "key": served.settings.key}],
            "quorum": 1,
            "interval_seconds": 0.2,
        }
        config.write_text(yaml.safe_dump(values))
        running = home.serve(workers=2)
        name = served.public.name

        def vouched() -> bool:
            states = StatesFile(logs).read()
            return states is not None and states.witnesses[0].size == covered_size(logs)

        until(vouched, "a witness that has caught up")
        assert read_anchored(logs, origin, [served.public])[-1].witnesses.keys() == {name}
        shown = get(running.port, "/metrics").raw.decode()
        assert f'filagent_witness_state{{state="ok",witness="{name}"}} 1.0' in shown
        sizes = [line for line in shown.splitlines() if line.startswith("filagent_witness_size{")]
        assert len(sizes) == 1
        assert float(sizes[0].rpartition(" ")[2]) >= 1
