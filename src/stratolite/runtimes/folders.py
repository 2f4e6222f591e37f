"""Folders: a project's own folder, watched, so that a file saved in it is live with the next event.

inotify on Linux; elsewhere, or when its watches have run out, a look at the files' times, at most every 50 ms.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import sys
from pathlib import Path

LOOK_S = 0.05
IGNORED = frozenset({"__pycache__", ".git", "node_modules", ".venv", ".stratolite", ".pytest_cache", ".mypy_cache"})

IN_CLOSE_WRITE, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
IN_Q_OVERFLOW = 0x4000
_EVENT = struct.Struct("iIII")


class Watch:
    """Counts the saves in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        self._fd = -1
        self._paths: dict[int, Path] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        self._looked_at = 0.0
        if sys.platform == "linux" and not self._watch_all():
            self.close()
        if self._fd < 0:
            self._seen = self._look()

    def generation(self) -> int:
        """How often something was saved since the watch began."""
        if self._fd >= 0:
            self._read()
        else:
            now = asyncio.get_running_loop().time()
            if now - self._looked_at > LOOK_S:
                self._looked_at = now
                seen = self._look()
                if seen != self._seen:
                    self._seen = seen
                    self._count += 1
        return self._count

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    # ---- inotify

    def _watch_all(self) -> bool:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._add_watch = libc.inotify_add_watch
        return self._fd >= 0 and self._add(self.folder)

    def _add(self, folder: Path) -> bool:
        mask = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE
        for path, folders, _ in os.walk(folder):
            folders[:] = [name for name in folders if name not in IGNORED]
            watch = self._add_watch(self._fd, os.fsencode(path), mask)
            if watch < 0:
                return False
            self._paths[watch] = Path(path)
        return True

    def _read(self) -> None:
        saved = False
        while True:
            try:
                data = os.read(self._fd, 65536)
            except BlockingIOError:
                break
            at = 0
            while at < len(data):
                watch, mask, _, length = _EVENT.unpack_from(data, at)
                name = os.fsdecode(data[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0"))
                at += _EVENT.size + length
                if name in IGNORED or name.endswith((".pyc", "~", ".swp")):
                    continue
                # A file just created is live when it is closed; a folder must be watched.
                if mask & IN_CREATE and watch in self._paths:
                    created = self._paths[watch] / name
                    if created.is_dir():
                        self._add(created)
                        saved = saved or any(created.iterdir())
                    continue
                saved = True
        self._count += saved

    # ---- times

    def _look(self) -> dict[str, tuple[int, int]]:
        found = {}
        for path, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if name not in IGNORED]
            for name in files:
                try:
                    status = os.stat(os.path.join(path, name))
                except OSError:
                    continue
                found[os.path.join(path, name)] = (status.st_mtime_ns, status.st_size)
        return found
