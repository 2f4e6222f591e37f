"""The house stays tidy: who may import whom, where time and chance come from, what must not be written anywhere."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "stratolite"
MODULES = sorted(SRC.rglob("*.py"))

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "languages": ("languages",),
    "wire": ("wire",),
    "kernel": ("kernel", "wire.models", "wire.http1", "languages.arns"),
    "runtimes": ("runtimes", "kernel", "wire.http1"),
    "frontends": ("frontends", "languages"),
    "experts": ("experts", "languages"),
    "console": ("console", "languages"),
    "server": ("server", "wire", "kernel"),
    "testing": ("testing", "kernel", "runtimes", "app", "wire.http1", "server", "frontends"),
}
"""Room to what of `stratolite` it may import. `app` and `cli` may import everything."""


FURTHER: dict[str, tuple[str, ...]] = {
    "services.lambda_": ("runtimes",),
    # A body in a file keeps its chunks until it is stored; a record names the second id of its request.
    "services.s3": ("wire.chunked", "wire.quirks.s3"),
}
"""Service to what it may import beside what every service may."""


def room(path: Path) -> str:
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, relative ones resolved."""
    package = ["stratolite", *path.relative_to(SRC).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{name}.{alias.name}") for alias in node.names)


def allowed(path: Path) -> tuple[str, ...] | None:
    if room(path) != "services":
        return MAY_IMPORT.get(room(path))
    parts = path.relative_to(SRC).parts
    own = f"services.{parts[1]}" if len(parts) > 2 else "services"
    return (own, "kernel", "languages", "wire.http1", *FURTHER.get(own, ()))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SRC)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    rooms = allowed(path)
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for line, name in imports(path)
        if name.startswith("stratolite.")
        and name != "stratolite.__version__"
        and rooms is not None
        and not any(f"{name}.".startswith(f"stratolite.{ok}.") for ok in rooms)
    ]
    assert wrong == []


DECIDED_ELSEWHERE = {
    "time.time",
    "time.monotonic",
    "datetime.now",
    "datetime.utcnow",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "uuid.uuid4",
    "uuid.uuid1",
    "os.urandom",
    "secrets.token_hex",
    "secrets.token_bytes",
    "random.random",
    "random.randint",
    "random.choice",
    "os.environ",
    "os.getenv",
}
"""What only the World decides. (`time.perf_counter` measures our own work and decides nothing.)"""

MAY_ASK = {"kernel/world.py", "app.py"}


def test_only_the_world_knows_the_time_and_rolls_dice() -> None:
    wrong = []
    for path in MODULES:
        name = str(path.relative_to(SRC))
        if name in MAY_ASK or room(path) in ("cli", "testing", "runtimes"):
            continue
        tree = ast.parse(path.read_text())
        imported = {
            a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names
        }
        for node in ast.walk(tree):
            text = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if text in DECIDED_ELSEWHERE and text.partition(".")[0] in imported:
                wrong.append(f"{name}:{node.lineno} {text}")
    assert wrong == []


def test_nothing_waits_inside_a_write() -> None:
    wrong = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.With) and any(
                re.search(r"\.(write|settle)\(", ast.unparse(item.context_expr)) for item in node.items
            ):
                waits = [n for n in ast.walk(node) if isinstance(n, ast.Await | ast.AsyncFor | ast.AsyncWith)]
                wrong += [f"{path.relative_to(ROOT)}:{n.lineno}" for n in waits]
    assert wrong == []


def test_no_path_of_one_machine_is_written_anywhere() -> None:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    text = {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".txt", ".js", ".ts", ".sql", ".json", ""}
    pattern = re.compile(r"(?<![\w.$}])/(?:root|home/[a-z]+|Users/[a-z]+|work|farm)/")
    wrong = [
        f"{name}:{number}"
        for name in listing.stdout.splitlines()
        if (path := ROOT / name).suffix in text and path.is_file() and path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert wrong == []
