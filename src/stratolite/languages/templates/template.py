"""The template: its sections as values, checked for shape.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import Path, TemplateError
from .parameters import Parameter

_SECTIONS = {
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
}
_RESOURCE_KEYS = {
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Description",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
    "Version",
}
_OUTPUT_KEYS = {"Condition", "Description", "Export", "Value"}
_DELETION_POLICIES = ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot")

# Counts per template: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
_LIMITS = {"Mappings": 200, "Outputs": 200, "Parameters": 200, "Resources": 500}
_DESCRIPTION_BYTES = 1024


@dataclass(frozen=True)
class Resource:
    """One entry of `Resources`, intrinsics still in it."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: Any = None
    update_replace_policy: Any = None
    metadata: Any = None
    creation_policy: Any = None
    update_policy: Any = None

    @property
    def path(self) -> Path:
        return ("Resources", self.logical_id)


@dataclass(frozen=True)
class Output:
    """One entry of `Outputs`, intrinsics still in it; `export` is the unresolved `Export.Name`."""

    name: str
    value: Any
    description: str | None = None
    export: Any = None
    condition: str | None = None


@dataclass(frozen=True)
class Template:
    """A template whose shape is right. References between its parts are `references.check`'s matter."""

    document: Mapping[str, Any]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)

    @property
    def description(self) -> str | None:
        return self.document.get("Description")

    @property
    def metadata(self) -> Any:
        return self.document.get("Metadata")

    @property
    def transforms(self) -> list[str]:
        """The names of the transforms the template as a whole asks for, in order."""
        return transforms(self.document)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Template:
        """The template in a parsed document, after its transforms. Raises TemplateError."""
        for path in _nulls(document, ()):
            raise TemplateError(f"[/{'/'.join(map(str, path))}] 'null' values are not allowed in templates", path)
        extra = [name for name in document if name not in _SECTIONS]
        if extra:
            raise TemplateError(f"Invalid template property or properties [{', '.join(extra)}]", (extra[0],))
        description = document.get("Description", "")
        if not isinstance(description, str):
            raise TemplateError("Template format error: Description must be a string.", ("Description",))
        if len(description.encode()) > _DESCRIPTION_BYTES:
            raise TemplateError(
                f"Template format error: 'Description' length is greater than {_DESCRIPTION_BYTES}.", ("Description",)
            )
        for section in ("Mappings", "Parameters", "Outputs", "Conditions", "Resources"):
            _section(document, section)
        if not document.get("Resources"):
            raise TemplateError("Template format error: At least one Resources member must be defined.", ("Resources",))
        return cls(
            document=document,
            parameters={k: Parameter.of(k, v) for k, v in _members(document, "Parameters")},
            mappings=_mappings(document),
            conditions=dict(document.get("Conditions") or {}),
            resources={k: _resource(k, v) for k, v in _members(document, "Resources")},
            outputs={k: _output(k, v) for k, v in _members(document, "Outputs", alphanumeric=False)},
        )


def transforms(document: Mapping[str, Any]) -> list[str]:
    """`Transform:` as a list of names; the parameters of `{Name:, Parameters:}` are the caller's to read.

    Raises TemplateError.
    """
    asked = document.get("Transform") or []
    listed = asked if isinstance(asked, list) else [asked]
    names = [each.get("Name", "") if isinstance(each, Mapping) else each for each in listed]
    if any(not isinstance(name, str) for name in names):
        raise TemplateError("Key Name of transform definition must be a string.", ("Transform",))
    return names


