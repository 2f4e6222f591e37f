"""Dead-letter function: records what ended in a failure queue, under its tenant, by name and with the reason."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from forms import aws, batches, dead_letters, records
from forms.observability import logger, metrics, tracer

KEEP_S = int(os.environ["KEEP_DAYS"]) * 86_400

table = aws.table(os.environ["TABLE"])
streams = aws.client("dynamodbstreams")


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Report the messages that could not be recorded; their queue keeps them."""
    return batches.work(EventType.SQS, event, context, bury)


def bury(record: SQSRecord) -> None:
    """Record everything one message speaks of. Recording it twice leaves one record."""
    now = datetime.now(UTC)
    died_at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    reason = record["messageAttributes"].get("reason", {}).get("stringValue")
    receives = record.attributes.approximate_receive_count
    for letter in dead_letters.read(record.message_id, record.body, reason, receives, streams):
        logger.set_correlation_id(letter.correlation_id)
        about = {"tenant": letter.tenant, "source": letter.source, "identity": letter.identity}
        logger.error("dead letter", extra={**about, "reason": letter.reason})
        metrics.add_metric("DeadLetters", MetricUnit.Count, 1)
        records.bury(table, letter, died_at, int(now.timestamp()) + KEEP_S)
