"""Deployments: a project on disk becomes a stack of the cloud, with its progress shown."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stratolite.frontends import sam

from .problem import USAGE, Problem
from .running import Running

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_POLL_S = 0.05
_SHOW_AFTER_S = 0.5
_BROKEN = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")


class Progress:
    """One line that says what is being done, from half a second on."""

    def __init__(self) -> None:
        self._text = "Working"
        self._status: Any = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(_SHOW_AFTER_S, self._show)
        self._timer.daemon = True

    def __call__(self, text: str) -> None:
        with self._lock:
            self._text = text
            if self._status is not None:
                self._status.update(text)

    def _show(self) -> None:
        from rich.console import Console

        with self._lock:
            self._status = Console(stderr=True).status(self._text)
            self._status.start()

    def __enter__(self) -> Progress:
        self._timer.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._status is not None:
            self._status.stop()


def parameters(words: list[str] | None) -> dict[str, str]:
    """`NAME=VALUE` words as a mapping. Raises Problem."""
    found = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Problem(f"--parameter {word}: NAME=VALUE", USAGE)
        found[name] = value
    return found


def read(path: Path) -> sam.Project:
    """The project at a path. Raises Problem."""
    try:
        return sam.read(path)
    except sam.ProjectError as error:
        raise Problem(str(error)) from error


def build(project: sam.Project, tell: Callable[[str], None]) -> sam.Project:
    """The project with its packages installed. Raises Problem."""
    from stratolite.runtimes import interpreters

    def python(runtime: str) -> Path:
        found, is_declared = interpreters.python(runtime)
        if not is_declared:
            tell(f"{runtime} is not on this machine: Python {found.name} stands for it")
        return found.path

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stratolite"
    try:
        return sam.build(project, python, cache, tell)
    except sam.ProjectError as error:
        raise Problem(str(error)) from error


def check(found: Running, project: sam.Project) -> None:
    """Ask the cloud whether the template is one, before time goes into building. Raises Problem with the line."""
    from botocore.exceptions import ClientError

    try:
        found.client("cloudformation").validate_template(TemplateBody=project.body)
    except ClientError as error:
        raise _refused(project, error) from error


def _refused(project: sam.Project, error: Any) -> Problem:
    message = str(error.response["Error"]["Message"])
    if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return Problem(f"{error} (the reason is in the cloud's own log, server.log in its state folder)")
    place = sam.where(project, message)
    return Problem(f"{place or project.template}: {message}")


def deploy(
    found: Running,
    project: sam.Project,
    stack: str,
    given: dict[str, str],
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Make or update the stack; returns its description. Raises Problem with the reasons when it fails."""
    from botocore.exceptions import ClientError

    client = found.client("cloudformation")
    old = next((each for each in client.describe_stacks()["Stacks"] if each["StackName"] == stack), None)
    if old is not None and old["StackStatus"] in _BROKEN:
        tell(f"Removing what is left of {stack} ({old['StackStatus']})")
        client.delete_stack(StackName=stack)
        _finished(client, old["StackId"], tell)
        old = None
    body = project.body
    tell(f"Deploying {stack}")
    asked = {"StackName": stack, "TemplateBody": body, "Capabilities": CAPABILITIES}
    words = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
    begun = time.time()
    try:
        if old is None:
            client.create_stack(**asked, Parameters=words)
        else:
            declared = project.document.get("Parameters") or {}
            kept = [
                {"ParameterKey": each["ParameterKey"], "UsePreviousValue": True}
                for each in old.get("Parameters", [])
                if each["ParameterKey"] in declared and each["ParameterKey"] not in given
            ]
            client.update_stack(**asked, Parameters=[*words, *kept])
    except ClientError as error:
        if "No updates are to be performed" not in error.response["Error"]["Message"]:
            raise _refused(project, error) from error
    described = _finished(client, stack, tell)
    if described["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise Problem(f"{stack} is {described['StackStatus']}\n{_reasons(client, project, stack, begun)}")
    return described


def _finished(client: Any, stack: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """The stack, once nothing is in progress."""
    while True:
        described: dict[str, Any] = client.describe_stacks(StackName=stack)["Stacks"][0]
        if not described["StackStatus"].endswith("_IN_PROGRESS"):
            return described
        listed = client.describe_stack_resources(StackName=stack)["StackResources"]
        waiting = [each["LogicalResourceId"] for each in listed if each["ResourceStatus"].endswith("_IN_PROGRESS")]
        tell(f"{described['StackStatus']}: {', '.join(waiting[:5]) or '...'}")
        time.sleep(_POLL_S)


def _reasons(client: Any, project: sam.Project, stack: str, begun: float) -> str:
    """What failed, each with its place in the template."""
    events = client.describe_stack_events(StackName=stack)["StackEvents"]
    found = []
    for event in reversed(events):
        if not event["ResourceStatus"].endswith("_FAILED") or event["Timestamp"].timestamp() < begun - 1:
            continue
        name, reason = event["LogicalResourceId"], event.get("ResourceStatusReason", "")
        place = sam.where(project, name)
        found.append(f"  {name}{f' ({place})' if place else ''}: {reason}")
    return "\n".join(found)
