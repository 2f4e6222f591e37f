"""Schedules: when rate(), cron() and at() come due."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from stratolite.languages.schedules import ScheduleError, parse, parse_rule


def instant(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def following(expression, start, count=3, zone="UTC"):
    schedule, at, out = parse(expression, zone), instant(start, zone), []
    for _ in range(count):
        at = schedule.next_after(at, instant(start, zone))
        if at is None:
            break
        out.append(datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M"))
    return out


# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        ("rate(5 minutes)", "2025-01-01 00:00", ["2025-01-01 00:05", "2025-01-01 00:10", "2025-01-01 00:15"]),
        ("rate(1 day)", "2025-01-01 06:30", ["2025-01-02 06:30", "2025-01-03 06:30", "2025-01-04 06:30"]),
        ("cron(0 10 * * ? *)", "2025-01-01 10:00", ["2025-01-02 10:00", "2025-01-03 10:00", "2025-01-04 10:00"]),
        ("cron(0/15 * * * ? *)", "2025-01-01 10:50", ["2025-01-01 11:00", "2025-01-01 11:15", "2025-01-01 11:30"]),
        ("cron(0 18 ? * MON-FRI *)", "2025-01-03 17:00", ["2025-01-03 18:00", "2025-01-06 18:00", "2025-01-07 18:00"]),
        ("cron(0 8 1 * ? *)", "2025-01-15 00:00", ["2025-02-01 08:00", "2025-03-01 08:00", "2025-04-01 08:00"]),
        ("cron(0 0 L * ? *)", "2024-02-01 00:00", ["2024-02-29 00:00", "2024-03-31 00:00", "2024-04-30 00:00"]),
        ("cron(15 10 ? * 6L *)", "2025-01-01 00:00", ["2025-01-31 10:15", "2025-02-28 10:15", "2025-03-28 10:15"]),
        ("cron(0 2 ? * SAT#3 *)", "2025-01-01 00:00", ["2025-01-18 02:00", "2025-02-15 02:00", "2025-03-15 02:00"]),
        ("cron(0 9 3W * ? *)", "2025-05-01 00:00", ["2025-05-02 09:00", "2025-06-03 09:00", "2025-07-03 09:00"]),
        ("cron(0 0 ? * FRI-MON *)", "2025-01-01 00:00", ["2025-01-03 00:00", "2025-01-04 00:00", "2025-01-05 00:00"]),
        ("cron(0 5 1 JAN ? 2030)", "2025-01-01 00:00", ["2030-01-01 05:00"]),
        ("cron(0 5 1 1 ? 2020)", "2025-01-01 00:00", []),
        ("at(2025-03-01T12:30:00)", "2025-01-01 00:00", ["2025-03-01 12:30"]),
        ("at(2024-03-01T12:30:00)", "2025-01-01 00:00", []),
    ],
)
def test_what_comes_next(expression, start, expected):
    assert following(expression, start) == expected


# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
def test_an_hour_that_clocks_skip_is_skipped():
    days = following("cron(30 2 * * ? *)", "2025-03-08 03:00", 1, "America/New_York")
    assert days == ["2025-03-10 02:30"]


def test_an_hour_that_clocks_repeat_counts_once():
    days = following("cron(30 1 * * ? *)", "2025-11-01 12:00", 2, "America/New_York")
    assert days == ["2025-11-02 01:30", "2025-11-03 01:30"]


# Recorded from PutRule: all of these are refused.
@pytest.mark.parametrize(
    "expression",
    [
        "rate(10 seconds)", "rate(10 years)", "rate(1 minutes)", "rate(10 minute)", "rate()", "rate(10)",
        "rate(10 minutess)", "rate(foo minutes)", "rate(0 minutes)", "rate(-10 minutes)", "rate(10 MINUTES)",
        "rate( 10 minutes )", " rate(10 minutes)", "cron(0 1 * * * *)", "cron(7 20 * * NOT *)", "cron(INVALID)",
        "cron(0 dummy ? * MON-FRI *)", "cron(71 8 1 * ? *)", "at(2025-03-01T12:30:00)", "",
    ],
)  # fmt: skip
def test_a_rule_refuses(expression):
    with pytest.raises(ScheduleError):
        parse_rule(expression)


# Recorded from PutRule: all of these are accepted.
@pytest.mark.parametrize(
    "expression",
    ["cron(15 10 ? * 6L 2002-2005)", "cron(0/5 5 ? JAN 1-5 2022)", "cron(0/30 20-23 ? * MON-FRI *)", "rate(1 minute)"],
)
def test_a_rule_accepts(expression):
    parse_rule(expression)


# Recorded from CreateSchedule.
@pytest.mark.parametrize("expression", ["cron(*/15 * * * ? *)", "cron(1-31/30 1-1 ? * 1,7 *)", "rate(1 minutes)"])
def test_a_schedule_accepts(expression):
    parse(expression)


@pytest.mark.parametrize("expression", ["at(2021-12-31T23:59:59Z)", "at(2021-12-31)", "cron()", " rate(10 minutes)"])
def test_a_schedule_refuses(expression):
    with pytest.raises(ScheduleError):
        parse(expression)
