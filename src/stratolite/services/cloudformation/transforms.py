"""Transforms: what rewrites a template before it is read (SAM by AWS's own translator, language extensions by ours)."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stratolite.kernel import Call
from stratolite.languages.templates import Scope, TemplateError, transforms
from stratolite.languages.templates.loops import LANGUAGE_EXTENSIONS, unroll, worked_out

SERVERLESS = "AWS::Serverless-2016-10-31"
KNOWN = (SERVERLESS, LANGUAGE_EXTENSIONS)


class TransformError(Exception):
    """`Transform NAME failed with: ...`, as a change set's status reason has it."""


class Translator:
    """The child process that runs the SAM translator; started at its first use, ended with this process."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._one_at_a_time = threading.Lock()

    def warm(self) -> None:
        """Start the child, so that the first transform finds it ready."""
        with self._one_at_a_time:
            self._start()

    def _start(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() is not None:
            self._child = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("sam_child.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,  # Ctrl-C is for the server; the child ends at its end of file
            )
        return self._child

    def translate(self, document: Mapping[str, Any], parameters: Mapping[str, Any], region: str) -> dict[str, Any]:
        """The CloudFormation document of a SAM document. Blocks; raises TransformError."""
        request = json.dumps({"document": document, "parameters": parameters, "region": region})
        with self._one_at_a_time:
            child = self._start()
            assert child.stdin is not None and child.stdout is not None
            try:
                child.stdin.write(request + "\n")
                child.stdin.flush()
                answer = child.stdout.readline()
            except OSError:
                answer = ""
            if not answer:
                child.kill()
                child.wait()
                self._child = None
                raise TransformError(f"Transform {SERVERLESS} failed with: the translator ended.")
        found = json.loads(answer)
        if "error" in found:
            raise TransformError(f"Transform {SERVERLESS} failed with: {found['error']}")
        return found["document"]  # type: ignore[no-any-return]


translator = Translator()


async def applied(
    call: Call, document: Mapping[str, Any], parameters: Mapping[str, Any], scope: Scope
) -> dict[str, Any]:
    """The document with its transforms done, in their order. Raises TransformError, TemplateError."""
    asked = transforms(document)
    found = copy.deepcopy(dict(document))
    for name in asked:
        if name not in KNOWN:
            raise TransformError(f"No transform named {name} found.")
    # AWS unrolls loops before anything else looks at the resources, wherever the name stands in the list.
    if LANGUAGE_EXTENSIONS in asked:
        try:
            found = unroll(found, scope)
            if "Resources" in found:
                found["Resources"] = worked_out(found["Resources"], scope, ("Resources",))
        except TemplateError as error:
            raise TransformError(f"Transform {LANGUAGE_EXTENSIONS} failed with: {error.message}") from error
    if SERVERLESS in asked:
        found = await call.world.offload(translator.translate, found, parameters, call.region)
    found.pop("Transform", None)
    return found
