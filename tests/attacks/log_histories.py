"""Honest histories of a log, made up at random: everything that a writer, its operator and its machine may go through.

One seed is one history, told again by the same seed but for keys and references. `History.play` lets things happen;
`log_verdicts.assert_whole` judges. Nobody is dishonest here: that is `log_forgeries`.
"""

from __future__ import annotations

import errno
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.envelope import keyid_of
from runtime.audit.errors import KeysError, LogUnavailable
from runtime.audit.keys import load_private, load_root_public
from runtime.audit.pruning import Holds
from runtime.audit.record import Appended, Draft, new_record_id, prepare
from runtime.audit.rotation import Succession
from runtime.audit.writer import LogWriter
from tests.attacks.log_disk import Disk, Killed, abandon
from tests.attacks.log_visitors import OPERATOR, PEOPLE, any_draft, assert_bundle, assert_no_alarm
from tests.unit.audit.log_rig import DAY, ORIGIN, make_rig

APPEND = ("before_write", "after_write", "after_sync", "after_tree", "after_checkpoint", "before_reply")
STEPS = (
    *(f"audit.append.{name}" for name in APPEND),
    *("audit.rotate.before_seal", "audit.rotate.after_seal", "audit.rotate.after_create"),
)
START = (*STEPS, "audit.recover.after_set_aside", "audit.recover.after_cut")
PRUNE = ("audit.prune.before_record", "audit.prune.after_record", "audit.prune.after_remove", "audit.append.after_sync")


@dataclass(frozen=True)
class Handed:
    """A receipt as somebody keeps it: with the manifest that was in force when he got it."""

    appended: Appended
    keys: bytes


