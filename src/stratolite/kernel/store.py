"""The Store: one SQLite file, one writer; the writes of one turn of the loop share a commit."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sqlite3
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from .errors import Crash
from .known import Known
from .world import World

log = logging.getLogger("stratolite.store")

Durability = Literal["process", "power"]
Done = Callable[[BaseException | None], None]
Row = sqlite3.Row
T = TypeVar("T")

CHECKPOINT_BYTES = 8 * 1024 * 1024
"""The write-ahead log is folded back in a thread once it is this long,"""
RESTART_BYTES = 64 * 1024 * 1024
"""and on the loop's own thread, waiting, once a passive fold has let it grow this long."""
SYNC_WAIT_S = 0.25

PRAGMAS = """
PRAGMA page_size = 4096;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -65536;
PRAGMA mmap_size = 268435456;
PRAGMA foreign_keys = OFF;
"""


class StateError(Exception):
    """The state on disk cannot be used by this program."""


_WRITE = r"(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM)\s+(\w+)"
_WRITES = re.compile(rf"\s*{_WRITE}", re.I)
_WITH_WRITES = re.compile(rf"\b{_WRITE}", re.I)


@lru_cache(maxsize=4096)
def written(sql: str) -> str | None:
    """The table a statement writes to: None when it only looks, empty when it may change any."""
    head = sql.lstrip().split(None, 1)[0].upper()
    if head == "SELECT":
        return None
    if head == "WITH":
        found = _WITH_WRITES.search(sql)
        return found[1].lower() if found else None
    found = _WRITES.match(sql)
    return found[1].lower() if found else ""


class Turn:
    """All that is written between two looks at the sockets: one commit, told to everyone who waits for it."""

    __slots__ = ("broken", "is_first", "waiting")

    def __init__(self) -> None:
        self.is_first = True
        """Whether nothing of it was kept yet: to undo what is written now is to undo the turn."""
        self.waiting: list[Done] = []
        self.broken: BaseException | None = None

    def end(self, failure: BaseException | None) -> None:
        for done in self.waiting:
            try:
                done(failure)
            except Exception:
                log.exception("after a commit")


