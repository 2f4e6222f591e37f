"""Tags of tables."""

from __future__ import annotations

import re
from typing import Any

from stratolite.kernel import Call
from stratolite.languages.expressions.errors import Invalid

from . import table
from .errors import ResourceNotFoundException
from .requests import answers
from .table import Table

MOST = 50
LONGEST_NAME = 128
LONGEST_VALUE = 256

_ALLOWED = re.compile(r"[\w\s.:/=+\-@]*").fullmatch

Json = Any
Answer = dict[str, Any]


def check(given: Json) -> None:
    """Raise Invalid for tags no resource can have."""
    names = set()
    for tag in given:
        name, value = tag.get("Key"), tag.get("Value")
        if not name or len(name) > LONGEST_NAME:
            raise Invalid(
                "One or more parameter values were invalid: The tag key must be between 1 and 128 characters long"
            )
        if value is None or len(value) > LONGEST_VALUE:
            raise Invalid(
                "One or more parameter values were invalid: The tag value must be at most 256 characters long"
            )
        if name.lower().startswith("aws:"):
            raise Invalid("One or more parameter values were invalid: Tag keys starting with aws: are reserved")
        if name in names:
            raise Invalid(f"One or more parameter values were invalid: Duplicate tag key: {name}")
        if not _ALLOWED(name) or not _ALLOWED(value):
            raise Invalid(
                "One or more parameter values were invalid: Tag keys and values can only contain letters, "
                "digits, spaces "
                "and _.:/=+-@"
            )
        names.add(name)
    if len(names) > MOST:
        raise Invalid("One or more parameter values were invalid: Too Many Tags")


def add(call: Call, key: int, given: Json) -> None:
    for tag in given:
        call.tx.run(
            'INSERT OR REPLACE INTO dynamodb_tag ("table", name, value) VALUES (?, ?, ?)', key, tag["Key"], tag["Value"]
        )


def all_of(call: Call, key: int) -> list[dict[str, str]]:
    return [
        {"Key": row[0], "Value": row[1]}
        for row in call.tx.all('SELECT name, value FROM dynamodb_tag WHERE "table" = ? ORDER BY name', key)
    ]


def _tagged(call: Call, arn: str) -> Table:
    if not arn.startswith("arn:"):
        raise Invalid(f"Invalid TableArn: ARNs must start with 'arn:': {arn}")
    match = table.ARN(arn)
    if match is None or match.group(4):
        raise Invalid(f"Invalid TableArn: Invalid ResourceArn provided as input {arn}")
    region, account = match.group(1), match.group(2)
    found = table.find(call, arn)
    if found is None or (account, region) != (call.account, call.region):
        raise ResourceNotFoundException(f"Requested resource not found: ResourcArn: {arn} not found")
    return found


@answers
def tag_resource(call: Call, resource_arn: str, tags: Json) -> bytes:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TagResource.html"""
    found = _tagged(call, resource_arn)
    if not tags:
        raise Invalid("1 validation error detected: Atleast one Tag needs to be provided as Input.")
    check(tags)
    add(call, found.key, tags)
    if len(all_of(call, found.key)) > MOST:
        raise Invalid("One or more parameter values were invalid: Too Many Tags")
    return b""  # AWS sends no body at all


@answers
def untag_resource(call: Call, resource_arn: str, tag_keys: Json) -> bytes:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UntagResource.html"""
    found = _tagged(call, resource_arn)
    if not tag_keys:
        raise Invalid("1 validation error detected: Atleast one Tag Key needs to be provided as Input.")
    for name in tag_keys:
        call.tx.run('DELETE FROM dynamodb_tag WHERE "table" = ? AND name = ?', found.key, name)
    return b""  # AWS sends no body at all


@answers
def list_tags_of_resource(call: Call, resource_arn: str, next_token: str | None = None) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTagsOfResource.html"""
    found = _tagged(call, resource_arn)
    # 50 tags are one page; a token can only come from somewhere else.
    if next_token:
        raise Invalid("Invalid NextToken")
    return {"Tags": all_of(call, found.key)}
