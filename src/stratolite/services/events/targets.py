"""Targets: where a rule sends what it matched."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.languages import arns, transformers

from . import buses, documents, rules
from .errors import LimitExceededException, ValidationException, invalid
from .pages import page

TARGETS_PER_RULE = 5  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html

# What these say has no effect here: their services are not part of Stratolite.
_NOT_EMULATED = (
    "EcsParameters", "BatchParameters", "RunCommandParameters", "RedshiftDataParameters",
    "SageMakerPipelineParameters", "AppSyncParameters",
)  # fmt: skip


def _check(target: dict[str, Any]) -> None:
    given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name) is not None]
    if len(given) > 1:
        raise ValidationException(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
        )
    try:
        arn = arns.parse(target["Arn"])
    except arns.ArnError:
        raise invalid(target["Arn"], "Provided Arn is not in correct format.") from None
    if arn.service == "sqs" and arn.resource.endswith(".fifo") and not target.get("SqsParameters"):
        raise ValidationException(f"Parameter(s) SqsParameters must be specified for target: {target['Id']}.")
    if target.get("InputPath"):
        _check_path(target["InputPath"], target["Id"])
    if target.get("Input") is not None:
        try:
            documents.decoded(target["Input"])
        except ValueError:
            raise ValidationException(f"JSON syntax error in input for target {target['Id']}") from None
    transformer = target.get("InputTransformer")
    if transformer is not None:
        paths = transformer.get("InputPathsMap") or {}
        for path in paths.values():
            _check_path(path, target["Id"])
        unknown = transformers.unknown_placeholder(transformer["InputTemplate"], paths)
        if unknown is not None:
            raise ValidationException(
                f"InputTemplate for target {target['Id']} contains invalid placeholder {unknown}."
            )


def _check_path(path: str, target: str) -> None:
    try:
        transformers.path_steps(path)
    except transformers.TransformError:
        raise ValidationException(f"Invalid JSONPath provided for target {target}: {path}") from None


@operation(ignores=[f"Targets.{name}" for name in _NOT_EMULATED])
def put_targets(
    call: Call, rule: str, targets: list[dict[str, Any]], event_bus_name: str | None = None
) -> dict[str, Any]:
    found = rules.find(call, rule, event_bus_name)
    for target in targets:
        _check(target)
    for target in targets:
        call.tx.run(
            """INSERT INTO events_target (rule, id, arn, document) VALUES (?, ?, ?, ?)
               ON CONFLICT (rule, id) DO UPDATE SET arn = excluded.arn, document = excluded.document""",
            found.key, target["Id"], target["Arn"], json.dumps(target),
        )  # fmt: skip
        buses.touch(call, found.bus.key, "target", found.key, json.dumps(target, sort_keys=True))
    if call.tx.value("SELECT count(*) FROM events_target WHERE rule = ?", found.key) > TARGETS_PER_RULE:
        raise LimitExceededException()
    return {"FailedEntryCount": 0, "FailedEntries": []}


@operation
def remove_targets(
    call: Call, rule: str, ids: list[str], event_bus_name: str | None = None, force: bool | None = None
) -> dict[str, Any]:
    found = rules.find(call, rule, event_bus_name)
    for target_id in ids:
        call.tx.run("DELETE FROM events_target WHERE rule = ? AND id = ?", found.key, target_id)
        buses.touch(call, found.bus.key, "removed", found.key, target_id)
    return {"FailedEntryCount": 0, "FailedEntries": []}


@operation
def list_targets_by_rule(
    call: Call,
    rule: str,
    event_bus_name: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    found = rules.find(call, rule, event_bus_name)
    rows, token = page(
        lambda after, count: call.tx.all(
            "SELECT * FROM events_target WHERE rule = ? AND id > ? ORDER BY id LIMIT ?", found.key, after, count
        ),
        limit, next_token, lambda row: row["id"],
    )  # fmt: skip
    return {"Targets": [json.loads(row["document"]) for row in rows], "NextToken": token}
