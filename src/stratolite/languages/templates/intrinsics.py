"""Intrinsics: what `Fn::...` and `Ref` in a template stand for.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from .errors import Path, TemplateError
from .parameters import text_of


class _NoValue:
    """What `AWS::NoValue` leaves: the key or element that holds it is not there."""

    def __repr__(self) -> str:
        return "NO_VALUE"


NO_VALUE: Final = _NoValue()
_CONDITION_FUNCTIONS = {"Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Condition"}
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")
_NAME_IN_SUB = re.compile(r"[A-Za-z0-9_.:]+")


@dataclass
class Scope:
    """What a template's expressions can see.

    `values` holds parameters and pseudo parameters by name; `ref` and `attribute` answer for resources; `imported` for
    exports; `zones` lists a region's availability zones. `conditions` are evaluated once, on first use.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    ref: Callable[[str], Any] | None = None
    attribute: Callable[[str, str], Any] | None = None
    imported: Callable[[str], Any] | None = None
    zones: Callable[[str], list[str]] | None = None
    _decided: dict[str, bool] = field(default_factory=dict)
    _deciding: list[str] = field(default_factory=list)

    def condition(self, name: str, inside: str = "Fn::If", path: Path = ()) -> bool:
        """Whether a named condition holds. Raises TemplateError for an unknown one and for a circle of them."""
        if name in self._decided:
            return self._decided[name]
        if name not in self.conditions:
            raise TemplateError(f"Template error: unresolved condition dependency {name} in {inside}", path)
        if name in self._deciding:
            circle = ", ".join(self._deciding[self._deciding.index(name) :])
            raise TemplateError(f"Template error: circular dependency between conditions [{circle}]", path)
        self._deciding.append(name)
        try:
            answer = evaluate(self.conditions[name], self, ("Conditions", name))
        finally:
            self._deciding.pop()
        self._decided[name] = _truth(answer, ("Conditions", name))
        return self._decided[name]


def evaluate(value: Any, scope: Scope, path: Path = ()) -> Any:
    """The value with every intrinsic in it worked out. Raises TemplateError, with the path of the expression."""
    if isinstance(value, dict):
        if len(value) == 1:
            ((name, argument),) = value.items()
            function = _FUNCTIONS.get(name)
            if function is not None and (name != "Condition" or (isinstance(argument, str) and _is_condition(path))):
                return function(argument, scope, (*path, name))
        found = ((key, evaluate(each, scope, (*path, key))) for key, each in value.items())
        return {key: each for key, each in found if each is not NO_VALUE}
    if isinstance(value, list):
        listed = (evaluate(each, scope, (*path, index)) for index, each in enumerate(value))
        return [each for each in listed if each is not NO_VALUE]
    return value


def prune(value: Any, scope: Scope, path: Path = ()) -> Any:
    """The value with every `Fn::If` decided and nothing else: what a resource depends on is read from this."""
    if isinstance(value, dict):
        if len(value) == 1 and "Fn::If" in value:
            chosen, at = _branch(value["Fn::If"], scope, (*path, "Fn::If"))
            return prune(chosen, scope, at)
        if value == {"Ref": "AWS::NoValue"}:
            return NO_VALUE
        found = ((key, prune(each, scope, (*path, key))) for key, each in value.items())
        return {key: each for key, each in found if each is not NO_VALUE}
    if isinstance(value, list):
        listed = (prune(each, scope, (*path, index)) for index, each in enumerate(value))
        return [each for each in listed if each is not NO_VALUE]
    return value


def _is_condition(path: Path) -> bool:
    """`{"Condition": name}` is a function only among conditions: an IAM statement has a key of that name too."""
    return path[:1] == ("Conditions",) or any(step in _CONDITION_FUNCTIONS for step in path)


def _truth(value: Any, path: Path) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise TemplateError("Template format error: Conditions can only be boolean operations on parameters.", path)


def _ref(name: Any, scope: Scope, path: Path) -> Any:
    if not isinstance(name, str):
        raise TemplateError("Template error: all Ref values must be strings", path)
    if name == "AWS::NoValue":
        return NO_VALUE
    if name in scope.values:
        value = scope.values[name]
        # As recorded from AWS: a parameter that says so leaves a property out.
        return NO_VALUE if value == "AWS::NoValue" and path[:1] == ("Resources",) else value
    if scope.ref is None:
        where = str(path[0]) if path else "Resources"
        raise TemplateError(
            f"Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the {where} "
            "block of the template",
            path,
        )
    return scope.ref(name)


def _get_att(argument: Any, scope: Scope, path: Path) -> Any:
    if isinstance(argument, str):
        argument = argument.split(".", 1)
    if not isinstance(argument, list) or len(argument) < 2 or not all(argument) or not isinstance(argument[0], str):
        raise TemplateError(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
            "resource attribute",
            path,
        )
    attribute = ".".join(text_of(evaluate(each, scope, path)) for each in argument[1:])
    if scope.attribute is None:
        raise TemplateError("Template error: Fn::GetAtt cannot be used here", path)
    return scope.attribute(argument[0], attribute)


