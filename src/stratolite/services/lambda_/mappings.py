"""Event source mappings: queues and streams that a function consumes; their settings (pollers.py does the consuming).

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from stratolite.kernel import AwsError, Call, job, operation
from stratolite.kernel.store import Row
from stratolite.languages import arns

from . import filters, names
from .errors import InvalidParameterValueException, ResourceConflictException, ResourceNotFoundException

STREAMS = frozenset({"dynamodb", "kinesis"})
QUEUE_DEFAULTS: dict[str, Any] = {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0}
STREAM_DEFAULTS: dict[str, Any] = {
    "BatchSize": 100,
    "MaximumBatchingWindowInSeconds": 0,
    "ParallelizationFactor": 1,
    "DestinationConfig": {"OnFailure": {}},
    "MaximumRecordAgeInSeconds": -1,
    "BisectBatchOnFunctionError": False,
    "MaximumRetryAttempts": -1,
    "TumblingWindowInSeconds": 0,
}
REASONS = {True: "User action", False: "USER_INITIATED"}


def is_stream(source_arn: str) -> bool:
    return arns.parse(source_arn).service in STREAMS


def shown(row: Row) -> dict[str, Any]:
    config = json.loads(row["config"])
    found = {
        **config,
        "UUID": row["uuid"],
        "EventSourceArn": row["source_arn"],
        "EventSourceMappingArn": f"arn:aws:lambda:{row['region']}:{row['account']}:event-source-mapping:{row['uuid']}",
        "FunctionArn": row["function_arn"],
        "LastModified": row["modified_at"],
        "State": row["state"],
        "StateTransitionReason": row["reason"],
    }
    if row["result"] is not None:
        found["LastProcessingResult"] = row["result"]
    return found


def find(call: Call, uuid: str) -> Row:
    row = call.tx.one(
        "SELECT * FROM lambda_mapping WHERE uuid = ? AND account = ? AND region = ?", uuid, call.account, call.region
    )
    if row is None:
        raise ResourceNotFoundException("The resource you requested does not exist.")
    return row


def _set(call: Call, key: int, **columns: Any) -> Row:
    names_, values = ", ".join(f"{name} = ?" for name in columns), list(columns.values())
    call.tx.run(f"UPDATE lambda_mapping SET {names_} WHERE key = ?", *values, key)
    row = call.tx.one("SELECT * FROM lambda_mapping WHERE key = ?", key)
    assert row is not None
    return row


@operation
def create_event_source_mapping(
    call: Call,
    function_name: str,
    event_source_arn: str | None = None,
    enabled: bool = True,
    batch_size: int | None = None,
    filter_criteria: dict[str, Any] | None = None,
    maximum_batching_window_in_seconds: int | None = None,
    starting_position: str | None = None,
    starting_position_timestamp: float | None = None,
    destination_config: dict[str, Any] | None = None,
    maximum_record_age_in_seconds: int | None = None,
    bisect_batch_on_function_error: bool | None = None,
    maximum_retry_attempts: int | None = None,
    parallelization_factor: int | None = None,
    tags: dict[str, str] | None = None,
    function_response_types: Sequence[str] | None = None,
    scaling_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    if event_source_arn is None:
        raise InvalidParameterValueException("Unrecognized event source.")
    source = call.cloud.source(event_source_arn)
    if source is None:
        raise InvalidParameterValueException(
            f"Unrecognized event source: Stratolite cannot consume {event_source_arn}."
        )
    which = names.named(call, function_name)
    streaming = is_stream(event_source_arn)
    if streaming and starting_position is None:
        raise InvalidParameterValueException(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        )
    if starting_position == "AT_TIMESTAMP" and arns.parse(event_source_arn).service == "dynamodb":
        raise InvalidParameterValueException(f"Unsupported starting position for arn type: {event_source_arn}")
    config = {
        **(STREAM_DEFAULTS if streaming else QUEUE_DEFAULTS),
        **_settings(
            streaming,
            BatchSize=batch_size,
            MaximumBatchingWindowInSeconds=maximum_batching_window_in_seconds,
            FilterCriteria=filter_criteria,
            DestinationConfig=destination_config,
            MaximumRecordAgeInSeconds=maximum_record_age_in_seconds,
            BisectBatchOnFunctionError=bisect_batch_on_function_error,
            MaximumRetryAttempts=maximum_retry_attempts,
            ParallelizationFactor=parallelization_factor,
            ScalingConfig=scaling_config,
            StartingPosition=starting_position,
            StartingPositionTimestamp=starting_position_timestamp,
        ),
        "FunctionResponseTypes": list(function_response_types or ()),
    }
    try:
        function = names.version(call, which)
    except ResourceNotFoundException:
        raise InvalidParameterValueException("Function does not exist") from None
    filters.check(filter_criteria)
    _check(config, event_source_arn)
    _check_source(call, event_source_arn, json.loads(function["config"])["Timeout"])
    _check_unique(call, event_source_arn, which)
    row = _set(
        call,
        _insert(call, which, event_source_arn, config, tags or {}, streaming),
        result="No records processed" if streaming else None,
    )
    for shard in source.shards(call, event_source_arn):
        cursor = None
        if starting_position == "LATEST":
            options = {"shard": shard["id"], "position": "LATEST"}
            cursor = json.dumps(source.batch(call, event_source_arn, None, 0, options).cursor)
        for name in parts(shard["id"], config):
            call.tx.run(
                "INSERT INTO lambda_mapping_shard (mapping, shard, cursor) VALUES (?, ?, ?)", row["key"], name, cursor
            )
    if enabled:
        _settle_later(call, row["key"], "Enabled")
        return shown(row)
    _set(call, row["key"], state="Disabled")
    return shown(row) | {"State": "Disabled" if not streaming else "Creating"}


def parts(shard: str, config: dict[str, Any]) -> list[str]:
    """The names of a shard's pollers: one, or one for each part of its keys (ParallelizationFactor)."""
    factor = config.get("ParallelizationFactor", 1)
    return [shard] if factor == 1 else [f"{shard}#{part}/{factor}" for part in range(factor)]


