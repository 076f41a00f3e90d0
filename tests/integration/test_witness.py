"""A real log and real witnesses: growth is vouched for; silence, lies, forks and rollbacks are seen, said and recorded."""

from __future__ import annotations

import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.anchors import ANCHORS_DIR, origin_hash
from runtime.audit.checkpoint import vkey
from runtime.audit.notation import LOG_KEY, parse_vkey
from runtime.audit.reader import proof_for, read_line
from runtime.audit.tlog_proof import parse_tlog_proof, verify_tlog_proof, write_tlog_proof
from runtime.audit.witness_policy import WitnessPolicy
from runtime.evidence_settings import WitnessSettings
from runtime.witness import store
from runtime.witness.protocol import parse_request
from tests.integration.witness_site import (
    Site,
    WitnessProcess,
    grown,
    log_vkey,
    site,
    witness,
)
from tests.unit.audit.log_rig import ORIGIN, Rig, check_whole, leaves_of, make_rig, tree_root

W1 = "witness.example/w1"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path / "site")


@pytest.fixture
def served(tmp_path: Path, rig: Rig) -> Iterator[WitnessProcess]:
    with witness(tmp_path / "w", rig) as process:
        yield process


@pytest.fixture
def home(rig: Rig, served: WitnessProcess) -> Iterator[Site]:
    with site(rig, served.settings) as made:
        yield made


# Growth


def test_growth_is_vouched_for_round_after_round(home: Site, served: WitnessProcess) -> None:
    for _ in range(5):
        home.grow()
        size = home.size
        (status,) = home.round()
        assert (status.status, status.size, status.reason) == ("ok", size, "")
        assert served.size == size
    # One record of the first time, none of each round.
    assert home.records() == [{"witness": W1, "status": "ok", "size": 2, "cosigned_size": 2}]
    newest = home.anchored()[-1]
    assert newest.checkpoint.root == tree_root(leaves_of(home.rig.lines())[: newest.checkpoint.size])
    assert list(newest.witnesses) == [W1]
    check_whole(home.rig)


def test_a_log_at_rest_is_vouched_for_anew(home: Site) -> None:
    home.round()
    first, second = home.round(), home.round()
    assert (first[0].size, second[0].size) == (home.size, home.size)
    assert second[0].heard - first[0].heard == 60
    assert len(home.records()) == 1


def test_growth_over_many_sizes_and_a_restart(home: Site, served: WitnessProcess) -> None:
    for step in (1, 3, 30, 222, 1):
        home.grow(step)
        size = home.size
        assert home.round()[0].size == size
    home.close()
    home.open()
    served.stop()
    served.start()
    home.grow()
    assert home.round()[0].size == home.size
    assert len(home.records()) == 1


def test_metrics_say_how_it_stands(home: Site) -> None:
    home.round()
    shown = home.metrics()
    assert f'filagent_witness_size{{witness="{W1}"}} 1.0' in shown
    assert f'filagent_witness_state{{state="ok",witness="{W1}"}} 1.0' in shown
    assert f'filagent_witness_state{{state="silent",witness="{W1}"}} 0.0' in shown
    assert f'filagent_witness_cosigned_timestamp_seconds{{witness="{W1}"}}' in shown


def test_a_proof_file_with_a_cosignature(home: Site, served: WitnessProcess) -> None:
    home.grow()
    home.round()
    anchored = home.anchored()[-1]
    proof = proof_for(home.rig.logs, 1, anchored.checkpoint.size)
    line = read_line(home.rig.logs, 1)
    assert proof is not None
    assert line is not None
    hashes = [parse_request(f"old 0\n{value}\n\n".encode()).proof[0] for value in proof["inclusion"]]
    text = write_tlog_proof(1, hashes, anchored.note)
    policy = WitnessPolicy((served.public,), 1)
    log_key = parse_vkey(log_vkey(home.rig), LOG_KEY)
    assert list(verify_tlog_proof(parse_tlog_proof(text), line, ORIGIN, [log_key], policy)) == [W1]


