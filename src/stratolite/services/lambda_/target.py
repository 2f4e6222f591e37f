"""How to deliver to a function: its event is accepted, in the sender's transaction, and run later."""

from __future__ import annotations

from stratolite.kernel import Call, Delivery, Undeliverable, target

from . import asynchronous, names
from .errors import ResourceNotFoundException


@target("lambda")
def deliver(call: Call, delivery: Delivery) -> None:
    """From rules, schedules, topics, buckets, destinations: all of them invoke with `Event`, as on AWS."""
    try:
        which = names.named(call, delivery.to)
        names.version(call, which)
    except ResourceNotFoundException as error:
        raise Undeliverable("RESOURCE_NOT_FOUND", error.message, retry=False) from None
    asynchronous.accept(call, which, delivery.payload, call.world.id())
