"""Batches: records worked one by one, those that failed reported so that they alone come back."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from forms.observability import logger, metrics


class Expected(Exception):
    """A failure that its record's function has reported already."""


def work(
    kind: EventType, event: dict[str, Any], context: LambdaContext, handle: Callable[[Any], None]
) -> PartialItemFailureResponse:
    """Handle every record; the answer names those whose handling raised. What nobody expected is logged whole."""

    def told(record: Any) -> None:
        try:
            handle(record)
        except Expected:
            raise
        except Exception:
            logger.exception("a record failed")
            metrics.add_metric("RecordsFailed", MetricUnit.Count, 1)
            raise

    processor = BatchProcessor(event_type=kind, raise_on_entire_batch_failure=False)
    return process_partial_response(event=event, record_handler=told, processor=processor, context=context)
