"""The schema: up, checked against the models, down, up again; by many processes at once; and never half of it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from memory.errors import StorageError
from memory.migrate import current_revision, downgrade, migrate
from memory.models import metadata
from memory.sqlite import open_engine

FORK = multiprocessing.get_context("fork")


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "filagent.sqlite"


def test_migrations_lead_to_exactly_the_models(path: Path) -> None:
    migrate(url_of(path))
    with closing(open_engine(url_of(path)).connect()) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert tables(path) == {*metadata.tables, "alembic_version"}


def _layout(path: Path) -> list[tuple[str, str]]:
    """Every index with its columns and every table's form, which the comparison above does not look at."""
    with closing(sqlite3.connect(path)) as connection:
        found = []
        for name, wr in connection.execute("SELECT name, wr FROM pragma_table_list WHERE type = 'table'").fetchall():
            if name.startswith(("sqlite_", "alembic_")):
                continue
            found.append((name, f"without rowid: {wr}"))
            for index, unique, partial in connection.execute(
                'SELECT name, "unique", partial FROM pragma_index_list(?)', (name,)
            ).fetchall():
                columns = connection.execute("SELECT name FROM pragma_index_info(?)", (index,)).fetchall()
                shown = "" if index.startswith("sqlite_") else index
                found.append((name, f"{shown} {unique} {partial} {columns}"))
        return sorted(found)


def test_a_migrated_file_is_laid_out_as_a_fresh_one(path: Path, tmp_path: Path) -> None:
    migrate(url_of(path))
    fresh = tmp_path / "fresh.sqlite"
    engine = open_engine(url_of(fresh))
    metadata.create_all(engine)
    engine.dispose()
    assert _layout(path) == _layout(fresh)


def test_down_and_up_again(path: Path) -> None:
    migrate(url_of(path))
    head = current_revision(url_of(path))
    assert head is not None
    downgrade(url_of(path), "base")
    assert tables(path) == {"alembic_version"}
    assert current_revision(url_of(path)) is None
    migrate(url_of(path))
    assert current_revision(url_of(path)) == head
    assert tables(path) == {*metadata.tables, "alembic_version"}


def test_people_outlast_a_release_back_and_forth(path: Path) -> None:
    """Identities are of 0004 alone; persons, principals and keys are of every release."""
    migrate(url_of(path))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO persons (id, name, created) VALUES ('P-1', 'Ada', 1)")
        connection.execute(
            "INSERT INTO principals (id, person_id, issuer, created, seen_day) VALUES ('A-1', 'P-1', 'oidc', 1, 20000)"
        )
        connection.execute("INSERT INTO identities (blind, principal_id, created) VALUES (x'00', 'A-1', 1)")
    downgrade(url_of(path), "0003")
    assert "identities" not in tables(path)
    migrate(url_of(path))
    with closing(sqlite3.connect(path)) as connection:
        people = connection.execute("SELECT p.name, a.seen_day FROM persons p JOIN principals a ON a.person_id = p.id")
        assert people.fetchall() == [("Ada", None)]
        assert connection.execute("SELECT count(*) FROM identities").fetchone() == (0,)


def test_a_second_start_changes_nothing(path: Path) -> None:
    migrate(url_of(path))
    before = path.read_bytes()
    migrate(url_of(path))
    assert path.read_bytes() == before


def test_the_file_and_its_folder_are_private(path: Path) -> None:
    os.umask(old := os.umask(0))
    migrate(url_of(path))
    os.umask(old)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def _start(path: Path, barrier: object, results: object) -> None:
    barrier.wait()
    try:
        migrate(url_of(path))
        results.put("ok")
    except BaseException as error:
        results.put(repr(error))


def test_processes_that_start_together_migrate_once(path: Path) -> None:
    barrier, results = FORK.Barrier(4), FORK.SimpleQueue()
    workers = [FORK.Process(target=_start, args=(path, barrier, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert [results.get() for _ in workers] == ["ok"] * 4
    for worker in workers:
        worker.join(60)
    assert tables(path) == {*metadata.tables, "alembic_version"}


def _migrate_and_die(path: Path) -> None:
    def die(statement: str) -> None:
        if "turn_subjects" in statement:
            os.kill(os.getpid(), signal.SIGKILL)

    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    event.listen(Engine, "before_cursor_execute", lambda *args: die(args[2]))
    migrate(url_of(path))


@pytest.mark.faults
def test_a_kill_in_the_middle_leaves_nothing_half_made(path: Path) -> None:
    victim = FORK.Process(target=_migrate_and_die, args=(path,))
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    assert tables(path) == set()
    migrate(url_of(path))
    assert tables(path) == {*metadata.tables, "alembic_version"}


def test_a_database_of_a_newer_release_is_refused(path: Path) -> None:
    migrate(url_of(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from-the-future'")
        connection.commit()
    with pytest.raises(StorageError, match="another release"):
        migrate(url_of(path))


def test_what_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError):
        migrate(url_of(path))


def test_the_schema_compiles_for_postgresql() -> None:
    dialect = postgresql.dialect()
    for table in metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert "CREATE" in str(CreateIndex(index).compile(dialect=dialect))
