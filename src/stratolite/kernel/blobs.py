"""Payloads and blobs: what is too big for a row that is read often; stored once, counted by those who refer to it."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from stratolite.wire.http1 import BodyFile

from .store import Tx

if TYPE_CHECKING:
    from .store import Store
    from .world import World

INLINE_BYTES = 4096
"""Up to this size a payload lives in the row that needs it."""


# Payloads: in the store, up to a few megabytes.


def keep(tx: Tx, body: bytes, refs: int = 1) -> int:
    """Store a payload; returns its id, held `refs` times."""
    cursor = tx.run("INSERT INTO payload (refs, body) VALUES (?, ?)", refs, body)
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def hold(tx: Tx, payload: int, times: int = 1) -> None:
    tx.run("UPDATE payload SET refs = refs + ? WHERE id = ?", times, payload)


def read(tx: Tx, payload: int) -> bytes:
    body: bytes = tx.value("SELECT body FROM payload WHERE id = ?", payload)
    return body


def release(tx: Tx, payload: int) -> None:
    """One reference less; the last one takes the payload with it."""
    if tx.run("UPDATE payload SET refs = refs - 1 WHERE id = ? AND refs > 1", payload).rowcount == 0:
        tx.run("DELETE FROM payload WHERE id = ?", payload)


# Blobs: files named by their content, beside the store.


class Blobs:
    """File before row, row before unlink: a crash leaves at most a file nobody refers to, swept at the next start."""

    def __init__(self, folder: Path, store: Store, world: World) -> None:
        self.folder, self._store, self._world = folder, store, world

    async def take(self, body: bytes | BodyFile) -> str:
        """Bring bytes (or a spooled body, which moves) into the folder; gives its name. Not yet referred to."""
        return await self._world.offload(self._take, body)

    def _take(self, body: bytes | BodyFile) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        if isinstance(body, BodyFile):
            with body.path.open("rb") as f:
                name = hashlib.file_digest(f, "sha256").hexdigest()
        else:
            name = hashlib.sha256(body).hexdigest()
        path = self.path(name)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}")
            if isinstance(body, BodyFile):
                shutil.move(body.path, partial)
            else:
                partial.write_bytes(body)
            partial.rename(path)
        elif isinstance(body, BodyFile):
            body.path.unlink(missing_ok=True)
        return name

    def path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    def refer(self, tx: Tx, name: str) -> None:
        size = self.path(name).stat().st_size
        tx.run(
            "INSERT INTO blob (name, size, refs) VALUES (?, ?, 1) ON CONFLICT (name) DO UPDATE SET refs = refs + 1",
            name,
            size,
        )

    def drop(self, tx: Tx, name: str) -> None:
        """One reference less; the file goes after the commit, unless somebody took the same content meanwhile."""
        if tx.run("UPDATE blob SET refs = refs - 1 WHERE name = ? AND refs > 1", name).rowcount == 0:
            tx.run("DELETE FROM blob WHERE name = ?", name)
            tx.after(lambda: self._unlink(name))

    def _unlink(self, name: str) -> None:
        if self._store.reader().one("SELECT 1 FROM blob WHERE name = ?", name) is None:
            self.path(name).unlink(missing_ok=True)

    def sweep(self) -> int:
        """At start, before anything is taken: unlink what no row names. Returns how many files went."""
        if not self.folder.is_dir():
            return 0
        known = {row[0] for row in self._store.reader().all("SELECT name FROM blob")}
        stray = [f for d in self.folder.iterdir() if d.is_dir() for f in d.iterdir() if f.name not in known]
        for f in stray:
            f.unlink()
        return len(stray)
