"""References: what points to what inside a template, what points nowhere, and what points in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import Path, TemplateError
from .intrinsics import Scope, evaluate, placeholders, prune, sub_parts
from .template import Resource, Template

PSEUDO_PARAMETERS = (
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
)


@dataclass(frozen=True)
class Reference:
    """One mention of a name: by `Ref` or `Fn::Sub` (attribute None), or of one of its attributes."""

    name: str
    attribute: str | None
    function: str
    path: Path


def references(value: Any, path: Path = ()) -> Iterator[Reference]:
    """Every name a value mentions, in the order of the text. Raises TemplateError for a malformed function."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from references(each, (*path, index))
        return
    if not isinstance(value, dict):
        return
    if len(value) == 1:
        ((function, argument),) = value.items()
        here = (*path, function)
        if function == "Ref" and isinstance(argument, str):
            yield Reference(argument, None, "Ref", here)
            return
        if function == "Fn::GetAtt":
            yield from _attribute(argument, here)
            return
        if function == "Fn::Sub":
            text, variables = sub_parts(argument, here)
            for name in placeholders(text, here):
                if name in variables:
                    continue
                resource, dot, attribute = name.partition(".")
                yield Reference(resource if dot else name, attribute if dot else None, "Fn::Sub", here)
            yield from references(dict(variables), (*here, 1))
            return
    for key, each in value.items():
        yield from references(each, (*path, key))


def _attribute(argument: Any, path: Path) -> Iterator[Reference]:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) < 2 or not all(parts) or not isinstance(parts[0], str):
        raise TemplateError(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
            "resource attribute",
            path,
        )
    fixed = [str(each) for each in parts[1:] if isinstance(each, str)]
    yield Reference(parts[0], ".".join(fixed), "Fn::GetAtt", path)
    yield from references([each for each in parts[1:] if not isinstance(each, str)], path)


def check(template: Template) -> None:
    """Every name mentioned is defined, whatever the conditions say. Raises TemplateError."""
    values = {*template.parameters, *PSEUDO_PARAMETERS}
    for name, condition in template.conditions.items():
        for each in references(condition, ("Conditions", name)):
            if each.name not in values:
                raise TemplateError(
                    f"Template format error: Unresolved dependencies [{each.name}]. Cannot reference resources in the "
                    "Conditions block of the template",
                    each.path,
                )
        for used, path in _conditions_used(condition, ("Conditions", name)):
            if used not in template.conditions:
                raise TemplateError(
                    f"Template format error: Unresolved condition dependency {used} in the Conditions block of the "
                    "template",
                    path,
                )
    missing: dict[str, Path] = {}
    for resource in template.resources.values():
        if resource.condition is not None and resource.condition not in template.conditions:
            raise TemplateError(
                f"Template format error: Unresolved condition dependency {resource.condition} in the Resources block "
                "of the template",
                (*resource.path, "Condition"),
            )
        for each in _mentions(resource):
            _judge(each, template, values, missing)
    _refuse(missing, "Resources")
    for output in template.outputs.values():
        if output.condition is not None and output.condition not in template.conditions:
            raise TemplateError(
                f"Template format error: Unresolved condition dependency {output.condition} in the Outputs block of "
                "the template",
                ("Outputs", output.name, "Condition"),
            )
        for each in references(output.value, ("Outputs", output.name, "Value")):
            _judge(each, template, values, missing)
    _refuse(missing, "Outputs")


def _mentions(resource: Resource) -> Iterator[Reference]:
    yield from references(dict(resource.properties), (*resource.path, "Properties"))
    if isinstance(resource.metadata, Mapping):
        yield from references(dict(resource.metadata), (*resource.path, "Metadata"))
    for index, name in enumerate(resource.depends_on):
        yield Reference(name, None, "DependsOn", (*resource.path, "DependsOn", index))


