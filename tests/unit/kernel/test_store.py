"""The store and the blobs: what durability means, what a newer file means, what a crash may leave behind."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from stratolite.kernel import Store
from stratolite.kernel.blobs import Blobs, hold, keep, read, release
from stratolite.kernel.store import StateError, statements
from stratolite.testing.sim import SimWorld
from stratolite.wire.http1 import BodyFile

TABLE = {1: "CREATE TABLE t (n INTEGER);"}


def opened(path: Path, world: SimWorld, durability: str = "process") -> Store:
    store = Store(path / "s.sqlite", world, durability)  # type: ignore[arg-type]
    store.migrate("kernel", {1: (Path(__file__).parents[3] / "src/stratolite/kernel/schema/0001.sql").read_text()})
    store.migrate("test", TABLE)
    return store


def test_with_power_durability_nothing_is_told_before_the_log_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = SimWorld()
    store = opened(tmp_path, world, "power")
    happened: list[str] = []
    monkeypatch.setattr(os, "fdatasync", lambda fd: happened.append("synced"))

    async def main() -> None:
        for n in range(3):
            with store.write() as tx:
                tx.run("INSERT INTO t (n) VALUES (?)", n)
                tx.after(lambda n=n: happened.append(f"told {n}"))  # type: ignore[misc]
        await store.committed()

    world.run(main())
    assert happened == ["synced", "told 0", "told 1", "told 2"], "one sync for the whole turn, then the answers"


def test_what_is_written_while_a_sync_is_under_way_shares_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = SimWorld()
    store = opened(tmp_path, world, "power")
    syncs: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda fd: syncs.append(1))

    async def slow(fn, *args):  # type: ignore[no-untyped-def]
        await asyncio.sleep(1)
        return fn(*args)

    world.offload = slow  # type: ignore[method-assign]

    async def one(n: int) -> None:
        await asyncio.sleep(n * 0.1)
        with store.write() as tx:
            tx.run("INSERT INTO t (n) VALUES (?)", n)
        await store.committed()

    async def main() -> None:
        await asyncio.gather(*(one(n) for n in range(8)))

    world.run(main())
    assert len(syncs) == 2


def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    world = SimWorld()
    store = opened(tmp_path, world)
    store.migrate("test", {**TABLE, 2: "ALTER TABLE t ADD COLUMN m INTEGER;"})
    with pytest.raises(StateError, match="newer"):
        store.migrate("test", TABLE)


def test_a_script_is_taken_apart_into_statements_whatever_its_lines_look_like() -> None:
    script = "-- why\nCREATE TABLE a (\n  n TEXT -- fine;\n);\nCREATE INDEX i ON a (n);\nINSERT INTO a VALUES ('x;y');"
    assert [s.split()[1] for s in statements(script)] == ["TABLE", "INDEX", "INTO"]


def test_a_payload_goes_with_the_last_who_refers_to_it(tmp_path: Path) -> None:
    store = opened(tmp_path, SimWorld())
    with store.write() as tx:
        payload = keep(tx, b"x" * 5000)
        hold(tx, payload)
        release(tx, payload)
        assert read(tx, payload) == b"x" * 5000
        release(tx, payload)
        assert tx.value("SELECT count(*) FROM payload") == 0


def test_a_blob_outlives_all_but_its_last_reference_and_strays_are_swept(tmp_path: Path) -> None:
    world = SimWorld()
    store = opened(tmp_path, world)
    blobs = Blobs(tmp_path / "blobs", store, world)
    spooled = tmp_path / "spooled"
    spooled.write_bytes(b"content")

    async def main() -> None:
        name = await blobs.take(b"content")
        assert await blobs.take(BodyFile(spooled, 7)) == name, "named by content"
        assert not spooled.exists()
        stray = await blobs.take(b"nobody refers to this")
        for _ in range(2):
            with store.write() as tx:
                blobs.refer(tx, name)
        with store.write() as tx:
            blobs.drop(tx, name)
        await store.committed()
        assert blobs.path(name).read_bytes() == b"content"
        assert blobs.sweep() == 1 and not blobs.path(stray).exists()
        with store.write() as tx:
            blobs.drop(tx, name)
            assert blobs.path(name).exists(), "the row goes first"
        await store.committed()
        assert not blobs.path(name).exists()

    world.run(main())
