"""Witnesses that lie, stall, follow a forger or know nobody, and our own side when it fails: nothing of it counts."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.anchors import ANCHORS_DIR, origin_hash
from runtime.audit.checkpoint import parse_checkpoint, sign_checkpoint
from runtime.audit.client import InProcessLog
from runtime.audit.cosignature import cosign, write_signature
from runtime.audit.errors import LogUnavailable
from runtime.audit.reader import iter_records, latest_checkpoint
from runtime.audit.record import Appended, Draft
from runtime.evidence_settings import WitnessSettings
from runtime.witness.protocol import MAX_BODY, parse_request
from runtime.witness_status import quorum_lacking
from tests.integration.witness_site import (
    Liar,
    Said,
    Site,
    WitnessProcess,
    grown,
    liar,
    site,
    witness,
)
from tests.unit.audit.log_rig import ORIGIN, Rig, make_rig, turn

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
    tellers: list[Liar] = []

    def say(path: str, _: bytes) -> Said:
        # A checkpoint in our name that the witness vouches for, and that our key did not sign.
        held = FORGED_NOTE.encode() + cosignature(tellers[0], FORGED_NOTE)
        return said if path == "/add-checkpoint" else (200, PLAIN, held)

    with liar(say) as teller, site(rig, teller.settings) as home:
        tellers.append(teller)
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
