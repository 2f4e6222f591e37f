"""Limits: what AWS grants, and the runtimes it knows.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

REQUEST_BYTES = 6_291_456
"""Synchronous payload: 6 MB."""
EVENT_BYTES = 1_048_576
"""Asynchronous payload: 1 MB since October 2025."""
CREATE_REQUEST_BYTES = 70_167_211
ZIPPED_BYTES = 52_428_800
UNZIPPED_BYTES = 262_144_000
ENVIRONMENT_BYTES = 4096
LAYERS = 5
TAGS = 50
ACCOUNT_CONCURRENCY = 1000
UNRESERVED_MINIMUM = 100
POLICY_BYTES = 20_480

RUNTIMES = (
    "nodejs20.x", "python3.14", "provided.al2023", "python3.12", "python3.13", "nodejs24.x", "nodejs22.x", "java25",
    "python3.10", "python3.11", "java21", "ruby3.3", "ruby3.4", "ruby3.2", "python3.8", "python3.9", "java17",
    "nodejs16.x", "dotnet10", "dotnet6", "dotnet8", "java11", "java8.al2", "provided.al2", "nodejs18.x",
    "python3.15", "nodejs26.x",
)  # fmt: skip
"""Accepted for creating and updating."""
RETIRED = frozenset(
    [
        "java8",
        "go1.x",
        "provided",
        "ruby2.7",
        "ruby2.5",
        "nodejs",
        "nodejs4.3",
        "nodejs6.10",
        "nodejs8.10",
        "nodejs10.x",
        "nodejs12.x",
        "nodejs14.x",
        "python2.7",
        "python3.6",
        "python3.7",
        "dotnetcore1.0",
        "dotnetcore2.0",
        "dotnetcore2.1",
        "dotnetcore3.1",
        "dotnet5.0",
    ]
)
RESERVED_VARIABLES = frozenset(
    [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
        "AWS_DEFAULT_REGION",
    ]
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime"""
