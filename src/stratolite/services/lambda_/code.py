"""The place that `Code.Location` names: a package as it was uploaded, for whoever has the link."""

from __future__ import annotations

import re

from stratolite.kernel import Call, endpoint
from stratolite.wire.http1 import Headers, Request, Response


@endpoint(path=r"/_aws/lambda/code/(?P<blob>[0-9a-f]{64})")
async def download(call: Call, request: Request, blob: str) -> Response:
    path = call.blobs.path(blob)
    if not re.fullmatch(r"[0-9a-f]{64}", blob) or not path.exists():
        return Response(404, Headers({"Content-Type": "text/plain"}), b"Not Found")
    return Response(200, Headers({"Content-Type": "application/zip"}), await call.world.offload(path.read_bytes))
