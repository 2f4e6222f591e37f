"""Limits: how much and how long a connection may ask of the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one connection. Sizes in bytes, times in seconds."""

    head_bytes: int = 65_536
    """Request line and header fields together. AWS's front ends take 8 to 64 KB."""
    body_bytes: int = 5 * 1024**3
    """S3's largest single PutObject is 5 GB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""
    memory_bytes: int = 1024**2
    """A body above this goes to a temporary file."""
    pipelined: int = 16
    """Requests read ahead on one connection before reading pauses."""
    head_s: float = 30.0
    """From a request's first byte (or the connection's start) to the end of its head."""
    body_s: float = 60.0
    """Between two pieces of a body."""
    idle_s: float = 180.0
    """A kept-alive connection without a request. Longer than SDK pools usually keep one, so that they close first."""
    write_s: float = 60.0
    """A client that reads nothing of what it asked for."""
    linger_s: float = 2.0
    """After a refusal, how long unread input is drained so that the answer is not lost to a reset."""
