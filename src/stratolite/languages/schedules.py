"""Schedules: rate(), cron() and at(), and the next instant each names.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

LAST_YEAR = 2199  # of cron's year field
UNIT_S = {"minute": 60, "hour": 3600, "day": 86400}


class ScheduleError(ValueError):
    """An expression that AWS would refuse."""


class Schedule(Protocol):
    def next_after(self, after: float, anchor: float) -> float | None:
        """The first instant later than `after` (epoch seconds), or None when there is none.

        A rate counts from `anchor`: when the schedule was made, or its start date.
        """


def parse_rule(expression: str) -> Schedule:
    """The schedule of a rule: rate() with its grammar, and cron() in UTC."""
    if not expression.startswith(("rate(", "cron(")):
        raise ScheduleError(expression)
    schedule = parse(expression)
    # AWS insists: 1 minute, 2 minutes.
    if isinstance(schedule, Rate) and expression.startswith("rate(1 ") == expression.endswith("s)"):
        raise ScheduleError(expression)
    return schedule


def parse(expression: str, zone: str = "UTC") -> Schedule:
    """The schedule of EventBridge Scheduler: rate() in whatever grammar, cron() and at() in a time zone."""
    match = re.fullmatch(r"(rate|cron|at)\((.*)\)", expression)
    if match is None:
        raise ScheduleError(expression)
    return _KINDS[match[1]](match[2], zone)


# ---------------------------------------------------------------------- rate


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so many seconds from the anchor on. Daylight saving does not move it."""

    period_s: int

    def next_after(self, after: float, anchor: float) -> float | None:
        if after < anchor:
            return anchor
        return anchor + (int((after - anchor) // self.period_s) + 1) * self.period_s


def _rate(text: str, zone: str) -> Rate:
    match = re.fullmatch(r"([1-9][0-9]*) (minute|hour|day)s?", text)
    if match is None:
        raise ScheduleError(text)
    return Rate(int(match[1]) * UNIT_S[match[2]])


# ---------------------------------------------------------------------- at


@dataclass(frozen=True, slots=True)
class Once:
    """One instant."""

    at: float

    def next_after(self, after: float, anchor: float) -> float | None:
        return self.at if self.at > after else None


def _at(text: str, zone: str) -> Once:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text):
        raise ScheduleError(text)
    try:
        return Once(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())
    except ValueError:
        raise ScheduleError(text) from None


# ---------------------------------------------------------------------- cron

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], start=1)}
_DAY_PICKS = re.compile(r"(L)|(L)-(\d+)|(\d+)W|(LW)")


