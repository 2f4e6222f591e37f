"""Run the benchmarks and print each figure beside its goal and the floor of the same machine, measured in the same run.

python -m tests.bench [NAME...]     only those whose name contains one of the words
"""

from __future__ import annotations

import os
import platform
import sys
import time

from stratolite.testing.live import LiveCloud

from . import compute, data, floor, life, plane
from .report import Figure, table


def main(words: list[str]) -> int:
    # An installed package has its bytecode: servers and functions that may not write theirs would compile all of it at
    # every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}; the floor first")
    floors = {
        "python": floor.python_ms("pass"),
        "botocore": floor.python_ms("import botocore.session"),
        "fork": floor.fork_ms(),
        "http 1": floor.http_us(1),
        "http 16": floor.http_us(16),
        "insert 1": floor.insert_us(1),
        "insert 10": floor.insert_us(10),
    }
    for name, value in floors.items():
        print(f"  {name:12} {value:8.2f} {'us' if name[:4] in ('http', 'inse') else 'ms'}")
    figures: list[Figure] = []
    failed = 0
    for work in (life.start, life.recover, *data.WORK, *plane.WORK, *compute.WORK):
        name = work.__doc__ or work.__name__
        if words and not any(word in f"{work.__module__} {work.__name__} {name}" for word in words):
            continue
        begin = time.perf_counter()
        try:
            with LiveCloud() as cloud:
                found = work(cloud, floors)
        except Exception as failure:
            failed += 1
            print(f"{name}: {type(failure).__name__}: {failure}", file=sys.stderr)
            continue
        figures += found
        for figure in found:
            print(figure.line(), flush=True)
        print(f"  ({time.perf_counter() - begin:.1f} s)", file=sys.stderr)
    print()
    print(table(figures))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
