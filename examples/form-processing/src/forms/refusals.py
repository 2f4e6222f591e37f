"""Refusals: the answers a caller gets for what it did wrong, each with a name."""

import json
from typing import Any


class Refusal(Exception):
    """A request that is not served. The class is the error's name; its message is for the caller."""

    status = 400


class MalformedBody(Refusal):
    """The body is not what a submission looks like."""


class MalformedQuery(Refusal):
    """A parameter of the query string is not in shape."""


class DigestMismatch(Refusal):
    """The signed digest is not this content's: somebody put a signature on something else."""

    status = 403


class StaleRequest(Refusal):
    """The signature has grown too old since the authorizer (or its cache) accepted it."""

    status = 403


class IdempotencyConflict(Refusal):
    """The key was used before, with another body."""

    status = 409


class SubmissionTooLarge(Refusal):
    """The submission would not fit into one item of the table, or into one event."""

    status = 413


class TryAgain(Refusal):
    """Nothing is wrong with the request; the same request, signed anew, may succeed."""

    status = 503


def answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """A response in API Gateway's payload format 2.0."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
    }


def refuse(refusal: Refusal) -> dict[str, Any]:
    """The response that names a refusal."""
    response = answer(refusal.status, {"error": type(refusal).__name__, "message": str(refusal)})
    if isinstance(refusal, TryAgain):
        response["headers"]["retry-after"] = "1"
    return response
