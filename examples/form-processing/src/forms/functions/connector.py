"""Connector: hands each letter's submission over to its destination, under the destination's API key.

Three ways out for a letter. It is delivered. Or the destination cannot take it now: a few attempts within this
invocation's time, then the queue brings it back, later each time, and at last moves it to the dead-letter queue. Or the
destination will never take it (it said so with a 4xx): then it goes to the dead-letter queue at once, with the reason.
"""

import os
import random
import time
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import EventType
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from forms import aws, batches, records
from forms.destinations import Destination, Refused, Unavailable, deliver
from forms.letters import Letter
from forms.observability import logger, metrics, tracer
from forms.secret_store import SecretStore

QUEUE = os.environ["QUEUE_URL"]
DEAD_LETTERS = os.environ["DEAD_LETTER_URL"]
ATTEMPT_S = float(os.environ["ATTEMPT_SECONDS"])
BACK_OFF_S = float(os.environ["BACK_OFF_SECONDS"])
LONGEST_BACK_OFF_S = float(os.environ["LONGEST_BACK_OFF_SECONDS"])

ATTEMPTS = 3  # within one invocation
PAUSE_S = 0.2  # after the first failure, doubled after each
MARGIN_S = 1.0  # to report what failed before Lambda ends the invocation

table = aws.table(os.environ["TABLE"])
sqs = aws.client("sqs")
secrets = SecretStore(
    aws.client("secretsmanager"),
    prefix=os.environ["DESTINATION_SECRETS"],
    keep_s=float(os.environ["SECRET_KEEP_SECONDS"]),
)
# Replaced by the tests; a random pause keeps a thousand letters from coming back in the same second.
sleep = time.sleep
jitter = random.uniform


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Report the letters that must come back; the others are done."""
    waiting = len(event["Records"])

    def handle(record: SQSRecord) -> None:
        nonlocal waiting
        left_s = context.get_remaining_time_in_millis() / 1000 - MARGIN_S
        share_s = left_s / waiting  # a slow destination must not take the time of the letters behind it
        waiting -= 1
        work(record, share_s)

    return batches.work(EventType.SQS, event, context, handle)


def work(record: SQSRecord, share_s: float) -> None:
    """Deliver one letter within its share of the time, or put it off, or give it up."""
    try:
        letter = Letter.read(record.body)
    except (ValueError, TypeError) as error:
        give_up(record, Refused(f"no letter of ours: {error}"))
        return
    logger.set_correlation_id(letter.correlation_id)
    about = {"tenant": letter.tenant, "submission": letter.submission, "destination": letter.destination}
    try:
        attempts = hand_over(letter, time.monotonic() + share_s)
    except Refused as reason:
        logger.error("refused", extra={**about, "reason": str(reason)})
        metrics.add_metric("Refused", MetricUnit.Count, 1)
        give_up(record, reason)
    except Unavailable as reason:
        receives = int(record.attributes.approximate_receive_count)
        logger.warning("put off", extra={**about, "reason": str(reason), "receives": receives})
        metrics.add_metric("PutOff", MetricUnit.Count, 1)
        put_off(record, receives)
        raise
    else:
        logger.info("delivered", extra={**about, "attempts": attempts})
        metrics.add_metric("Delivered", MetricUnit.Count, 1)


def hand_over(letter: Letter, deadline: float) -> int:
    """Deliver one letter before the deadline (monotonic seconds); the number of attempts it took."""
    registered = records.destination(table, letter.tenant, letter.destination)
    if registered is None:
        raise Refused("the destination is no longer registered")
    submission = records.find(table, letter.tenant, letter.submission)
    if submission is None:
        raise Refused("the submission is no longer stored")
    api_key = secrets.get(f"{letter.tenant}/{letter.destination}")
    if api_key is None:
        raise Unavailable("the destination has no API key")  # perhaps not yet: somebody must put it there
    destination = Destination.of(registered)
    body = destination.mapped(submission)
    headers = {
        "authorization": f"Bearer {api_key.current}",
        "idempotency-key": letter.key,
        "x-correlation-id": letter.correlation_id,
    }
    return deliver(
        attempt=lambda timeout_s: destination.post(body, headers, timeout_s),
        remaining_s=lambda: deadline - time.monotonic(),
        attempt_s=ATTEMPT_S,
        attempts=ATTEMPTS,
        pause=lambda made: sleep(jitter(0.5, 1.0) * PAUSE_S * 2 ** (made - 1)),
    )


def put_off(record: SQSRecord, receives: int) -> None:
    """Let the queue hide the letter longer after each failure, instead of for the same time always."""
    back_off_s = min(LONGEST_BACK_OFF_S, BACK_OFF_S * 2 ** (receives - 1)) * jitter(0.5, 1.0)
    sqs.change_message_visibility(
        QueueUrl=QUEUE, ReceiptHandle=record.receipt_handle, VisibilityTimeout=max(1, round(back_off_s))
    )


def give_up(record: SQSRecord, reason: Refused) -> None:
    """Move the letter to the dead-letter queue at once. If this fails the letter comes back, and nothing is lost."""
    sqs.send_message(
        QueueUrl=DEAD_LETTERS,
        MessageBody=record.body,
        MessageAttributes={"reason": {"DataType": "String", "StringValue": str(reason)[:512]}},
    )
