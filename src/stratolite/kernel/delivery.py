"""Delivery: one engine for whatever one service hands to another: retries, back-off, age limits, dead letters."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from . import blobs
from .errors import Again, AwsError, InternalFailure, Undeliverable
from .service import job

if TYPE_CHECKING:
    from .call import Call
    from .cloud import Cloud

log = logging.getLogger("stratolite.delivery")


def _exponential(first_s: float, most_s: float) -> Callable[[int, random.Random], float]:
    def delay(attempt: int, chance: random.Random) -> float:
        ceiling = min(most_s, first_s * 2 ** min(attempt - 1, 30))
        return float(ceiling / 2 + chance.random() * ceiling / 2)

    return delay


def _phases(attempt: int, chance: random.Random) -> float:
    if attempt <= 5:
        return 0.0 if attempt <= 3 else 1.0
    return float(min(20.0, 20.0 ** ((attempt - 6) / 9)))


BACKOFFS: dict[str, Callable[[int, random.Random], float]] = {
    # AWS: "exponential back off and jitter" up to 24 hours and 185 times; the first delays are seconds.
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
    "events": _exponential(1.0, 600.0),
    # Three at once, two a second apart, ten from 1 s to 20 s, then every 20 s.
    # https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
    "sns": _phases,
    "internal": _exponential(1.0, 60.0),
}


@dataclass(frozen=True)
class Retry:
    """How a sender goes on after a failure that may pass.

    Args:
        attempts: retries after the first attempt.
        max_age_s: seconds after which it gives up, counted from the sending.
        backoff: a row of `BACKOFFS`.
    """

    attempts: int = 185
    max_age_s: float = 86_400.0
    backoff: str = "events"


@dataclass(frozen=True)
class Delivery:
    """What a target is handed."""

    to: str
    payload: bytes
    source: str
    """Who sends: `events`, `sns`, `lambda`, `s3`, ...; a dead letter's metadata is shaped by it."""
    context: dict[str, Any] = field(default_factory=dict)
    """What the pair of sender and target have agreed on: message_group_id, message_attributes, rule_arn, ..."""
    attempts: int = 1
    sent_at: float = 0.0

    def text(self) -> str:
        return self.payload.decode()


@dataclass(frozen=True)
class Failure:
    """Why a delivery ended without success."""

    code: str
    message: str
    exhausted: str
    """`MaximumRetryAttempts`, `MaximumEventAgeInSeconds`, or empty when it could not be retried at all."""
    attempts: int


@dataclass(frozen=True)
class Message:
    """What goes to a dead-letter ARN."""

    body: bytes
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """SQS message attributes: name to {"DataType": ..., "StringValue": ...}."""
    context: dict[str, Any] = field(default_factory=dict)


class Deliveries:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def send(
        self,
        call: Call,
        *,
        to: str,
        payload: bytes | str,
        source: str,
        retry: Retry | None,
        dead_letter: str | None,
        context: dict[str, Any] | None,
        key: str | None,
        due: float | None,
    ) -> None:
        """Deliver now if the target takes it in this transaction, otherwise by a job of it.

        Raises nothing for what happens at the target: that is retried, dead-lettered and traced.
        """
        body = payload.encode() if isinstance(payload, str) else payload
        delivery = Delivery(to, body, source, context or {}, 1, call.now)
        target = self.cloud.target(to)
        is_def = target is None or not target[1]
        failure: Undeliverable | None = None
        # In order behind its key, later, or where a fault is to strike, it is a job; otherwise the row would be
        # written only to be deleted.
        if is_def and key is None and due is None and not call.world.fault("job", ("fail",), kind="kernel.deliver"):
            failure = attempt(call, delivery)
            if failure is None:
                return
        how: dict[str, Any] = {
            "to": to, "source": source, "context": context or {}, "sent_at": call.now, "dead_letter": dead_letter,
            "retry": asdict(retry or Retry()),
        }  # fmt: skip
        if failure is not None:
            if (after_s := wait(call, delivery, failure, how["retry"])) is None:
                give_up(call, delivery, failure, how)
                return
            due = call.now + after_s
            how["retried"] = 1
        self.cloud.jobs.add(
            call,
            "kernel.deliver" if is_def else "kernel.deliver_waiting",
            call.now if due is None else due,
            key,
            None,
            how,
            payload=blobs.keep(call.tx, body),
        )


