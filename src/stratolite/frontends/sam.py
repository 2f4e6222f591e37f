"""SAM and CloudFormation projects: found on disk, built as `sam build` does for Python, read in place.

A function's code is named as a folder of this machine, not as a package: what is saved there is live with the next
event. https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-building.html
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stratolite.languages.templates import TemplateError, line_of, parse

LOCAL_BUCKET = "__local__"
"""Code in this bucket is a folder of this machine: its key is the path, then those of packages, `:` between."""

TEMPLATES = ("template.yaml", "template.yml", "template.json")

# Where resource types name their code, and how (https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html).
_CODE = {
    "AWS::Lambda::Function": ("Code", "S3Bucket", "S3Key"),
    "AWS::Lambda::LayerVersion": ("Content", "S3Bucket", "S3Key"),
    "AWS::Serverless::Function": ("CodeUri", "Bucket", "Key"),
    "AWS::Serverless::LayerVersion": ("ContentUri", "Bucket", "Key"),
}
_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_DEFINITIONS = {
    "AWS::Serverless::Api": ("DefinitionUri", "DefinitionBody"),
    "AWS::Serverless::HttpApi": ("DefinitionUri", "DefinitionBody"),
    "AWS::Serverless::StateMachine": ("DefinitionUri", "Definition"),
}

Progress = Callable[[str], None]
Python = Callable[[str], Path]
"""From a runtime's name to the interpreter that stands for it here."""


class ProjectError(Exception):
    """A project that cannot be read or built; the message says where and why."""


@dataclass(frozen=True)
class Code:
    """The code of one function or layer: a folder, and for Python the runtime that its packages are for."""

    logical_id: str
    folder: Path
    runtime: str | None

    @property
    def requirements(self) -> Path | None:
        """What has to be installed for it, if anything."""
        file = self.folder / "requirements.txt"
        is_python = self.runtime is not None and self.runtime.startswith("python")
        return file if is_python and file.is_file() and _asks_for_something(file) else None


@dataclass(frozen=True)
class Project:
    """A template whose code is found; `body` is what CloudFormation is given."""

    template: Path
    document: Mapping[str, Any]
    codes: tuple[Code, ...] = ()
    packages: Mapping[str, Path] = field(default_factory=dict)
    """The folder of installed packages of each function that has some, by logical id."""

    @property
    def name(self) -> str:
        """The stack's name when nobody gives one: the folder's, as far as a stack may be called so."""
        name = re.sub(r"[^A-Za-z0-9-]+", "-", self.template.parent.name).strip("-")
        return name[:128] if name[:1].isalpha() else f"stack-{name}".rstrip("-")[:128]

    @property
    def body(self) -> str:
        document = copy.deepcopy(dict(self.document))
        for code in self.codes:
            resource = document["Resources"][code.logical_id]
            member, bucket, key = _CODE[resource["Type"]]
            folders = [code.folder, *([self.packages[code.logical_id]] if code.logical_id in self.packages else [])]
            resource["Properties"] = {
                **resource.get("Properties", {}),
                member: {bucket: LOCAL_BUCKET, key: os.pathsep.join(map(str, folders))},
            }
        return json.dumps(document, separators=(",", ":"))

    @property
    def files(self) -> list[Path]:
        """What has to be looked at for changes that need another deployment."""
        return [self.template, *dict.fromkeys(c.requirements for c in self.codes if c.requirements is not None)]


def find(path: Path) -> Path:
    """The template of a project: the file itself, or the one in the folder. Raises ProjectError."""
    if path.is_file():
        return path.resolve()
    for name in TEMPLATES:
        if (path / name).is_file():
            return (path / name).resolve()
    if not path.exists():
        raise ProjectError(f"{path}: there is no such file or folder")
    raise ProjectError(f"{path}: no project here (looked for {', '.join(TEMPLATES)})")


def read(path: Path) -> Project:
    """The project at a path, with where its code lies; nothing is installed. Raises ProjectError."""
    template = find(path)
    try:
        text = template.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{template}: {error}") from error
    try:
        document = parse(text)
        resources = document.get("Resources") or {}
        if not isinstance(resources, dict):
            raise TemplateError("Template format error: Resources section must be a map.", ("Resources",))
        defaults = _mapping(document, ("Globals", "Function"))
        codes = []
        for name, resource in resources.items():
            if not isinstance(resource, dict) or not isinstance(resource.get("Properties", {}), dict):
                continue  # CloudFormation says what is wrong with it
            code = _code(template, name, resource, defaults)
            if code is not None:
                codes.append(code)
            _inline_definition(template, name, resource)
    except TemplateError as error:
        line = line_of(text, error.path) if error.path else None
        detail = f": {error.detail}" if error.detail else ""
        raise ProjectError(f"{template}{f':{line}' if line else ''}: {error.message}{detail}") from error
    if "CodeUri" in defaults:
        # Each function has its own by now.
        document["Globals"]["Function"] = {key: each for key, each in defaults.items() if key != "CodeUri"}
    return Project(template, document, tuple(codes))


def where(project: Project, message: str) -> str | None:
    """The line of the template a refusal speaks of, as `file:line`: the one that defines the name it mentions."""
    text = project.template.read_text()
    names = re.findall(r"[A-Za-z][A-Za-z0-9]*", message)
    for section in ("Resources", "Parameters", "Outputs", "Conditions"):
        for name in names:
            if name in (project.document.get(section) or {}):
                return f"{project.template}:{line_of(text, (section, name))}"
    lines = text.splitlines()
    for name in re.findall(r"\[([A-Za-z0-9:]+)[\],]", message):
        for number, line in enumerate(lines, 1):
            if re.search(rf"(?<![A-Za-z0-9:]){re.escape(name)}(?![A-Za-z0-9:])", line):
                return f"{project.template}:{number}"
    return None