def test_an_auditor_reads_what_was_vouched_for(home: Site, served: WitnessProcess) -> None:
    home.round()
    reply = home.run(home.witnessing._speak("GET", f"{served.settings.url}/{origin_hash(ORIGIN)}/checkpoint", None))
    assert reply.body.decode() == home.anchored()[-1].note


# Rollback and fork


def test_a_rollback_is_a_disagreement_with_proof(home: Site, served: WitnessProcess, tmp_path: Path) -> None:
    old = grown(home, tmp_path / "backup")
    with site(old, served.settings) as rolled:
        claimed = served.size
        assert rolled.size < claimed
        (status,) = rolled.round()
        assert (status.status, status.reason) == ("disagrees", "ahead")
        assert rolled.records()[-1] == {
            "witness": W1, "status": "disagrees", "size": rolled.size - 1, "cosigned_size": 6, "reason": "ahead",
        }  # fmt: skip
        # What contradicts the log lies beside it, with our own signature on it.
        held = rolled.anchored()[-1]
        assert (held.checkpoint.size, held.source.rpartition("/")[2]) == (claimed, "disputed")
        assert list(held.witnesses) == [W1]
        # It is said once.
        rolled.round()
        assert len([item for item in rolled.records() if item["status"] == "disagrees"]) == 1
        assert served.size == claimed


def test_a_fork_is_a_disagreement_with_proof(home: Site, served: WitnessProcess, tmp_path: Path) -> None:
    old = grown(home, tmp_path / "backup", after=3)
    with site(old, served.settings) as forked:
        claimed = served.size
        forked.grow(20)
        (status,) = forked.round()
        assert (status.status, status.reason) == ("disagrees", "inconsistent")
        held = forked.anchored()[-1]
        assert (held.checkpoint.size, held.source.rpartition("/")[2]) == (claimed, "disputed")
        assert held.checkpoint.root != tree_root(leaves_of(old.lines())[:claimed])
        assert served.size == claimed
    # The honest log goes on.
    assert home.round()[0].status == "ok"


def test_a_fork_without_any_memory_of_witnesses(home: Site, served: WitnessProcess, tmp_path: Path) -> None:
    old = grown(home, tmp_path / "backup")
    shutil.rmtree(old.logs / ANCHORS_DIR)
    with site(old, served.settings) as forked:
        assert forked.round()[0].reason == "ahead"
        forked.grow(20)
        assert forked.round()[0].reason == "inconsistent"


def test_a_witness_that_was_set_back_is_not_trusted(home: Site, served: WitnessProcess, tmp_path: Path) -> None:
    home.grow()
    home.round()
    served.stop()
    shutil.copytree(served.home, tmp_path / "older")
    served.start()
    home.grow()
    home.round()
    served.stop()
    shutil.rmtree(served.home)
    (tmp_path / "older").rename(served.home)
    served.start()
    home.grow()
    (status,) = home.round()
    assert (status.status, status.reason) == ("disagrees", "forgot")
    assert home.round()[0].status == "disagrees"


def test_agreement_is_recorded_again(home: Site, served: WitnessProcess, tmp_path: Path) -> None:
    """The wrong copy was started by mistake, and the right one after it."""
    old = grown(home, tmp_path / "backup")
    assert home.round()[0].status == "ok"
    with site(old, served.settings) as rolled:
        assert rolled.round()[0].status == "disagrees"
    home.grow()
    assert home.round()[0].status == "ok"
    assert [item["status"] for item in home.records()] == ["ok"]


# Silence


def dead_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_witness_that_is_gone_is_silent_after_a_while(home: Site, served: WitnessProcess) -> None:
    home.grow()
    home.round()
    heard = home.now
    served.stop()
    for _ in range(9):
        assert home.round()[0].status == "ok"
    (status,) = home.round()
    assert (status.status, status.since, status.reason) == ("silent", heard, "unreachable")
    assert home.records()[-1] == {
        "witness": W1, "status": "silent", "size": home.size - 1, "cosigned_size": 2, "reason": "unreachable",
    }  # fmt: skip
    for _ in range(5):
        home.round()
    assert [item["status"] for item in home.records()] == ["ok", "silent"]
    served.start()
    assert home.round()[0].status == "ok"
    assert [item["status"] for item in home.records()] == ["ok", "silent", "ok"]


