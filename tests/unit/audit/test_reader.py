"""Reading the log: lines by index, records both ways, decisions by id, proofs, tiles, open turns."""

from __future__ import annotations

import base64
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runtime.audit import logtool, proofs, reader
from runtime.audit.checkpoint import check_checkpoint, parse_checkpoint
from runtime.audit.errors import LogDamaged
from runtime.audit.files import Files
from runtime.audit.finder import LineFinder
from runtime.audit.merkle import verify_consistency, verify_inclusion
from runtime.audit.record import prepare
from runtime.audit.tiles import tile_path
from runtime.audit.views import ViewWriter
from tests.unit.audit import forge
from tests.unit.audit.log_rig import ORIGIN, Rig, intent, leaves_of, make_rig, path_root, tree_root, turn

BIG = {"content": [{"name": f"c{n}", "sha256": "2" * 64, "size": n, "commit": "3" * 64} for n in range(32)]}


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """600 lines in segments of up to 1.5 MB, two full tiles and a part of one."""
    rig = make_rig(tmp_path_factory.mktemp("long"))
    for _ in range(2):
        writer = rig.open(max_segment=1_500_000)
        for start in range(0, 300, 50):
            writer.commit([prepare(turn(start + number, **BIG)) for number in range(50)])
        writer.close()
    return rig


@pytest.fixture
def rig(long: Rig, tmp_path: Path) -> Rig:
    return forge.copy(long, tmp_path / "home")


