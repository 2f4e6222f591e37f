"""PutEvents: entries judged one by one, each an event on its bus."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stratolite.kernel import Call, Trace, operation

from . import buses, documents, routing
from .errors import ValidationException

# The total of a request. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
TOTAL_BYTES = 1024 * 1024
_REQUIRED = (("Source", "Source"), ("DetailType", "DetailType"), ("Detail", "Detail"))


def size(entry: dict[str, Any]) -> int:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size"""
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *(entry.get("Resources") or ())]
    return sum(len(text.encode()) for text in texts if text) + (14 if entry.get("Time") is not None else 0)


@operation
def put_events(call: Call, entries: list[dict[str, Any]]) -> dict[str, Any]:
    if sum(size(entry) for entry in entries) > TOTAL_BYTES:
        raise ValidationException("Total size of the entries in the request is over the limit.")
    seen: dict[str | None, buses.Bus | None] = {}
    triggered: list[routing.Route] = []
    answers = [_put(call, entry, seen, triggered) for entry in entries]
    routing.tell(call, triggered)
    return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}


def _put(
    call: Call, entry: dict[str, Any], seen: dict[str | None, buses.Bus | None], triggered: list[routing.Route]
) -> dict[str, Any]:
    for name, member in _REQUIRED:
        if not entry.get(member):
            reason = f"{name} is a required argument."
            return _refused("InvalidArgument", f"Parameter {name} is not valid. Reason: {reason}")
    if entry["Source"].startswith("aws."):
        return _refused("NotAuthorizedForSourceException", "Not authorized for the source.")
    try:
        detail = documents.decoded(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return _refused("MalformedDetail", "Detail is malformed.")
    event = routing.envelope(
        id=call.world.id(),
        detail_type=entry["DetailType"],
        source=entry["Source"],
        account=call.account,
        at=entry["Time"] if entry.get("Time") is not None else call.now,
        region=call.region,
        resources=entry.get("Resources") or [],
        detail=detail,
    )
    # A bus that does not exist takes the event all the same: nobody is there to hear it.
    given = entry.get("EventBusName")
    if given not in seen:
        seen[given] = buses.look(call, given)
    bus = seen[given]
    if bus is not None:
        trace = Trace.parse(entry["TraceHeader"]) if entry.get("TraceHeader") else None
        triggered += routing.accept(replace(call, trace=trace) if trace else call, bus, event)
    return {"EventId": event["id"]}


def _refused(code: str, message: str) -> dict[str, Any]:
    return {"ErrorCode": code, "ErrorMessage": message}
