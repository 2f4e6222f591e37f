"""Observability: the logger, the metrics and the tracer that every function shares.

One correlation id follows a submission: the request id that API Gateway gave it. It is logged by every function under
`correlation_id`, travels in the event, the stored item and the queue's message, and reaches the destination as
`X-Correlation-Id`.
"""

from aws_lambda_powertools import Logger, Metrics, Tracer

logger = Logger()  # service and level come from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL
metrics = Metrics()  # namespace: POWERTOOLS_METRICS_NAMESPACE
# AWS calls and the posts to destinations are what takes time here; nothing else is patched.
tracer = Tracer(patch_modules=("botocore", "httplib"))
