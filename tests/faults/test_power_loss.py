"""The power fails at every moment at which something had just become durable; only what was synced is there afterwards.

The file layer below the log keeps, beside the real files, what a disk would still have: the content of a file as it was
when it was synced, under the names its directory had when that was synced. After every sync that image is laid out in a
new place, and a writer starts there: the log must be whole, and hold every record that had been acknowledged by then.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from runtime.audit.files import Files
from runtime.audit.keys import load_private, load_root_public
from runtime.audit.pruning import Holds
from runtime.audit.record import Appended
from runtime.audit.rotation import Succession
from runtime.audit.verify import verify_log
from tests.unit.audit.log_rig import DAY, NOON, ORIGIN, Rig, make_rig, turn

Image = dict[Path, bytes]


@dataclass
class PowerFiles(Files):
    """The real file system, and what a power loss would leave of it."""

    home: Path
    acknowledged: list[Appended] = field(default_factory=list)
    points: list[tuple[Image, int]] = field(default_factory=list)  # with how many records acknowledged before it
    _contents: dict[int, bytes] = field(default_factory=dict)  # inode -> as synced
    _names: dict[Path, dict[str, int]] = field(default_factory=dict)  # directory -> its names as synced

    def begin(self) -> None:
        """Everything that is there now is durable."""
        for folder, _, names in os.walk(self.home):
            self._names[Path(folder)] = {}
            for name in names:
                path = Path(folder) / name
                inode = path.stat().st_ino
                self._contents[inode] = path.read_bytes()
                self._names[Path(folder)][name] = inode

    def open_append(self, path: Path, *, create: bool) -> int:
        fd = super().open_append(path, create=create)
        if create:
            self._contents[os.fstat(fd).st_ino] = b""  # whatever file had this inode before
        return fd

    def replace(self, path: Path, data: bytes, *, durable: bool) -> None:
        super().replace(path, data, durable=durable)
        if not durable:
            self._contents[path.stat().st_ino] = b""

    def swap(self, path: Path, data: bytes) -> None:
        super().swap(path, data)
        self._contents[path.stat().st_ino] = b""

    def sync(self, fd: int) -> None:
        super().sync(fd)
        self._keep(fd)

    def sync_file(self, path: Path) -> None:
        super().sync_file(path)
        with path.open("rb") as file:
            self._keep(file.fileno())

    def sync_dir(self, path: Path) -> None:
        super().sync_dir(path)
        self._names[path] = {
            entry.name: entry.inode() for entry in os.scandir(path) if entry.is_file(follow_symlinks=False)
        }
        self._point()

    def _keep(self, fd: int) -> None:
        self._contents[os.fstat(fd).st_ino] = Path(f"/proc/self/fd/{fd}").read_bytes()
        self._point()

    def _point(self) -> None:
        image = {
            folder / name: self._contents.get(inode, b"")
            for folder, names in self._names.items()
            for name, inode in names.items()
        }
        self.points.append((image, len(self.acknowledged)))


def history(rig: Rig, files: PowerFiles) -> None:
    """Days that pass, files that fill, keys that change, holds and pruning."""
    for day in range(8):
        rig.now = NOON + day * DAY
        writer = rig.open(files=files, max_segment=60_000, retain_days=2)
        for number in range(60):
            files.acknowledged.append(writer.append(turn(number)))
        if day == 3:
            root = load_private(rig.keys / "root.pem", None)
            Succession(rig.keys, rig.logs, root, files=files).rotate(("log", "record"), origin=ORIGIN, size=writer.size)
            writer.reload_keys()
        if day == 6:
            holds = Holds()
            for cut in writer.prepare_pruning(holds, frozenset(), 32):
                writer.prune(cut, holds)
        writer.close()


def test_what_was_acknowledged_survives_a_power_loss_at_every_sync(tmp_path: Path) -> None:
    rig = make_rig(tmp_path / "home")
    files = PowerFiles(rig.home)
    files.begin()
    history(rig, files)
    assert len(files.points) > 500
    stride = max(1, len(files.points) // int(os.environ.get("FILAGENT_TEST_POWER", "120")))
    pruned = 0
    # Around the rare acts, each of them; of the many appends between them some.
    rare = {number for number, (image, _) in enumerate(files.points) if number and _differs(image, files, number)}
    for number in sorted({*range(0, len(files.points), stride), *rare, len(files.points) - 1}):
        image, acknowledged = files.points[number]
        after = Rig(tmp_path / f"after-{number}", now=rig.now)
        for path, content in image.items():
            target = after.home / path.relative_to(rig.home)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o600)
        writer = after.open()
        writer.append(turn())
        writer.close()
        report = verify_log(after.logs, load_root_public(after.keys), jobs=1)
        assert report.whole, (number, report.problems)
        pruned += report.counts["gap.pruned"] > 0
        present = {record["record_id"] for record in after.records()}
        gone = {path.name for path in (after.logs / "kept").glob("*.jsonl")}
        for receipt in files.acknowledged[:acknowledged]:
            kept = any(int(name[:20]) <= receipt.index < int(name[21:41]) for name in gone)
            assert receipt.record_id in present or kept, (number, receipt.index)
    assert pruned


def _differs(image: Image, files: PowerFiles, number: int) -> bool:
    """Whether other files are there than at the point before, tiles and checkpoints aside."""
    before = files.points[number - 1][0]
    return any("tile" not in path.parts and "checkpoint" not in path.name for path in image.keys() ^ before.keys())
