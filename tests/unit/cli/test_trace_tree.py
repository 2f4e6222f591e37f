"""A journey's spans as a tree."""

from __future__ import annotations

from typing import Any

from stratolite.cli.trace import branches, rows


def span(name: str, parent: str | None, start: float, finish: float, kind: str = "api") -> dict[str, Any]:
    return {"span": name, "parent": parent, "start": start, "finish": finish, "kind": kind}


def test_what_a_function_calls_under_its_own_tracer_hangs_below_its_invocation() -> None:
    spans = [
        span("http", None, 0, 10, "http"),
        span("call", "http", 1, 9),
        span("one", "call", 2, 8, "invocation"),
        span("put", "its own tracer's", 3, 4),
        span("late", "its own tracer's", 9, 12),
    ]
    found = {parent: [each["span"] for each in below] for parent, below in branches(spans).items()}
    assert found == {None: ["http", "late"], "http": ["call"], "call": ["one"], "one": ["put"]}


def test_a_span_is_shown_below_what_caused_it() -> None:
    spans = [
        span("http", None, 0, 10, "http"),
        span("authorizer", "http", 1, 2),
        span("lookup", "authorizer", 1, 2),
        span("function", "http", 3, 9),
        span("put", "function", 4, 5),
    ]
    assert [lines + each["span"] for lines, each in rows(spans)] == [
        "http",
        "├─ authorizer",
        "│  └─ lookup",
        "└─ function",
        "   └─ put",
    ]