def placeholders(text: str, path: Path = ()) -> list[str]:
    """The names in `${...}` of a Fn::Sub text, in order; literals (`${!Name}`) are none. Raises TemplateError."""
    found = []
    for literal, name in _PLACEHOLDER.findall(text):
        if literal:
            continue
        if not _NAME_IN_SUB.fullmatch(name.strip()):
            raise TemplateError(
                "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, "
                "underscores, periods, and colons",
                path,
            )
        found.append(name.strip())
    return found


def sub_parts(argument: Any, path: Path) -> tuple[str, Mapping[str, Any]]:
    """The text and the variables of a Fn::Sub. Raises TemplateError."""
    if isinstance(argument, str):
        return argument, {}
    if isinstance(argument, list) and len(argument) in (1, 2) and isinstance(argument[0], str):
        variables = argument[1] if len(argument) == 2 else {}
        if isinstance(variables, Mapping):
            return argument[0], variables
    raise TemplateError(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string "
        "as first argument, and an optional second argument to specify a mapping of values to replace in the string",
        path,
    )


def _sub(argument: Any, scope: Scope, path: Path) -> str:
    text, variables = sub_parts(argument, path)
    placeholders(text, path)

    def replacement(match: re.Match[str]) -> str:
        literal, name = match[1], match[2].strip()
        if literal:
            return "${" + match[2] + "}"
        if name in variables:
            value = evaluate(variables[name], scope, (*path, 1, name))
        elif name in scope.values or "." not in name:
            value = _ref(name, scope, path)
        else:
            value = _get_att(name, scope, path)
        return _text(value, "Fn::Sub", path)

    return _PLACEHOLDER.sub(replacement, text)


def _text(value: Any, function: str, path: Path) -> str:
    if value is NO_VALUE:
        return ""
    if isinstance(value, (dict, list)):
        raise TemplateError(f"Template error: {function} requires strings, and got a {_kind(value)}", path)
    return text_of(value)


def _kind(value: Any) -> str:
    return "map" if isinstance(value, dict) else "list"


def _join(argument: Any, scope: Scope, path: Path) -> str:
    problem = TemplateError(
        "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
        "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
        path,
    )
    if not isinstance(argument, list) or len(argument) != 2:
        raise problem
    delimiter, listed = evaluate(argument[0], scope, (*path, 0)), evaluate(argument[1], scope, (*path, 1))
    if not isinstance(delimiter, str) or not isinstance(listed, list):
        raise problem
    if any(isinstance(each, (dict, list)) for each in listed):
        raise problem
    return delimiter.join(text_of(each) for each in listed)


def _select(argument: Any, scope: Scope, path: Path) -> Any:
    problem = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
    if not isinstance(argument, list) or len(argument) != 2:
        raise TemplateError(problem, path)
    index, listed = evaluate(argument[0], scope, (*path, 0)), evaluate(argument[1], scope, (*path, 1))
    if not re.fullmatch(r"-?\d+", text_of(index)) or not isinstance(listed, list):
        raise TemplateError(problem, path)
    if not 0 <= int(index) < len(listed):
        if isinstance(argument[1], list):
            raise TemplateError(problem, path)  # AWS's text where the list stands in the template
        raise TemplateError(f"Template error: Fn::Select cannot select nonexistent value at index {index}", path)
    return listed[int(index)]


def _split(argument: Any, scope: Scope, path: Path) -> list[str]:
    problem = TemplateError(
        "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to "
        "be split or a function that returns a string to be split.",
        path,
    )
    if not isinstance(argument, list) or len(argument) != 2:
        raise problem
    delimiter, text = evaluate(argument[0], scope, (*path, 0)), evaluate(argument[1], scope, (*path, 1))
    if not isinstance(delimiter, str) or not delimiter or isinstance(text, (dict, list)) or text is NO_VALUE:
        raise problem
    return text_of(text).split(delimiter)


def _find_in_map(argument: Any, scope: Scope, path: Path) -> Any:
    if not isinstance(argument, list) or len(argument) not in (3, 4):
        raise TemplateError(
            "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the "
            "attribute for return value",
            path,
        )
    name, top, second = (evaluate(each, scope, (*path, at)) for at, each in enumerate(argument[:3]))
    default = NO_VALUE
    if len(argument) == 4:
        options = argument[3]
        if not isinstance(options, Mapping) or set(options) != {"DefaultValue"}:
            raise TemplateError("Template error: Fn::FindInMap options must be a map with a DefaultValue", path)
        default = evaluate(options["DefaultValue"], scope, (*path, 3, "DefaultValue"))
    found = scope.mappings.get(text_of(name))
    if found is None and len(argument) == 3:
        raise TemplateError(
            f"Template error: Mapping named '{name}' is not present in the 'Mappings' section of template.", path
        )
    value = (found or {}).get(text_of(top), {}).get(text_of(second))
    if value is not None:
        return value
    if len(argument) == 4:
        return default
    raise TemplateError(f"Template error: Unable to get mapping for {name}::{top}::{second}", path)


