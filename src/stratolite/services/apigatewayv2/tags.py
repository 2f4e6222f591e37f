"""Tags of APIs and stages."""

from __future__ import annotations

import json
import re

from stratolite.kernel import Call, operation

from . import parts
from .errors import BadRequestException
from .parts import Api, Document

_ARN = re.compile(r"arn:[\w-]+:apigateway:[^:]*:[^:]*:/apis/([a-z0-9]+)(?:/stages/(.+))?")


@operation
def tag_resource(call: Call, resource_arn: str, tags: dict[str, str] | None = None) -> None:
    api, stage = _resource(call, resource_arn)
    _keep(call, api, stage, _tags(api, stage) | (tags or {}))


@operation
def untag_resource(call: Call, resource_arn: str, tag_keys: list[str]) -> None:
    api, stage = _resource(call, resource_arn)
    _keep(call, api, stage, {name: value for name, value in _tags(api, stage).items() if name not in tag_keys})


@operation
def get_tags(call: Call, resource_arn: str) -> Document:
    return {"Tags": _tags(*_resource(call, resource_arn))}


def _resource(call: Call, arn: str) -> tuple[Api, Document | None]:
    if (match := _ARN.fullmatch(arn)) is None:
        raise BadRequestException("Invalid ARN specified in the request")
    api = parts.find_api(call, match[1])
    return api, None if match[2] is None else parts.find(call, api, "Stage", match[2])


def _tags(api: Api, stage: Document | None) -> dict[str, str]:
    return api.tags if stage is None else stage["Tags"]


def _keep(call: Call, api: Api, stage: Document | None, tags: dict[str, str]) -> None:
    if stage is None:
        call.tx.run("UPDATE apigatewayv2_api SET tags = ? WHERE key = ?", json.dumps(tags), api.key)
    else:
        parts.save(call, api, "Stage", stage["StageName"], stage | {"Tags": tags})