def build(project: Project, python: Python, cache: Path, progress: Progress = lambda text: None) -> Project:
    """Install what the functions' `requirements.txt` ask for, each content once. Blocks; raises ProjectError."""
    found: dict[str, Path] = {}
    done: dict[tuple[Path, str], Path] = {}
    for code in project.codes:
        if code.requirements is None:
            continue
        assert code.runtime is not None
        asked = (code.requirements, code.runtime)
        if asked not in done:
            done[asked] = _installed(code.requirements, python(code.runtime), cache, progress)
        found[code.logical_id] = done[asked]
    return Project(project.template, project.document, project.codes, found)


def _mapping(document: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    found: Any = document
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _code(template: Path, name: str, resource: dict[str, Any], defaults: Mapping[str, Any]) -> Code | None:
    """The local code of a resource; None when it has none, or names it elsewhere."""
    kind = resource.get("Type")
    if kind not in _CODE:
        return None
    properties, member = resource.get("Properties", {}), _CODE[kind][0]
    given = properties
    if kind == "AWS::Serverless::Function":
        given = {**defaults, **properties}
        if "InlineCode" in given or given.get("PackageType") == "Image":
            return None
    value = given.get(member, "." if kind == "AWS::Serverless::Function" else None)
    if not isinstance(value, str) or value.startswith(("s3://", "http://", "https://")):
        return None
    path = ("Resources", name, "Properties", member)
    method = _mapping(resource, ("Metadata",)).get("BuildMethod")
    if method is not None and not str(method).startswith(("python", "nodejs")):
        raise TemplateError(f"{name} is built by {method}, which is not implemented by Stratolite", path)
    folder = (template.parent / value).resolve()
    if folder.is_file():
        raise TemplateError(f"{name}: {member} {value} is a file; a folder is read in place", path)
    if not folder.is_dir():
        raise TemplateError(f"{name}: {member} {value} is no folder", path)
    runtime = given.get("Runtime")
    if isinstance(runtime, str) and runtime.startswith("nodejs") and (missing := _not_installed(folder)):
        raise TemplateError(f"{name}: {missing}", path)
    return Code(name, folder, runtime if isinstance(runtime, str) and kind in _FUNCTIONS else None)


def _not_installed(folder: Path) -> str | None:
    """What a Node.js function still needs from npm: it is read in place, with its own node_modules."""
    file = folder / "package.json"
    if not file.is_file() or any((above / "node_modules").is_dir() for above in (folder, *folder.parents)):
        return None
    try:
        asks = json.loads(file.read_text()).get("dependencies")
    except (ValueError, AttributeError):
        return f"{file} is no JSON object"
    return (
        f"its packages are not installed, and Stratolite does not build Node.js yet: npm install in {folder}"
        if asks
        else None
    )


def _inline_definition(template: Path, name: str, resource: dict[str, Any]) -> None:
    """A definition in a file of its own becomes part of the template: there is no bucket to put it into."""
    if resource.get("Type") not in _DEFINITIONS:
        return
    uri, body = _DEFINITIONS[resource["Type"]]
    properties = resource.get("Properties", {})
    value = properties.get(uri)
    if not isinstance(value, str) or value.startswith("s3://"):
        return
    file = template.parent / value
    try:
        properties[body] = parse(file.read_text())
    except OSError as error:
        raise TemplateError(
            f"{name}: {uri} {value}: {error.strerror}", ("Resources", name, "Properties", uri)
        ) from error
    except TemplateError as error:
        raise TemplateError(
            f"{name}: {uri} {value}: {error.message}", ("Resources", name, "Properties", uri)
        ) from error
    del properties[uri]


# requirements


def _lines(file: Path) -> list[str]:
    found = (re.sub(r"(^|\s)#.*", "", line).strip() for line in file.read_text().splitlines())
    return [line for line in found if line]


def _asks_for_something(file: Path) -> bool:
    return bool(_lines(file))


def _content(file: Path, seen: frozenset[Path] = frozenset()) -> str:
    """What a requirements file asks for, with the files it refers to."""
    if file in seen or not file.is_file():
        return ""
    parts = []
    for line in _lines(file):
        parts.append(line)
        referred = re.match(r"(?:-r|-c|--requirement|--constraint)[\s=]+(.+)", line)
        if referred:
            parts.append(_content((file.parent / referred[1]).resolve(), seen | {file}))
    return "\n".join(parts)


def _installed(requirements: Path, python: Path, cache: Path, progress: Progress) -> Path:
    """The folder of a requirements file's packages, made once for its content, the interpreter and the machine."""
    machine = " ".join(os.uname()[::4])
    version = _version(python)
    digest = hashlib.sha256(f"{machine}\n{version}\n{_content(requirements)}".encode()).hexdigest()[:16]
    folder = cache / "packages" / digest
    if folder.is_dir():
        return folder
    progress(f"Installing {requirements.parent.name}/{requirements.name} for Python {version}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{digest}-", dir=folder.parent))
    try:
        done = subprocess.run(
            _command(python, draft, requirements),
            cwd=requirements.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ProjectError(f"{requirements}: could not be installed\n{done.stdout.strip()}")
        try:
            draft.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _version(python: Path) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        raise ProjectError(f"{python} does not run: {error}") from error
    return done.stdout.strip()


def _command(python: Path, target: Path, requirements: Path) -> list[str]:
    if uv := shutil.which("uv"):
        return [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(python),
            "--target",
            str(target),
            "-r",
            str(requirements),
        ]
    return [
        str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
        "--root-user-action=ignore", "--target", str(target), "-r", str(requirements),
    ]  # fmt: skip
