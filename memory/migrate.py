"""Bringing a database to the schema that this code expects: Alembic, driven from here, without an ini file.

Every start calls `migrate`; a lock file beside the database lets one process at a time look and change.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError

from memory.errors import StorageError
from memory.sqlite import begin_immediate, database_path, driver_of, open_engine, prepare_file, translate

if TYPE_CHECKING:
    from collections.abc import Callable

_SCRIPTS: Final = Path(__file__).resolve().parent.parent / "migrations"


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest revision. Safe to call from many processes at once; blocks.

    Raises:
        StorageError: the file cannot be opened, or was written by a newer release.
    """
    _run(url, command.upgrade, "head")


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` back to `revision` ("base" for nothing at all). What the later tables held is lost.

    Raises:
        StorageError: as in `migrate`.
    """
    _run(url, command.downgrade, revision)


def current_revision(url: str) -> str | None:
    """The revision of the database at `url`; None before the first migration."""
    engine = open_engine(url, query_only=True)
    with closing(engine.connect()) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _run(url: str, change: Callable[[Config, str], None], revision: str) -> None:
    path = database_path(url)
    prepare_file(path)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    lock = os.open(path.with_name(path.name + ".migrate.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if revision == "head" and current_revision(url) == ScriptDirectory.from_config(config).get_current_head():
            return
        engine = open_engine(url)
        with closing(engine.connect()) as connection:
            config.attributes["connection"] = connection
            begin_immediate(driver_of(connection))  # SQLite's DDL is transactional: all of it or nothing
            with connection.begin():
                change(config, revision)
    except CommandError as error:
        raise StorageError("the database was written by another release: its revision is unknown here") from error
    except (DBAPIError, sqlite3.Error) as error:
        raise translate(error) from error
    finally:
        os.close(lock)
