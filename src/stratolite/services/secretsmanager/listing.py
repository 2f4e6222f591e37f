"""Listing: many secrets at once, and the filters that choose them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from stratolite.kernel import AwsError, Call, operation

from . import names, replicas, values
from .errors import InvalidParameterException
from .names import Secret
from .pages import paged
from .secrets import summary

_PAGE = 100
_BATCH = 20
_SORTS: dict[str, Callable[[Any], Any]] = {
    "created-date": lambda row: row["created_at"],
    "last-accessed-date": lambda row: row["accessed_on"] or 0.0,
    "last-changed-date": lambda row: row["changed_at"],
    "name": lambda row: row["name"],
}


@operation
def list_secrets(
    call: Call,
    include_planned_deletion: bool = False,
    max_results: int = _PAGE,
    next_token: str | None = None,
    filters: list[dict[str, Any]] | None = None,
    sort_order: str = "asc",
    sort_by: str = "created-date",
) -> dict[str, Any]:
    descending = sort_order == "desc"
    found = _matching(call, filters or [], include_planned_deletion)
    place = _SORTS[sort_by]

    def order(secret: Secret) -> list[Any]:
        return [place(secret.row), secret.key]

    found.sort(key=order, reverse=descending)
    page, more = paged(found, max_results, next_token, order, descending)
    return {
        "SecretList": [
            summary(secret)
            | {
                "SecretVersionsToStages": values.stages_by_version(call, secret.key) or None,
                "PrimaryRegion": secret.row["region"] if replicas.regions(call, secret) else None,
            }
            for secret in page
        ],
        "NextToken": more,
    }


@operation
def batch_get_secret_value(
    call: Call,
    secret_id_list: list[str] | None = None,
    filters: list[dict[str, Any]] | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    if bool(secret_id_list) == bool(filters):
        raise InvalidParameterException("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
    if secret_id_list:
        if max_results is not None:
            raise InvalidParameterException(
                "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."
            )
        ids, more = secret_id_list, None
    else:
        found = _matching(call, filters or [], False)
        page, more = paged(found, max_results or _BATCH, next_token, lambda secret: [secret.key])
        ids = [secret.arn for secret in page]
    answers, errors = [], []
    for secret_id in ids:
        try:
            answers.append(values.read(call, names.get(call, secret_id)))
        except AwsError as error:
            errors.append({"SecretId": secret_id, "ErrorCode": error.code, "Message": error.message})
    return {"SecretValues": answers, "Errors": errors, "NextToken": more}


def _matching(call: Call, filters: list[dict[str, Any]], deleted: bool) -> list[Secret]:
    """This account's secrets in this region that pass every filter, oldest first."""
    rows = call.tx.all(
        """SELECT * FROM secretsmanager_secret s
           WHERE account = ? AND (region = ? OR EXISTS
                 (SELECT 1 FROM secretsmanager_replica r WHERE r.secret = s.key AND r.region = ?))
             AND (? OR delete_at IS NULL)
           ORDER BY key""",
        call.account,
        call.region,
        call.region,
        deleted,
    )
    for wanted in filters:
        if wanted.get("Key") not in _FILTERS:
            raise InvalidParameterException("Invalid filter key.")
        if not wanted.get("Values"):
            raise InvalidParameterException(f"Invalid filter values for key: {wanted['Key']}")
    return [Secret(row, call.region) for row in rows if all(_passes(row, wanted) for wanted in filters)]


def _passes(row: Any, wanted: dict[str, Any]) -> bool:
    test = _FILTERS[wanted["Key"]]
    return any(not test(row, value[1:]) if value.startswith("!") else test(row, value) for value in wanted["Values"])


def _tags(row: Any) -> list[dict[str, str]]:
    return list(json.loads(row["tags"])) if row["tags"] else []


def _begins(text: str | None, value: str) -> bool:
    """Names and tags: a prefix, upper and lower case told apart."""
    return (text or "").startswith(value)


def _speaks_of(text: str | None, value: str) -> bool:
    """Descriptions: every word of the value begins a word of the text, in any case."""
    said = _words(text or "")
    return all(any(word.startswith(wanted) for word in said) for wanted in _words(value))


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]


def _anywhere(row: Any, value: str) -> bool:
    tags = [text for tag in _tags(row) for text in (tag["Key"], tag["Value"])]
    return _speaks_of(" ".join([row["name"], row["description"] or "", *tags]), value)


# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
_FILTERS: dict[str, Callable[[Any, str], bool]] = {
    "name": lambda row, value: _begins(row["name"], value),
    "description": lambda row, value: _speaks_of(row["description"], value),
    "tag-key": lambda row, value: any(_begins(tag["Key"], value) for tag in _tags(row)),
    "tag-value": lambda row, value: any(_begins(tag["Value"], value) for tag in _tags(row)),
    "primary-region": lambda row, value: _begins(row["region"], value),
    "owning-service": lambda row, value: False,  # no secret here is another service's
    "all": _anywhere,
}
