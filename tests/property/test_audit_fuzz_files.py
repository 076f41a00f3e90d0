"""What others hand in, under arbitrary input: receipts, files of a log, anchors, paths of tiles, frames of the socket.

As `test_audit_fuzz`: a value or the error that is named, and what is read is written back the same.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from runtime.audit import wire
from runtime.audit.anchors import origin_hash, read_anchored
from runtime.audit.cosignature import witness_key
from runtime.audit.errors import (
    AuditError,
    DraftRefused,
    LogDamaged,
    RecordError,
)
from runtime.audit.pruned import Gap, kept_lines, list_gaps
from runtime.audit.reader import read_record, read_tile
from runtime.audit.receipt import check_answer, make_receipt, read_answer
from runtime.audit.record import serialise
from runtime.audit.segments import Segment, iter_lines, last_lines
from runtime.audit.tiles import tile_path
from runtime.audit.words import render, to_json
from tests.property.audit_corpus import FUZZ, altered, as_text, corpus, noise_or, spoilt
from tests.unit.audit.log_rig import ORIGIN, turn

WITNESS = witness_key("witness.example/w", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture(scope="module", autouse=True)
def _made_before() -> None:
    corpus()


# Receipts


def an_answer() -> dict[str, Any]:
    handed = next(item for item in reversed(corpus().history.handed) if item.appended.line)
    receipt = make_receipt(
        handed.appended, handed.appended.line.encode(), handed.keys, {"input": bytes(16), "output": bytes(16)}
    )
    answer = {
        "decision_id": handed.appended.record_id,
        "content": "Bonjour",
        "message": {"role": "assistant", "content": "Bonjour"},
    }
    return {**answer, "receipt": receipt}


@FUZZ
@given(st.data())
def test_receipts(data: st.DataObject) -> None:
    honest = an_answer()
    raw = data.draw(
        st.one_of(
            altered(honest).map(lambda value: json.dumps(value).encode()),
            spoilt([json.dumps(honest).encode()]),
            st.binary(max_size=100),
        )
    )
    try:
        answer = read_answer(raw)
    except RecordError:
        return
    report, _ = check_answer(answer, corpus().root, request=data.draw(st.one_of(st.none(), st.binary(max_size=20))))
    for language in ("en", "fr"):
        json.dumps(to_json(report, language)).encode()
        render(report, language).encode("utf-8")


# Files of a log


@FUZZ
@given(st.data())
def test_kept_lines(data: st.DataObject) -> None:
    honest = [path.read_bytes() for path in (corpus().logs / "kept").iterdir()]
    path = corpus().rig.home / "kept.fuzz"
    path.write_bytes(data.draw(noise_or(honest)))
    first = data.draw(st.integers(0, 600))
    gap = Gap(first, first + data.draw(st.integers(1, 10**20)), path)
    try:
        lines = kept_lines(gap)
    except LogDamaged:
        return
    assert [index for index, _ in lines] == sorted({index for index, _ in lines})
    assert path.read_bytes().startswith(b"".join(line + b"\n" for _, line in lines))


@FUZZ
@given(
    st.lists(
        st.one_of(
            st.from_regex(r"[0-9]{20}_[0-9]{20}\.jsonl", fullmatch=True), st.text("0123456789_.jsonl", max_size=50)
        ),
        max_size=6,
    )
)
def test_names_of_kept_files(names: list[str]) -> None:
    folder = corpus().rig.home / "names" / "kept"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name in names:
        if name.strip("."):
            (folder / name).touch()
    for gap in list_gaps(folder.parent, []):
        assert gap.first < gap.end
        assert gap.path.name == f"{gap.first:020d}_{gap.end:020d}.jsonl"


@FUZZ
@given(st.data(), st.integers(0, 20))
def test_segments(data: st.DataObject, count: int) -> None:
    path = corpus().rig.home / "segment.fuzz"
    content = data.draw(noise_or([segment.read_bytes() for segment in corpus().rig.segments()]))
    path.write_bytes(content)
    segment = Segment(0, "20270101", path)
    try:
        lines = list(iter_lines(segment))
    except LogDamaged:
        return
    found, rest = last_lines(segment, count)
    assert b"".join(line + b"\n" for line in lines) + rest == content
    assert found == (lines[-count:] if count else [])
    for line in lines[:3]:
        try:
            read_record(0, line)
        except LogDamaged:
            continue


TILES = [
    b"0/000",
    b"0/001",
    b"1/000",
    b"0/x001/067",
    b"0/000.p/17",
    b"entries/000",
    b"entries/001.p/3",
    b"entries/x001/000",
]


@FUZZ
@given(st.data())
def test_tile_paths(data: st.DataObject) -> None:
    path = as_text(
        data.draw(st.one_of(noise_or(TILES), st.sampled_from([b"../keys.json", b"0/../0/000", b"/0/000", b"0//000"])))
    )
    tile = read_tile(corpus().logs, path)
    if tile is None:
        return
    kind, _, rest = path.partition("/")
    number = int("".join(char for char in rest.partition(".p/")[0] if char.isdigit()))
    width = int(path.partition(".p/")[2] or 256)
    assert tile_path(0, number, width).partition("/")[2] == rest
    assert kind == "entries" or len(tile) == 32 * width


@FUZZ
@given(st.data())
def test_anchors(data: st.DataObject) -> None:
    logs = corpus().rig.home / "anchored"
    honest = corpus().notes[-1]
    folder = (
        logs
        / "anchors"
        / data.draw(st.sampled_from(["w+00000000", "x", "é"]))
        / data.draw(st.sampled_from([origin_hash(ORIGIN), "0" * 64]))
    )
    folder.mkdir(parents=True, exist_ok=True)
    (
        folder / data.draw(st.sampled_from(["checkpoint", "disputed", "000000000001_0000000000000001", "noise"]))
    ).write_bytes(data.draw(noise_or([honest])))
    faults: list[str] = []
    found = read_anchored(logs, ORIGIN, (WITNESS,), on_fault=lambda source, reason: faults.append(source + reason))
    assert all(item.checkpoint.origin == ORIGIN for item in found)
    "".join(faults).encode("ascii")


# Frames


@FUZZ
@given(st.data())
def test_frames(data: st.DataObject) -> None:
    draft = turn(7)
    frames = [
        wire.draft_frame(1, draft),
        wire.encode({"id": 2, "status": True}),
        wire.task_frame(3, wire.Task("prune", frozenset({"p_x"}))),
    ]
    raw = data.draw(
        st.one_of(
            noise_or(frames),
            altered(json.loads(frames[0])).map(lambda value: json.dumps(value).encode()),
            altered(json.loads(frames[2])).map(lambda value: json.dumps(value).encode()),
        )
    )
    try:
        frame = wire.decode(raw)
    except wire.FrameError:
        return
    for read in (lambda: wire.read_draft(frame.get("draft")), lambda: wire.read_task(frame)):
        try:
            read()
        except (wire.FrameError, DraftRefused) as error:
            wire.error_frame(1, error if isinstance(error, AuditError) else DraftRefused(str(error)))


def test_frames_are_read_as_they_were_written() -> None:
    draft = turn(7)
    frame = wire.decode(wire.draft_frame(5, draft)[:-1])
    assert (frame["id"], tuple(frame["draft"])) == (5, serialise(draft))
    task = wire.Task("prune", frozenset({"p_a", "p_b"}))
    assert wire.read_task(wire.decode(wire.task_frame(1, task)[:-1])) == task
    appended = corpus().history.handed[-1].appended
    body = wire.decode(wire.ok_frame(9, appended)[:-1])["ok"]
    assert wire.read_appended(body) == appended
    for kind in AuditError.__subclasses__():
        error = wire.read_error(wire.decode(wire.error_frame(1, kind("why"))[:-1])["error"])
        assert (type(error), str(error)) == (kind, "why")


@FUZZ
@given(st.data())
def test_answers_of_the_writer(data: st.DataObject) -> None:
    honest = json.loads(json.dumps(asdict(corpus().history.handed[-1].appended)))
    body = data.draw(altered(honest))
    assert isinstance(wire.read_error(body), AuditError)
    if isinstance(body, dict):
        try:
            wire.read_appended(body)
        except wire.FrameError:
            return
