"""The kernel: one clock, one writer, one durable queue; it knows that there are services, never which."""

from .call import Call, Caller, Principal
from .cloud import Cloud
from .delivery import Delivery, Failure, Message, Retry
from .errors import Again, AwsError, Crash, InternalFailure, Park, Undeliverable
from .resources import Made, NotReady, Wanted, resource
from .service import Service, dead_letter, endpoint, job, operation, source, target
from .sources import Batch
from .store import Store
from .telemetry import Telemetry, Trace
from .world import World

__all__ = [
    "Again",
    "AwsError",
    "Batch",
    "Call",
    "Caller",
    "Cloud",
    "Crash",
    "Delivery",
    "Failure",
    "InternalFailure",
    "Made",
    "Message",
    "NotReady",
    "Park",
    "Principal",
    "Retry",
    "Service",
    "Store",
    "Telemetry",
    "Trace",
    "Undeliverable",
    "Wanted",
    "World",
    "dead_letter",
    "endpoint",
    "job",
    "operation",
    "resource",
    "source",
    "target",
]
