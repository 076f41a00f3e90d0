"""Cosignatures, requests and a witness's judgement against what others publish; nothing here was made by our code.

The cosigned checkpoint is one of a public certificate transparency log as its witnesses signed it; the requests are
those of litewitness's own tests (github.com/FiloSottile/torchwood, cmd/litewitness/testdata); the rest is from the
specifications.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.audit.checkpoint import parse_checkpoint
from runtime.audit.cosignature import signatures_by, time_of
from runtime.audit.errors import CheckpointError
from runtime.audit.notation import LOG_KEY, WITNESS_KEY, VerifierKey, parse_vkey
from runtime.audit.witness_policy import cosigned
from runtime.witness import store
from runtime.witness.protocol import parse_request
from runtime.witness.state import WitnessState

CT_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
COSIGNED = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
"""


@pytest.mark.parametrize(("published", "kind"), [(CT_LOG, LOG_KEY), (REMORA, WITNESS_KEY)])
def test_published_verifier_keys(published: str, kind: int) -> None:
    assert str(parse_vkey(published, kind)) == published  # type: ignore[arg-type]


def test_a_published_cosignature_verifies() -> None:
    assert cosigned(COSIGNED, [parse_vkey(REMORA, WITNESS_KEY)]) == {"remora.n621.de": 0x6A122120}
    (line,) = signatures_by(parse_checkpoint(COSIGNED), [parse_vkey(CT_LOG, LOG_KEY)])
    assert line.key_id.hex() == "ba2f06c0"


@pytest.mark.parametrize(
    ("old", "new"), [("\n1432088532\n", "\n1432088533\n"), ("U7WM", "U7WN"), ("arche2025h1", "arche2026h1")]
)
def test_and_nothing_else_with_it(old: str, new: str) -> None:
    with pytest.raises(CheckpointError):
        cosigned(COSIGNED.replace(old, new, 1), [parse_vkey(REMORA, WITNESS_KEY)])


def test_the_example_of_the_cosignature_specification() -> None:
    checkpoint = parse_checkpoint(
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n"
        "— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 "
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    assert time_of(checkpoint.signatures[1]) == 1679315147


def test_the_example_of_the_witness_specification() -> None:
    request = parse_request(
        "old 20852014\n"
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
        "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
        "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
        "\n"
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n"
        "— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— example.com/behind-the-sofa "
        "opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n".encode()
    )
    assert (request.old_size, len(request.proof)) == (20852014, 4)
    assert parse_checkpoint(request.note).size == 20852163


SIGSUM = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
SIGSUM_KEY = VerifierKey(
    SIGSUM, LOG_KEY, bytes.fromhex("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f")
)
A, B = "KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
C, D = "+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=\n", "KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
ONE = (
    f"{SIGSUM}\n1\nKgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— {SIGSUM} "
    "UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY=\n"
)
THREE = (
    f"{SIGSUM}\n3\nRcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=\n\n— {SIGSUM} "
    "UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go=\n"
)
FIVE = (
    f"{SIGSUM}\n5\nQrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=\n\n— {SIGSUM} "
    "UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww=\n"
)
STEPS = [
    ("the first", f"old 0\n\n{ONE}", "cosigned"),
    ("a wrong signature", f"old 1\n{A}{B}\n{THREE.replace('6go=', '6gx=')}", "malformed"),
    ("a wrong signature, canonically", f"old 1\n{A}{B}\n{THREE.replace('6go=', '6gk=')}", "unsigned"),
    ("another log", f"old 1\n{A}{B}\n{THREE.replace('e562', 'e563')}", "unknown_log"),
    ("no proof", f"old 1\n\n{THREE}", "inconsistent"),
    ("a wrong proof", f"old 1\n{A}{B.replace('AAA=', 'BAA=')}\n{THREE}", "inconsistent"),
    ("growth", f"old 1\n{A}{B}\n{THREE}", "cosigned"),
    ("the race, lost", f"old 1\n{A}{C}{D}\n{FIVE}", "conflict"),
]


def test_a_published_course_of_requests(tmp_path: Path) -> None:
    store.create(tmp_path / "w", "example.com/witness")
    store.add_log(tmp_path / "w", SIGSUM, str(SIGSUM_KEY))
    with WitnessState(tmp_path / "w") as state:
        assert [(name, state.add_checkpoint(parse_request(body.encode())).kind) for name, body, _ in STEPS] == [
            (name, kind) for name, _, kind in STEPS
        ]


def test_the_other_side_of_the_race(tmp_path: Path) -> None:
    store.create(tmp_path / "w", "example.com/witness")
    store.add_log(tmp_path / "w", SIGSUM, str(SIGSUM_KEY))
    with WitnessState(tmp_path / "w") as state:
        kinds = [
            state.add_checkpoint(parse_request(body.encode())).kind
            for body in (f"old 0\n\n{ONE}", f"old 1\n{A}{C}{D}\n{FIVE}", f"old 1\n{A}{B}\n{THREE}")
        ]
    assert kinds == ["cosigned", "cosigned", "conflict"]
