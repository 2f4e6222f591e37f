"""Throttle: a bucket of tokens for each route of a stage.

AWS: buckets are shared by many machines, and the limits are aims. Here: one bucket, exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .memory import Memory

Key = tuple[str, str, str]


def passes(memory: Memory, key: Key, stage: Mapping[str, Any], route_key: str, now: float) -> bool:
    """Take a token, if there is one; a stage that sets no limit has none."""
    settings = (stage.get("DefaultRouteSettings") or {}) | (stage.get("RouteSettings") or {}).get(route_key, {})
    rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
    if rate is None and burst is None:
        return True
    rate = float(burst if rate is None else rate)
    size = float(rate if burst is None else burst)
    tokens, counted_at = memory.buckets.get(key, (size, now))
    tokens = min(size, tokens + (now - counted_at) * rate)
    passed = tokens >= 1.0
    memory.buckets[key] = (tokens - 1.0 if passed else tokens, now)
    return passed