@dataclass(frozen=True, slots=True)
class Cron:
    """Six fields in a time zone: minutes, hours, day of month, month, day of week, year."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    day: Callable[[date], bool]
    zone: ZoneInfo

    def next_after(self, after: float, anchor: float) -> float | None:
        start = datetime.fromtimestamp(after, UTC).astimezone(self.zone).replace(second=0, microsecond=0, tzinfo=None)
        # A day earlier is where the same local hour may come again when clocks go back.
        day: date | None = (start - timedelta(hours=3)).date()
        while day is not None:
            if day.month in self.months and day.year in self.years and self.day(day):
                at = self._first(day, after)
                if at is not None:
                    return at
            day = self._day_after(day)
        return None

    def _first(self, day: date, after: float) -> float | None:
        for hour in self.hours:
            if datetime(day.year, day.month, day.day, hour, tzinfo=self.zone).timestamp() + 3600 <= after:
                continue
            for minute in self.minutes:
                at = self._instant(day, hour, minute)
                if at is not None and at > after:
                    return at
        return None

    def _instant(self, day: date, hour: int, minute: int) -> float | None:
        local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
        at = local.timestamp()
        # An hour that clocks skip in spring is skipped; one they repeat in autumn counts once (the first).
        # https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
        back = datetime.fromtimestamp(at, self.zone)
        return at if (back.hour, back.minute) == (hour, minute) else None

    def _day_after(self, day: date) -> date | None:
        day += timedelta(days=1)
        while day.month not in self.months or day.year not in self.years:
            later = [year for year in self.years if year >= day.year]
            if not later:
                return None
            if day.year not in self.years:
                day = date(min(later), 1, 1)
            elif day.month == 12:
                day = date(day.year + 1, 1, 1)
            else:
                day = date(day.year, day.month + 1, 1)
        return day


def _cron(text: str, zone: str) -> Cron:
    fields = text.split(" ")
    if len(fields) != 6:
        raise ScheduleError(text)
    minutes, hours, monthday, month, weekday, year = (part.upper() for part in fields)
    # One of the two must be left open with a question mark.
    if (monthday == "?") == (weekday == "?"):
        raise ScheduleError(text)
    return Cron(
        tuple(sorted(_numbers(minutes, 0, 59))),
        tuple(sorted(_numbers(hours, 0, 23))),
        _numbers(month, 1, 12, _MONTHS),
        _numbers(year, 1970, LAST_YEAR),
        _month_days(monthday) if weekday == "?" else _week_days(weekday),
        ZoneInfo(zone),
    )


def _numbers(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """`*`, values, lists, ranges and steps."""
    out: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and not re.fullmatch(r"[1-9][0-9]*", step):
            raise ScheduleError(text)
        if span == "*":
            first, last = low, high
        else:
            begin, dash, end = span.partition("-")
            first = _number(begin, low, high, names)
            last = _number(end, low, high, names) if dash else high if slash else first
        if first > last:
            # A range may run over the end: FRI-MON.
            out.update([*range(first, high + 1), *range(low, last + 1)])
        else:
            out.update(range(first, last + 1, int(step or 1)))
    return frozenset(out)


def _number(text: str, low: int, high: int, names: dict[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if not re.fullmatch(r"[0-9]+", text) or not low <= int(text) <= high:
        raise ScheduleError(text)
    return int(text)


def _last_day(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> date:
    """The weekday (Monday to Friday) closest to a day of the month, without leaving the month."""
    at = date(day.year, day.month, min(wanted, _last_day(day)))
    shift = {5: -1, 6: 1}.get(at.weekday(), 0)
    moved = at + timedelta(days=shift)
    return moved if moved.month == at.month else at + timedelta(days=2 if shift < 0 else -2)


def _month_days(text: str) -> Callable[[date], bool]:
    match = _DAY_PICKS.fullmatch(text)
    if match is None:
        days = _numbers(text, 1, 31)
        return lambda day: day.day in days
    if match[1]:
        return lambda day: day.day == _last_day(day)
    if match[2]:
        before = int(match[3])
        return lambda day: day.day == _last_day(day) - before
    if match[4]:
        wanted = _number(match[4], 1, 31, None)
        return lambda day: day == _nearest_weekday(day, wanted)
    return lambda day: day == _nearest_weekday(day, 31)


def _cron_weekday(day: date) -> int:
    return (day.weekday() + 1) % 7 + 1  # Sunday is 1


def _week_days(text: str) -> Callable[[date], bool]:
    last = re.fullmatch(r"([A-Z]{3}|[1-7])?L", text)
    if last:
        wanted = _number(last[1], 1, 7, _DAYS) if last[1] else 7
        if not last[1]:
            return lambda day: _cron_weekday(day) == wanted
        return lambda day: _cron_weekday(day) == wanted and day.day > _last_day(day) - 7
    nth = re.fullmatch(r"([A-Z]{3}|[1-7])#([1-5])", text)
    if nth:
        wanted, count = _number(nth[1], 1, 7, _DAYS), int(nth[2])
        return lambda day: _cron_weekday(day) == wanted and (day.day - 1) // 7 + 1 == count
    days = _numbers(text, 1, 7, _DAYS)
    return lambda day: _cron_weekday(day) in days


_KINDS: dict[str, Callable[[str, str], Schedule]] = {"rate": _rate, "cron": _cron, "at": _at}