class History:
    """A log, what happened to it, and every receipt that was handed out.

    Attributes:
        handed: the receipts.
        happened: how often what happened.
    """

    def __init__(self, home: Path, seed: int, *, long: bool) -> None:
        """Args: an empty directory; the seed; whether it is long enough for segments to be pruned."""
        self.chance = random.Random(seed)
        self.rig = make_rig(home)
        self.long = long
        self.disk = Disk(self.chance)
        self.root = load_root_public(self.rig.keys)
        self.writer: LogWriter | None = None
        self.handed: list[Handed] = []
        self.happened: Counter[str] = Counter()
        self._known: dict[str, int] = {}  # record id -> index, of what was acknowledged
        self._drafts: list[Draft] = []  # some that were sent, acknowledged or not
        self._in_force = (self.logs / "keys.json").read_bytes()
        self._holds: list[str] = []
        self._approvers: list[str] = []
        self._deadly = ""
        self._passages = 0

    @property
    def logs(self) -> Path:
        return self.rig.logs

    def play(self, events: int) -> None:
        """Let things happen, then close the log in good order."""
        self._open()
        if self.long:
            for _ in range(self.chance.randint(4, 7)):
                self._append(self.chance.randint(70, 110))
                self.rig.now += self.chance.randint(1, 3) * DAY
        for _ in range(events):
            self._happen()
        self.close()

    def play_everything(self) -> None:
        """A long history in which each of the things that change a log happens, in any order."""
        self._open()
        for _ in range(self.chance.randint(5, 6)):
            self._append(self.chance.randint(70, 90))
            self.rig.now += self.chance.randint(1, 2) * DAY
        happenings = [self._rotate_keys, self._erase, self._hold, self._hold, self._change_approvers, self._append]
        happenings += [self._killed, self._closed, self._rotate_keys, self._append, self._full_disk, self._closed]
        self.chance.shuffle(happenings)
        for happening in happenings:
            if self.writer is None:
                self._open()
            happening()
        self._release_all()
        self.rig.now += 9 * DAY
        self._prune()
        for role in ("record", "log"):
            while not self._change_keys((role,)):
                pass  # killed: once more
            self._reload()
            self._append()
        for _ in range(4):
            self._append(self.chance.randint(8, 30))
            self.rig.now += DAY
        self.close()

    def close(self) -> None:
        if self.writer is None:
            self._open()
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def _happen(self) -> None:
        if self.writer is None:
            return self._happen_at_rest()
        happenings: dict[Callable[[], None], int] = {
            self._append: 12, self._repeat: 3, self._time_passes: 6, self._rotate_keys: 2, self._change_approvers: 1,
            self._hold: 2, self._erase: 2, self._prune: 4 if self.long else 1, self._export: 2, self._full_disk: 2,
            self._broken_disk: 1, self._killed: 4, self._closed: 4, self._looked_at: 1,
        }  # fmt: skip
        happening = self.chance.choices(list(happenings), list(happenings.values()))[0]
        self.happened[happening.__name__.strip("_")] += 1
        return happening()

    def _happen_at_rest(self) -> None:
        if self.chance.random() < 0.3:
            self.happened["keys_changed_at_rest"] += 1
            self._change_keys(("record", "log"))
            self._open()
        elif self.chance.random() < 0.25:
            self.happened["killed_at_start"] += 1
            with suppress(Killed):
                self._open(dies=True)
            self._after_death()
        else:
            self._time_passes()
            self._open()

    # The writer

    def _open(self, *, dies: bool = False) -> None:
        if dies:
            self._deadly, self._passages = self.chance.choice(START), self.chance.randint(1, 2)
        size = self.chance.choice([6_000, 20_000, 80_000, 1 << 20])
        self.disk.most = self.chance.choice([1 << 30, 1 << 30, self.chance.randint(100, 5000)])
        retain = self.chance.choice([0, 3]) if self.long else 0
        self.writer = None
        self.writer = self.rig.open(files=self.disk, max_segment=size, on_step=self._step, retain_days=retain)
        self._deadly = ""
        self._in_force = (self.logs / "keys.json").read_bytes()

    def _step(self, name: str) -> None:
        if name == self._deadly:
            self._passages -= 1
            if self._passages <= 0:
                self._deadly = ""
                raise Killed

    def _closed(self) -> None:
        assert self.writer is not None
        self.writer.close()
        self.writer = None

    def _killed(self) -> None:
        """It dies at some step of what it does next, if it gets there."""
        prunes = self.long and self.chance.random() < 0.3
        self._deadly = self.chance.choice(PRUNE if prunes else STEPS)
        self._passages = 1
        try:
            if prunes:
                self._prune()
            elif self.chance.random() < 0.1:
                self._rotate_keys()
            else:
                self._append()
        except Killed:
            self.happened[f"died at {self._deadly or 'a step'}"] += 1
        self._deadly = ""
        self._after_death()

    def _after_death(self) -> None:
        if self.writer is not None:
            abandon(self.writer)
            self.writer = None
        self._deadly = ""
        self.disk.cut_unsynced_lines(self.rig.segments())
        if self.chance.random() < 0.4:
            self.happened["power_lost"] += 1
            self.disk.lose_power(self.logs)
        if self.chance.random() < 0.5:
            self._looked_at()

    # Records

    def _draft(self) -> Draft:
        return any_draft(self.chance, self.rig.now, dated=self.long)

    def _append(self, count: int | None = None) -> None:
        count = count or self.chance.choice([1, 1, 2, 5, self.chance.randint(1, 40)])
        self._commit([self._draft() for _ in range(count)])

    def _commit(self, drafts: list[Draft]) -> None:
        assert self.writer is not None
        self._drafts = (self._drafts + self.chance.sample(drafts, min(4, len(drafts))))[-40:]
        for draft, result in zip(drafts, self.writer.commit([prepare(draft) for draft in drafts]), strict=True):
            if isinstance(result, LogUnavailable):
                self.happened["refused"] += 1
                continue
            assert isinstance(result, Appended), result
            assert self._known.setdefault(draft.record_id, result.index) == result.index, "recorded twice"
            self.handed.append(Handed(result, self._in_force))

    def _repeat(self) -> None:
        """Somebody who did not hear asks again."""
        if self._drafts:
            self._commit(self.chance.sample(self._drafts, min(3, len(self._drafts))))

    def _erase(self) -> None:
        detail = {"turns": self.chance.randint(1, 9)}
        for event in ("erasure.intent", "erasure.completed"):
            self._commit([Draft(new_record_id(), event, {"actor": OPERATOR, "detail": detail})])

    def _hold(self) -> None:
        assert self.writer is not None
        if self._holds and self.chance.random() < 0.6:
            name = self._holds.pop(self.chance.randrange(len(self._holds)))
            detail: dict[str, Any] = {"action": "log.hold.released", "hold": name}
        else:
            first = self.chance.randrange(self.writer.size + 50)
            name = f"case-{self.happened['hold']}"
            self._holds.append(name)
            last = self.chance.choice([first, first + 30, 2**40])
            detail = {"action": "log.hold.placed", "hold": name, "first": first, "last": last}
        self._commit([Draft(new_record_id(), "admin", {"actor": OPERATOR, "detail": detail})])

    def _release_all(self) -> None:
        if self.writer is None:
            self._open()
        for name in self._holds:
            detail = {"action": "log.hold.released", "hold": name}
            self._commit([Draft(new_record_id(), "admin", {"actor": OPERATOR, "detail": detail})])
        self._holds = []

    # Time, keys, pruning

    def _time_passes(self) -> None:
        steps = [0, 1, 1000, DAY // 3, DAY, 3 * DAY, -5000, -2 * DAY]
        self.rig.now += self.chance.choice([*steps, 9 * DAY] if self.long else steps)

    def _rotate_keys(self) -> None:
        """In a running log: the old keys go on until the new manifest is in force."""
        assert self.writer is not None
        if self._change_keys(("record", "log")):
            if self.chance.random() < 0.5:
                self.rig.now += self.chance.choice([0, DAY])
                self._append()
            self._reload()

    def _change_approvers(self) -> None:
        if self._change_keys(()):
            self._reload()

    def _reload(self) -> None:
        assert self.writer is not None
        with suppress(LogUnavailable):
            self.writer.reload_keys()
            self._in_force = (self.logs / "keys.json").read_bytes()

    def _change_keys(self, roles: tuple[str, ...]) -> bool:
        """A new version of the manifest, put down by another process; false: that one was killed."""
        size = self.writer.size if self.writer is not None else self._lines()
        root = load_private(self.rig.keys / "root.pem", None)
        room, self.disk.room = self.disk.room, None
        succession = Succession(self.rig.keys, self.logs, root, files=self.disk)
        version = succession.current.version + 1
        if self.chance.random() < 0.2:
            self.disk.dies_at = self.chance.choice([f"keys.{version}.json", "keys.json"])
        try:
            if roles:
                some = self.chance.sample(roles, self.chance.randint(1, len(roles)))
                succession.rotate(tuple(some), origin=ORIGIN, size=size)
            elif self._approvers and self.chance.random() < 0.5:
                with suppress(KeysError):  # retired before
                    succession.retire(self.chance.choice(self._approvers), size=size)
            else:
                public = Ed25519PrivateKey.generate().public_key()
                succession.add_approver(public, origin=ORIGIN, size=size)
                self._approvers.append(keyid_of(public))
        except Killed:
            self.happened["killed_while_changing_keys"] += 1
            return False
        finally:
            self.disk.room, self.disk.dies_at = room, ""
        return True

    def _lines(self) -> int:
        last = self.rig.segments()[-1]
        return int(last.name[-26:-6]) + last.read_bytes().count(b"\n")

    def _prune(self) -> None:
        assert self.writer is not None
        holds = Holds()
        held = frozenset(self.chance.sample(PEOPLE, 1)) if self.chance.random() < 0.2 else frozenset()
        with suppress(LogUnavailable):
            for cut in self.writer.prepare_pruning(holds, held, self.chance.choice([1, 2, 32])):
                self._drafts = []  # the writer remembers no further back than to what was pruned
                self.writer.prune(cut, holds)
                self.happened["segments_pruned"] += 1

    # Readers

    def _looked_at(self) -> None:
        self.happened["looked_at"] += 1
        assert_no_alarm(self.logs, self.root)

    def _export(self) -> None:
        assert self.writer is not None
        assert_bundle(self.logs, self.root, self.rig.home, self.chance, self.writer.size)

    # The disk

    def _full_disk(self) -> None:
        self.disk.room = self.chance.randrange(8000)
        for _ in range(self.chance.randint(1, 3)):
            self._append()
        self.disk.room = None
        self._append()

    def _broken_disk(self) -> None:
        """The operation fails once; the log refuses everything until it is opened again."""
        self.disk.fail(self.chance.choice(["write", "sync", "swap"]), errno.EIO, after=self.chance.randint(0, 1))
        for _ in range(3):
            self._append(self.chance.randint(1, 5))
        self.disk.plan.clear()
        self._after_death()
