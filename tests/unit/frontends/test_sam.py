"""Projects found, read, built once for what they ask."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stratolite.frontends import sam

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.12, CodeUri: src/, Timeout: 5}
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.one}
  Two:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.two, CodeUri: other}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {Handler: index.x, InlineCode: "x = 1"}
  Stored:
    Type: AWS::Lambda::Function
    Properties: {Code: {S3Bucket: b, S3Key: k}}
  Plain:
    Type: AWS::Lambda::Function
    Properties: {Code: src, Runtime: python3.12}
  Api:
    Type: AWS::Serverless::HttpApi
    Properties: {DefinitionUri: api.yaml}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "My shop_1"
    for name in ("src", "other"):
        (folder / name).mkdir(parents=True)
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "api.yaml").write_text("openapi: 3.0.1\npaths: {}\n")
    return folder


def test_code_is_named_as_a_folder_of_this_machine(project: Path) -> None:
    found = sam.read(project)
    resources = json.loads(found.body)["Resources"]
    assert resources["One"]["Properties"]["CodeUri"] == {"Bucket": "__local__", "Key": str(project / "src")}
    assert resources["Two"]["Properties"]["CodeUri"] == {"Bucket": "__local__", "Key": str(project / "other")}
    assert resources["Plain"]["Properties"]["Code"] == {"S3Bucket": "__local__", "S3Key": str(project / "src")}
    assert resources["Stored"]["Properties"]["Code"] == {"S3Bucket": "b", "S3Key": "k"}
    assert "CodeUri" not in resources["Inline"]["Properties"]
    assert "CodeUri" not in json.loads(found.body)["Globals"]["Function"]


def test_a_definition_in_a_file_of_its_own_becomes_part_of_the_template(project: Path) -> None:
    api = json.loads(sam.read(project).body)["Resources"]["Api"]["Properties"]
    assert api == {"DefinitionBody": {"openapi": "3.0.1", "paths": {}}}


def test_a_stack_is_called_after_the_folder_as_far_as_it_may(project: Path) -> None:
    assert sam.read(project).name == "My-shop-1"
    assert sam.read(project / "template.yaml").template == project / "template.yaml"


def test_what_is_wrong_is_told_with_its_line(project: Path) -> None:
    (project / "other").rmdir()
    with pytest.raises(sam.ProjectError) as error:
        sam.read(project)
    assert str(error.value) == f"{project}/template.yaml:10: Two: CodeUri other is no folder"
    (project / "template.yaml").write_text("Resources:\n  A: b: c\n")
    with pytest.raises(
        sam.ProjectError, match=r"template.yaml: Template format error: YAML not well-formed. \(line 2,"
    ):
        sam.read(project)
    with pytest.raises(sam.ProjectError, match="no project here"):
        sam.read(project / "src")


def test_a_refusal_leads_to_the_line_it_speaks_of(project: Path) -> None:
    found = sam.read(project)
    line = TEMPLATE.splitlines().index("  Plain:") + 1
    assert sam.where(found, "Properties of Plain are wrong") == f"{project}/template.yaml:{line}"
    unknown = "Template format error: Unrecognized resource types: [AWS::Serverless::HttpApi]"
    line = TEMPLATE.splitlines().index("    Type: AWS::Serverless::HttpApi") + 1
    assert sam.where(found, unknown) == f"{project}/template.yaml:{line}"
    assert sam.where(found, "nothing that is there") is None


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The requirements files for which an installer ran; it makes a module of each."""
    ran: list[Path] = []
    real = subprocess.run

    def run(command: list[str], **options: object) -> object:
        if "-r" not in command:
            return real(command, **options)  # type: ignore[call-overload]
        ran.append(Path(command[-1]))
        target = Path(command[command.index("--target") + 1])
        if "broken" in Path(command[-1]).read_text():
            return subprocess.CompletedProcess(command, 1, "no such package")
        (target / "module.py").write_text("")
        return subprocess.CompletedProcess(command, 0, "")

    monkeypatch.setattr(subprocess, "run", run)
    return ran


def build(project: Path, cache: Path) -> sam.Project:
    return sam.build(sam.read(project), lambda runtime: Path(sys.executable), cache)


def test_the_same_requirements_are_installed_once(project: Path, installs: list[Path], tmp_path: Path) -> None:
    (project / "src" / "requirements.txt").write_text("boto3  # the newest\n")
    (project / "other" / "requirements.txt").write_text("# nothing\n\n")
    built = build(project, tmp_path / "cache")
    assert installs == [project / "src" / "requirements.txt"]  # One and Plain share it, Two asks for nothing
    key = json.loads(built.body)["Resources"]["One"]["Properties"]["CodeUri"]["Key"]
    source, packages = key.split(":")
    assert source == str(project / "src") and (Path(packages) / "module.py").exists()
    build(project, tmp_path / "cache")
    assert len(installs) == 1
    (project / "src" / "requirements.txt").write_text("boto3\nrequests\n")
    build(project, tmp_path / "cache")
    assert len(installs) == 2


def test_an_installation_that_fails_leaves_nothing_and_tells_why(
    project: Path, installs: list[Path], tmp_path: Path
) -> None:
    (project / "src" / "requirements.txt").write_text("broken\n")
    for _ in range(2):
        with pytest.raises(sam.ProjectError, match="could not be installed\nno such package"):
            build(project, tmp_path / "cache")
    assert len(installs) == 2
    assert list((tmp_path / "cache" / "packages").iterdir()) == []
