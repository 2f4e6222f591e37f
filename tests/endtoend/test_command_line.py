"""`strato` and the AWS CLI as people type them, against a cloud of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import stratolite
from stratolite.testing.live import free_port

TEMPLATE = """\
Parameters:
  Word: {Type: String, Default: hello}
Resources:
  Word:
    Type: AWS::SSM::Parameter
    Properties: {Name: /word, Type: String, Value: !Ref WordText}
Outputs:
  Name: {Value: !Ref Word}
""".replace("  Word: {", "  WordText: {")


class Shell:
    """A folder with a project in it, and `strato` on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.project = folder / "shop"
        self.project.mkdir()
        (self.project / "template.yaml").write_text(TEMPLATE)
        source = str(Path(stratolite.__file__).parents[1])  # a clone that is not installed
        cache = str(folder / "cache")
        self.environment = {**os.environ, "PYTHONPATH": source, "XDG_CACHE_HOME": cache, "COLUMNS": "200"}

    def strato(self, *words: str, port: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._words(words, port), **self._options(), capture_output=True, timeout=60, check=False)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        def heed() -> None:
            # A suite that runs in the background of a script ignores SIGINT, and so would its children.
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        return subprocess.Popen(
            self._words(words, True),
            **self._options(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=heed,
        )

    def _words(self, words: tuple[str, ...], port: bool) -> list[str]:
        return [sys.executable, "-m", "stratolite", *words, *(["--port", str(self.port)] if port else [])]

    def _options(self) -> dict[str, object]:
        return {"cwd": self.folder, "env": self.environment, "text": True}

    def aws(self, *words: str) -> subprocess.CompletedProcess[str]:
        settings = json.loads(self.strato("env", "--json").stdout)
        tool = str(Path(sys.executable).parent / "aws")
        environment = {**self.environment, **settings, "AWS_PAGER": ""}
        return subprocess.run(
            [tool, *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.strato("stop", port=False)


def test_a_project_is_up_with_one_word_and_stays_until_it_is_stopped(shell: Shell) -> None:
    done = shell.strato("up", "shop", "--no-follow", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["stack"], summary["status"], summary["outputs"]) == ("shop", "CREATE_COMPLETE", {"Name": "/word"})
    status = json.loads(shell.strato("status", "--json", port=False).stdout)
    assert status["endpoint"] == f"http://localhost:{shell.port}"
    assert [each["name"] for each in status["stacks"]] == ["shop"]
    assert (
        shell.aws("ssm", "get-parameter", "--name", "/word", "--query", "Parameter.Value").stdout.strip() == '"hello"'
    )
    assert shell.strato("stop", port=False).returncode == 0
    assert shell.strato("status", port=False).returncode == 3
    again = shell.strato("up", "shop", "--no-follow", "--json", "-p", "WordText=bye")  # the state was kept
    assert json.loads(again.stdout)["status"] == "UPDATE_COMPLETE"


def test_ctrl_c_ends_what_up_has_started(shell: Shell) -> None:
    process = shell.begin("up", "shop")
    assert process.stdout is not None
    while "resource" not in (line := process.stdout.readline()):
        assert line, process.communicate()[1]
    time.sleep(0.3)  # it follows now
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "the state stays" in errors
    assert shell.strato("status").returncode == 3


def test_a_mistake_is_told_with_file_and_line_and_by_the_exit_code(shell: Shell) -> None:
    assert shell.strato("up", "shop", "--no-follow").returncode == 0
    file = shell.project / "template.yaml"
    file.write_text(TEMPLATE.replace("AWS::SSM::Parameter", "AWS::SSM::Paramater"))
    done = shell.strato("deploy", "shop")
    assert done.returncode == 1
    assert f"{file}:5: Template format error: Unrecognized resource types: [AWS::SSM::Paramater]" in done.stderr
    file.write_text(TEMPLATE.replace("Type: String, Value", "Colour: red, Value"))
    done = shell.strato("deploy", "shop")
    assert done.returncode == 1
    assert f"Word ({file}:4): Property validation failure" in done.stderr
    assert shell.strato("deploy", "nowhere").returncode == 1
    assert shell.strato("deploy", "shop", "--parameter", "x").returncode == 2
    assert shell.strato("trace", "nothing-of-the-kind").returncode == 4


def test_the_aws_cli_deploys_changes_and_removes(shell: Shell) -> None:
    assert shell.strato("up", "shop", "--no-follow").returncode == 0
    words = ("cloudformation", "deploy", "--template-file", "shop/template.yaml", "--stack-name", "mine")
    for word in ("one", "two"):
        (shell.project / "template.yaml").write_text(TEMPLATE.replace("Name: /word", "Name: /mine"))
        done = shell.aws(*words, "--parameter-overrides", f"WordText={word}")
        assert done.returncode == 0 and "Successfully created/updated stack - mine" in done.stdout, done.stderr
        assert word in shell.aws("ssm", "get-parameter", "--name", "/mine").stdout
    nothing = shell.aws(*words, "--no-fail-on-empty-changeset")
    assert "No changes to deploy. Stack mine is up to date" in nothing.stdout, nothing.stderr
    assert shell.aws("cloudformation", "delete-stack", "--stack-name", "mine").returncode == 0
    gone = shell.aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", "mine")
    assert gone.returncode == 0, gone.stderr
    assert "ParameterNotFound" in shell.aws("ssm", "get-parameter", "--name", "/mine").stderr


def test_reset_empties_the_cloud_and_starts_it_again(shell: Shell) -> None:
    shell.strato("up", "shop", "--no-follow")
    assert shell.strato("reset", "--yes", port=False).returncode == 0
    status = json.loads(shell.strato("status", "--json").stdout)
    assert status["stacks"] == []


def test_two_clouds_do_not_share_a_state(shell: Shell) -> None:
    shell.strato("up", "shop", "--no-follow")
    second = shell.strato("start", "--port", "0", port=False)
    assert second.returncode == 3
    assert "Another Stratolite is running" in second.stderr
