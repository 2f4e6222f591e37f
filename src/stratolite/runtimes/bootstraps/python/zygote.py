"""The zygote: one long-lived process per interpreter that forks, and for other runtimes executes, every environment.

Started as `python -S -B zygote.py CONTROL [SITE]`; CONTROL is the control socket's descriptor. Frames both ways are
four bytes of length and JSON. It gets `{"spawn": id, "env": {}, "argv": [], "task", "packages", "layers", "tmp"}` with
the environment's output pipe and a connection to the Runtime API attached, and says `ready`, `spawned` and `exited`.
`{"ahead": argv}` asks for an idle process of a program that can be told later what it is (Node's bootstrap.mjs); a
spawn of the same argv with `"ahead": true` gets it.
End of file means that the server is gone: everything below is killed, grandchildren included, and the zygote ends.

It runs in the interpreter that functions declare (3.9 or later): nothing of the project is importable here.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import isolation  # type: ignore[import-not-found,unused-ignore]

HERE = os.path.dirname(os.path.abspath(__file__))

# What handlers import most, loaded once. A function that brings a module of the same name gets its own (see `forget`).
STANDARD = """
    asyncio base64 binascii calendar collections.abc concurrent.futures contextlib copy csv dataclasses datetime decimal
    email.message email.utils enum fnmatch functools glob gzip hashlib heapq hmac html http.client http.cookies
    importlib.util inspect io ipaddress itertools json logging math mimetypes numbers operator pathlib pickle platform
    pprint queue random re secrets shutil socket sqlite3 ssl statistics string struct subprocess tempfile textwrap
    threading time traceback types typing unicodedata unittest.mock urllib.error urllib.parse urllib.request uuid
    warnings weakref xml.etree.ElementTree zipfile zlib zoneinfo
"""
RUNTIME_CLIENT = """
    lambda_context lambda_runtime_client lambda_runtime_exception lambda_runtime_log_utils lambda_runtime_marshaller
"""
# The clients whose models are read ahead: what botocore parses for them is shared by every fork.
SERVICES = "dynamodb s3 sqs sns events secretsmanager ssm lambda stepfunctions kms sts logs kinesis"

Priming = Iterator[None]
OPEN_FILES = 1024
AHEAD = 4
"""Programs of which an idle process is kept: the ones asked for last."""
AHEAD_AFTER_S = 0.05
"""Starting one must not take the processor from the environment that was just spawned."""
CHANNEL_VARIABLE = "NODE_CHANNEL_FD"
CONNECTION_VARIABLE, PLACES_VARIABLE = "STRATOLITE_CONNECTION", "STRATOLITE_PLACES"


def send(control: socket.socket, message: dict[str, Any]) -> None:
    data = json.dumps(message).encode()
    try:
        control.sendall(len(data).to_bytes(4, "big") + data)
    except ConnectionError:
        # The server is gone: the next read says so, and ends us.
        pass


def receive(control: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """One frame and the descriptors that came with it; None at the end."""
    fds: list[int] = []
    try:
        header, fds, _, _ = socket.recv_fds(control, 4, 8)
        data = exactly(control, 4, header)
        return (json.loads(exactly(control, int.from_bytes(data, "big"))) if data else None), fds
    except (ConnectionError, EOFError):
        return None, fds


def exactly(control: socket.socket, size: int, data: bytes = b"") -> bytes:
    if not data and size == 4:
        return b""
    while len(data) < size:
        more = control.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def resident_kb() -> int:
    """What `statm` calls resident: shared pages count, as the server will count them for the children."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    except OSError:
        return 0


