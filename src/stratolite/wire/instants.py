"""Instants: the spellings of a point in time, in and out of float seconds since the epoch."""

from __future__ import annotations

import math
import re
from calendar import timegm
from datetime import UTC, datetime
from functools import lru_cache
from time import gmtime, strftime

from stratolite.wire.faults import Unreadable

# The years 0001 to 9999: what datetime, and every SDK, can hold.
_FIRST, _LAST = -62135596800.0, 253402300800.0

# Their English names, whatever the locale.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

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
    from email.utils import parsedate_tz  # here: 2 ms of every start, for a spelling that is rare in requests

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
    whole, rest = divmod(round(seconds(value) * 1000), 1000)
    return f"{_to_the_second(whole)}.{rest:03d}Z" if rest else _to_the_second(whole) + "Z"


def iso_millis(value: object) -> str:
    """`2015-10-07T12:00:00.000Z`: milliseconds always, as S3 writes."""
    whole, rest = divmod(round(seconds(value) * 1000), 1000)
    return f"{_to_the_second(whole)}.{rest:03d}Z"


def _to_the_second(whole: int) -> str:
    day, second = divmod(whole, 86400)
    return f"{_date(day)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


@lru_cache(maxsize=256)
def _date(day: int) -> str:
    return strftime("%Y-%m-%d", gmtime(day * 86400))


def rfc822(value: object) -> str:
    """`Wed, 07 Oct 2015 12:00:00 GMT`."""
    at = gmtime(math.floor(seconds(value)))
    clock = strftime("%H:%M:%S", at)
    return f"{_DAYS[at.tm_wday]}, {at.tm_mday:02d} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04d} {clock} GMT"


TEXT_WRITERS = {"iso8601": iso, "rfc822": rfc822, "unixTimestamp": lambda value: str(unix(value))}
