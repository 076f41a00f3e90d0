"""Attacks on what pruning leaves, and pruning that was not allowed. See `log_scene`; `test_log_mutations` runs them.

The operator has all of the writer's keys and its machine: what he does here he does with the real writer.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from runtime.audit.pruning import Holds
from runtime.audit.record import Draft, new_record_id, prepare
from tests.attacks.log_scene import Scene, Segment, attack
from tests.unit.audit.forge import put, statement_of
from tests.unit.audit.log_rig import DAY, turn

FILES, OPERATOR = "files", "operator"
#: Events whose lines outlive their segment.
STAYING = frozenset(
    {
        *("log.started", "log.recovered", "segment.sealed", "segment.pruned", "key.added", "key.retired"),
        *("erasure.intent", "erasure.completed", "anchor"),
    }
)
ACTOR = {"type": "system", "ref": "log-writer"}


def any_kept(scene: Scene) -> tuple[Path, list[bytes]]:
    path = scene.chance.choice(scene.kept())
    return path, path.read_bytes().split(b"\n")[:-1]


def put_lines(path: Path, lines: list[bytes]) -> None:
    put(path, b"".join(line + b"\n" for line in lines))


def tiles_of_pruned(scene: Scene) -> list[Path]:
    return [scene.logs / "tile" / "0" / f"{number:03d}" for number in range((scene.first - 1) // 256 + 1)]


# What is left


@attack("a kept line is altered", FILES, "pruned.line", "pruned.kept")
def altered_kept(scene: Scene) -> None:
    path, lines = any_kept(scene)
    at = scene.chance.randrange(len(lines))
    data = bytearray(lines[at])
    data[scene.chance.randrange(len(data))] ^= 1
    lines[at] = bytes(data)
    put_lines(path, lines)


@attack("a kept line is another one of the same log", FILES, "pruned.line", "pruned.kept")
def replaced_kept(scene: Scene) -> None:
    path, lines = any_kept(scene)
    segment, at = scene.any_line()
    lines[scene.chance.randrange(len(lines))] = segment.lines[at]
    put_lines(path, lines)


@attack("noise stands among the kept lines", FILES, "pruned.kept")
def noise_among_kept(scene: Scene) -> None:
    path, lines = any_kept(scene)
    lines.insert(scene.chance.randrange(len(lines) + 1), scene.chance.choice([b"", b"{}", b"\x00" * 99]))
    put_lines(path, lines)


@attack("kept lines change their order", FILES, "pruned.kept")
def kept_in_disorder(scene: Scene) -> None:
    path, lines = any_kept(scene)
    put_lines(path, [lines[-1], *lines[:-1]] if len(lines) > 1 else lines * 2)


@attack("the seal of a pruned segment is taken out", FILES, "pruned.seal", "pruned.changed")
def kept_without_seal(scene: Scene) -> None:
    path, lines = any_kept(scene)
    put_lines(path, lines[:-1])


@attack("an erasure, or any other kept line, is taken out", FILES, "pruned.changed", "keys.not_carried")
def kept_line_gone(scene: Scene) -> None:
    path = scene.chance.choice([path for path in scene.kept() if path.read_bytes().count(b"\n") > 1])
    lines = path.read_bytes().split(b"\n")[:-1]
    del lines[scene.chance.randrange(len(lines) - 1)]
    put_lines(path, lines)


@attack("the kept lines are deleted", FILES, "segment.missing")
def kept_deleted(scene: Scene) -> None:
    any_kept(scene)[0].unlink()


@attack("the kept lines are said to be of another range", FILES, "segment.missing", "pruned.undeclared")
def kept_renamed(scene: Scene) -> None:
    path, _ = any_kept(scene)
    first, end = (int(part) for part in path.stem.split("_"))
    moved = scene.chance.choice([(first, end - 1), (first, end + 1), (first + 1, end)])
    path.rename(path.with_name(f"{moved[0]:020d}_{moved[1]:020d}.jsonl"))


@attack("two pruned segments are passed off as one", FILES, "pruned.undeclared")
def kept_merged(scene: Scene) -> None:
    one, other = scene.kept()[:2]
    data = one.read_bytes() + other.read_bytes()
    one.unlink()
    other.unlink()
    put(one.with_name(f"{one.stem[:20]}_{other.stem[21:]}.jsonl"), data)


@attack("the first line of all, which carries the first manifest, is taken out", FILES, "keys.not_carried")
def first_line_gone(scene: Scene) -> None:
    path = scene.kept()[0]
    put_lines(path, path.read_bytes().split(b"\n")[1:-1])


@attack("a tile of pruned lines is deleted", FILES, "pruned.hashes")
def pruned_tile_deleted(scene: Scene) -> None:
    scene.chance.choice(tiles_of_pruned(scene)).unlink()


@attack("a tile of pruned lines is cut short", FILES, "pruned.hashes")
def pruned_tile_cut(scene: Scene) -> None:
    path = scene.chance.choice(tiles_of_pruned(scene))
    put(path, path.read_bytes()[: scene.chance.randrange(8192)])


@attack("a tile of pruned lines is altered", FILES, "tree.root", "pruned.line")
def pruned_tile_altered(scene: Scene) -> None:
    path = scene.chance.choice(tiles_of_pruned(scene))
    data = bytearray(path.read_bytes())
    data[scene.chance.randrange(32 * min(256, scene.first - 256 * int(path.name)))] ^= 128
    put(path, bytes(data))


@attack("a pruned segment is put back with other lines", FILES, "line.form", "line.signature", "line.seq")
def put_back(scene: Scene) -> None:
    path = scene.chance.choice(scene.kept())
    first, end = (int(part) for part in path.stem.split("_"))
    lines = [scene.chance.choice(scene.segments[-1].lines) for _ in range(first, end)]
    put_lines(scene.logs / "events" / f"events_20270101_{first:020d}.jsonl", lines)


# Pruning that was not allowed


def remains(segment: Segment) -> bytes:
    """The lines that outlive a segment (docs/log-format.md §13), as a file."""
    kept = []
    for line in segment.lines:
        statement = statement_of(line)
        predicate = statement["predicate"]
        carries = any(subject["name"] == "keys.json" for subject in statement["subject"])
        hold = str(predicate.get("detail", {}).get("action")).startswith("log.hold.")
        if carries or hold or predicate["event"] in STAYING:
            kept.append(line + b"\n")
    return b"".join(kept)


def kept_file(scene: Scene, segment: Segment) -> Path:
    return scene.logs / "kept" / f"{segment.first:020d}_{segment.end:020d}.jsonl"


def remove(scene: Scene, segment: Segment) -> None:
    """As pruning leaves it."""
    (scene.logs / "kept").mkdir(exist_ok=True)
    put(kept_file(scene, segment), remains(segment))
    segment.path.unlink()


def full_tiles_over(scene: Scene) -> Segment:
    """A sealed segment all of whose hashes are in full tiles; the log is lengthened for that."""
    segment = scene.any_segment(sealed=True)
    writer = scene.rig.open()
    missing = (segment.end // 256 + 1) * 256 - writer.size
    writer.commit([prepare(turn()) for _ in range(missing)])
    writer.close()
    return segment


def declare(scene: Scene, segment: Segment, *, shift: int = 0, later: int = 0) -> None:
    """The operator has the writer say that these lines were pruned."""
    scene.rig.now += later
    writer = scene.rig.open()
    kept = remains(segment)
    detail: dict[str, Any] = {
        "first": segment.first + shift,
        "last": segment.end - 1 + shift,
        "retain_until": "2027-01-01",
        "kept": kept.count(b"\n"),
    }
    subject = ("kept", hashlib.sha256(kept).hexdigest())
    writer.append(Draft(new_record_id(), "segment.pruned", {"actor": ACTOR, "detail": detail}, (subject,)))
    writer.close()


def lengthened(scene: Scene, until: str | None = None) -> Segment:
    """A segment of a day of its own, to be kept as its first record says, with an erasure in it; a full tile follows."""
    scene.rig.now += DAY
    writer = scene.rig.open()
    erasure = Draft(new_record_id(), "erasure.completed", {"actor": ACTOR, "detail": {"turns": 1}})
    first = turn(**({"legal": {"retain_until": until}} if until else {}))
    writer.commit([prepare(draft) for draft in (first, erasure, *(turn() for _ in range(254)))])
    scene.rig.now += DAY
    writer.commit([prepare(turn()) for _ in range(256)])
    writer.close()
    path = scene.rig.segments()[-2]
    return Segment(path, int(path.name[-26:-6]), path.read_bytes().split(b"\n")[:-1])


@attack("a segment goes and nobody says so", FILES, "pruned.undeclared")
def undeclared(scene: Scene) -> None:
    remove(scene, full_tiles_over(scene))


@attack("a segment goes and another one was declared", OPERATOR, "pruned.undeclared")
def another_declared(scene: Scene) -> None:
    segment = full_tiles_over(scene)
    declare(scene, segment, shift=scene.chance.choice([-1, 1]), later=400 * DAY)
    remove(scene, segment)


@attack("a segment goes before its time", OPERATOR, "pruned.early")
def early(scene: Scene) -> None:
    segment = lengthened(scene, "2099-01-01")
    declare(scene, segment, later=scene.chance.choice([0, 400]) * DAY)
    remove(scene, segment)


@attack("a segment without a date goes", OPERATOR, "pruned.seal")
def without_date(scene: Scene) -> None:
    segment = lengthened(scene)
    declare(scene, segment, later=400 * DAY)
    remove(scene, segment)


@attack("a segment goes, and what should outlive it was never kept", OPERATOR, "pruned.changed")
def nothing_kept(scene: Scene) -> None:
    segment = lengthened(scene, "2027-01-01")
    declare(scene, segment, later=400 * DAY)
    remove(scene, segment)
    put_lines(kept_file(scene, segment), segment.lines[-1:])


@attack("a segment goes under a hold", OPERATOR, "pruned.held")
def held(scene: Scene) -> None:
    """By a writer that does not want to know of the hold."""
    segment = full_tiles_over(scene)
    writer = scene.rig.open()
    place = scene.chance.randrange(segment.first, segment.end)
    detail = {"action": "log.hold.placed", "hold": "case-x", "first": place, "last": place}
    writer.append(Draft(new_record_id(), "admin", {"actor": ACTOR, "detail": detail}))
    scene.rig.now += 400 * DAY
    writer.append(turn())
    holds = Holds(size=writer.size)
    for cut in writer.prepare_pruning(holds, frozenset(), 99):
        if cut.segment.first <= segment.first:
            writer.prune(cut, holds)
    writer.close()
    assert not segment.path.exists()


@attack("a hold is released only after the segment went", OPERATOR, "pruned.held")
def released_too_late(scene: Scene) -> None:
    held(scene)
    writer = scene.rig.open()
    detail = {"action": "log.hold.released", "hold": "case-x"}
    writer.append(Draft(new_record_id(), "admin", {"actor": ACTOR, "detail": detail}))
    writer.close()


@attack("everything before the newest segment goes, tiles and all", FILES, "segment.missing")
def all_before(scene: Scene) -> None:
    for segment in scene.segments[:-1]:
        segment.path.unlink()
    shutil.rmtree(scene.logs / "kept")
    shutil.rmtree(scene.logs / "tile")


@attack("the newest segments go as if they were pruned", FILES, "lines.missing", "segment.missing")
def newest_as_pruned(scene: Scene) -> None:
    for segment in scene.segments[-scene.chance.randint(1, 2) :]:
        remove(scene, segment)