def part_of(name: str) -> tuple[str, int, int]:
    """The shard, the part and the number of parts that a poller's name says."""
    shard, _, rest = name.partition("#")
    part, _, factor = rest.partition("/")
    return (shard, int(part), int(factor)) if rest else (shard, 0, 1)


def _insert(
    call: Call, which: names.Named, source_arn: str, config: dict[str, Any], tags: dict[str, str], streaming: bool
) -> int:
    key = call.tx.run(
        "INSERT INTO lambda_mapping (account, region, uuid, function_arn, source_arn, config, state, reason, tags,"
        " modified_at) VALUES (?, ?, ?, ?, ?, ?, 'Creating', ?, ?, ?)",
        call.account, call.region, call.world.id(), which.qualified(), source_arn, json.dumps(config),
        REASONS[streaming], json.dumps(tags), call.now,
    ).lastrowid  # fmt: skip
    assert key is not None
    return key


def _settings(streaming: bool, **given: Any) -> dict[str, Any]:
    found = {name: value for name, value in given.items() if value is not None}
    if not streaming and found.get("DestinationConfig"):
        raise InvalidParameterValueException(
            "Unsupported DestinationConfig parameter for given event source mapping type."
        )
    if not (found.get("FilterCriteria") or {}).get("Filters"):
        found.pop("FilterCriteria", None)
    return found


def _check(config: dict[str, Any], source_arn: str) -> None:
    if config["BatchSize"] > 10 and not is_stream(source_arn):
        if source_arn.endswith(".fifo"):
            raise InvalidParameterValueException("BatchSize of FIFO queues must be less than or equal to 10.")
        if config["MaximumBatchingWindowInSeconds"] == 0:
            raise InvalidParameterValueException(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
            )
    if source_arn.endswith(".fifo") and config["MaximumBatchingWindowInSeconds"]:
        raise InvalidParameterValueException("Batching window is not supported for FIFO queues")


