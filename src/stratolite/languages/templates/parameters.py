"""Parameters: declared in a template, given by a caller, judged.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import TemplateError

NO_ECHO = "****"
_SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_PLAIN = {"String", "Number", "CommaDelimitedList", "List<Number>", "List<String>", "AWS::SSM::Parameter::Name"}
_RESOURCE_ID = re.compile(
    r"AWS::EC2::(AvailabilityZone::Name|Image::Id|Instance::Id|KeyPair::KeyName|SecurityGroup::GroupName"
    r"|SecurityGroup::Id|Subnet::Id|Volume::Id|VPC::Id)|AWS::Route53::HostedZone::Id"
)
_KEYS = {
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
    "Type",
}


@dataclass(frozen=True)
class Parameter:
    """One entry of `Parameters`."""

    name: str
    type: str
    default: str | None = None
    description: str | None = None
    no_echo: bool = False
    allowed_values: tuple[str, ...] | None = None
    allowed_pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_value: float | None = None
    max_value: float | None = None
    constraint_description: str | None = None

    @property
    def ssm_type(self) -> str | None:
        """The inner type of `AWS::SSM::Parameter::Value<T>`: the value given is then the name of an SSM parameter."""
        match = _SSM_VALUE.fullmatch(self.type)
        return match[1] if match else None

    @property
    def value_type(self) -> str:
        return self.ssm_type or self.type

    @property
    def is_list(self) -> bool:
        return self.value_type == "CommaDelimitedList" or self.value_type.startswith("List<")

    @classmethod
    def of(cls, name: str, declared: Mapping[str, Any]) -> Parameter:
        """The declaration, checked. Raises TemplateError."""
        path = ("Parameters", name)
        if "Type" not in declared:
            raise TemplateError("Template format error: Every Parameters object must contain a Type member.", path)
        extra = [key for key in declared if key not in _KEYS]
        if extra:
            raise TemplateError(
                f"Invalid template parameter property or properties [{', '.join(extra)}]", (*path, extra[0])
            )
        type_ = str(declared["Type"])
        inner = _SSM_VALUE.fullmatch(type_)
        element = inner[1] if inner else type_
        listed = re.fullmatch(r"List<(.+)>", element)
        if element not in _PLAIN and not _RESOURCE_ID.fullmatch(listed[1] if listed else element):
            raise TemplateError(f"Template format error: Unrecognized parameter type: {type_}", (*path, "Type"))
        default = declared.get("Default")
        if isinstance(default, (Mapping, list)):
            raise TemplateError(
                "Template format error: Every Default member must be a string.",
                (*path, "Default"),
            )
        allowed = declared.get("AllowedValues")
        if allowed is not None and not isinstance(allowed, list):
            raise TemplateError(
                "Template format error: AllowedValues must be a list of values.", (*path, "AllowedValues")
            )
        return cls(
            name=name,
            type=type_,
            default=None if default is None else text_of(default),
            description=declared.get("Description"),
            no_echo=text_of(declared.get("NoEcho", "false")).lower() == "true",
            allowed_values=None if allowed is None else tuple(text_of(each) for each in allowed),
            allowed_pattern=declared.get("AllowedPattern"),
            min_length=_whole(declared, "MinLength", name),
            max_length=_whole(declared, "MaxLength", name),
            min_value=_number(declared, "MinValue", name),
            max_value=_number(declared, "MaxValue", name),
            constraint_description=declared.get("ConstraintDescription"),
        )

    def check(self, value: str) -> None:
        """Raises TemplateError when the value is not one the declaration admits."""
        for each in split(value) if self.is_list else [value]:
            broken = self._broken(each)
            if broken:
                if self.constraint_description and broken != "number":
                    message = f"Parameter {self.name} failed to satisfy constraint: {self.constraint_description}"
                else:
                    message = _REASONS[broken].format(parameter=self, name=self.name)
                raise TemplateError(message, ("Parameters", self.name))

    def _broken(self, value: str) -> str | None:
        """Which constraint the value breaks, if any."""
        if "Number" in self.type and _as_number(value) is None:
            return "number"
        if self.allowed_values is not None and value not in self.allowed_values:
            return "values"
        if "Number" in self.type:
            number = _as_number(value)
            assert number is not None
            if self.min_value is not None and number < self.min_value:
                return "least"
            if self.max_value is not None and number > self.max_value:
                return "most"
            return None
        if self.min_length is not None and len(value) < self.min_length:
            return "shortest"
        if self.max_length is not None and len(value) > self.max_length:
            return "longest"
        # AWS anchors the pattern at both ends.
        if self.allowed_pattern is not None and not re.fullmatch(_python_pattern(self.allowed_pattern), value):
            return "pattern"
        return None


_REASONS = {
    "number": "Parameter '{name}' must be a number.",
    "values": "Parameter '{name}' must be one of AllowedValues",
    "least": "Parameter '{name}' must be a number not less than {parameter.min_value:g}",
    "most": "Parameter '{name}' must be a number not greater than {parameter.max_value:g}",
    "shortest": "Parameter '{name}' must contain at least {parameter.min_length} characters",
    "longest": "Parameter '{name}' must contain at most {parameter.max_length} characters",
    "pattern": "Parameter '{name}' must match pattern {parameter.allowed_pattern}",
}


def values(
    declared: Mapping[str, Parameter], given: Mapping[str, str | None], previous: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Every parameter's text: given, or previous (a given `None` asks for it), or the default. Raises TemplateError."""
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    found: dict[str, str] = {}
    for name, parameter in declared.items():
        value = given.get(name)
        if value is None and name in given:
            value = (previous or {}).get(name)
        if value is None:
            value = parameter.default
        if value is not None:
            found[name] = value
    missing = [name for name in declared if name not in found]
    if missing:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values", ("Parameters", missing[0]))
    for name, value in found.items():
        if declared[name].ssm_type is None:
            declared[name].check(value)
    return found


def split(value: str) -> list[str]:
    """A comma-delimited value as its elements, blanks around them gone."""
    return [each.strip() for each in value.split(",")] if value else []


def echoed(parameter: Parameter | None, value: str) -> str:
    """The value as an answer may show it."""
    return NO_ECHO if parameter is not None and parameter.no_echo else value


def text_of(value: Any) -> str:
    """A scalar of a template as CloudFormation prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _python_pattern(pattern: str) -> str:
    # AWS speaks Java's dialect; the POSIX classes are what templates use of the difference.
    classes = {r"\p{Alnum}": "a-zA-Z0-9", r"\p{Alpha}": "a-zA-Z", r"\p{Digit}": "0-9", r"\p{L}": r"^\W\d_"}
    for java, python in classes.items():
        pattern = pattern.replace(java, python)
    return pattern


def _as_number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _number(declared: Mapping[str, Any], key: str, name: str) -> float | None:
    if key not in declared:
        return None
    number = _as_number(text_of(declared[key]))
    if number is None:
        raise TemplateError(f"Template format error: {key} of parameter {name} must be a number.", ("Parameters", name))
    return number


def _whole(declared: Mapping[str, Any], key: str, name: str) -> int | None:
    number = _number(declared, key, name)
    return None if number is None else int(number)
