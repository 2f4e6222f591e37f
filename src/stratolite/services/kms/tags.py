"""Tags of keys."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import TagException
from .pages import paged

_MAX_TAGS = 50


@operation
def tag_resource(call: Call, key_id: str, tags: list[dict[str, str]]) -> None:
    key = names.get(call, key_id)
    _set(call, key, checked(json.loads(key.row["tags"]), tags))


@operation
def untag_resource(call: Call, key_id: str, tag_keys: list[str]) -> None:
    key = names.get(call, key_id)
    tags = json.loads(key.row["tags"])
    _set(call, key, {name: value for name, value in tags.items() if name not in tag_keys})


@operation
def list_resource_tags(call: Call, key_id: str, limit: int = _MAX_TAGS, marker: str | None = None) -> dict[str, Any]:
    tags = json.loads(names.get(call, key_id).row["tags"])
    page, more = paged(sorted(tags), limit, marker, str)
    return {
        "Tags": [{"TagKey": name, "TagValue": tags[name]} for name in page],
        "NextMarker": more,
        "Truncated": more is not None,
    }


def checked(old: dict[str, str], new: list[dict[str, str]]) -> dict[str, str]:
    """The tags with the new ones added or replaced, if they are allowed."""
    added = {tag["TagKey"]: tag["TagValue"] for tag in new}
    if len(added) < len(new):
        raise TagException
    if any(name.lower().startswith("aws:") for name in added):
        raise TagException("Tags beginning with aws: are reserved")
    tags = old | added
    if len(tags) > _MAX_TAGS:
        raise TagException("Too many tags")
    return tags


def _set(call: Call, key: names.Key, tags: dict[str, str]) -> None:
    call.tx.run("UPDATE kms_key SET tags = ? WHERE key = ?", json.dumps(tags), key.key)
