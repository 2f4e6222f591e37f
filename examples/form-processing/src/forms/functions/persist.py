"""Persist: stores what the bus announced, exactly once.

Invoked asynchronously: an error raised here is retried by Lambda and, in the end, sent to the failure destination.
"""

import os
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from forms import aws, records
from forms.observability import logger, metrics, tracer
from forms.submissions import Submission

table = aws.table(os.environ["TABLE"])


@metrics.log_metrics
@logger.inject_lambda_context(correlation_id_path="detail.metadata.correlation_id", clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Put the submission if it is not there. A duplicate is a success."""
    submission = Submission.from_detail(event["detail"])
    new = records.store(table, submission, event["detail"]["metadata"]["correlation_id"])
    logger.info("stored", extra={"tenant": submission.tenant, "submission": submission.id, "new": new})
    metrics.add_metric("Stored" if new else "StoredBefore", MetricUnit.Count, 1)
