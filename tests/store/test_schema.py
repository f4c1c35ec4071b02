"""The schema: what the migrations make is what `tables` says, from nothing, once, by anyone."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app import errors
from app.store import engine, migrating, schema


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[sqlalchemy.Engine]:
    """An engine on a database without any table."""
    made = engine.create(empty_database_url)
    yield made
    made.dispose()


def differences(made: sqlalchemy.Engine) -> list[object]:
    """What alembic would change to come from the database to `tables`."""
    with made.connect() as connection:
        options = {"compare_type": True, "include_name": migrating.is_declared}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, migrating.METADATA))


def test_the_migrations_make_exactly_the_declared_tables(database: sqlalchemy.Engine) -> None:
    assert differences(database) == []


def test_a_difference_between_tables_and_database_would_be_seen(
    database: sqlalchemy.Engine,
) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("DROP INDEX log_attention")
    assert [step[0] for step in differences(database)] == ["add_index"]


def test_the_revisions_are_one_line_that_alembic_knows() -> None:
    steps = ScriptDirectory.from_config(migrating.config()).walk_revisions()
    assert schema.revisions() == tuple(step.revision for step in steps)[::-1]
    assert "0001" in schema.revisions()


def test_an_empty_database_is_refused_with_the_command_that_helps(
    empty: sqlalchemy.Engine,
) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"is empty.*listener db upgrade"):
        schema.check(empty)


def test_an_upgraded_database_is_accepted(empty: sqlalchemy.Engine) -> None:
    schema.upgrade(empty)
    schema.check(empty)
    with empty.connect() as connection:
        assert schema.current(connection) == schema.head()


def test_an_old_schema_is_refused_with_the_command_that_helps(database: sqlalchemy.Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    with pytest.raises(errors.ConfigurationError, match="listener db upgrade"):
        schema.check(database)


@pytest.mark.parametrize("act", [schema.check, schema.upgrade])
def test_a_schema_newer_than_the_program_is_refused(database: sqlalchemy.Engine, act) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(errors.ConfigurationError, match="newer than this program"):
        act(database)


def test_an_upgrade_done_again_changes_nothing(database: sqlalchemy.Engine) -> None:
    before = _epochs(database)
    schema.upgrade(database)
    assert _epochs(database) == before
    assert differences(database) == []


def test_two_that_upgrade_at_once_make_one_schema(empty: sqlalchemy.Engine) -> None:
    faults: list[BaseException] = []

    def attempt() -> None:
        own = engine.create(empty.url.render_as_string(hide_password=False))
        try:
            schema.upgrade(own)
        except BaseException as fault:  # noqa: BLE001 - shown by the assertion
            faults.append(fault)
        own.dispose()

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(_epochs(empty)) == 1
    schema.check(empty)


def test_a_failed_upgrade_leaves_nothing_behind(empty: sqlalchemy.Engine) -> None:
    with empty.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE audit_trail (id text)")
    with pytest.raises(sqlalchemy.exc.DBAPIError):
        schema.upgrade(empty)
    assert sqlalchemy.inspect(empty).get_table_names() == ["audit_trail"]


def _epochs(made: sqlalchemy.Engine) -> list[tuple[object, ...]]:
    with made.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM epoch")]
