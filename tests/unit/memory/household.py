"""A small installation for the tests of memory: a migrated database, keys, a clock, and turns made of plain texts."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

from sqlalchemy.engine import Connection

from memory import repository, vault
from memory.keys import ContentKey, KeyRing
from memory.migrate import migrate
from memory.recall import Message, encode_messages
from memory.repository import OpenedTurn, OpenTurn, Person, TurnLimits
from memory.rows import Sealed, Usage
from memory.sqlite import begin_immediate, driver_of, open_engine

T = TypeVar("T")
START = 1_800_000_000_000
PLENTY = TurnLimits(requests_per_minute=10_000, tokens_per_day=10**9, concurrent_turns=1_000)


@cache
def _template() -> Path:
    """A migrated, empty database, made once and copied for each test."""
    folder = Path(mkdtemp(prefix="filagent-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "template.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@dataclass
class Clock:
    """Milliseconds; moves only when told to."""

    now: int = START

    def __call__(self) -> int:
        return self.now


@dataclass
class Turn:
    """A turn that `Household.turn` played."""

    opened: OpenedTurn
    key: ContentKey
    blobs: list[bytes] = field(default_factory=list)

    @property
    def turn_id(self) -> str:
        return self.opened.turn_id

    @property
    def conversation_id(self) -> str:
        return self.opened.conversation_id


class Household:
    """One home. `do` runs a repository function in a committed transaction of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "data" / "filagent.sqlite"
        self.path.parent.mkdir(mode=0o700)
        shutil.copy(_template(), self.path)
        self.url = f"sqlite:///{self.path}"
        self.ring = KeyRing(home / "keys")
        self.clock = Clock()
        self._connection: Connection | None = None

    def do(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        if self._connection is None:
            self._connection = open_engine(self.url).connect()
        begin_immediate(driver_of(self._connection))
        with self._connection.begin():
            return fn(self._connection, *args, **kwargs)

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What somebody with the file and a shell could do."""
        return self.do(lambda conn: driver_of(conn).execute(statement, parameters).fetchall())

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def person(self, name: str) -> Person:
        return self.do(repository.ensure_person, self.ring, name, now=self.clock())

    def request(self, person: Person, conversation_id: str | None = None, **changes: Any) -> OpenTurn:
        fields: dict[str, Any] = {
            "principal_id": person.principal_id,
            "conversation_id": conversation_id,
            "idempotency_key": None,
            "request_mac": None,
            "worker": "w1",
            "lease_until": self.clock() + 60_000,
            "now": self.clock(),
            "limits": PLENTY,
            "reserve_tokens": 100,
        }
        return OpenTurn(**(fields | changes))

    def open(self, person: Person, conversation_id: str | None = None, **changes: Any) -> Any:
        return self.do(repository.open_turn, self.request(person, conversation_id, **changes))

    def turn(
        self,
        person: Person,
        text: str = "hello",
        answer: str = "good day",
        *,
        conversation_id: str | None = None,
        values: Mapping[str, tuple[str, str]] | None = None,
        mentions: Sequence[tuple[str, str]] = (),
        subjects: Sequence[str] = (),
        stop_after: str = "",
    ) -> Turn:
        """A whole turn: `values` are new tokens (token -> entity, value), `mentions` values of older ones."""
        opened = self.open(
            person, conversation_id, data_subjects=tuple(self.ring.subject_index(name) for name in subjects)
        )
        assert isinstance(opened, OpenedTurn)
        key, wrapped = self.ring.new_turn_key(opened.turn_id)
        view = vault.seal_content(key, "view", encode_messages([Message("user", "caller", text)]))
        entries = [
            vault.seal_value(key, token, entity, value, self.ring.identifier_index(entity, value))
            for token, (entity, value) in (values or {}).items()
        ]
        blinds = tuple(self.ring.identifier_index(entity, value) for entity, value in mentions)
        turn = Turn(opened, key, [wrapped.wrapped, view.ciphertext, *(entry.ciphertext for entry in entries)])
        if stop_after == "open":
            return turn
        self.do(repository.commit_input, opened.turn_id, wrapped, Sealed((view,), tuple(entries), blinds))
        if stop_after == "input":
            return turn
        output = vault.seal_content(key, "output", encode_messages([Message("assistant", "model", answer)]))
        turn.blobs.append(output.ciphertext)
        self.do(
            repository.store_answer,
            opened.turn_id,
            Sealed((output,)),
            claimant="w1",
            now=self.clock(),
            usage=Usage(10, 20),
            model="m",
        )
        if stop_after == "answer":
            return turn
        self.do(
            repository.close_turn,
            opened.turn_id,
            now=self.clock(),
            decision="allow",
            record_id=f"DR-{opened.turn_ref}",
            log_index=1,
            receipt_json='{"receipt":"r"}',
            released=len(answer),
        )
        self.clock.now += 1
        return turn
