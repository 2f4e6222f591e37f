"""Authorizer: lets a request in if its tenant signed it, with a secret that is good today, within five minutes."""

import os
import time
from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from forms import aws
from forms.observability import logger, metrics, tracer
from forms.secret_store import SecretStore
from forms.signing import BadSignature, Signed

# A signature that does not match may be a rotation we have not seen: the secret is read again, but not more often than
# this, or every forged request would cost a call to Secrets Manager.
REREAD_S = 5.0

secrets = SecretStore(
    aws.client("secretsmanager"),
    prefix=os.environ["TENANT_SECRETS"],
    keep_s=float(os.environ["SECRET_KEEP_SECONDS"]),
    previous_s=float(os.environ["PREVIOUS_SECRET_SECONDS"]),
)


@metrics.log_metrics
@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP, clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer in API Gateway's simple form. An error of ours (not the caller's) is raised: a denial would be cached."""
    http = event["requestContext"]["http"]
    try:
        signed = Signed.of(event["headers"], http["method"], event["rawPath"])
        stage = verify(signed, time.time())
    except BadSignature as reason:
        logger.warning("denied", extra={"reason": str(reason)})
        metrics.add_metric("Denied", MetricUnit.Count, 1)
        return {"isAuthorized": False}
    metrics.add_metric("Authorized", MetricUnit.Count, 1)
    logger.info("authorized", extra={"tenant": signed.tenant, "secret_stage": stage})
    return {"isAuthorized": True, "context": {"tenant": signed.tenant}}


def verify(signed: Signed, now: float) -> str:
    """The stage of the secret that signed the request; raise BadSignature if none did."""
    if not signed.fresh(now):
        raise BadSignature("x-forms-timestamp is more than five minutes off")
    for younger_than_s in (None, REREAD_S):
        secret = secrets.get(signed.tenant, younger_than_s)
        if secret is None:
            raise BadSignature("unknown tenant")
        for stage, value in secret.accepted(now):
            if signed.signed_with(value):
                return stage
    raise BadSignature("the signature is not the tenant's")
