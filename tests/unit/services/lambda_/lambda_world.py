"""A cloud in a simulated world, and functions made of a few lines."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from stratolite.testing import TestCloud

ROLE = "arn:aws:iam::000000000000:role/role"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:"


def packed(**files: str) -> bytes:
    """A zip of `name=source` modules."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, source in files.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.py", (2026, 1, 1, 0, 0, 0)), source)
    return body.getvalue()


class Lambda:
    """`functions.make("name", "return event")`, and boto3's client as `functions.api`."""

    def __init__(self, cloud: TestCloud, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        self.api = cloud.client("lambda")

    def make(self, name: str, body: str = "return event", **about: Any) -> dict[str, Any]:
        """A function whose handler has this body; it is Active when this returns."""
        lines = "\n".join("    " + line for line in body.splitlines())
        arguments: dict[str, Any] = {
            "Role": ROLE,
            "Runtime": "python3.12",
            "Handler": f"{name}.handler",
            "Code": {"ZipFile": packed(**{name: f"import json\n\ndef handler(event, context):\n{lines}\n"})},
        }
        made: dict[str, Any] = self.api.create_function(FunctionName=name, **{**arguments, **about})
        self.cloud.clock.settle()
        return made

    def prints(self, name: str) -> list[Any]:
        """What a function has printed, line by line, read as JSON."""
        lines = [line.message.strip() for line in self.cloud.logs(f"/aws/lambda/{name}")]
        return [json.loads(line) for line in lines if line[:1] in '[{"0123456789']

    def times(self, name: str) -> list[float]:
        """When it was run, in seconds after the first time."""
        starts = [line.time for line in self.cloud.logs(f"/aws/lambda/{name}") if line.message.startswith("START")]
        return [round(at - starts[0], 1) for at in starts]