def _branch(argument: Any, scope: Scope, path: Path) -> tuple[Any, Path]:
    if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
        raise TemplateError(
            "Template error: Fn::If requires a list argument with the first element being a condition", path
        )
    at = 1 if scope.condition(argument[0], "Fn::If", path) else 2
    return argument[at], (*path, at)


def _if(argument: Any, scope: Scope, path: Path) -> Any:
    chosen, at = _branch(argument, scope, path)
    return evaluate(chosen, scope, at)


def _equals(argument: Any, scope: Scope, path: Path) -> bool:
    if not isinstance(argument, list) or len(argument) != 2:
        raise TemplateError("Template error: every Fn::Equals object requires a list of 2 string parameters.", path)
    left, right = (evaluate(each, scope, (*path, at)) for at, each in enumerate(argument))
    if isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return bool(left == right)
    return _text(left, "Fn::Equals", path) == _text(right, "Fn::Equals", path)


def _all_of(name: str, least: int, most: int) -> Callable[[Any, Scope, Path], list[bool]]:
    def operands(argument: Any, scope: Scope, path: Path) -> list[bool]:
        if not isinstance(argument, list) or not least <= len(argument) <= most:
            many = f"between {least} and {most}" if least != most else f"{least}"
            plural = "s" if most > 1 else ""
            raise TemplateError(
                f"Template error: every {name} object requires a list of {many} boolean parameter{plural}.", path
            )
        return [_truth(evaluate(each, scope, (*path, at)), (*path, at)) for at, each in enumerate(argument)]

    return operands


# The bounds are AWS's: a condition joins two to ten others.
_AND, _OR, _NOT = _all_of("Fn::And", 2, 10), _all_of("Fn::Or", 2, 10), _all_of("Fn::Not", 1, 1)


def _condition(name: Any, scope: Scope, path: Path) -> bool:
    return scope.condition(name, "Condition", path)


def _import_value(argument: Any, scope: Scope, path: Path) -> Any:
    name = _text(evaluate(argument, scope, path), "Fn::ImportValue", path)
    if scope.imported is None:
        raise TemplateError("Template error: Fn::ImportValue cannot be used here", path)
    return scope.imported(name)


def _base64(argument: Any, scope: Scope, path: Path) -> str:
    text = evaluate(argument, scope, path)
    if isinstance(text, (dict, list)) or text is NO_VALUE:
        raise TemplateError("Template error: every Fn::Base64 object must have a String-typed value.", path)
    return base64.b64encode(text_of(text).encode()).decode()


def _cidr(argument: Any, scope: Scope, path: Path) -> list[str]:
    if not isinstance(argument, list) or len(argument) not in (2, 3):
        raise TemplateError("Template error: every Fn::Cidr object requires an ipBlock, a count and cidrBits", path)
    block, count, *bits = (text_of(evaluate(each, scope, (*path, at))) for at, each in enumerate(argument))
    try:
        network = ipaddress.ip_network(block, strict=False)
        number, size = int(count), network.max_prefixlen - int(bits[0] if bits else 8)
        found = [str(each) for each in islice(network.subnets(new_prefix=size), number)]
    except ValueError as error:
        raise TemplateError(f"Template error: Fn::Cidr cannot be worked out: {error}", path) from error
    if not 1 <= number <= 256 or len(found) < number:
        raise TemplateError(f"Template error: {block} cannot be split into {count} blocks with Fn::Cidr", path)
    return found


def _zones(argument: Any, scope: Scope, path: Path) -> list[str]:
    region = _text(evaluate(argument, scope, path), "Fn::GetAZs", path) or str(scope.values.get("AWS::Region", ""))
    return scope.zones(region) if scope.zones else [f"{region}{letter}" for letter in "abc"]


def _length(argument: Any, scope: Scope, path: Path) -> int:
    listed = evaluate(argument, scope, path)
    if not isinstance(listed, list):
        raise TemplateError("Template error: Fn::Length requires a list", path)
    return len(listed)


def _json_text(argument: Any, scope: Scope, path: Path) -> str:
    if not isinstance(argument, (dict, list)):
        raise TemplateError("Template error: Fn::ToJsonString requires an object or an array", path)
    return json.dumps(evaluate(argument, scope, path), separators=(",", ":"), ensure_ascii=False)


def _transform(argument: Any, scope: Scope, path: Path) -> Any:
    # Macros run before anything is evaluated; one that is still here has no one to run it.
    name = argument.get("Name") if isinstance(argument, Mapping) else argument
    if not isinstance(name, str):
        raise TemplateError("Key Name of transform definition must be a string.", path)
    raise TemplateError(f"No transform named {name} found.", path)


_FUNCTIONS: dict[str, Callable[[Any, Scope, Path], Any]] = {
    "Condition": _condition,
    "Fn::And": lambda argument, scope, path: all(_AND(argument, scope, path)),
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _zones,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Not": lambda argument, scope, path: not _NOT(argument, scope, path)[0],
    "Fn::Or": lambda argument, scope, path: any(_OR(argument, scope, path)),
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _json_text,
    "Fn::Transform": _transform,
    "Ref": _ref,
}

FUNCTIONS: Final = frozenset(_FUNCTIONS)
