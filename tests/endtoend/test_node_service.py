"""Node.js functions through the Lambda service: made from a zip, invoked, failing, logging."""

from __future__ import annotations

import base64
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stratolite.testing.live import LiveCloud

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js on PATH")

SOURCE = """
export const handler = async (event, context) => {
  console.log("got", event.do);
  if (event.do === "throw") throw new TypeError("thrown");
  if (event.do === "crash") process.exit(7);
  if (event.do === "loop") for (;;);
  return { event, name: context.functionName, arn: context.invokedFunctionArn };
};
"""


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.mjs", SOURCE)
    with LiveCloud(Path(tmp_path_factory.mktemp("cloud")) / "state") as cloud:
        client = cloud.client("lambda")
        client.create_function(
            FunctionName="node",
            Runtime="nodejs20.x",
            Role="arn:aws:iam::000000000000:role/r",
            Handler="index.handler",
            Code={"ZipFile": packed.getvalue()},
            Timeout=2,
        )
        client.get_waiter("function_active_v2").wait(FunctionName="node")
        yield client


def invoke(function: Any, do: str) -> tuple[Any, str | None, str]:
    said = function.invoke(FunctionName="node", Payload=json.dumps({"do": do}), LogType="Tail")
    assert said["StatusCode"] == 200
    return json.loads(said["Payload"].read()), said.get("FunctionError"), base64.b64decode(said["LogResult"]).decode()


def test_a_function_answers_and_its_log_is_seen(function: Any) -> None:
    answer, error, log = invoke(function, "answer")
    assert error is None and answer == {
        "event": {"do": "answer"},
        "name": "node",
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:node",
    }
    assert "\tINFO\tgot answer\n" in log and "REPORT RequestId: " in log


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        ("throw", "TypeError", "thrown"),
        ("crash", "Runtime.ExitError", "Runtime exited with error: exit status 7"),
        ("loop", "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
    ],
)
def test_the_ways_to_fail(function: Any, do: str, kind: str, message: str) -> None:
    answer, error, _ = invoke(function, do)
    assert error == "Unhandled" and answer["errorType"] == kind and answer["errorMessage"].endswith(message)
    assert invoke(function, "answer")[1] is None