def _check_source(call: Call, source_arn: str, timeout_s: int) -> None:
    arn = arns.parse(source_arn)
    if arn.service == "sqs":
        try:
            sqs = call.api("sqs", account=arn.account, region=arn.region)
            url = sqs.get_queue_url(QueueName=arn.resource, QueueOwnerAWSAccountId=arn.account)["QueueUrl"]
            hidden_s = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        except AwsError:
            raise InvalidParameterValueException(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
                "SQS Error Message: The specified queue does not exist."
            ) from None
        if int(hidden_s["VisibilityTimeout"]) < timeout_s:
            raise InvalidParameterValueException(
                f"Queue visibility timeout: {hidden_s['VisibilityTimeout']} seconds is less than Function timeout:"
                f" {timeout_s} seconds"
            )
    else:
        try:
            call.cloud.source(source_arn).shards(call, source_arn)
        except AwsError:
            raise InvalidParameterValueException(f"Stream not found: {source_arn}") from None


def _check_unique(call: Call, source_arn: str, which: names.Named) -> None:
    for row in call.tx.all("SELECT * FROM lambda_mapping WHERE source_arn = ?", source_arn):
        if names.named(call, row["function_arn"]).name != which.name or row["account"] != call.account:
            continue
        if is_stream(source_arn):
            raise ResourceConflictException(
                f'The event source arn (" {source_arn} ") and function (" {which.name} ") '
                f"provided mapping already exists."
                f" Please update or delete the existing mapping with UUID {row['uuid']}"
            )
        raise ResourceConflictException(
            f'An event source mapping with SQS arn (" {source_arn} ") and function (" {which.name} ") already exists.'
            f" Please update or delete the existing mapping with UUID {row['uuid']}"
        )


def _settle_later(call: Call, mapping: int, state: str) -> None:
    """What was asked for last is what it comes to, though an earlier change may have to be tried again."""
    call.later("lambda.mapping_settles", None, f"lambda.mapping_settles {mapping}", mapping=mapping, state=state)


@job
def mapping_settles(call: Call, mapping: int, state: str) -> None:
    """A change takes effect: polling begins or ends, a deleted mapping goes."""
    row = call.tx.one("SELECT * FROM lambda_mapping WHERE key = ?", mapping)
    if row is None:
        return
    shards = call.tx.all("SELECT * FROM lambda_mapping_shard WHERE mapping = ? AND done = 0", mapping)
    for shard in shards:
        if shard["job"] is not None:
            # One that is under way sees what has become of its mapping when it next looks.
            call.cancel(shard["job"])
    if state == "Deleted":
        call.tx.run("DELETE FROM lambda_mapping WHERE key = ?", mapping)
        call.tx.run("DELETE FROM lambda_mapping_shard WHERE mapping = ?", mapping)
        return
    _set(call, mapping, state=state)
    if state == "Enabled":
        for shard in shards:
            start(call, row, shard["shard"])


def start(call: Call, mapping: Row, shard: str) -> None:
    """Begin to poll a queue, or a shard of a stream."""
    kind = "lambda.poll_stream" if is_stream(mapping["source_arn"]) else "lambda.poll_queue"
    key = f"lambda-mapping-{mapping['key']}-{shard}"
    job = call.later(kind, None, key, mapping=mapping["key"], shard=shard)
    call.tx.run(
        "INSERT INTO lambda_mapping_shard (mapping, shard, job) VALUES (?, ?, ?)"
        " ON CONFLICT (mapping, shard) DO UPDATE SET job = excluded.job",
        mapping["key"], shard, job,
    )  # fmt: skip


@operation
def get_event_source_mapping(call: Call, uuid: str) -> dict[str, Any]:
    return shown(find(call, uuid))


@operation
def list_event_source_mappings(
    call: Call,
    event_source_arn: str | None = None,
    function_name: str | None = None,
    marker: str | None = None,
    max_items: int = 100,
) -> dict[str, Any]:
    rows = call.tx.all(
        "SELECT * FROM lambda_mapping WHERE account = ? AND region = ? AND key > ? AND (? IS NULL OR source_arn = ?)"
        " ORDER BY key",
        call.account, call.region, names.marker(marker, 0), event_source_arn, event_source_arn,
    )  # fmt: skip
    if function_name is not None:
        wanted = names.named(call, function_name).qualified()
        rows = [row for row in rows if row["function_arn"] == wanted]
    page = rows[: min(max_items, 100)]
    found: dict[str, Any] = {"EventSourceMappings": [shown(row) for row in page]}
    if len(rows) > len(page):
        found["NextMarker"] = str(page[-1]["key"])
    return found


