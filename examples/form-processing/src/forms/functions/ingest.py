"""Ingest: takes a signed submission in, once, and tells the bus."""

import base64
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from forms import aws, records
from forms.observability import logger, metrics, tracer
from forms.refusals import (
    DigestMismatch,
    IdempotencyConflict,
    MalformedBody,
    Refusal,
    StaleRequest,
    TryAgain,
    answer,
    refuse,
)
from forms.signing import Signed
from forms.submissions import Form, Submission

BUS = os.environ["BUS"]
KEEP_S = int(os.environ["KEEP_DAYS"]) * 86_400

table = aws.table(os.environ["TABLE"])
events = aws.client("events")


@metrics.log_metrics
@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP, clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """202 for a new submission, 200 for one we have, a named refusal for anything else."""
    tenant = event["requestContext"]["authorizer"]["lambda"]["tenant"]
    logger.append_keys(tenant=tenant)
    try:
        submission, duplicate = ingest(event, tenant, datetime.now(UTC))
    except Refusal as refusal:
        logger.warning("refused", extra={"error": type(refusal).__name__, "reason": str(refusal)})
        metrics.add_metric(f"Refused{type(refusal).__name__}", MetricUnit.Count, 1)
        return refuse(refusal)
    logger.info("accepted", extra={"submission": submission.id, "duplicate": duplicate})
    metrics.add_metric("Duplicates" if duplicate else "Accepted", MetricUnit.Count, 1)
    return answer(
        200 if duplicate else 202,
        {
            "id": submission.id,
            "status": "duplicate" if duplicate else "accepted",
            "received_at": submission.received_at,
        },
    )


def ingest(event: dict[str, Any], tenant: str, now: datetime) -> tuple[Submission, bool]:
    """Check, claim the key, publish. The second value says whether the key was claimed before, for the same body."""
    context = event["requestContext"]
    # The authorizer accepted these headers; what it could not see, or what may have changed since, is checked here.
    signed = Signed.of(event["headers"], context["http"]["method"], event["rawPath"])
    if not signed.fresh(now.timestamp()):
        raise StaleRequest("the request was signed more than five minutes ago")
    body = raw_body(event)
    if not signed.covers(body):
        raise DigestMismatch("x-forms-digest is not the SHA-256 of the body")
    if "idempotency-key" in event["headers"]:
        raise MalformedBody('the idempotency key belongs into the body, as "key": the signature must cover it')
    submission = Form.parse(body).accepted(tenant, signed, now, KEEP_S)

    claim, new = records.claim(table, submission)
    if claim.digest != submission.digest:
        raise IdempotencyConflict(f"key {submission.id} stands for another body since {claim.received_at}")
    submission = replace(submission, received_at=claim.received_at, expires_at=claim.expires_at)
    # A duplicate is published as well: the first attempt may have died between the claim and the bus, and persist
    # drops a repeat anyway.
    publish(submission, context["requestId"])
    return submission, not new


def raw_body(event: dict[str, Any]) -> bytes:
    """The body's bytes as they were sent: the gateway encodes what it does not take for text."""
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def publish(submission: Submission, correlation_id: str) -> None:
    """Put the canonical event on the bus; raise TryAgain if the bus did not take it."""
    result = events.put_events(Entries=[submission.event(BUS, correlation_id)])
    if result["FailedEntryCount"]:
        entry = result["Entries"][0]
        logger.error("not published", extra={"code": entry.get("ErrorCode"), "reason": entry.get("ErrorMessage")})
        raise TryAgain("the submission could not be passed on")
