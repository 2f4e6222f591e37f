"""The World: everything this process does not decide for itself."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from stratolite.wire.http1 import Headers, Response

T = TypeVar("T")


class World:
    """Real time, real chance, no injected failure. Tests use `stratolite.testing.SimWorld`."""

    random: random.Random
    is_simulated = False

    def __init__(self, jumped_s: float = 0.0) -> None:
        self.random = random.Random(int.from_bytes(os.urandom(32), "big"))
        self.jumped_s = jumped_s
        self._last = 0.0
        self._threads: ThreadPoolExecutor | None = None

    # time

    def now(self) -> float:
        """The cloud's time: seconds since the epoch, moved by every jump; it never goes back."""
        now = time.time() + self.jumped_s
        if now > self._last:
            self._last = now
        return self._last

    def wall(self) -> float:
        """The time on the wall, for what clients outside sign or check."""
        return time.time()

    def at(self, wall: float) -> float:
        """The cloud's time at a moment of wall time."""
        return wall + self.jumped_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    # chance

    def id(self) -> str:
        """A random UUID (version 4) as text."""
        h = f"{(self.random.getrandbits(128) & ~(0xF << 76 | 3 << 62)) | (4 << 76 | 2 << 62):032x}"
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"

    def hex(self, digits: int) -> str:
        """That many random hexadecimal digits."""
        return f"{self.random.getrandbits(digits * 4):0{digits}x}"

    # failure

    def fault(self, where: str, kinds: tuple[str, ...], **about: Any) -> str | None:
        """The kind of failure to inject here and now, or None.

        Args:
            where: the seam: `request`, `commit`, `job` or `sandbox`.
            kinds: what may go wrong at it.
            about: what it would happen to (service, operation, ...).
        """
        return None

    # elsewhere

    async def offload(self, fn: Callable[..., T], *args: Any) -> T:
        """Run a blocking or CPU-heavy function in a thread; the loop goes on."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="offload")
        return await asyncio.get_running_loop().run_in_executor(self._threads, fn, *args)

    async def fetch(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b"", timeout_s: float = 30.0
    ) -> Response:
        """Send an HTTP request out of the cloud.

        Raises OSError when no answer came, TimeoutError when it came too late.
        """
        return await self.offload(_fetch, method, url, headers or {}, body, timeout_s)


_pool: Any = None


def _fetch(method: str, url: str, headers: dict[str, str], body: bytes, timeout_s: float) -> Response:
    global _pool
    import urllib3  # botocore brings it; 30 ms that only a cloud that calls out has to pay

    if _pool is None:
        _pool = urllib3.PoolManager(num_pools=32, maxsize=32, retries=False)
    try:
        answer = _pool.request(method, url, body=body or None, headers=headers, timeout=timeout_s, redirect=False)
    except urllib3.exceptions.TimeoutError as e:
        raise TimeoutError(str(e)) from e
    except urllib3.exceptions.HTTPError as e:
        raise OSError(str(e)) from e
    return Response(answer.status, Headers(list(answer.headers.items())), answer.data)
