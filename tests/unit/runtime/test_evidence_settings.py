"""The `evidence` section: what it may say, and that no error repeats an address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.cosignature import witness_key
from runtime.audit.notation import LOG_KEY, VerifierKey
from runtime.errors import SettingsError
from runtime.settings import Settings, load_settings

CONFIG = Path(__file__).parents[3] / "config"
KEYS = [
    witness_key(f"w.example/{number}", Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)) for number in (1, 2)
]
URL = "https://w.example/prefix/"
BOTH = [{"url": URL, "key": str(key)} for key in KEYS]


def load(home: Path, **evidence: Any) -> Settings:
    values = yaml.safe_load((CONFIG / "agent.yaml").read_text("utf-8"))
    values["evidence"] = evidence
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "agent.yaml").write_text(yaml.safe_dump(values), "utf-8")
    return load_settings({"FILAGENT_HOME": str(home)})


def test_nothing_is_asked_of_anybody_by_default(tmp_path: Path) -> None:
    evidence = load_settings({"FILAGENT_HOME": str(tmp_path)}).evidence
    assert (evidence.witnesses, evidence.quorum, evidence.max_unwitnessed_seconds) == ((), 0, 0)
    assert (evidence.interval_seconds, evidence.silent_after_seconds) == (60, 600)


def test_witnesses_and_their_policy(tmp_path: Path) -> None:
    evidence = load(tmp_path, witnesses=BOTH, quorum=2, max_unwitnessed_seconds=300).evidence
    assert [witness.url for witness in evidence.witnesses] == [URL.rstrip("/")] * 2
    assert (evidence.policy.witnesses, evidence.policy.quorum) == (tuple(KEYS), 2)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8008", "http://localhost:8008/", "http://[::1]:8008/w", "https://10.0.0.1"]
)
def test_addresses(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, witnesses=[{**BOTH[0], "url": url}]).evidence.witnesses[0].url == url.rstrip("/")


SECRET = "swordfish"
BAD: dict[str, dict[str, Any]] = {
    "an unknown key": {"quorums": 1},
    "an unknown key of a witness": {"witnesses": [{**BOTH[0], "name": "w"}]},
    "no key": {"witnesses": [{"url": URL}]},
    "no address": {"witnesses": [{"key": str(KEYS[0])}]},
    "a log's key": {"witnesses": [{"url": URL, "key": str(VerifierKey("log.example", LOG_KEY, bytes(32)))}]},
    "a name that no record holds": {
        "witnesses": [
            {"url": URL, "key": str(witness_key("w@example", Ed25519PrivateKey.from_private_bytes(bytes(32))))}
        ]
    },
    "a name too long": {
        "witnesses": [{"url": URL, "key": str(witness_key("w" * 65, Ed25519PrivateKey.from_private_bytes(bytes(32))))}]
    },
    "plain HTTP": {"witnesses": [{**BOTH[0], "url": f"http://{SECRET}.example"}]},
    "another scheme": {"witnesses": [{**BOTH[0], "url": f"ftp://{SECRET}.example"}]},
    "no host": {"witnesses": [{**BOTH[0], "url": "https:///x"}]},
    "a port that is none": {"witnesses": [{**BOTH[0], "url": f"https://{SECRET}.example:x"}]},
    "credentials": {"witnesses": [{**BOTH[0], "url": f"https://me:{SECRET}@w.example"}]},
    "a query": {"witnesses": [{**BOTH[0], "url": f"https://w.example?key={SECRET}"}]},
    "a fragment": {"witnesses": [{**BOTH[0], "url": f"https://w.example#{SECRET}"}]},
    "one witness twice": {"witnesses": [BOTH[0], BOTH[0]]},
    "one key twice": {
        "witnesses": [
            BOTH[0],
            {"url": URL, "key": str(witness_key("w.example/9", Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)))},
        ]
    },
    "a quorum of nobody": {"quorum": 1},
    "a quorum beyond all": {"witnesses": BOTH, "quorum": 3},
    "a negative quorum": {"witnesses": BOTH, "quorum": -1},
    "no interval": {"interval_seconds": 0},
    "silent at once": {"interval_seconds": 60, "silent_after_seconds": 30},
    "withheld without a quorum": {"witnesses": BOTH, "max_unwitnessed_seconds": 300},
    "withheld between two rounds": {"witnesses": BOTH, "quorum": 1, "max_unwitnessed_seconds": 60},
}


@pytest.mark.parametrize("evidence", BAD.values(), ids=BAD)
def test_what_stops_the_start(tmp_path: Path, evidence: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, **evidence)
    assert "evidence" in str(error.value)
    assert SECRET not in str(error.value)
