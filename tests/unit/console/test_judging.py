"""A record as an API hands it out, judged by the console itself: whole, altered, swapped, of another root, set back."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from console.judging import Look, judge, judge_growth
from runtime.audit import reader
from tests.integration.doors import engine, root_key
from tests.integration.harness import Filagent, running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filagent]:
    with running(tmp_path_factory.mktemp("judging"), engine=engine()) as started:
        yield started


@pytest.fixture(scope="module")
def handed(app: Filagent) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """A record, its proof and the key manifest, as their doors give them."""
    record_id = app.chat("Hello").json["decision_id"]
    record = app.request("GET", f"/decisions/{record_id}").json
    return record, app.request("GET", f"/decisions/{record_id}/proof").json, app.request("GET", "/log/keys").raw


def test_an_honest_record_is_whole(app: Filagent, handed: Any) -> None:
    report, look = judge(*handed, root_key(app))
    assert report.whole, report.problems
    assert look is not None
    assert look.size == handed[1]["tree_size"]
    assert report.remarks == []


def _line(change: Callable[[str], str]) -> Callable[[Any, Any], None]:
    def apply(record: Any, _proof: Any) -> None:
        record["line"] = change(record["line"])

    return apply


def _shown(record: Any, _proof: Any) -> None:
    record["record"] = record["record"] | {"decision": "deny"}


def _elsewhere(record: Any, _proof: Any) -> None:
    record["log_index"] += 1


def _proof_of_another(_record: Any, proof: Any) -> None:
    proof["log_index"] -= 1


def _hash(_record: Any, proof: Any) -> None:
    proof["inclusion"][0] = b64encode(bytes(32)).decode()


def _size(_record: Any, proof: Any) -> None:
    lines = proof["checkpoint"].split("\n")
    proof["checkpoint"] = "\n".join([lines[0], str(int(lines[1]) + 1), *lines[2:]])


CHANGES = [
    ("signature", _line(lambda line: line[:-12] + ("A" if line[-12] != "A" else "B") + line[-11:])),
    ("nothing", _line(lambda _line: "")),
    ("shown", _shown),
    ("elsewhere", _elsewhere),
    ("proof of another", _proof_of_another),
    ("hash", _hash),
    ("size", _size),
]


@pytest.mark.parametrize(("change"), [change for _, change in CHANGES], ids=[name for name, _ in CHANGES])
def test_whatever_is_altered_shows(app: Filagent, handed: Any, change: Callable[[Any, Any], None]) -> None:
    record, proof, keys = json.loads(json.dumps(handed[0])), json.loads(json.dumps(handed[1])), handed[2]
    change(record, proof)
    report, _ = judge(record, proof, keys, root_key(app))
    assert report.problems


def test_another_root_is_not_believed(handed: Any) -> None:
    report, look = judge(*handed, Ed25519PrivateKey.generate().public_key())
    assert not report.whole
    assert look is None


@pytest.mark.parametrize("keys", [b"", b"\xff", b"{}\n"])
def test_keys_that_are_none(app: Filagent, handed: Any, keys: bytes) -> None:
    assert not judge(handed[0], handed[1], keys, root_key(app))[0].whole


def test_the_log_only_grew(app: Filagent, handed: Any) -> None:
    _, before = judge(*handed, root_key(app))
    app.chat("Hello again")
    record_id = handed[0]["record_id"]
    _, now = judge(handed[0], app.request("GET", f"/decisions/{record_id}/proof").json, handed[2], root_key(app))
    assert before is not None
    assert now is not None
    proof = reader.consistency_for(app.settings.logs_dir, before.size, now.size)
    assert proof is not None
    assert judge_growth(before, now, proof) is None
    forged = judge_growth(Look(before.origin, before.size, bytes(32)), now, proof)
    assert forged is not None
    assert forged.code == "tree.root"
    cut = judge_growth(now, before, [])
    assert cut is not None
    assert cut.code == "lines.missing"
    same_size = judge_growth(Look(now.origin, now.size, bytes(32)), now, [])
    assert same_size is not None
    assert judge_growth(Look("another.example/log", 10**6, bytes(32)), now, []) is None