class Tx:
    """One call's part of a turn: a savepoint opened at its first write, rolled back whole when the call fails."""

    __slots__ = ("_after", "_is_open", "_parent", "_store")
    joinable = True

    def __init__(self, store: Store, parent: Tx | None = None) -> None:
        self._store, self._is_open = store, False
        self._parent = parent if parent is not None and parent.joinable else None
        self._after: list[Callable[[], None]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, failure: BaseException | None, where: object) -> None:
        self._close(failure)

    def run(self, sql: str, *args: Any) -> sqlite3.Cursor:
        """Execute one statement; the cursor has rowcount and lastrowid."""
        if (table := written(sql)) is not None:
            self._write(table)
        return self._store.db.execute(sql, args)

    def many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> sqlite3.Cursor:
        if (table := written(sql)) is not None:
            self._write(table)
        return self._store.db.executemany(sql, rows)

    def one(self, sql: str, *args: Any) -> Row | None:
        """The first row, or None."""
        if (table := written(sql)) is not None:  # INSERT ... RETURNING
            self._write(table)
        row: Row | None = self._store.db.execute(sql, args).fetchone()
        return row

    def all(self, sql: str, *args: Any) -> list[Row]:
        if (table := written(sql)) is not None:
            self._write(table)
        return self._store.db.execute(sql, args).fetchall()

    def value(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.one(sql, *args)
        return None if row is None else row[0]

    def known(self, tables: tuple[str, ...], key: Hashable, read: Callable[[], T]) -> T:
        """What `read` gives, as long as nobody writes to these tables; see `kernel.known`."""
        return self._store.known.get(tables, key, read)

    def after(self, effect: Callable[[], None]) -> None:
        """Do this once the turn is committed; forget it when this call is rolled back."""
        if self._after is None:
            self._after = []
        self._after.append(effect)

    @property
    def has_written(self) -> bool:
        return self._is_open

    def _write(self, table: str) -> None:
        if not self._is_open:
            self._open()
        self._store.known.written(table)

    def _open(self) -> None:
        if self._parent is not None and not self._parent._is_open:
            self._parent._open()
        self._store._savepoint()
        self._is_open = True

    def _close(self, failure: BaseException | None) -> None:
        store = self._store
        if self._is_open:
            self._is_open = False
            store._release(failure is not None)
        if failure is None and self._after:
            if self._parent is not None:
                for effect in self._after:
                    self._parent.after(effect)
            else:
                store.after(self._after)
        self._after = None


class Reader(Tx):
    """A Tx for looking only, of calls that may wait: what a call does below it is a transaction of its own."""

    __slots__ = ()
    joinable = False

    def _open(self) -> None:
        raise AssertionError("a write outside a transaction: an async function writes inside `with call.write()`")


class Store:
    """
    Args:
        path: the SQLite file; made when absent. ":memory:" is a store that dies with the process.
        durability: `process` survives the death of the process; `power` also that of the machine (the log is synced
            before anything leaves).
    """

    def __init__(self, path: Path | str, world: World, durability: Durability = "process") -> None:
        self.path, self.world, self.durability = str(path), world, durability
        self.db = sqlite3.connect(self.path, isolation_level=None, cached_statements=1024, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.executescript(PRAGMAS)
        self.known = Known()
        self._turn: Turn | None = None
        self._depth = 0
        self._syncing: list[Turn] | None = None
        self._log_fd: int | None = None
        self._housekeeping: asyncio.TimerHandle | None = None
        self._folding = False
        self.db.execute("CREATE TABLE IF NOT EXISTS schema_version (room TEXT PRIMARY KEY, version INTEGER NOT NULL)")

    # transactions

    def write(self, parent: Tx | None = None) -> Tx:
        """`with store.write() as tx`: one transaction. It never suspends, so nobody sees it half done; it is durable
        when `committed` says so."""
        return Tx(self, parent)

    def reader(self) -> Reader:
        """A Tx for looking only."""
        return Reader(self)

    @property
    def in_turn(self) -> bool:
        """Whether something is written that is not yet committed, or committed and not yet synced."""
        return self._turn is not None or self._syncing is not None

    def when_committed(self, done: Done) -> None:
        """Call `done` (with the failure, or None) once everything written so far is as durable as was asked for."""
        if self._turn is not None:
            self._turn.waiting.append(done)
        elif self._syncing is not None:
            self._syncing[-1].waiting.append(done)
        else:
            done(None)

    async def committed(self) -> None:
        """Wait until everything written so far is as durable as was asked for; raises what went wrong."""
        if not self.in_turn:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(failure: BaseException | None) -> None:
            if not future.done():
                future.set_exception(failure) if failure else future.set_result(None)

        self.when_committed(done)
        await future

    def after(self, effects: list[Callable[[], None]]) -> None:
        def done(failure: BaseException | None) -> None:
            if failure is None:
                for effect in effects:
                    effect()

        self.when_committed(done)

    def _savepoint(self) -> None:
        if self._turn is None:
            self.db.execute("BEGIN IMMEDIATE")
            self._turn = Turn()
            if _in_loop():  # otherwise the outermost release commits
                asyncio.get_running_loop().call_soon(self.commit)
        elif self._turn.broken is not None:
            raise self._turn.broken
        self._depth += 1
        if self._depth > 1 or not self._turn.is_first:
            self.db.execute(f"SAVEPOINT s{self._depth}")

    def _release(self, roll_back: bool) -> None:
        depth, self._depth = self._depth, self._depth - 1
        if not self.db.in_transaction:
            # Disk full, I/O error: SQLite has rolled back the whole turn through every savepoint.
            assert self._turn is not None
            self._turn.broken = self._turn.broken or sqlite3.OperationalError("the transaction was rolled back")
            self.known.forget()
        elif depth == 1 and self._turn is not None and self._turn.is_first:
            if roll_back:
                self.known.forget()
                self.db.execute("ROLLBACK")
                self.db.execute("BEGIN IMMEDIATE")
            else:
                self._turn.is_first = False
        else:
            if roll_back:
                self.known.forget()
                self.db.execute(f"ROLLBACK TO s{depth}")
            self.db.execute(f"RELEASE s{depth}")
        if self._depth == 0 and not _in_loop():
            self.commit()

    def commit(self) -> None:
        """End the turn. The loop calls this; nobody else has to."""
        turn = self._turn
        if turn is None:
            return
        assert self._depth == 0, "a commit inside a write: something suspended while it held a transaction"
        death = self.world.fault("commit", ("before", "after"))
        if death == "before":
            raise Crash("before commit")
        failure = turn.broken
        self._turn = None
        if failure is None:
            try:
                self.db.execute("COMMIT")
            except sqlite3.Error as e:
                failure = e
        if failure is not None:
            log.error("a turn was rolled back: %s", failure)
            self.known.forget()
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
        if death == "after":
            raise Crash("after commit")
        if failure is None and self.durability == "power":
            self._sync(turn)
        else:
            turn.end(failure)
        self._keep_house()

    # durability through power loss: one sync at a time, whoever commits meanwhile shares the next

    def _sync(self, turn: Turn) -> None:
        if not _in_loop():
            self._fdatasync()
            turn.end(None)
            return
        if self._syncing is not None:
            self._syncing.append(turn)
            return
        self._syncing = [turn]
        self._sync_next()

    def _sync_next(self) -> None:
        loop = asyncio.get_running_loop()
        count = len(self._syncing or ())
        task = loop.create_task(self.world.offload(self._fdatasync))

        def synced(done: asyncio.Task[None]) -> None:
            assert self._syncing is not None
            failure = done.exception()
            ended, self._syncing = self._syncing[:count], self._syncing[count:] or None
            for turn in ended:
                turn.end(failure)
            if self._syncing:
                self._sync_next()

        task.add_done_callback(synced)

    def _fdatasync(self) -> None:
        if self.path == ":memory:":
            return
        if self._log_fd is None:
            self._log_fd = os.open(self.path + "-wal", os.O_RDWR)
        getattr(os, "fdatasync", os.fsync)(self._log_fd)

    # the log is folded back where nobody waits for it

    def _keep_house(self) -> None:
        if self._housekeeping is not None or self.path == ":memory:":
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self.db.execute("PRAGMA wal_autocheckpoint = 0")
        self._housekeeping = loop.call_later(SYNC_WAIT_S, self._fold)

    def _fold(self) -> None:
        self._housekeeping = None
        try:
            size = os.stat(self.path + "-wal").st_size
        except OSError:
            return
        if size < CHECKPOINT_BYTES or self._folding:
            return
        if size >= RESTART_BYTES and self._turn is None:
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        self._folding = True
        task = asyncio.get_running_loop().create_task(self.world.offload(_fold_passively, self.path))
        task.add_done_callback(lambda _: setattr(self, "_folding", False))

    # migrations

    def migrate(self, room: str, scripts: dict[int, str]) -> None:
        """Bring one room's tables up to date: run the scripts with a higher number than last time, in order.

        Raises:
            StateError: the file was written by a newer program.
        """
        row = self.db.execute("SELECT version FROM schema_version WHERE room = ?", (room,)).fetchone()
        version, newest = (row[0] if row else 0), max(scripts, default=0)
        if version > newest:
            raise StateError(
                f"{self.path} was written by a newer Stratolite: {room} has schema {version},"
                f" this program knows {newest}."
            )
        if version == newest:
            return
        with self.write() as tx:
            for number in sorted(n for n in scripts if n > version):
                for statement in statements(scripts[number]):
                    tx.run(statement)
            tx.run("INSERT OR REPLACE INTO schema_version (room, version) VALUES (?, ?)", room, newest)

    def close(self) -> None:
        if self._housekeeping is not None:
            self._housekeeping.cancel()
        if self._log_fd is not None:
            os.close(self._log_fd)
        self.db.close()


def _in_loop() -> bool:
    """Whether somebody will end the turn: at start, and in tools, there is no loop yet."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def statements(script: str) -> Iterator[str]:
    """The single statements of a script. (`executescript` would commit the turn it runs in.)"""
    statement = ""
    for line in script.splitlines(keepends=True):
        if not statement and (not line.strip() or line.lstrip().startswith("--")):
            continue
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if statement.strip():
        yield statement.strip()


def _fold_passively(path: str) -> None:
    db = sqlite3.connect(path)
    try:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    finally:
        db.close()