def prime(site: str) -> Priming:
    """Load boto3 and what it reads, one small piece at a time between two requests."""
    try:
        loaders = importlib.import_module("botocore.loaders")
    except ImportError:
        return
    yield
    read: dict[str, Any] = {}
    load_file = loaders.JSONFileLoader.load_file

    def remembered(self: Any, path: str) -> Any:
        if path not in read:
            read[path] = load_file(self, path)
        return read[path]

    loaders.JSONFileLoader.load_file = remembered
    # What is on disk in the site folder does not change either; a handler's own AWS_DATA_PATH makes another key.
    hooks = importlib.import_module("botocore.hooks")
    loaders.Loader.list_available_services = _by_search_path(loaders.Loader.list_available_services)
    loaders.Loader.list_api_versions = _by_search_path(loaders.Loader.list_api_versions)
    setattr(hooks, "accepts_kwargs", functools.lru_cache(maxsize=None)(hooks.accepts_kwargs))  # noqa: B010
    boto3 = importlib.import_module("boto3")
    yield
    session = boto3.session.Session(aws_access_key_id="-", aws_secret_access_key="-", region_name="us-east-1")
    for name in SERVICES.split():
        session.client(name)
        yield
    for name in ("dynamodb", "s3"):
        session.resource(name)
        yield
    for name in ("boto3.dynamodb.conditions", "boto3.s3.transfer", "botocore.config", "botocore.exceptions"):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _by_search_path(method: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[Any, Any] = {}

    def remembered(self: Any, *arguments: Any, **named: Any) -> Any:
        key = (tuple(self.search_paths), arguments, tuple(named.items()))
        if key not in known:
            known[key] = method(self, *arguments, **named)
        return list(known[key])

    return remembered


def tops(names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def forget(folders: list[str], site: frozenset[str], loaded: frozenset[str], before: frozenset[str]) -> None:
    """Drop from memory what the function brings itself: its own boto3, or its own `secrets.py`, wins as on AWS.

    `site` names what lies in the site folder, `loaded` what is in memory (to look at every module's name would
    copy the pages they lie in from the zygote); `before` is what AWS's bootstrap has imported when the handler's turn
    comes: a function cannot replace that there either.
    """
    brought: set[str] = set()
    for folder in folders:
        try:
            brought |= tops(os.listdir(folder))
        except OSError:
            continue
    if brought & site:
        # Packages of the site folder lean on each other: one replaced, all are loaded anew.
        brought |= site
    if brought.isdisjoint(loaded):
        return
    for name in list(sys.modules):
        if name.partition(".")[0] in brought and name not in before:
            del sys.modules[name]


class Spare(NamedTuple):
    """A fork made ahead that waits to be told what it is: forking and unsharing are most of a cold start."""

    pid: int
    line: socket.socket
    primed_kb: int


class Zygote:
    def __init__(self, control: int, site: str) -> None:
        self.site = site
        self.control = socket.socket(fileno=control)
        # What a function executes must not hold the line: the server's death would go unnoticed.
        self.control.set_inheritable(False)
        self.children: dict[int, str] = {}
        self.spare: Spare | None = None
        self.programs: dict[tuple[str, ...], Spare | None] = {}
        self.lines: dict[int, socket.socket] = {}
        self.loaded: frozenset[str] = frozenset()
        self.site_names = frozenset(tops(os.listdir(site)) if site else ())
        self.namespace = isolation.Namespace()
        isolation.adopt_orphans()
        self.before = self._preload()
        self.base_kb = resident_kb()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.control, selectors.EVENT_READ)
        self.woken, self.waker = os.pipe()
        for fd in (self.woken, self.waker):
            os.set_blocking(fd, False)
        self.selector.register(self.woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _preload(self) -> frozenset[str]:
        stdlib = [path for path in sys.path if path != HERE]
        sys.path[:] = [HERE, *([self.site] if self.site else []), *stdlib]
        if not self.site:
            return frozenset(sys.modules)
        importlib.import_module("runtime_client")
        for name in RUNTIME_CLIENT.split():
            importlib.import_module("awslambdaric." + name)
        importlib.import_module("awslambdaric.bootstrap")
        before = frozenset(sys.modules)
        for name in STANDARD.split():
            try:
                importlib.import_module(name)
            except ImportError:
                pass
        import site

        # `-S` keeps the interpreter's own packages out; exit() and quit() belong to the language.
        site.setquit()
        site.setcopyright()
        site.sethelper()
        sys.path[:] = [*([self.site] if self.site else []), *stdlib]
        gc.collect()
        gc.freeze()
        return before

    def run(self) -> None:
        send(self.control, {"ready": self._about()})
        priming: Priming | None = prime(self.site) if self.site else None
        while True:
            idle = priming is None and self.spare is not None
            missing = next((argv for argv, spare in self.programs.items() if spare is None), None)
            events = self.selector.select((AHEAD_AFTER_S if missing else None) if idle else 0)
            if not events and priming is not None:
                try:
                    next(priming)
                except StopIteration:
                    priming = None
                except Exception as error:
                    # Only speed is lost.
                    send(self.control, {"warning": f"priming stopped: {error!r}"})
                    priming = None
            elif not events and self.spare is None:
                self.spare = self._fork()
            elif not events and missing is not None:
                self.programs[missing] = self._start_ahead(missing)
            for key, _ in events:
                if key.fd == self.woken:
                    self._reap()
                    continue
                request, fds = receive(self.control)
                if request is None:
                    self._end()
                elif "spawn" not in request:
                    self._keep_ahead(tuple(request["ahead"]))
                elif self._tell(request, fds):
                    continue
                else:
                    self._spawn(request, fds)

    def _about(self) -> dict[str, Any]:
        namespace, (major, minor, micro) = self.namespace, sys.version_info[:3]
        return {
            "python": f"{major}.{minor}.{micro}",
            "mounts": namespace.mounts,
            "task": namespace.task,
            "why": namespace.why,
        }

    def _fork(self) -> Spare:
        me, resident = os.getpid(), resident_kb()
        self.loaded = frozenset(tops(sys.modules))
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                ours.close()
                status = self._child(theirs, me)
            finally:
                os._exit(status)
        theirs.close()
        return Spare(pid, ours, max(0, resident - self.base_kb))

    def _keep_ahead(self, argv: tuple[str, ...]) -> None:
        self.programs[argv] = self.programs.pop(argv, None)
        while len(self.programs) > AHEAD:
            oldest = self.programs.pop(next(iter(self.programs)))
            if oldest is not None:
                oldest.line.close()

    def _start_ahead(self, argv: tuple[str, ...]) -> Spare:
        me = os.getpid()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                ours.close()
                self._settle(me)
                quiet = os.open(os.devnull, os.O_RDWR)
                for fd in (1, 2):
                    os.dup2(quiet, fd)
                theirs.set_inheritable(True)
                # From here on the zygote may bind folders into our namespace.
                theirs.send(b"\n")
                os.execve(argv[0], argv, {"PATH": os.defpath, CHANNEL_VARIABLE: str(theirs.fileno())})
            finally:
                os._exit(status)
        theirs.close()
        return Spare(pid, ours, 0)

    def _tell(self, request: dict[str, Any], fds: list[int]) -> bool:
        """Make the idle process of a program what is asked for; false if there is none."""
        if not request.get("ahead"):
            return False
        argv = tuple(request["argv"])
        spare = self.programs.get(argv)
        self._keep_ahead(argv)
        if spare is None:
            return False
        self.programs[argv] = None
        output, connection = fds
        try:
            spare.line.recv(1)
            places = self.namespace.enter_of(
                spare.pid, request["task"], request["layers"], request["tmp"], self._needed(request)
            )
            environment = {**request["env"], **variables_of(places)}
            message = {"env": environment, "packages": request["packages"], **places}
            say_to_node(spare.line, "output", "net.Native", output)
            say_to_node(spare.line, message, "net.Socket", connection)
        except OSError:
            # It has died while it waited, or cannot be reached.
            spare.line.close()
            kill(spare.pid)
            return False
        # Node.js drops what it has not read yet when we hang up: it does so itself.
        self.lines[spare.pid] = spare.line
        for fd in fds:
            os.close(fd)
        self.children[spare.pid] = request["spawn"]
        send(self.control, {"spawned": request["spawn"], "pid": spare.pid, "primed_kb": spare.primed_kb})
        return True

    def _spawn(self, request: dict[str, Any], fds: list[int]) -> None:
        spare, self.spare = self.spare or self._fork(), None
        data = json.dumps(request).encode()
        try:
            socket.send_fds(spare.line, [len(data).to_bytes(4, "big") + data], fds)
            sent = True
        except OSError:
            # It has died while it waited.
            sent = False
        spare.line.close()
        for fd in fds:
            os.close(fd)
        self.children[spare.pid] = request["spawn"]
        send(self.control, {"spawned": request["spawn"], "pid": spare.pid, "primed_kb": spare.primed_kb})
        if not sent:
            self._reap()

    def _settle(self, parent: int) -> None:
        """What a new process does before it knows what it will be."""
        isolation.die_with_parent(parent)
        os.setsid()
        isolation.adopt_orphans()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        os.close(self.woken)
        os.close(self.waker)
        self.control.close()
        self.namespace.copy()
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        except (OSError, ValueError):
            # Fewer are allowed here already.
            pass

    def _child(self, line: socket.socket, parent: int) -> int:
        self._settle(parent)
        request, fds = receive(line)
        line.close()
        if request is None:
            return 0
        output, connection = fds
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        environment: dict[str, str] = request["env"]
        os.environ.clear()
        os.environ.update(environment)
        seen = self.namespace.enter(request["task"], request["layers"], request["tmp"], self._needed(request))
        os.environ.update(variables_of(seen))
        if not request["argv"]:
            return self._python(request, seen, connection)
        if "ahead" in request:
            os.set_inheritable(connection, True)
            os.environ[CONNECTION_VARIABLE] = str(connection)
            os.environ[PLACES_VARIABLE] = json.dumps({"packages": request["packages"], **seen})
        else:
            os.close(connection)
        if seen["task"]:
            os.chdir(seen["task"])
        places = {"{task}": seen["task"], "{layers}": seen["layers"]}
        argv = [expand(word, places) for word in request["argv"]]
        try:
            os.execve(argv[0], argv, dict(os.environ))
        except OSError as error:
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
            return 126 if isinstance(error, PermissionError) else 127

    def _needed(self, request: dict[str, Any]) -> list[str]:
        """The folders an environment reads beside its own: the interpreter, the program, packages."""
        programs = [os.path.dirname(word) for word in request["argv"] if word.startswith("/")]
        return list(dict.fromkeys([sys.prefix, *filter(None, [self.site]), *programs, *request["packages"]]))

    def _python(self, request: dict[str, Any], seen: dict[str, str], connection: int) -> int:
        sys.modules["runtime_client"].adopt(connection)
        time.tzset()
        # Prints and logged records share a pipe and keep their order.
        os.environ["_LAMBDA_TELEMETRY_LOG_FD"] = str(os.dup(1))
        task, packages = seen["task"], list(request["packages"])
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        layers = [seen["layers"] + "/python/lib/" + version + "/site-packages", seen["layers"] + "/python"]
        own = [task, *packages, *(layers if seen["layers"] else [])]
        forget(own, self.site_names, self.loaded, self.before)
        sys.path[:0] = own
        os.environ["PYTHONPATH"] = os.pathsep.join([*own[1:], self.site])
        sys.argv[:] = ["bootstrap", os.environ["_HANDLER"]]
        # The interpreter opened these before they were the environment's; AWS's are unbuffered by its bootstrap.
        sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc]
        try:
            os.chdir(task)
            if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON" or "AWS_LAMBDA_LOG_LEVEL" in os.environ:
                # It read the settings of its log when it was imported: again, with this function's.
                del sys.modules["awslambdaric.bootstrap"]
            bootstrap = importlib.import_module("awslambdaric.bootstrap")
            client = sys.modules["awslambdaric.lambda_runtime_client"]
            bootstrap.run(os.environ["_HANDLER"], client.LambdaRuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"]))
            return 0
        except SystemExit as ending:
            return self._farewell(ending.code)
        except BaseException:
            import traceback

            traceback.print_exc()
            return self._farewell(1)

    @staticmethod
    def _farewell(code: Any) -> int:
        """What the interpreter does on its way out, which a fork must do by hand."""
        import atexit
        import threading

        if not (code is None or isinstance(code, int)):
            print(code, file=sys.stderr)
            code = 1
        shutdown: Callable[[], None] = threading._shutdown  # type: ignore[attr-defined]
        shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        return (code or 0) & 0xFF

    def _reap(self) -> None:
        try:
            while os.read(self.woken, 4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            spawned = self.children.pop(pid, None)
            if (line := self.lines.pop(pid, None)) is not None:
                line.close()
            if self.spare is not None and pid == self.spare.pid:
                self.spare.line.close()
                self.spare = None
            for argv, spare in list(self.programs.items()):
                if spare is not None and pid == spare.pid:
                    # Asked for again, it will be started again: a program that cannot run must not be tried for ever.
                    spare.line.close()
                    del self.programs[argv]
            if spawned is not None:
                # Its descendants have just become ours: none survives its environment.
                self._sweep(pid)
                send(self.control, {"exited": spawned, "status": status, "peak_kb": usage.ru_maxrss})

    def _end(self) -> None:
        for pid in self.children:
            kill(pid)
        for spare in (self.spare, *self.programs.values()):
            if spare is not None:
                spare.line.close()
                kill(spare.pid)
        while self.children:
            try:
                pid, _ = os.wait()
            except ChildProcessError:
                break
            if self.children.pop(pid, None) is not None:
                self._sweep(pid)
        os._exit(0)

    def _sweep(self, group: int) -> None:
        known = {*self.children, *(spare.pid for spare in (self.spare, *self.programs.values()) if spare is not None)}
        sweep(group, known)


def variables_of(places: dict[str, str]) -> dict[str, str]:
    """What the environment's variables say of where its folders ended up."""
    found = {}
    if places["tmp"] != "/tmp":
        found["TMPDIR"] = places["tmp"]
    if places["task"]:
        found["LAMBDA_TASK_ROOT"] = places["task"]
    return found


def say_to_node(line: socket.socket, message: Any, kind: str, fd: int) -> None:
    """One message of Node's own channel between processes, with a descriptor."""
    data = json.dumps({"cmd": "NODE_HANDLE", "type": kind, "msg": message}).encode() + b"\n"
    sent = socket.send_fds(line, [data], [fd])
    # Told everything, it may have hung up already: not even nothing can be sent then.
    if sent < len(data):
        line.sendall(data[sent:])


def expand(word: str, places: dict[str, str]) -> str:
    for place, folder in places.items():
        word = word.replace(place, folder)
    return word


def kill(pid: int) -> None:
    for end in (os.killpg, os.kill):
        try:
            end(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def sweep(group: int, known: set[int]) -> None:
    """Kill what a dead environment left: its process group, and whoever the kernel gave to us as orphans (Linux)."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    while True:
        try:
            with open(f"/proc/self/task/{os.getpid()}/children") as file:
                orphans = [int(pid) for pid in file.read().split() if int(pid) not in known]
        except OSError:
            return
        if not orphans:
            return
        for pid in orphans:
            kill(pid)
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass


if __name__ == "__main__":
    Zygote(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "").run()
