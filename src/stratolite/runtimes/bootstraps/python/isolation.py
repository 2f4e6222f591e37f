"""Isolation: what a process asks of the kernel before it lets a function in.

Runs in the interpreter the function declares (3.9 or later), so it imports nothing but the standard library. Where
the kernel refuses (macOS, user namespaces off, a container without CAP_SYS_ADMIN) the function sees the folders at
their own places and shares the host's /tmp; docs/runtimes.md has the table.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SIGKILL = 9

TASK = "/var/task"
LAYERS = "/opt"

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _call(name: str, *arguments: object) -> None:
    assert _libc is not None
    if getattr(_libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, name + ": " + os.strerror(error))


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _call("mount", *texts, ctypes.c_ulong(flags), None if options is None else options.encode())


def bind(source: str, target: str, read_only: bool = False) -> None:
    _mount(source, target, None, MS_BIND | MS_REC)
    if read_only:
        # A locked flag (nosuid, say) that we do not repeat makes the remount fail inside a user namespace.
        flags = os.statvfs(target).f_flag & ~MS_RDONLY
        _mount(None, target, None, MS_BIND | MS_REMOUNT | MS_RDONLY | flags)


def die_with_parent(parent: int) -> None:
    """SIGKILL when the parent goes (Linux). End of file on the control socket says the same everywhere, more slowly."""
    if _libc is None:
        return
    _call("prctl", PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def adopt_orphans() -> None:
    """Descendants whose parent dies become our children (Linux), so that nobody gets away by forking twice."""
    if _libc is not None:
        _call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _graft(folder: str, extra: str) -> None:
    """Make `folder/extra` exist without touching the host: a tmpfs over `folder` that shows again what was there."""
    keep = f"/proc/self/fd/{os.open(folder, os.O_RDONLY | os.O_DIRECTORY)}"
    names = os.listdir(folder)
    _mount("tmpfs", folder, "tmpfs", 0, "mode=755,size=64k")
    for name in names:
        was, here = keep + "/" + name, folder + "/" + name
        if os.path.islink(was):
            os.symlink(os.readlink(was), here)
        elif os.path.isdir(was):
            os.mkdir(here)
            bind(was, here)
        elif os.path.isfile(was):
            os.close(os.open(here, os.O_CREAT | os.O_WRONLY, 0o644))
            bind(was, here)
    os.close(int(keep.rpartition("/")[2]))
    os.mkdir(folder + "/" + extra)


class Namespace:
    """The mount namespace a zygote makes once; each environment takes a copy and binds its own folders into it."""

    def __init__(self) -> None:
        self.mounts = False
        self.task = False
        self.why = ""
        """Why something is missing, for the server to say once."""
        if _libc is None:
            self.why = "mount namespaces are Linux's"
            return
        uid, gid = os.getuid(), os.getgid()
        try:
            try:
                _call("unshare", CLONE_NEWNS)
            except OSError:
                _call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
                for name, text in (
                    ("setgroups", "deny"),
                    ("uid_map", f"{uid} {uid} 1"),
                    ("gid_map", f"{gid} {gid} 1"),
                ):
                    with open("/proc/self/" + name, "w") as file:
                        file.write(text)
            _mount(None, "/", None, MS_REC | MS_PRIVATE)
            self.mounts = True
            if not os.path.isdir(TASK):
                _graft("/var", "task")
            self.task = True
        except OSError as error:
            self.why = str(error)

    def copy(self) -> None:
        """In the new process: a mount table of its own."""
        if self.mounts:
            _call("unshare", CLONE_NEWNS)

    def enter(self, task: str | None, layers: str | None, tmp: str, needed: Iterable[str] = ()) -> dict[str, str]:
        """In the copy: own /tmp, the code at /var/task, layers at /opt. Says where each ended up.

        Folders that are needed and lie below /tmp themselves stay in sight there.
        """
        seen = {"task": task or "", "layers": layers or "", "tmp": tmp}
        if not self.mounts:
            return seen
        if task is not None and self.task:
            bind(task, TASK, read_only=True)
            seen["task"] = TASK
        # An interpreter below /opt must stay in sight.
        if layers is not None and os.path.isdir(LAYERS) and not sys.prefix.startswith(LAYERS + "/"):
            bind(layers, LAYERS, read_only=True)
            seen["layers"] = LAYERS
        for folder in needed:
            if folder.startswith("/tmp/") and os.path.isdir(folder):
                os.makedirs(tmp + folder[4:], exist_ok=True)
                bind(folder, tmp + folder[4:])
        bind(tmp, "/tmp")
        seen["tmp"] = "/tmp"
        return seen

    def enter_of(
        self, pid: int, task: str | None, layers: str | None, tmp: str, needed: Iterable[str] = ()
    ) -> dict[str, str]:
        """The same for a process that runs already, in the copy it has taken: we go there and come back."""
        if not self.mounts:
            return self.enter(task, layers, tmp, needed)
        own = os.open("/proc/self/ns/mnt", os.O_RDONLY)
        try:
            theirs = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
            try:
                _call("setns", theirs, CLONE_NEWNS)
            finally:
                os.close(theirs)
            try:
                return self.enter(task, layers, tmp, needed)
            finally:
                _call("setns", own, CLONE_NEWNS)
        finally:
            os.close(own)