def attempt(call: Call, delivery: Delivery) -> Undeliverable | None:
    """One attempt at a target that takes it in this transaction; its own writes are undone when it fails."""
    target = call.cloud.target(delivery.to)
    if target is None:
        return _nowhere(delivery)
    with call.span(delivery.to, "delivery", **_said(delivery)) as child:
        try:
            with call.cloud.store.write(call.tx) as tx:
                child.tx = tx
                target[0](_at(child, delivery.to), delivery)
        except Exception as e:
            failure = _judge(e)
            child.annotate(failure=str(failure))
            return failure
    return None


def _said(delivery: Delivery) -> dict[str, Any]:
    """What the trace says about an attempt."""
    said: dict[str, Any] = {"source": delivery.source, "attempt": delivery.attempts}
    if rule := delivery.context.get("rule_arn"):
        said["rule"] = rule.rpartition("/")[2]
    return said


def _at(call: Call, arn: str) -> Call:
    """Delivery enters the target's account and region."""
    parts = arn.split(":", 5)
    account = (parts[4] if len(parts) > 4 else "") or call.account
    region = (parts[3] if len(parts) > 3 else "") or call.region
    if account == call.account and region == call.region:
        return call
    return replace(call, caller=replace(call.caller, account=account, region=region))


def _nowhere(delivery: Delivery) -> Undeliverable:
    return Undeliverable("NOT_EMULATED", f"Stratolite cannot deliver to {delivery.to}", retry=False)


def _judge(failure: Exception) -> Undeliverable:
    if isinstance(failure, Undeliverable):
        return failure
    if isinstance(failure, AwsError):
        return Undeliverable(str(failure.code), failure.message, retry=failure.is_transient)
    log.error("a target failed", exc_info=failure)
    return Undeliverable("InternalFailure", InternalFailure().message, retry=True)


def wait(call: Call, delivery: Delivery, failure: Undeliverable, retry: dict[str, Any]) -> float | None:
    """Seconds until the next attempt; None when there is none."""
    if not failure.retry or delivery.attempts > retry["attempts"]:
        return None
    if failure.after_s is not None:
        after_s = failure.after_s
    else:
        after_s = BACKOFFS[retry["backoff"]](delivery.attempts, call.world.random)
    return after_s if call.now + after_s - delivery.sent_at <= retry["max_age_s"] else None


def give_up(call: Call, delivery: Delivery, failure: Undeliverable, how: dict[str, Any]) -> None:
    """Exhausted: to the dead letter if there is one, said in the trace and the log either way."""
    exhausted = ""
    if failure.retry:
        spent = delivery.attempts > how["retry"]["attempts"]
        exhausted = "MaximumRetryAttempts" if spent else "MaximumEventAgeInSeconds"
    end = Failure(failure.code, failure.message, exhausted, delivery.attempts)
    if (shape := call.cloud.dead_letter_shape(delivery.source)) is None:
        message = Message(delivery.payload)
    else:
        message = shape(call, delivery, end)
    if how["dead_letter"]:
        context = {**message.context, "message_attributes": message.attributes}
        call.deliver(
            to=how["dead_letter"],
            payload=message.body,
            source="dead-letter",
            context=context,
            retry=Retry(5, 3600.0, "internal"),
        )
    else:
        log.warning("a delivery from %s to %s was given up: %s", delivery.source, delivery.to, failure)


def _delivery(call: Call, payload: bytes, how: dict[str, Any]) -> Delivery:
    attempts = call.attempts + how.get("retried", 0)
    return Delivery(how["to"], payload, how["source"], how["context"], attempts, how["sent_at"])


def _end(call: Call, delivery: Delivery, failure: Undeliverable | None, how: dict[str, Any]) -> None:
    if failure is None:
        return
    if (after_s := wait(call, delivery, failure, how["retry"])) is not None:
        raise Again(after_s, str(failure))
    give_up(call, delivery, failure, how)


@job(lane="deliver")
def deliver(call: Call, payload: bytes, **how: Any) -> None:
    delivery = _delivery(call, payload, how)
    _end(call, delivery, attempt(call, delivery), how)


@job(lane="deliver-waiting")
async def deliver_waiting(call: Call, payload: bytes, **how: Any) -> None:
    delivery = _delivery(call, payload, how)
    target, failure = call.cloud.target(delivery.to), None
    if target is None:
        failure = _nowhere(delivery)
    else:
        with call.span(delivery.to, "delivery", **_said(delivery)) as child:
            try:
                answer = target[0](_at(child, delivery.to), delivery)
                if target[1]:
                    await answer
            except Exception as e:
                failure = _judge(e)
                child.annotate(failure=str(failure))
    if failure is not None and (after_s := wait(call, delivery, failure, how["retry"])) is not None:
        raise Again(after_s, str(failure))
    with call.settle() as c:
        _end(c, delivery, failure, how)