def _nulls(value: Any, path: Path) -> Iterator[Path]:
    if value is None:
        yield path
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _nulls(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _nulls(each, (*path, index))


def _section(document: Mapping[str, Any], section: str) -> None:
    content = document.get(section, {})
    if not isinstance(content, Mapping):
        raise TemplateError(f"Template format error: {section} section must be a map.", (section,))
    if len(content) > _LIMITS.get(section, len(content)):
        limit, count = _LIMITS[section], len(content)
        raise TemplateError(
            f"Template format error: Number of {section.lower()}, {count}, is greater than maximum allowed, {limit}",
            (section,),
        )


def _members(document: Mapping[str, Any], section: str, alphanumeric: bool = True) -> Iterator[tuple[str, Any]]:
    for name, value in (document.get(section) or {}).items():
        path = (section, name)
        if alphanumeric and not (name.isascii() and name.isalnum()):
            raise TemplateError(f"Template format error: {section[:-1]} name {name} is non alphanumeric.", path)
        if not isinstance(value, Mapping):
            raise TemplateError(f"Template format error: Any {section} member must be an object.", path)
        yield name, value


def _resource(name: str, value: Mapping[str, Any]) -> Resource:
    path: Path = ("Resources", name)
    if "Type" not in value:
        raise TemplateError(
            f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member.", path
        )
    for key in value:
        if key not in _RESOURCE_KEYS:
            raise TemplateError(f"Invalid template resource property '{key}'", (*path, key))
    if not isinstance(value["Type"], str):
        raise TemplateError(f"Template format error: [/Resources/{name}/Type] must be a string.", (*path, "Type"))
    properties = value.get("Properties", {})
    if not isinstance(properties, Mapping):
        raise TemplateError("Template format error: Properties must be an object.", (*path, "Properties"))
    depends_on = value.get("DependsOn", [])
    depends_on = [depends_on] if isinstance(depends_on, str) else depends_on
    if not isinstance(depends_on, list) or not all(isinstance(each, str) for each in depends_on):
        raise TemplateError(
            "Template format error: DependsOn must be a string or list of strings.", (*path, "DependsOn")
        )
    for key in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = value.get(key)
        if isinstance(policy, str) and policy not in _DELETION_POLICIES:
            raise TemplateError(f"Template format error: Unrecognized {key} {policy} for resource {name}", (*path, key))
    return Resource(
        logical_id=name,
        type=value["Type"],
        properties=properties,
        depends_on=tuple(depends_on),
        condition=value.get("Condition"),
        deletion_policy=value.get("DeletionPolicy"),
        update_replace_policy=value.get("UpdateReplacePolicy"),
        metadata=value.get("Metadata"),
        creation_policy=value.get("CreationPolicy"),
        update_policy=value.get("UpdatePolicy"),
    )


def _output(name: str, value: Mapping[str, Any]) -> Output:
    path: Path = ("Outputs", name)
    if "Value" not in value:
        raise TemplateError("Template format error: Every Outputs member must contain a Value object", path)
    extra = [key for key in value if key not in _OUTPUT_KEYS]
    if extra:
        raise TemplateError(f"Invalid template output property or properties [{', '.join(extra)}]", (*path, extra[0]))
    export = value.get("Export")
    if export is not None and (not isinstance(export, Mapping) or set(export) != {"Name"}):
        raise TemplateError(
            f"Template format error: Output {name} is malformed. The Export field must contain a Name.",
            (*path, "Export"),
        )
    return Output(
        name=name,
        value=value["Value"],
        description=value.get("Description"),
        export=None if export is None else export["Name"],
        condition=value.get("Condition"),
    )


def _mappings(document: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(document.get("Mappings") or {})
    for name, first in found.items():
        if not isinstance(first, Mapping):
            raise TemplateError(
                f"Template format error: Every Mappings member {name} must be a map", ("Mappings", name)
            )
        for top, second in first.items():
            path: Path = ("Mappings", name, top)
            if not isinstance(second, Mapping):
                # AWS names the mapping, not the key, when the second level is no map.
                raise TemplateError(f"Template format error: Every Mappings member {top} must be a map", path)
            for key, value in second.items():
                if isinstance(value, Mapping):
                    raise TemplateError(
                        "Template format error: Every Mappings attribute must be a String or a List.", (*path, key)
                    )
    return found
