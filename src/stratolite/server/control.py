"""Control: what `strato` and test fixtures ask of a running cloud, under `/_strato/`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from typing import Any

from stratolite import __version__

from ..kernel import Cloud
from ..wire.http1 import Headers, Request, Response

Answer = dict[str, Any]
Ask = Callable[[Request], Answer | Awaitable[Answer]]


class Refused(Exception):
    """A control request that cannot be carried out; `status` and the sentence are the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """A table of (method, path) to what answers it in JSON; `add` brings in what other rooms can be asked."""

    def __init__(self, cloud: Cloud, services: Iterable[str]) -> None:
        self._cloud = cloud
        self._services = sorted(services)
        self._asks: dict[tuple[str, str], Ask] = {
            ("GET", "/_strato/health"): self.health,
            ("GET", "/_strato/status"): self.status,
            ("GET", "/_strato/news"): self.news,
            ("GET", "/_strato/traces"): self.traces,
            ("GET", "/_strato/trace"): self.trace,
        }

    def add(self, method: str, path: str, ask: Ask) -> None:
        self._asks[method, f"/_strato/{path}"] = ask

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        ask = self._asks.get((request.method, request.raw_path))
        if ask is None:
            allowed = sorted(method for method, path in self._asks if path == request.raw_path)
            if allowed:
                return _json(405, {"message": f"{request.raw_path} answers {', '.join(allowed)}"})
            return _json(404, {"message": f"There is no {request.raw_path} here"})
        try:
            answer = ask(request)
        except Refused as refused:
            return _json(refused.status, {"message": str(refused)})
        return _json(200, answer) if isinstance(answer, dict) else _wait(answer)

    # ---- what every cloud can be asked

    def health(self, request: Request) -> Answer:
        """Whether the cloud makes things happen."""
        lost = self._cloud.lost
        if lost is not None:
            raise Refused(503, f"the loop of jobs has stopped: {lost}")
        return {"status": "running", "version": __version__}

    def status(self, request: Request) -> Answer:
        """What runs here, and what was accepted and not emulated, with how often."""
        cloud = self._cloud
        return {
            **self.health(request),
            "now": cloud.world.now(),
            "epoch": cloud.epoch,
            "strict": cloud.strict,
            "services": self._services,
            "not_emulated": dict(sorted(cloud.notices.items())),
            "next_due": cloud.jobs.next_due(),
        }

    def news(self, request: Request) -> Answer:
        """What functions said and what happened after a place. Query: `block`, `span`, `since`, `limit`."""
        asked = dict(request.query)
        try:
            block, span = int(asked.get("block", "0")), int(asked.get("span", "0"))
            since, limit = float(asked.get("since", "0")), min(1000, int(asked.get("limit", "1000")))
        except ValueError:
            raise Refused(400, "block, span, since and limit are numbers") from None
        return self._cloud.telemetry.news(block, span, since, limit)

    def traces(self, request: Request) -> Answer:
        """The latest traces. Query: `limit`."""
        try:
            limit = min(1000, int(dict(request.query).get("limit", "20")))
        except ValueError:
            raise Refused(400, "limit is a number") from None
        return {"traces": self._cloud.telemetry.traces(limit)}

    def trace(self, request: Request) -> Answer:
        """One trace's spans. Query: `id`, any part of a trace id or of a request id that leads to one."""
        part = dict(request.query).get("id", "")
        trace = self._cloud.telemetry.find_trace(part) if part else None
        if trace is None:
            raise Refused(404, f"There is no trace {part!r}")
        return {"trace": trace, "spans": [asdict(span) for span in self._cloud.telemetry.journey(trace)]}


async def _wait(answer: Awaitable[Answer]) -> Response:
    try:
        return _json(200, await answer)
    except Refused as refused:
        return _json(refused.status, {"message": str(refused)})


def _json(status: int, answer: Answer) -> Response:
    return Response(status, Headers([("content-type", "application/json")]), json.dumps(answer, default=str).encode())
