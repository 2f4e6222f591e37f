"""Instants: the spellings of a point in time, in and out of float seconds since the epoch."""

from __future__ import annotations

import math
import re
from calendar import timegm
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_tz
from time import gmtime, strftime

from stratolite.wire.faults import Unreadable

# The years 0001 to 9999: what datetime, and every SDK, can hold.
_FIRST, _LAST = -62135596800.0, 253402300800.0

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?\Z", re.ASCII)


def bounded(seconds: float) -> float:
    """The same seconds as a float, or Unreadable when no calendar has them."""
    if _FIRST <= seconds < _LAST:
        return float(seconds)
    raise Unreadable("Timestamp out of range")


def from_text(text: str) -> float:
    """Seconds from an ISO 8601, RFC 822 or epoch text: SDKs differ, AWS takes all three."""
    if _NUMBER.match(text):
        return bounded(float(text))
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        if parts := parsedate_tz(text):
            return bounded(timegm((*parts[:6], 0, 1, 0)) - (parts[9] or 0))
    except (ValueError, OverflowError, TypeError, IndexError):
        pass
    raise Unreadable(f"Invalid timestamp: {text}")


def seconds(value: object) -> float:
    """Seconds from whatever an operation may return for an instant: a number or a datetime."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    assert isinstance(value, int | float), f"not an instant: {value!r}"
    return value


def unix(value: object) -> int | float:
    """Epoch seconds, whole when they are, else to the millisecond."""
    s = seconds(value)
    whole = math.floor(s)
    return whole if s == whole else round(s, 3)


def iso(value: object) -> str:
    """`2015-10-07T12:00:00Z`, with milliseconds when there are some."""
    s = seconds(value)
    millis = round(s * 1000)
    whole, rest = divmod(millis, 1000)
    text = strftime("%Y-%m-%dT%H:%M:%S", gmtime(whole))
    return f"{text}.{rest:03d}Z" if rest else text + "Z"


def iso_millis(value: object) -> str:
    """`2015-10-07T12:00:00.000Z`: milliseconds always, as S3 writes."""
    whole, rest = divmod(round(seconds(value) * 1000), 1000)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(whole))}.{rest:03d}Z"


def rfc822(value: object) -> str:
    """`Wed, 07 Oct 2015 12:00:00 GMT`."""
    return formatdate(math.floor(seconds(value)), usegmt=True)


TEXT_WRITERS = {"iso8601": iso, "rfc822": rfc822, "unixTimestamp": lambda value: str(unix(value))}