@operation
def update_event_source_mapping(
    call: Call,
    uuid: str,
    function_name: str | None = None,
    enabled: bool | None = None,
    batch_size: int | None = None,
    filter_criteria: dict[str, Any] | None = None,
    maximum_batching_window_in_seconds: int | None = None,
    destination_config: dict[str, Any] | None = None,
    maximum_record_age_in_seconds: int | None = None,
    bisect_batch_on_function_error: bool | None = None,
    maximum_retry_attempts: int | None = None,
    parallelization_factor: int | None = None,
    function_response_types: Sequence[str] | None = None,
    scaling_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    row = find(call, uuid)
    streaming = is_stream(row["source_arn"])
    function_arn = row["function_arn"]
    if function_name is not None:
        which = names.named(call, function_name)
        try:
            names.version(call, which)
        except ResourceNotFoundException:
            raise InvalidParameterValueException("Function does not exist") from None
        function_arn = which.qualified()
    filters.check(filter_criteria)
    config = json.loads(row["config"]) | _settings(
        streaming,
        BatchSize=batch_size,
        MaximumBatchingWindowInSeconds=maximum_batching_window_in_seconds,
        FilterCriteria=filter_criteria or None,
        DestinationConfig=destination_config,
        MaximumRecordAgeInSeconds=maximum_record_age_in_seconds,
        BisectBatchOnFunctionError=bisect_batch_on_function_error,
        MaximumRetryAttempts=maximum_retry_attempts,
        ParallelizationFactor=parallelization_factor,
        ScalingConfig=scaling_config or None,
        FunctionResponseTypes=None if function_response_types is None else list(function_response_types),
    )
    if filter_criteria is not None and not filter_criteria.get("Filters"):
        config.pop("FilterCriteria", None)
    if scaling_config == {}:
        config.pop("ScalingConfig", None)
    _check(config, row["source_arn"])
    if streaming:
        _repart(call, row, config)
    was = row["state"] not in ("Disabled", "Disabling")
    will = was if enabled is None else enabled
    state = {(True, False): "Disabling", (False, True): "Enabling"}.get((was, will), "Updating")
    row = _set(
        call, row["key"], function_arn=function_arn, config=json.dumps(config), state=state, modified_at=call.now,
        reason=REASONS[streaming],
    )  # fmt: skip
    _settle_later(call, row["key"], "Enabled" if will else "Disabled")
    return shown(row)


def _repart(call: Call, row: Row, config: dict[str, Any]) -> None:
    """Other parts, where their number changes: each begins where the slowest of the old ones stood."""
    rows = call.tx.all("SELECT * FROM lambda_mapping_shard WHERE mapping = ? AND done = 0", row["key"])
    shards: dict[str, list[Row]] = {}
    for each in rows:
        shards.setdefault(part_of(each["shard"])[0], []).append(each)
    for shard, old in shards.items():
        wanted = parts(shard, config)
        if wanted == [each["shard"] for each in old]:
            continue
        cursors = [json.loads(each["cursor"] or "null") for each in old]
        slowest = None if None in cursors else min(cursors)
        for each in old:
            if each["job"] is not None:
                call.cancel(each["job"])
            call.tx.run("DELETE FROM lambda_mapping_shard WHERE mapping = ? AND shard = ?", row["key"], each["shard"])
        for name in wanted:
            call.tx.run(
                "INSERT INTO lambda_mapping_shard (mapping, shard, cursor) VALUES (?, ?, ?)",
                row["key"], name, json.dumps(slowest),
            )  # fmt: skip


@operation
def delete_event_source_mapping(call: Call, uuid: str) -> dict[str, Any]:
    row = _set(call, find(call, uuid)["key"], state="Deleting")
    _settle_later(call, row["key"], "Deleted")
    return shown(row)