def test_one_that_never_answered_is_silent_too(rig: Rig, served: WitnessProcess) -> None:
    nowhere = WitnessSettings(url=f"http://127.0.0.1:{dead_port()}", key=str(served.public))
    with site(rig, nowhere) as home:
        assert {home.round()[0].status for _ in range(9)} == {"new"}
        assert home.records() == []
        assert home.round()[0].status == "silent"
        assert [item["status"] for item in home.records()] == ["silent"]


REFUSALS = {
    "an unknown log": (None, "http_404"),
    "another key of this log": (Ed25519PrivateKey.from_private_bytes(b"x" * 32), "http_403"),
}


@pytest.mark.parametrize(("key", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_a_witness_that_does_not_know_us(tmp_path: Path, rig: Rig, key: Ed25519PrivateKey | None, reason: str) -> None:
    with witness(tmp_path / "w") as served:
        if key is not None:
            store.add_log(served.home, ORIGIN, vkey(ORIGIN, key.public_key()))
        with site(rig, served.settings) as home:
            assert (home.round()[0].status, home.round()[0].reason) == ("new", reason)
            home.now += 600
            assert home.round()[0].status == "silent"
            assert home.records()[-1]["reason"] == reason
            # As soon as its operator adds the key, it vouches.
            store.add_log(served.home, ORIGIN, log_vkey(rig))
            assert home.round()[0].status == "ok"


def test_silence_is_counted_over_a_restart(home: Site, served: WitnessProcess) -> None:
    home.round()
    served.stop()
    home.round()
    home.restart()
    for _ in range(9):
        assert home.round()[0].status == "ok"
    assert home.round()[0].status == "silent"
    home.restart()
    home.round()
    assert [item["status"] for item in home.records()] == ["ok", "silent"]


# Crashes of the witness


@pytest.mark.parametrize("step", ["witness.before_persist", "witness.after_persist"])
def test_a_witness_killed_between_memory_and_answer(tmp_path: Path, rig: Rig, step: str) -> None:
    with witness(tmp_path / "w", rig, crash_at=f"{step}:2") as served, site(rig, served.settings) as home:
        assert home.round()[0].status == "ok"
        home.grow()
        remembered = home.size
        (status,) = home.round()
        assert (status.status, status.reason, status.size) == ("ok", "unreachable", 1)
        assert served.process is not None
        assert served.process.wait(30) == -signal.SIGKILL
        assert served.size == (remembered if step == "witness.after_persist" else 1)
        served.start()
        home.grow()
        (status,) = home.round()
        assert (status.status, status.size, served.size) == ("ok", home.size, home.size)
        assert [item["status"] for item in home.records()] == ["ok"]


def test_no_fork_gets_through_a_crash(tmp_path: Path, home: Site, served: WitnessProcess) -> None:
    """What was remembered and never answered binds the witness all the same."""
    old = grown(home, tmp_path / "backup")
    served.stop()
    served.start(crash_at="witness.after_persist")
    home.grow()
    home.round()
    assert served.process is not None
    assert served.process.wait(30) == -signal.SIGKILL
    claimed = home.size
    served.start()
    with site(old, served.settings) as forked:
        forked.grow(20)
        assert forked.round()[0].reason == "inconsistent"
    assert served.size == claimed


def test_killed_at_random_and_never_set_back(home: Site, served: WitnessProcess) -> None:
    largest = 0
    for _ in range(5):
        home.grow()
        largest = max(largest, *(status.size for status in home.round()))
        served.stop(signal.SIGKILL)
        assert served.size >= largest
        served.start()
    home.grow()
    assert home.round()[0].size == home.size
