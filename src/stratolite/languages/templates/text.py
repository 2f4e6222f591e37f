"""Text: templates as YAML or JSON, read to plain data, with the line of any place in them on demand.

Short-form intrinsics (`!Sub`) become their long form (`{"Fn::Sub": ...}`). Dates stay text, as AWS leaves them; keys
are the characters as written (an account number keeps its leading zero).
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from .errors import Path, TemplateError

_BARE = {"Ref", "Condition", "Rain::Embed"}  # the tags whose long form has no `Fn::`


def long_name(tag: str) -> str:
    """`!Sub` -> `Fn::Sub`, `!Ref` -> `Ref`."""
    name = tag.removeprefix("!")
    return name if name in _BARE or name.startswith("Fn::") else f"Fn::{name}"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml where it is there
    """YAML 1.1 as CloudFormation reads it."""

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):
            return super().construct_mapping(node, deep)  # type: ignore[no-any-return]
        self.flatten_mapping(node)
        return {
            key.value if isinstance(key, yaml.ScalarNode) else str(self.construct_object(key, True)): (
                self.construct_object(value, True)
            )
            for key, value in node.value
        }

    def construct_intrinsic(self, tag: str, node: yaml.Node) -> dict[str, Any]:
        name = long_name(tag)
        value: Any
        if isinstance(node, yaml.ScalarNode):
            value = self.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = self.construct_sequence(node, deep=True)
        else:
            value = self.construct_mapping(node, deep=True)
        if name == "Fn::GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {name: value}


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_multi_constructor("!", lambda loader, tag, node: loader.construct_intrinsic(tag, node))


def parse(text: str) -> dict[str, Any]:
    """The document as plain data.

    Raises TemplateError: AWS's sentence with line and column; its `detail` is what was wrong there.
    """
    document: Any
    if text.lstrip()[:1] == "{":
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            where = f"(line {error.lineno}, column {error.colno})"
            raise TemplateError(f"Template format error: JSON not well-formed. {where}", detail=error.msg) from error
    else:
        try:
            document = yaml.load(text, _Loader)  # a subclass of SafeLoader
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
            why = error.problem or error.context or "cannot be read"
            raise TemplateError(f"Template format error: YAML not well-formed.{where}", detail=why) from error
        except yaml.YAMLError as error:
            raise TemplateError("Template format error: YAML not well-formed.", detail=str(error)) from error
    if not isinstance(document, dict):
        raise TemplateError("Template format error: unsupported structure.")
    return document


def line_of(text: str, path: Path) -> int | None:
    """The line (from 1) of the deepest part of `path` that the text has; None where there is no text to look at."""
    try:
        # JSON allows tabs between tokens and YAML does not; a blank for a tab moves no line.
        node = yaml.compose(text.replace("\t", " "), _Loader)
    except yaml.YAMLError:
        return None
    if node is None:
        return None
    line: int = node.start_mark.line
    for step in path:
        if node.tag.startswith("!") and long_name(node.tag) == step:
            continue
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == step), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line
        else:
            break
    return line + 1