def test_lines_by_index(long: Rig) -> None:
    lines = long.lines()
    for index in (0, 1, 255, 256, len(lines) // 2, len(lines) - 1):
        assert reader.read_line(long.logs, index) == lines[index]
    for index in (-1, len(lines), 10**9):
        assert reader.read_line(long.logs, index) is None


@pytest.mark.parametrize(
    ("start", "end", "reverse"),
    [(0, None, False), (0, None, True), (250, 270, False), (250, 270, True), (590, 9999, True)],
)
def test_records_both_ways(start: int, end: int | None, reverse: bool, long: Rig) -> None:
    total = len(long.lines())
    wanted = list(range(start, total if end is None else min(end, total)))
    found = [record.index for record in reader.iter_records(long.logs, start, end=end, reverse=reverse)]
    assert found == (wanted[::-1] if reverse else wanted)


def test_a_record_decoded(long: Rig) -> None:
    record = next(reader.iter_records(long.logs))
    assert record.record["event"] == "log.started"
    assert record.subjects[0][0] == "keys.json"
    assert record.line.encode() == long.lines()[0]


def test_what_was_appended_later_is_seen(rig: Rig) -> None:
    before = len(list(reader.iter_records(rig.logs)))
    writer = rig.open()
    appended = writer.append(turn())
    assert reader.read_line(rig.logs, appended.index) == rig.lines()[appended.index]
    writer.close()
    assert len(list(reader.iter_records(rig.logs))) == before + 2


def test_only_what_a_checkpoint_covers_is_shown(rig: Rig) -> None:
    before = (rig.logs / "checkpoint").read_bytes()
    size = parse_checkpoint(before.decode()).size
    rig.open().append(turn())
    forge.put(rig.logs / "checkpoint", before)
    assert reader.read_line(rig.logs, size) is None
    assert next(record.index for record in reader.iter_records(rig.logs, reverse=True)) == size - 1


def test_lines_cut_off_and_written_again_are_found_anew(rig: Rig) -> None:
    """What was never acknowledged may be replaced; a finder that has counted it already must notice."""
    last = rig.segments()[-1]
    first = int(last.name[-26:-6])
    lines = last.read_bytes().splitlines()
    finder = LineFinder(rig.logs)
    noise = [line[: len(line) // 3] for line in lines]
    forge.put(last, b"".join(line + b"\n" for line in lines[:1] + noise * 3))
    assert finder.end() > first + len(lines)
    forge.put(last, b"".join(line + b"\n" for line in lines))
    assert finder.lines(first, first + len(lines)) == list(enumerate(lines, first))


def test_a_line_under_a_wrong_index_is_damage(rig: Rig) -> None:
    lines = rig.lines()
    forge.write_lines(rig, [lines[1], lines[0], *lines[2:]])
    with pytest.raises(LogDamaged):
        reader.read_line(rig.logs, 0)


def decision_ids(rig: Rig) -> list[str]:
    return [record["record_id"] for record in rig.records()]


def test_a_decision_with_and_without_its_view(rig: Rig) -> None:
    wanted = decision_ids(rig)[400]
    plain = reader.read_decision(rig.logs, wanted)
    ViewWriter(rig.logs).catch_up()
    viewed = reader.read_decision(rig.logs, wanted)
    assert plain == viewed
    assert plain is not None
    assert (plain["log_index"], plain["line"].encode()) == (400, rig.lines()[400])
    assert plain["record"]["record_id"] == wanted


def test_a_view_that_lies_is_not_believed(rig: Rig) -> None:
    ids = decision_ids(rig)
    ViewWriter(rig.logs).catch_up()
    path, other = reader.view_path(rig.logs, ids[400]), reader.view_path(rig.logs, ids[401])
    assert path is not None
    assert other is not None
    for lie in (other.read_text(), other.read_text().replace(ids[401], ids[400]), "{}", "[", ""):
        path.write_text(lie)
        found = reader.read_decision(rig.logs, ids[400])
        assert found is not None
        assert (found["log_index"], found["record"]["record_id"]) == (400, ids[400])


@pytest.mark.parametrize(
    "record_id",
    ["", "DR-", "../../keys.json", "DR-" + "0" * 36, "DR-ffffffff-ffff-7fff-bfff-ffffffffffff", "DR-\u0660"],
)
def test_no_such_decision(record_id: str, long: Rig) -> None:
    assert reader.read_decision(long.logs, record_id) is None


def test_the_record_that_closed_a_turn(long: Rig) -> None:
    wanted = long.records()[123]
    assert reader.find_closing(long.logs, wanted["turn_ref"]) == wanted
    assert reader.find_closing(long.logs, "t_" + "0" * 26) is None


def test_open_turns(tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    writer = rig.open()
    for name in ("a", "b", "c"):
        writer.append(intent(turn_ref=f"t_{name * 26}"))
    writer.append(turn(turn_ref="t_" + "b" * 26))
    writer.append(intent(turn_ref="t_" + "c" * 26))
    writer.close()
    assert reader.open_turn_refs(rig.logs) == ["t_" + "a" * 26, "t_" + "c" * 26]
    assert reader.open_turn_refs(rig.logs, tail=1) == ["t_" + "c" * 26]


def hashes(proof: list[str]) -> list[bytes]:
    return [base64.b64decode(item) for item in proof]


@pytest.mark.parametrize("tiles", ["as written", "missing", "garbage"])
@pytest.mark.parametrize("size", [None, 1, 255, 256, 257, 512, 600])
def test_proofs_hold(size: int | None, tiles: str, rig: Rig) -> None:
    if tiles == "missing":
        shutil.rmtree(rig.logs / "tile")
    if tiles == "garbage":
        (rig.logs / "tile/0/000").write_bytes(b"x")
    leaves = leaves_of(rig.lines())
    wanted = size or len(leaves)
    for index in {0, wanted // 2, wanted - 1}:
        proof = reader.proof_for(rig.logs, index, size)
        assert proof is not None
        assert (proof["log_index"], proof["tree_size"]) == (index, wanted)
        assert (proof["checkpoint"] is None) == (size is not None)
        assert path_root(leaves[index], index, wanted, hashes(proof["inclusion"])) == tree_root(leaves[:wanted])
        verify_inclusion(leaves[index], index, wanted, hashes(proof["inclusion"]), tree_root(leaves[:wanted]))


@pytest.mark.parametrize(("first", "second"), [(1, None), (255, 256), (256, 512), (300, None), (600, None)])
def test_consistency(first: int, second: int | None, long: Rig) -> None:
    leaves = leaves_of(long.lines())
    wanted = second or len(leaves)
    proof = reader.consistency_for(long.logs, first, second)
    assert proof is not None
    verify_consistency(first, wanted, hashes(proof), tree_root(leaves[:first]), tree_root(leaves[:wanted]))


def test_no_proof_of_what_is_not_there(long: Rig, tmp_path: Path) -> None:
    size = len(long.lines())
    assert reader.proof_for(long.logs, size) is None
    assert reader.proof_for(long.logs, -1) is None
    assert reader.proof_for(long.logs, 0, size + 1) is None
    assert reader.proof_for(long.logs, 5, 5) is None
    assert reader.consistency_for(long.logs, 0) is None
    assert reader.consistency_for(long.logs, 5, 4) is None
    assert reader.consistency_for(long.logs, 5, size + 1) is None
    empty = make_rig(tmp_path)
    assert reader.latest_checkpoint(empty.logs) is None
    assert reader.proof_for(empty.logs, 0) is None
    assert reader.consistency_for(empty.logs, 1) is None
    assert reader.read_tile(empty.logs, "0/000.p/1") is None
    assert list(reader.iter_records(empty.logs)) == []


@pytest.mark.parametrize("tile", [bytes(range(32)) * 256, bytes(8192)])
def test_a_wrong_tile_makes_no_wrong_proof(rig: Rig, tile: bytes) -> None:
    right = reader.proof_for(rig.logs, 300)
    (rig.logs / "tile/0/001").write_bytes(tile)
    proofs._trees.cache_clear()
    assert reader.proof_for(rig.logs, 300) == right


def test_no_proof_from_lines_that_are_gone(rig: Rig) -> None:
    forge.write_lines(rig, rig.lines()[:-1])
    with pytest.raises(LogDamaged):
        reader.proof_for(rig.logs, 598)


def test_a_checkpoint_that_is_none_is_damage(rig: Rig) -> None:
    (rig.logs / "checkpoint").write_bytes(b"\xff")
    with pytest.raises(LogDamaged):
        reader.latest_checkpoint(rig.logs)


def test_a_checkpoint_that_is_exchanged_all_the_time_is_read_whole(rig: Rig) -> None:
    writer = rig.open()
    done = threading.Event()

    def fill() -> None:
        for _ in range(200):
            writer.commit([prepare(turn())])
        done.set()

    thread = threading.Thread(target=fill)
    thread.start()
    sizes = []
    while not done.is_set():
        note = reader.latest_checkpoint(rig.logs)
        assert note is not None
        sizes.append(check_checkpoint(note, ORIGIN, forge.private(rig, "log").public_key()).size)
    thread.join()
    writer.close()
    assert sizes == sorted(sizes)


def test_hash_tiles(long: Rig) -> None:
    leaves = leaves_of(long.lines())
    assert reader.read_tile(long.logs, "0/000") == b"".join(leaves[:256])
    assert reader.read_tile(long.logs, "0/001") == b"".join(leaves[256:512])
    assert reader.read_tile(long.logs, "0/002.p/7") == b"".join(leaves[512:519])
    assert reader.read_tile(long.logs, "0/001.p/7") == b"".join(leaves[256:263])
    assert reader.read_tile(long.logs, "1/000.p/2") == tree_root(leaves[:256]) + tree_root(leaves[256:512])


def test_bundles_of_entries(long: Rig) -> None:
    data, lines = reader.read_tile(long.logs, "entries/002.p/3"), long.lines()
    assert data is not None
    found = []
    while data:
        length = int.from_bytes(data[:2], "big")
        found.append(data[2 : 2 + length])
        data = data[2 + length :]
    assert found == lines[512:515]


@pytest.mark.parametrize(
    "path",
    [
        *("", "0", "0/", "/0/000", "0/000/", "0/0", "0/0000", "0/00a", "00/000", "7/000", "-1/000", "0/003", "1/000"),
        *(
            "0/002.p/0",
            "0/002.p/256",
            "0/002.p/07",
            "0/002.p/255",
            "0/002.p/",
            "0/002.p/+7",
            "0/002.p/7/x",
            "1/000.p/3",
        ),
        *("0/x000/000", "0/x001", "0/x001/000", "0/../0/000", "../checkpoint", "0/000\n", "0/000\x00", "0/٠٠٠"),
        *("entries/003", "entries/../keys", "entries", "Entries/000", "entries/x000/000", "0/" + "x999/" * 20 + "000"),
    ],
)
def test_no_other_path_is_a_tile(path: str, long: Rig) -> None:
    assert reader.read_tile(long.logs, path) is None


def test_paths_of_large_tiles_are_read_as_they_are_spelled() -> None:
    from runtime.audit.proofs import _tile_place

    for level, index, width in ((0, 0, 256), (0, 999, 1), (1, 1000, 256), (6, 1_234_067, 255), (2, 10**9, 256)):
        assert _tile_place(tile_path(level, index, width)) == (level, index, width)


def test_views_of_records(long: Rig) -> None:
    view: dict[str, Any] = next(reader.iter_records(long.logs, 7)).as_json()
    assert view["log_index"] == 7
    assert view["subjects"] == [{"name": "input", "sha256": "2" * 64}]


@pytest.mark.parametrize("kind", ["directory", "loop", "dangling", "endless"])
def test_a_segment_that_cannot_be_read_is_damage(kind: str, tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    rig.closed(20)
    path = rig.segments()[0]
    path.unlink()
    match kind:
        case "directory":
            path.mkdir()
        case "endless":
            path.symlink_to("/dev/zero")
        case _:
            path.symlink_to(path.name if kind == "loop" else "nowhere")
    with pytest.raises(LogDamaged):
        proofs.proof_for(rig.logs, 3)
    with pytest.raises(LogDamaged):
        proofs.consistency_for(rig.logs, 3)
    assert logtool.main(["proof", "3", "--logs", str(rig.logs)]) == 2
    assert logtool.main(["export", "--out", str(tmp_path / "out"), "--logs", str(rig.logs)]) == 2


def test_threads_that_replace_the_same_file_do_not_meet(tmp_path: Path) -> None:
    path, files = tmp_path / "00000000000000000300", Files()
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(files.replace, path, b"%0300d" % number, durable=False) for number in range(400)]:
            done.result()
    assert len(path.read_bytes()) == 300
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
