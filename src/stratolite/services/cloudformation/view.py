"""Views: a stack's template with everything its expressions can see."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from stratolite.kernel import AwsError, Call
from stratolite.kernel.store import Row
from stratolite.languages.templates import Resource, Scope, Template, TemplateError, dependencies, evaluate, present
from stratolite.languages.templates.parameters import NO_ECHO

from . import exports, rows
from .desire import Desire, pseudo_parameters, typed

KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"


class View:
    """One look at a stack, good for one transaction.

    Args:
        guessing: what is not made yet reads as `KNOWN_AFTER_APPLY` (change sets) instead of being an error.
    """

    def __init__(self, call: Call, stack: Row, desire: Desire | None = None, guessing: bool = False) -> None:
        self.call, self.stack, self.guessing = call, stack, guessing
        self.desire = desire or Desire.read(stack["asked"])
        self.template: Template = self.desire.template
        self.live = rows.resources(call, stack["key"])
        self.imported: set[str] = set()
        self.shown: dict[str, str] = {}
        """Properties as events show them, by logical id, once they are worked out."""
        self.replaced: set[str] = set()
        """When guessing: the resources that will be others, so that nothing is known of them yet."""
        self.unexported: set[str] = set()
        """When guessing: the imports that nothing exports yet."""

    def _values(self) -> dict[str, Any]:
        desire, stack = self.desire, self.stack
        return {
            **typed(self.template.parameters, {**desire.parameters, **desire.looked_up}),
            **pseudo_parameters(
                stack["account"], stack["region"], stack["name"], stack["id"], desire.notification_arns
            ),
        }

    @cached_property
    def scope(self) -> Scope:
        return Scope(
            values=self._values(),
            mappings=self.template.mappings,
            conditions=self.template.conditions,
            ref=self._ref,
            attribute=self._attribute,
            imported=self._import,
        )

    @property
    def has_secrets(self) -> bool:
        """Whether some parameter must not be shown."""
        return self._masked is not None

    @cached_property
    def _masked(self) -> Scope | None:
        hidden = {name: NO_ECHO for name, each in self.template.parameters.items() if each.no_echo}
        if not hidden:
            return None
        return Scope(
            values={**self._values(), **hidden},
            mappings=self.template.mappings,
            conditions=self.template.conditions,
            ref=self._ref,
            attribute=self._attribute,
            imported=self._import,
        )

    @cached_property
    def present(self) -> dict[str, Resource]:
        """The resources whose condition holds."""
        return present(self.template, self.scope)

    @cached_property
    def needs(self) -> dict[str, list[str]]:
        """For each present resource, those that must be there before it."""
        return dependencies(self.present)

    def properties(self, logical_id: str, masked: bool = False) -> dict[str, Any]:
        """A resource's properties worked out. Raises TemplateError, AwsError."""
        scope = (self._masked if masked else None) or self.scope
        resource = self.present[logical_id]
        found = evaluate(dict(resource.properties), scope, (*resource.path, "Properties"))
        assert isinstance(found, dict)
        return found

    def metadata(self, logical_id: str) -> Any:
        return evaluate(self.present[logical_id].metadata, self.scope, ("Resources", logical_id, "Metadata"))

    def policy(self, logical_id: str, which: str) -> str:
        """`DeletionPolicy` or `UpdateReplacePolicy`; both may be expressions of the language extensions."""
        resource = self.present[logical_id]
        value = resource.deletion_policy if which == "DeletionPolicy" else resource.update_replace_policy
        found = evaluate(value, self.scope, (*resource.path, which))
        return found if isinstance(found, str) else "Delete"

    def outputs(self) -> list[dict[str, Any]]:
        """The outputs worked out, as an answer has them. Raises TemplateError, AwsError."""
        found = []
        for name, output in self.template.outputs.items():
            if output.condition is not None and not self.scope.condition(output.condition):
                continue
            path = ("Outputs", name)
            value = evaluate(output.value, self.scope, (*path, "Value"))
            if isinstance(value, (dict, list)):
                raise TemplateError(
                    "Template format error: The Value field of every Outputs member must evaluate to a String.", path
                )
            shown = {"OutputKey": name, "OutputValue": _text(value), "Description": output.description}
            if output.export is not None:
                shown["ExportName"] = _text(evaluate(output.export, self.scope, (*path, "Export", "Name")))
            found.append({key: each for key, each in shown.items() if each is not None})
        return found

    # what expressions ask

    def _ref(self, name: str) -> Any:
        row = self.live.get(name)
        if row is not None and row["physical_id"] is not None and name not in self.replaced:
            return row["physical_id"]
        if self.guessing:
            return KNOWN_AFTER_APPLY
        raise TemplateError(
            f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
        )

    def _attribute(self, name: str, attribute: str) -> Any:
        row = self.live.get(name)
        if row is None or row["physical_id"] is None or name in self.replaced:
            if self.guessing:
                return KNOWN_AFTER_APPLY
            raise TemplateError(f"Template error: instance of Fn::GetAtt references undefined resource {name}")
        attributes = rows.loads(row["attributes"])
        if attribute not in attributes:
            raise TemplateError(f"Resource type {row['type']} does not support attribute {{{attribute}}}")
        return attributes[attribute]

    def _import(self, name: str) -> Any:
        self.imported.add(name)
        value = exports.value(self.call, name)
        if value is None and self.guessing:
            self.unexported.add(name)
            return KNOWN_AFTER_APPLY
        if value is None:
            raise AwsError(f"No export named {name} found.", code="ValidationError")
        return value


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
