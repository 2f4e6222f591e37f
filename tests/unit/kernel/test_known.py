"""Known: what was read of the store is kept, and never a moment longer than it is true."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from stratolite.kernel.known import MOST
from stratolite.kernel.store import Store, Tx, written
from stratolite.testing.sim import SimWorld

THING = ("thing",)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite", SimWorld(1))
    store.migrate("t", {1: "CREATE TABLE thing (name TEXT PRIMARY KEY, n INTEGER);\nCREATE TABLE other (n INTEGER);"})
    with store.write() as tx:
        tx.run("INSERT INTO thing VALUES ('a', 1)")
    yield store
    store.close()


class Looks:
    """Counts how often the rows themselves are read."""

    def __init__(self) -> None:
        self.count = 0

    def at(self, tx: Tx, name: str = "a") -> int | None:
        def read() -> int | None:
            self.count += 1
            n: int | None = tx.value("SELECT n FROM thing WHERE name = ?", name)
            return n

        return tx.known(THING, name, read)


def test_what_was_read_is_not_read_again(store: Store) -> None:
    looks = Looks()
    assert [looks.at(store.reader()) for _ in range(3)] == [1, 1, 1]
    assert looks.count == 1


def test_that_there_is_nothing_is_known_too_until_there_is(store: Store) -> None:
    looks = Looks()
    assert [looks.at(store.reader(), "b") for _ in range(2)] == [None, None]
    assert looks.count == 1
    with store.write() as tx:
        tx.run("INSERT INTO thing VALUES ('b', 2)")
    assert looks.at(store.reader(), "b") == 2


@pytest.mark.parametrize(
    ("write", "then"),
    [
        ("UPDATE thing SET n = 2 WHERE name = 'a'", 2),
        ("DELETE FROM thing WHERE name = 'a'", None),
        ("INSERT OR REPLACE INTO thing VALUES ('a', 3)", 3),
        ("REPLACE INTO thing VALUES ('a', 4)", 4),
        ("WITH x AS (SELECT 5 AS n) UPDATE thing SET n = (SELECT n FROM x)", 5),
    ],
)
def test_a_write_to_its_table_is_seen_at_once(store: Store, write: str, then: int | None) -> None:
    looks = Looks()
    with store.write() as tx:
        looks.at(tx)
        tx.run(write)
        assert looks.at(tx) == then


def test_a_write_by_any_of_the_verbs_is_seen(store: Store) -> None:
    looks = Looks()
    with store.write() as tx:
        looks.at(tx)
        tx.many("UPDATE thing SET n = ? WHERE name = ?", [(2, "a")])
        assert looks.at(tx) == 2
        tx.all("UPDATE thing SET n = 3 RETURNING n")
        assert looks.at(tx) == 3
        tx.value("UPDATE thing SET n = 4 RETURNING n")
        assert looks.at(tx) == 4


def test_a_write_to_another_table_forgets_nothing(store: Store) -> None:
    looks = Looks()
    looks.at(store.reader())
    with store.write() as tx:
        tx.run("INSERT INTO other VALUES (1)")
    looks.at(store.reader())
    assert looks.count == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_what_was_read_of_writes_that_are_rolled_back_is_forgotten(store: Store, is_first: bool) -> None:
    looks = Looks()

    async def main() -> None:
        if not is_first:  # then the roll-back is to a savepoint, else of the whole turn so far
            with store.write() as tx:
                tx.run("INSERT INTO other VALUES (1)")
        with pytest.raises(ValueError), store.write() as tx:
            tx.run("UPDATE thing SET n = 2")
            assert looks.at(tx) == 2
            raise ValueError
        assert looks.at(store.reader()) == 1
        await store.committed()

    asyncio.run(main())
    assert store.reader().value("SELECT count(*) FROM other") == (0 if is_first else 1)


def test_what_was_read_of_a_nested_write_that_is_rolled_back_is_forgotten(store: Store) -> None:
    looks = Looks()
    with store.write() as tx:
        tx.run("UPDATE thing SET n = 2")
        with pytest.raises(ValueError), store.write(tx) as inner:
            inner.run("UPDATE thing SET n = 3")
            assert looks.at(inner) == 3
            raise ValueError
        assert looks.at(tx) == 2


def test_what_was_read_of_a_turn_that_cannot_be_committed_is_forgotten(store: Store) -> None:
    looks = Looks()

    async def main() -> None:
        with store.write() as tx:
            tx.run("UPDATE thing SET n = 2")
            assert looks.at(tx) == 2
        store.db.execute("ROLLBACK")  # what SQLite does by itself when the disk is full
        with pytest.raises(sqlite3.Error):
            await store.committed()
        assert looks.at(store.reader()) == 1

    asyncio.run(main())


def test_a_change_of_tables_forgets_everything(store: Store) -> None:
    looks = Looks()
    looks.at(store.reader())
    with store.write() as tx:
        tx.run("ALTER TABLE thing ADD COLUMN x INTEGER")
    looks.at(store.reader())
    assert looks.count == 2


def test_two_stores_know_nothing_of_each_other(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other.sqlite", SimWorld(1))
    other.migrate("t", {1: "CREATE TABLE thing (name TEXT PRIMARY KEY, n INTEGER);"})
    looks = Looks()
    assert (looks.at(store.reader()), looks.at(other.reader())) == (1, None)
    other.close()


def test_what_is_known_is_bounded(store: Store) -> None:
    looks = Looks()
    for n in range(MOST + 1):
        looks.at(store.reader(), f"x{n}")
    assert looks.at(store.reader(), f"x{MOST}") is None
    assert looks.count == MOST + 1
    looks.at(store.reader(), "x0")
    assert looks.count == MOST + 2


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("SELECT * FROM thing", None),
        ("\n  select 1", None),
        ("WITH x AS (SELECT 1) SELECT * FROM x", None),
        ("insert or ignore into Thing (n) values (1)", "thing"),
        ("UPDATE OR REPLACE thing SET n = 1", "thing"),
        ("WITH x AS (SELECT 1) DELETE FROM thing", "thing"),
        ("CREATE TABLE y (n)", ""),
    ],
)
def test_the_table_a_statement_writes_to(sql: str, table: str | None) -> None:
    assert written(sql) == table


def test_the_first_write_of_a_turn_is_undone_whole_and_the_turn_goes_on(store: Store) -> None:
    async def main() -> None:
        with pytest.raises(ValueError), store.write() as tx:
            tx.run("INSERT INTO other VALUES (1)")
            raise ValueError
        with store.write() as tx:
            tx.run("INSERT INTO other VALUES (2)")
        with pytest.raises(ValueError), store.write() as tx:
            tx.run("INSERT INTO other VALUES (3)")
            raise ValueError
        await store.committed()

    asyncio.run(main())
    assert [row["n"] for row in store.reader().all("SELECT n FROM other")] == [2]
