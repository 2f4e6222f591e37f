"""`strato start`: the cloud, in this process, until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from .problem import NO_CLOUD

DESCRIPTION = "Start the cloud in the foreground. Its state is one folder; everything in it survives a crash."


def parser() -> argparse.ArgumentParser:
    """The options of `strato start`. (argparse, because it is imported in 5 ms.)"""
    found = argparse.ArgumentParser("strato start", description=DESCRIPTION)
    found.add_argument("--host", default="127.0.0.1", help="where to listen (default %(default)s: this machine only)")
    found.add_argument("--port", type=int, default=4566, help="default %(default)s; 0 takes a free one")
    found.add_argument(
        "--state", type=Path, default=Path(".stratolite"), help="the state's folder (default %(default)s)"
    )
    found.add_argument("--strict", action="store_true", help="refuse what is accepted by AWS but not emulated here")
    found.add_argument(
        "--durability",
        choices=("process", "power"),
        default="process",
        help="what an answer survives: the death of the process (default), or loss of power (a sync per commit)",
    )
    return found


def run(words: list[str]) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code."""
    options = parser().parse_args(words)
    import logging

    from stratolite.app import Claim, Config, build, serve
    from stratolite.kernel.store import StateError

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config = Config(options.state, options.host, options.port, options.strict, options.durability)
    try:
        claim = Claim(options.state)
        cloud = build(config)
    except StateError as error:
        print(f"strato: {error}", file=sys.stderr)
        return NO_CLOUD

    def ready(port: int) -> None:
        claim.announce(port=port, host=options.host, strict=options.strict, durability=options.durability)
        print(f"Stratolite answers on http://{_shown(options.host)}:{port} (state: {options.state})", flush=True)

    try:
        _until_signalled(lambda: serve(config, cloud, ready))
    except OSError as error:
        # asyncio's own text repeats the address.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error
        print(f"strato: cannot listen on {options.host}:{options.port}: {reason}", file=sys.stderr)
        return NO_CLOUD
    finally:
        claim.release()
    return 0


def _shown(host: str) -> str:
    return "localhost" if host in ("127.0.0.1", "::1") else host


def _until_signalled(serve: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run to the end, or to SIGINT or SIGTERM: then what is under way is let finish."""
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with contextlib.suppress(ImportError):  # there is none for Windows
        from uvloop import new_event_loop

    async def main() -> None:
        task = asyncio.ensure_future(serve())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
