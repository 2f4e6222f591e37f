"""Lambda: functions, what invokes them, and what becomes of their events."""

from stratolite.kernel import Service

from . import asynchronous, code, destinations, functions, invocations, layers, permissions, tagging, target, versions

service = Service(
    "lambda",
    modules=[
        functions, versions, layers, permissions, destinations, tagging, invocations, asynchronous, target, code,
    ],
)  # fmt: skip
