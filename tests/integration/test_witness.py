"""A real log and real witnesses: growth is vouched for; silence, lies, forks and rollbacks are seen, said and recorded."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.anchors import ANCHORS_DIR, origin_hash
from runtime.audit.checkpoint import parse_checkpoint, sign_checkpoint, vkey
from runtime.audit.client import InProcessLog
from runtime.audit.cosignature import cosign, write_signature
from runtime.audit.errors import LogUnavailable
from runtime.audit.notation import LOG_KEY, parse_vkey
from runtime.audit.reader import iter_records, latest_checkpoint, proof_for, read_line
from runtime.audit.record import Appended, Draft
from runtime.audit.tlog_proof import parse_tlog_proof, verify_tlog_proof, write_tlog_proof
from runtime.audit.witness_policy import WitnessPolicy
from runtime.evidence_settings import WitnessSettings
from runtime.witness import store
from runtime.witness.protocol import MAX_BODY, parse_request
from runtime.witness_status import quorum_lacking
from tests.integration.witness_site import Liar, Said, Site, WitnessProcess, copy_of, liar, log_vkey, site, witness
from tests.unit.audit.log_rig import ORIGIN, Rig, check_whole, leaves_of, make_rig, tree_root, turn

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


def grown(home: Site, backup: Path, *, before: int = 5, after: int = 5) -> Rig:
    """Let the log grow, be vouched for, be copied, and grow and be vouched for again; the copy."""
    home.grow(before)
    home.round()
    home.close()
    old = copy_of(home.rig, backup)
    home.open()
    home.grow(after)
    home.round()
    return old


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


# Witnesses that lie


def cosignature(teller: Liar, note: str, **more: Any) -> bytes:
    line = cosign(
        parse_checkpoint(note), more.get("name", teller.public.name), more.get("key", teller.key), 1_800_000_000
    )
    return write_signature(line).encode()


PLAIN = {"content-type": "text/plain"}
SIZE = {"content-type": "text/x.tlog.size"}
FORGED_NOTE = sign_checkpoint(ORIGIN, 99, bytes(32), Ed25519PrivateKey.from_private_bytes(b"f" * 32))
LIES: dict[str, tuple[str, Callable[[Liar, str, bytes], Said]]] = {
    "nothing": ("bad_answer", lambda *_: (200, PLAIN, b"")),
    "noise": ("bad_answer", lambda *_: (200, PLAIN, b"\xff\x00" * 50)),
    "a page": ("bad_answer", lambda *_: (200, PLAIN, b"<html>fine</html>\n")),
    "another's cosignature": (
        "bad_answer",
        lambda me, _, body: (200, PLAIN, cosignature(me, parse_request(body).note, name="liar.example/x")),
    ),
    "a forged cosignature": (
        "bad_answer",
        lambda me, _, body: (200, PLAIN, cosignature(me, parse_request(body).note)[:-8] + b"AAAAAA=\n"),
    ),
    "a cosignature of another checkpoint": ("bad_answer", lambda me, *_: (200, PLAIN, cosignature(me, FORGED_NOTE))),
    "the whole note": (
        "bad_answer",
        lambda me, _, body: (200, PLAIN, parse_request(body).note.encode() + cosignature(me, parse_request(body).note)),
    ),
    "a redirect": ("http_307", lambda *_: (307, {"location": "/elsewhere"}, b"")),
    "a redirect to another site": ("http_302", lambda *_: (302, {"location": "http://127.0.0.1:1/"}, b"")),
    "too much": ("unreachable", lambda *_: (200, PLAIN, b"x" * (MAX_BODY + 1))),
    "a length that is a lie": ("unreachable", lambda *_: (200, {**PLAIN, "content-length": "-5"}, b"x")),
    "a failure": ("http_500", lambda *_: (500, PLAIN, b"no")),
    "no more requests": ("http_429", lambda *_: (429, PLAIN, b"")),
    "a conflict without a size": ("bad_answer", lambda *_: (409, PLAIN, b"7\n")),
    "a conflict with noise": ("bad_answer", lambda *_: (409, SIZE, b"seven\n")),
    "a conflict with a huge number": ("bad_answer", lambda *_: (409, SIZE, b"9" * 5000 + b"\n")),
    "conflict for ever": ("http_409", lambda *_: (409, SIZE, b"1\n")),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_no_vouching_and_harms_nobody_else(rig: Rig, served: WitnessProcess, lie: str) -> None:
    reason, say = LIES[lie]
    tellers: list[Liar] = []
    with liar(lambda path, body: say(tellers[0], path, body)) as teller:
        tellers.append(teller)
        with site(rig, teller.settings, served.settings) as home:
            false, true = home.round()
            assert (false.status, false.reason, false.size) == ("new", reason, 0)
            assert true.status == "ok"
            assert [item["witness"] for item in home.records()] == [W1]
            assert len(home.anchored(teller.public)) == len(home.anchored()) == 2  # those of the other alone
            assert all(path == "POST /add-checkpoint" for path, _ in teller.asked)
            assert len(teller.asked) <= 2


@pytest.mark.parametrize(
    ("said", "reason"), [((422, PLAIN, b"no\n"), "inconsistent"), ((409, SIZE, b"1000000\n"), "ahead")]
)
def test_a_false_accusation_is_recorded_and_proves_nothing(rig: Rig, said: Said, reason: str) -> None:
    def say(path: str, _: bytes) -> Said:
        return (200, PLAIN, FORGED_NOTE.encode()) if path.endswith("/checkpoint") and path.count("/") == 2 else said

    with liar(say) as teller, site(rig, teller.settings) as home:
        (status,) = home.round()
        assert (status.status, status.reason) == ("disagrees", reason)
        assert home.records()[-1]["status"] == "disagrees"
        assert (f"GET /{origin_hash(ORIGIN)}/checkpoint", b"") in teller.asked
        assert home.anchored() == []


def test_a_newer_checkpoint_that_somebody_else_brought_is_no_accusation(rig: Rig) -> None:
    """Checkpoints are public: the witness may know one that is newer than the one this round began with."""
    sites: list[Site] = []
    tellers: list[Liar] = []

    def say(_: str, body: bytes) -> Said:
        request = parse_request(body)
        if len(tellers[0].asked) == 1:
            asyncio.run_coroutine_threadsafe(sites[0].log.append(turn()), sites[0].runner.get_loop()).result(30)
            return 409, SIZE, b"2\n"
        return 200, PLAIN, cosignature(tellers[0], request.note)

    with liar(say) as teller, site(rig, teller.settings) as home:
        tellers.append(teller)
        sites.append(home)
        (status,) = home.round()
        assert (status.status, status.size) == ("ok", 2)
        assert parse_request(teller.asked[1][1]).old_size == 2


def test_one_that_keeps_us_waiting_is_given_up(rig: Rig) -> None:
    ended = threading.Event()

    def say(*_: object) -> Said:
        ended.wait(60)
        return 500, PLAIN, b""

    with liar(say) as teller, site(rig, teller.settings) as home:
        home.patience = 0.2
        home.restart()
        (status,) = home.round()
        ended.set()
        assert (status.status, status.reason) == ("new", "unreachable")


def test_witnesses_are_asked_side_by_side(rig: Rig) -> None:
    """The first answers when the second has been asked."""
    asked = threading.Event()
    tellers: list[Liar] = []

    def first(_: str, body: bytes) -> Said:
        assert asked.wait(30)
        return 200, PLAIN, cosignature(tellers[0], parse_request(body).note)

    def second(*_: object) -> Said:
        asked.set()
        return 500, PLAIN, b""

    with liar(first) as one, liar(second, seed=b"m") as two, site(rig, one.settings, two.settings) as home:
        tellers.append(one)
        assert [status.reason for status in home.round()] == ["", "http_500"]


def test_a_witness_that_follows_us_back_is_not_believed(rig: Rig, tmp_path: Path) -> None:
    """The log was set back but for what it remembers of its witnesses, and this one vouches for anything."""
    tellers: list[Liar] = []

    def say(_: str, body: bytes) -> Said:
        return 200, PLAIN, cosignature(tellers[0], parse_request(body).note)

    with liar(say) as teller:
        tellers.append(teller)
        with site(rig, teller.settings) as home:
            old = grown(home, tmp_path / "backup")
        shutil.rmtree(old.logs / ANCHORS_DIR)
        shutil.copytree(rig.logs / ANCHORS_DIR, old.logs / ANCHORS_DIR)
        with site(old, teller.settings) as rolled:
            (status,) = rolled.round()
            assert (status.status, status.reason) == ("disagrees", "forgot")
            assert rolled.records()[-1]["reason"] == "forgot"


def test_what_is_held_against_us_is_kept_without_anything_else(
    home: Site, served: WitnessProcess, tmp_path: Path
) -> None:
    old = grown(home, tmp_path / "backup")
    held = home.anchored()[-1].note

    def say(path: str, _: bytes) -> Said:
        junk = "— somebody.example/else AAAAAAAA\n" * 20
        return (200, PLAIN, (held + junk).encode()) if path.startswith(f"/{origin_hash(ORIGIN)}") else (422, PLAIN, b"")

    with liar(say) as teller:
        twisted = WitnessSettings(url=teller.settings.url, key=str(served.public))
        with site(old, twisted) as rolled:
            assert rolled.round()[0].reason == "inconsistent"
            assert rolled.anchored()[-1].note == held


def test_tls_is_verified(tmp_path: Path, rig: Rig) -> None:
    certificate, key = self_signed(tmp_path)
    with witness(tmp_path / "w", rig) as served:
        served.stop()
        served.start("--tls-certificate", str(certificate), "--tls-key", str(key))
        secure = WitnessSettings(url=f"https://127.0.0.1:{served.port}", key=str(served.public))
        with site(rig, secure) as home:
            assert home.round()[0].reason == "unreachable"
            assert served.size == 0


def self_signed(folder: Path) -> tuple[Path, Path]:
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "witness")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    key.write_bytes(secret.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return certificate, key


# Our own side


def test_two_witnesses_and_a_quorum(tmp_path: Path, rig: Rig, served: WitnessProcess) -> None:
    with witness(tmp_path / "w2", rig, name="witness.example/w2") as second:
        demand = {"quorum": 2, "max_unwitnessed_seconds": 300}
        with site(rig, served.settings, second.settings, **demand) as home:
            assert quorum_lacking(home.states, home.evidence, home.now)
            home.grow()
            home.round()
            assert not quorum_lacking(home.states, home.evidence, home.now)
            policy = home.evidence.policy
            seen = [(item.checkpoint.size, item.witnesses) for item in home.anchored()]
            assert policy.covered(seen) == 2
            second.stop()
            for _ in range(5):
                home.round()
                assert not quorum_lacking(home.states, home.evidence, home.now)
            home.round()
            assert quorum_lacking(home.states, home.evidence, home.now)
            second.start()
            home.round()
            assert not quorum_lacking(home.states, home.evidence, home.now)
            assert [item["status"] for item in home.records()] == ["ok", "ok"]


def test_other_witnesses_begin_anew(tmp_path: Path, home: Site, served: WitnessProcess) -> None:
    home.round()
    with witness(tmp_path / "w2", home.rig) as renewed:  # the same name, another key
        home.restart(renewed.settings)
        (status,) = home.round()
        assert (status.status, status.size) == ("ok", home.size - 1)
        assert status.key_id != served.public.key_id.hex()
    assert [item["status"] for item in home.records()] == ["ok", "ok"]


class _Refusing(InProcessLog):
    """A log that takes no records while `refuses` is set."""

    refuses = False

    async def append(self, draft: Draft) -> Appended:
        if self.refuses:
            raise LogUnavailable("full")
        return await super().append(draft)


def test_a_change_that_cannot_be_recorded_is_recorded_later(home: Site) -> None:
    home.run(home.log.aclose())
    log = home.log = _Refusing(home.rig.open())
    home.restart()
    log.refuses = True
    with pytest.raises(LogUnavailable):
        home.round()
    assert home.states is not None
    (status,) = home.states.witnesses
    assert (status.status, status.recorded) == ("ok", "new")
    log.refuses = False
    home.round()
    home.round()
    assert [item["status"] for item in home.records()] == ["ok"]


def test_a_lost_state_is_made_again(home: Site) -> None:
    home.grow()
    home.round()
    (home.rig.logs / ANCHORS_DIR / "state.json").write_bytes(b"\x00")
    home.grow()
    (status,) = home.round()
    assert (status.status, status.size) == ("ok", home.size - 1)


def test_no_witnesses_no_round(rig: Rig) -> None:
    with site(rig) as home:
        assert home.run(home.witnessing.round()) is None
        assert not (rig.logs / ANCHORS_DIR).exists()


def test_a_disk_that_keeps_nothing_is_no_vouching(home: Site) -> None:
    (home.rig.logs / ANCHORS_DIR).write_bytes(b"in the way")
    with pytest.raises(OSError) as error:
        home.round()
    assert error.value.errno in {errno.EEXIST, errno.ENOTDIR}
    assert quorum_lacking(
        home.states, home.evidence.model_copy(update={"quorum": 1, "max_unwitnessed_seconds": 300}), home.now
    )


def test_records_hold_codes_only(home: Site) -> None:
    home.round()
    record = next(record for record in home.rig.records() if record["event"] == "anchor")
    assert record["actor"] == {"type": "system", "ref": "housekeeping", "role": "system", "auth_method": "none"}
    assert set(record["detail"]) == {"witness", "status", "size", "cosigned_size"}


def test_the_record_names_the_checkpoint(home: Site) -> None:
    asked = latest_checkpoint(home.rig.logs)
    assert asked is not None
    home.round()
    record = next(item for item in iter_records(home.rig.logs, reverse=True) if item.record["event"] == "anchor")
    assert record.subjects == (("checkpoint", hashlib.sha256(asked.encode()).hexdigest()),)