def _judge(reference: Reference, template: Template, values: set[str], missing: dict[str, Path]) -> None:
    name = reference.name
    if name in template.resources:
        return
    if reference.attribute is None:
        if name not in values or reference.function == "DependsOn":
            missing.setdefault(name, reference.path)
    elif reference.function == "Fn::GetAtt":
        raise TemplateError(
            f"Template error: instance of Fn::GetAtt references undefined resource {name}", reference.path
        )
    else:
        raise TemplateError(
            f"Template error: instance of Fn::Sub references invalid resource attribute {name}.{reference.attribute}",
            reference.path,
        )


def _refuse(missing: Mapping[str, Path], block: str) -> None:
    if missing:
        raise TemplateError(
            f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the {block} block of "
            "the template",
            next(iter(missing.values())),
        )


def _conditions_used(value: Any, path: Path) -> Iterator[tuple[str, Path]]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "Condition" and isinstance(each, str):
                yield each, (*path, key)
            else:
                yield from _conditions_used(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _conditions_used(each, (*path, index))


def present(template: Template, scope: Scope) -> dict[str, Resource]:
    """The resources whose condition holds, `Fn::If` decided in their properties.

    Raises TemplateError when one of them, or an output, needs one that is absent.
    """
    found = {
        name: Resource(
            **{
                **vars(each),
                "properties": prune(dict(each.properties), scope, (*each.path, "Properties")),
            }
        )
        for name, each in template.resources.items()
        if each.condition is None or scope.condition(each.condition, "Condition", (*each.path, "Condition"))
    }
    missing: dict[str, Path] = {}
    for resource in found.values():
        for each in references(dict(resource.properties), (*resource.path, "Properties")):
            if each.name in template.resources and each.name not in found:
                missing.setdefault(each.name, each.path)
    _refuse(missing, "Resources")
    for output in template.outputs.values():
        if output.condition is not None and not scope.condition(output.condition):
            continue
        for each in references(prune(output.value, scope), ("Outputs", output.name, "Value")):
            if each.name in template.resources and each.name not in found:
                # Without the prefix the other block's message has: this is AWS's text.
                raise TemplateError(
                    f"Unresolved resource dependencies [{each.name}] in the Outputs block of the template", each.path
                )
    return found


_CHECKED = ("Fn::FindInMap", "Fn::Join", "Fn::Select", "Fn::Split")


def check_functions(resources: Mapping[str, Resource], scope: Scope) -> None:
    """Functions that can be worked out before anything exists can be. Raises TemplateError."""
    for resource in resources.values():
        for expression, path in _checked(dict(resource.properties), (*resource.path, "Properties")):
            known = all(each.name in scope.values for each in references(expression, path))
            if known and "Fn::ImportValue" not in str(expression):
                evaluate(expression, scope, path)


def _checked(value: Any, path: Path) -> Iterator[tuple[Any, Path]]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key in _CHECKED and len(value) == 1:
                yield value, path
            yield from _checked(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _checked(each, (*path, index))


def dependencies(resources: Mapping[str, Resource]) -> dict[str, list[str]]:
    """For each resource, the ones that must be there before it, in the order of the text.

    `DependsOn` on a resource whose condition does not hold is dropped, as AWS does. Raises TemplateError for a circle.
    """
    found = {}
    for name, resource in resources.items():
        needed = {each.name: None for each in _mentions(resource) if each.name in resources}
        found[name] = list(needed)
    circle = _circle(found)
    if circle:
        raise TemplateError(f"Circular dependency between resources: [{', '.join(circle)}]", ("Resources", circle[0]))
    return found


def _circle(needs: Mapping[str, list[str]]) -> list[str]:
    """The names that cannot be put in an order, in the order of the text; empty when all can."""
    left = {name: set(each) for name, each in needs.items()}
    while ready := [name for name, each in left.items() if not each & left.keys()]:
        for name in ready:
            del left[name]
    # What only waits for the circle is not part of it.
    while idle := [name for name in left if not any(name in each for each in left.values())]:
        for name in idle:
            del left[name]
    return list(left)
