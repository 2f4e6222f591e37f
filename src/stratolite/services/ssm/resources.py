"""Resources: parameters, as templates ask for them."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, Made, Wanted, resource


@resource("AWS::SSM::Parameter", replaces={"Name"})
class Parameter:
    """`Ref` is the parameter's name. Templates make no SecureString, as on AWS."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        return _put(call, wanted.properties.get("Name") or wanted.physical_name(1011), wanted, None)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return _put(call, made_id, wanted, was)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        call.api("ssm").delete_parameters(Names=[made_id])  # one that is gone already is no error


def _put(call: Call, name: str, wanted: Wanted, was: dict[str, Any] | None) -> Made:
    properties = wanted.properties
    api = call.api("ssm")
    value = str(properties["Value"])
    api.put_parameter(
        Name=name,
        Type=properties["Type"],
        Value=value,
        Description=properties.get("Description"),
        AllowedPattern=properties.get("AllowedPattern"),
        Tier=properties.get("Tier"),
        Policies=properties.get("Policies"),
        DataType=properties.get("DataType"),
        Overwrite=was is not None,
    )
    tags = {key: value for key, value in wanted.tags.items() if not key.startswith("aws:")}
    tags |= properties.get("Tags") or {}
    which = {"ResourceType": "Parameter", "ResourceId": name}
    if gone := [key for key in (was or {}).get("Tags") or {} if key not in tags]:
        api.remove_tags_from_resource(**which, TagKeys=gone)
    if tags:
        api.add_tags_to_resource(**which, Tags=[{"Key": key, "Value": str(tags[key])} for key in tags])
    return Made(ref=name, attributes={"Type": properties["Type"], "Value": value})
