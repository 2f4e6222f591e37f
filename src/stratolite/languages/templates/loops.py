"""Loops: `Fn::ForEach` of the AWS::LanguageExtensions transform, unrolled before anything else is read.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

from typing import Any

from .errors import Path, TemplateError
from .intrinsics import Scope, evaluate
from .references import references

LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
_PREFIX = "Fn::ForEach::"


def unroll(document: Any, scope: Scope, path: Path = ()) -> Any:
    """The document with each `Fn::ForEach::Name: [Variable, Collection, {Key: Body}]` written out."""
    if isinstance(document, list):
        return [unroll(each, scope, (*path, index)) for index, each in enumerate(document)]
    if not isinstance(document, dict):
        return document
    found: dict[str, Any] = {}
    for key, value in document.items():
        if key.startswith(_PREFIX):
            found.update(_iterations(value, scope, (*path, key)))
        else:
            found[key] = unroll(value, scope, (*path, key))
    return found


_EXTENSIONS = ("Fn::FindInMap", "Fn::Length", "Fn::ToJsonString")
_LITERAL = ("Fn::Join", "Fn::Select", "Fn::Split", "Fn::Sub")


def worked_out(value: Any, scope: Scope, path: Path = ()) -> Any:
    """The document with what the transform itself works out in place of its functions: those that need no resource."""
    if isinstance(value, list):
        return [worked_out(each, scope, (*path, index)) for index, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (name,) = value
        is_literal = name in _LITERAL and not any(references(value, path))
        if name in _EXTENSIONS or is_literal:
            try:
                return evaluate(value, scope, path)
            except TemplateError:
                return value  # it is about a resource, or wrong: what reads the template afterwards says so
    return {key: worked_out(each, scope, (*path, key)) for key, each in value.items()}


def _iterations(argument: Any, scope: Scope, path: Path) -> dict[str, Any]:
    if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
        raise TemplateError(
            "Template error: Fn::ForEach requires a list of an identifier, a collection and a map to be repeated", path
        )
    variable, collection, body = argument
    if not isinstance(body, dict):
        raise TemplateError("Template error: Fn::ForEach needs a map to repeat", (*path, 2))
    values = evaluate(collection, scope, (*path, 1))
    if not isinstance(values, list):
        raise TemplateError("Template error: the collection of Fn::ForEach must be a list", (*path, 1))
    found: dict[str, Any] = {}
    for value in values:
        found.update(unroll(_bind(body, variable, str(value)), scope, (*path, 2)))
    return found


def _bind(value: Any, variable: str, text: str) -> Any:
    """One iteration: `${Variable}`, `&{Variable}` (alphanumeric only) and `Ref: Variable` become the text."""
    if isinstance(value, str):
        plain = "".join(each for each in text if each.isalnum())
        return value.replace("${" + variable + "}", text).replace("&{" + variable + "}", plain)
    if isinstance(value, dict):
        if value == {"Ref": variable}:
            return text
        return {_bind(key, variable, text): _bind(each, variable, text) for key, each in value.items()}
    if isinstance(value, list):
        return [_bind(each, variable, text) for each in value]
    return value
