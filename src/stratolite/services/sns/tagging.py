"""Tagging: which tags a topic may have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .errors import TagLimitExceededException, invalid

MOST = 50
"""https://docs.aws.amazon.com/sns/latest/dg/sns-tags.html"""


def checked(old: Mapping[str, str], new: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The tags with the new ones added or replaced, if they are allowed."""
    listed = list(new)
    added = {tag["Key"]: tag["Value"] for tag in listed}
    if len(added) < len(listed):
        raise invalid("Duplicated keys are not allowed.")
    tags = {**old, **added}
    if len(tags) > MOST:
        raise TagLimitExceededException
    return tags
