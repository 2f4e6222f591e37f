"""Output: what a function prints, cut into log events and bound to the request that was running.

One pipe per environment carries standard output, standard error and, in the same order, the frames that AWS's clients
write when `_LAMBDA_TELEMETRY_LOG_FD` names a descriptor: 4 bytes of type (0xa55a....), 4 of length, 8 of microseconds,
the message. A frame is one event however many lines it has; anything else is one event a line. (0xa5 begins no UTF-8
character.)
"""

from __future__ import annotations

import os

FRAME = b"\xa5\x5a\x00"
FRAME_HEAD_BYTES = 16
EVENT_LIMIT_BYTES = 262_118
"""CloudWatch Logs takes events of 256 KB less 26 bytes; longer ones are cut as AWS cuts them."""
READ_BYTES = 65536

Event = tuple[float, str]


class Output:
    """The reading end of an environment's pipe."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.rest = b""
        self.ended = False

    def drain(self, now: float) -> list[Event]:
        """Every whole event there is, without waiting."""
        try:
            data = os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return []
        events: list[Event] = []
        while data:
            self._cut(self.rest + data, now, events)
            # A short read emptied the pipe.
            if len(data) < READ_BYTES:
                return _in_order(events)
            try:
                data = os.read(self.fd, READ_BYTES)
            except BlockingIOError:
                return _in_order(events)
        self.ended = True
        return _in_order(events)

    def flush(self, now: float) -> list[Event]:
        """What has no end of line yet, as an event of its own."""
        rest, self.rest = self.rest, b""
        return [(now, rest.decode("utf-8", "replace"))] if rest else []

    def _cut(self, data: bytes, now: float, events: list[Event]) -> None:
        start, size = 0, len(data)
        while start < size:
            if data.startswith(FRAME, start):
                if size - start < FRAME_HEAD_BYTES:
                    break
                length = int.from_bytes(data[start + 4 : start + 8], "big")
                body = start + FRAME_HEAD_BYTES
                if size - body < length:
                    break
                at = int.from_bytes(data[start + 8 : body], "big") / 1e6
                events.append((at, data[body : body + length].decode("utf-8", "replace")))
                start = body + length
                continue
            end = data.find(b"\n", start)
            frame = data.find(FRAME, start, end if end >= 0 else size)
            if frame >= 0:
                # A print without its newline, then a logged line.
                end = frame - 1
            elif end < 0:
                if size - start < EVENT_LIMIT_BYTES:
                    break
                end = start + EVENT_LIMIT_BYTES - 1
            events.append((now, data[start : end + 1].decode("utf-8", "replace")))
            start = end + 1
        self.rest = data[start:]


def _in_order(events: list[Event]) -> list[Event]:
    """A print has the time it was read at; what was logged after it says itself when that was."""
    for i in range(len(events) - 2, -1, -1):
        if events[i][0] > events[i + 1][0]:
            events[i] = (events[i + 1][0], events[i][1])
    return events
