"""Listing: a tenant reads its own submissions, by time, page by page."""

import base64
import binascii
import json
import os
import re
import time
from datetime import datetime
from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from forms import aws, records
from forms.observability import logger, metrics, tracer
from forms.refusals import DigestMismatch, MalformedQuery, Refusal, StaleRequest, answer, refuse
from forms.signing import Signed
from forms.submissions import KEY

PARAMETERS = {"from", "to", "limit", "next"}
PAGE = 25
LARGEST_PAGE = 100
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z")

table = aws.table(os.environ["TABLE"])


@metrics.log_metrics
@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP, clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"submissions": [...], "next": token or null}`, newest first."""
    tenant = event["requestContext"]["authorizer"]["lambda"]["tenant"]
    logger.append_keys(tenant=tenant)
    try:
        check(event, time.time())
        first, last, limit, after = asked(event.get("queryStringParameters") or {})
    except Refusal as refusal:
        logger.warning("refused", extra={"error": type(refusal).__name__, "reason": str(refusal)})
        metrics.add_metric(f"Refused{type(refusal).__name__}", MetricUnit.Count, 1)
        return refuse(refusal)
    submissions, following = records.page(table, tenant, first, last, limit, after)
    metrics.add_metric("Listed", MetricUnit.Count, len(submissions))
    logger.info("listed", extra={"submissions": len(submissions)})
    return answer(200, {"submissions": submissions, "next": token(following) if following else None})


def check(event: dict[str, Any], now: float) -> None:
    """What the authorizer could not see: that the signed digest is the query string's."""
    signed = Signed.of(event["headers"], event["requestContext"]["http"]["method"], event["rawPath"])
    if not signed.fresh(now):
        raise StaleRequest("the request was signed more than five minutes ago")
    if not signed.covers(event.get("rawQueryString", "").encode()):
        raise DigestMismatch("x-forms-digest is not the SHA-256 of the query string")


def asked(parameters: dict[str, str]) -> tuple[str, str, int, tuple[str, str] | None]:
    """The first and the last instant, the limit and the place to go on from; raise MalformedQuery."""
    if unknown := parameters.keys() - PARAMETERS:
        raise MalformedQuery(f"unknown parameter: {min(unknown)[:64]}")
    limit = parameters.get("limit", str(PAGE))
    if not re.fullmatch(r"[1-9][0-9]{0,2}", limit) or int(limit) > LARGEST_PAGE:
        raise MalformedQuery(f"limit must be a number from 1 to {LARGEST_PAGE}")
    first = instant("from", parameters.get("from", "0001-01-01T00:00:00Z"))
    last = instant("to", parameters.get("to", "9999-12-31T23:59:59.999Z"))
    if first > last:
        raise MalformedQuery("from must not be after to")
    after = place(parameters["next"]) if "next" in parameters else None
    return first, last, int(limit), after


def instant(name: str, text: str) -> str:
    """An instant in the form the index is sorted by."""
    if not INSTANT.fullmatch(text):
        raise MalformedQuery(f"{name} must be an instant like 2026-01-31T12:00:00Z")
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise MalformedQuery(f"{name} is no instant: {text}") from None
    return text if "." in text else text.replace("Z", ".000Z")


def token(following: tuple[str, str]) -> str:
    """Where the next page starts, as opaque text. It names no tenant: a stolen one opens nobody else's page."""
    return base64.urlsafe_b64encode(json.dumps(following).encode()).decode()


def place(text: str) -> tuple[str, str]:
    """What `token` wrote."""
    try:
        received_at, submission_id = json.loads(base64.urlsafe_b64decode(text))
        if INSTANT.fullmatch(received_at) and KEY.fullmatch(submission_id):
            return received_at, submission_id
    except (ValueError, TypeError, RecursionError, binascii.Error):
        pass
    raise MalformedQuery("next is not a token we gave")
