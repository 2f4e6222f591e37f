"""Fan-out: one letter for each of the tenant's destinations, for every new submission in the table's stream.

Where a submission goes is the registry's word alone. A request that could name its own destinations could choose where
the tenant's API keys are sent.
"""

import os
from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from forms import aws, batches, records
from forms.letters import Letter
from forms.observability import logger, metrics, tracer

QUEUE = os.environ["QUEUE_URL"]
SENT_AT_ONCE = 10  # messages in one SendMessageBatch

table = aws.table(os.environ["TABLE"])
sqs = aws.client("sqs")


class NotSent(Exception):
    """SQS did not take every letter of a submission."""


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Report the records that failed; Lambda goes on from the first of them."""
    return batches.work(EventType.DynamoDBStreams, event, context, fan_out)


def fan_out(record: DynamoDBRecord) -> None:
    """Write the letters of one submission. After a failure they are all written again: the destination drops those."""
    item = record.dynamodb.new_image  # type: ignore[union-attr]
    logger.set_correlation_id(item["correlation_id"])
    letters = [
        Letter(item["tenant"], item["id"], str(destination["name"]), item["correlation_id"])
        for destination in records.destinations(table, item["tenant"])
    ]
    for first in range(0, len(letters), SENT_AT_ONCE):
        send(letters[first : first + SENT_AT_ONCE])
    logger.info("fanned out", extra={"tenant": item["tenant"], "submission": item["id"], "letters": len(letters)})
    metrics.add_metric("Letters", MetricUnit.Count, len(letters))


def send(letters: Iterable[Letter]) -> None:
    """Send up to ten letters."""
    entries = [{"Id": str(index), "MessageBody": letter.text()} for index, letter in enumerate(letters)]
    failed = sqs.send_message_batch(QueueUrl=QUEUE, Entries=entries).get("Failed", [])
    if failed:
        raise NotSent(", ".join(f"{failure['Code']}: {failure.get('Message', '')}" for failure in failed))
