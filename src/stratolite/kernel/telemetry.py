"""Telemetry: spans, metrics and log lines, gathered in memory and written in batches to a file of their own.

It is not state: a kill may lose the last 50 ms of it. Ids are time-ordered row numbers; the oldest rows go first when
the caps are reached.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from .world import World

log = logging.getLogger("stratolite.telemetry")

FLUSH_S = 0.05
BLOCK_BYTES = 64 * 1024
"""Log lines of one stream are written in blocks of at most this size."""
SPANS_KEPT = 500_000
BLOCKS_KEPT = 100_000
METRICS_KEPT = 1_000_000
LINKS_FOLLOWED = 100
"""Of one journey into other traces."""

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
PRAGMA temp_store = MEMORY;
CREATE TABLE IF NOT EXISTS span (
  id INTEGER PRIMARY KEY, trace TEXT NOT NULL, span TEXT NOT NULL, parent TEXT, kind TEXT NOT NULL, name TEXT NOT NULL,
  account TEXT NOT NULL, region TEXT NOT NULL, start REAL NOT NULL, finish REAL NOT NULL, failure TEXT, attributes TEXT
);
CREATE INDEX IF NOT EXISTS span_trace ON span (trace);
CREATE TABLE IF NOT EXISTS metric (
  id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  dimensions TEXT NOT NULL, unit TEXT NOT NULL, minute INTEGER NOT NULL, points TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS metric_series ON metric (namespace, name, minute);
CREATE TABLE IF NOT EXISTS log_block (
  id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, region TEXT NOT NULL, log_group TEXT NOT NULL,
  stream TEXT NOT NULL,
  first REAL NOT NULL, last REAL NOT NULL, written REAL NOT NULL, lines TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS log_block_stream ON log_block (account, region, log_group, stream, id);
"""


class Trace(NamedTuple):
    """Where something stands in a journey: X-Ray's trace id, and the span it happens under."""

    root: str
    parent: str | None
    sampled: bool = True

    @property
    def header(self) -> str:
        """The text of the X-Amzn-Trace-Id header."""
        parent = f";Parent={self.parent}" if self.parent else ""
        return f"Root={self.root}{parent};Sampled={int(self.sampled)}"

    def under(self, span: str) -> Trace:
        return Trace(self.root, span, self.sampled)

    @staticmethod
    def start(world: World) -> Trace:
        return Trace(f"1-{int(world.now()):08x}-{world.hex(24)}", None)

    @staticmethod
    def parse(header: str | None) -> Trace | None:
        """None when the header is absent or names no root."""
        if not header:
            return None
        parts = dict(p.strip().partition("=")[::2] for p in header.split(";"))
        root = parts.get("Root") or parts.get("Self")
        return Trace(root, parts.get("Parent"), parts.get("Sampled") != "0") if root else None


@dataclass(frozen=True)
class Span:
    trace: str
    span: str
    parent: str | None
    kind: str
    """`api`, `job`, `delivery`, `invocation`, `http` or `step`."""
    name: str
    account: str
    region: str
    start: float
    finish: float
    failure: str | None
    attributes: dict[str, Any]


@dataclass(frozen=True)
class LogLine:
    time: float
    message: str
    stream: str
    written: float
    id: str
    """Time-ordered, unique in the file."""


class Telemetry:
    """
    Args:
        path: the file; ":memory:" keeps it in memory.
    """

    def __init__(self, path: Path | str, world: World) -> None:
        self.world = world
        self._db = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(SCHEMA)
        self._spans: list[tuple[Any, ...]] = []
        self._points: dict[tuple[Any, ...], dict[float, int]] = {}
        self._lines: dict[tuple[str, str, str, str], list[tuple[float, str]]] = {}
        self.on_lines: Callable[[set[tuple[str, str, str]]], None] | None = None
        """Told of the (account, region, group) whose lines were just written."""
        self._timer: asyncio.TimerHandle | None = None
        self._flushes = 0

    # gathering

    def span(
        self,
        trace: Trace,
        span: str,
        kind: str,
        name: str,
        account: str,
        region: str,
        start: float,
        finish: float,
        failure: str | None,
        attributes: dict[str, Any] | None,
    ) -> None:
        """A span that has ended; `trace.parent` is its parent. Times are the cloud's."""
        self._spans.append(
            (trace.root, span, trace.parent, kind, name, account, region, start, finish, failure, attributes)
        )
        self._schedule()

    def metric(
        self,
        account: str,
        region: str,
        namespace: str,
        name: str,
        value: float,
        unit: str = "None",
        dimensions: dict[str, str] | None = None,
        at: float | None = None,
        count: int = 1,
    ) -> None:
        """`count` data points of one value."""
        now = self.world.now() if at is None else at
        self.metrics(account, region, namespace, ((name, value, unit),), tuple((dimensions or {}).items()), now, count)

    def metrics(
        self,
        account: str,
        region: str,
        namespace: str,
        points: Iterable[tuple[str, float, str]],
        dimensions: tuple[tuple[str, str], ...],
        at: float,
        count: int = 1,
    ) -> None:
        """`count` data points of each (name, value, unit)."""
        minute = int(at // 60)
        for name, value, unit in points:
            kept = self._points.setdefault((account, region, namespace, name, dimensions, unit, minute), {})
            kept[value] = kept.get(value, 0) + count
        self._schedule()

    def log(self, account: str, region: str, group: str, stream: str, lines: list[tuple[float, str]]) -> None:
        """Lines of one stream: (epoch seconds, text without the line's end)."""
        self._lines.setdefault((account, region, group, stream), []).extend(lines)
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is None:
            try:
                self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self._on_timer)
            except RuntimeError:
                pass  # no loop: readers flush

    def _on_timer(self) -> None:
        self._timer = None
        self.flush()

    # writing

    def flush(self) -> None:
        """Write what was gathered. Readers here do it themselves."""
        spans, self._spans = self._spans, []
        points, self._points = self._points, {}
        lines, self._lines = self._lines, {}
        if not (spans or points or lines):
            return
        now = self.world.now()
        db = self._db
        db.execute("BEGIN")
        try:
            db.executemany(
                "INSERT INTO span"
                " (trace, span, parent, kind, name, account, region, start, finish, failure, attributes)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(*s[:10], _json(s[10]) if s[10] else None) for s in spans],
            )
            db.executemany(
                "INSERT INTO metric (account, region, namespace, name, dimensions, unit, minute, points)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(*k[:4], _json(dict(k[4])), *k[5:], _json(list(v.items()))) for k, v in points.items()],
            )
            for key, found in lines.items():
                for block in _blocks(found):
                    db.execute(
                        "INSERT INTO log_block (account, region, log_group, stream, first, last, written, lines)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        (*key, block[0][0], max(t for t, _ in block), now, _json(block)),
                    )
            db.execute("COMMIT")
        except sqlite3.Error as e:
            # Telemetry is not state: a full disk loses it, and says so, but stops nothing.
            log.warning("telemetry was lost: %s", e)
            if db.in_transaction:
                db.execute("ROLLBACK")
        if lines and self.on_lines is not None:
            self.on_lines({key[:3] for key in lines})
        self._flushes += 1
        if self._flushes % 1000 == 0:
            self._cap()

    def _cap(self) -> None:
        for table, kept in (("span", SPANS_KEPT), ("log_block", BLOCKS_KEPT), ("metric", METRICS_KEPT)):
            self._db.execute(f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?", (kept,))

    # reading

    def journey(self, trace: str) -> list[Span]:
        """The spans of a trace, and below its links what they lead to in other traces.

        What serves several requests at once (a batch of a queue) happens in the trace of one; the others lead there.
        """
        return self._journey(trace, set())

    def _journey(self, trace: str, seen: set[tuple[str, str]]) -> list[Span]:
        out: list[Span] = []
        for span in self.spans(trace):
            if span.kind != "link":
                out.append(span)
                continue
            there = (span.attributes["trace"], span.attributes["span"])
            if there in seen or len(seen) >= LINKS_FOLLOWED:
                continue
            seen.add(there)
            out += _below(self._journey(there[0], seen), there[1], span)
        return out

    def spans(self, trace: str) -> list[Span]:
        """What happened in a trace itself, in the order its spans ended."""
        self.flush()
        return [
            Span(**{**dict(row), "attributes": json.loads(row["attributes"] or "{}")})
            for row in self._db.execute(
                "SELECT trace, span, parent, kind, name, account, region, start, finish, failure, attributes"
                " FROM span WHERE trace = ? ORDER BY id",
                (trace,),
            )
        ]

    def traces(self, limit: int = 20, since_id: int = 0) -> list[dict[str, Any]]:
        """The newest journeys by their first span: id, trace, name, start, finish, failures, spans."""
        self.flush()
        rows = self._db.execute(
            "SELECT max(id) AS id, trace, min(start) AS start, max(finish) AS finish, count(*) AS spans,"
            " sum(failure IS NOT NULL) AS failures FROM span WHERE id > ? GROUP BY trace ORDER BY min(id) DESC LIMIT ?",
            (since_id, limit),
        ).fetchall()
        out = []
        for row in rows:
            first = self._db.execute(
                "SELECT name, kind FROM span WHERE trace = ? ORDER BY start, id DESC LIMIT 1", (row["trace"],)
            ).fetchone()
            out.append({**dict(row), "name": first["name"], "kind": first["kind"]})
        return out

    def news(self, block: int, span: int, since: float = 0.0, limit: int = 1000) -> dict[str, Any]:
        """What was written after a place, of all accounts: log lines, spans, the place reached, whether there is more.

        Args:
            block, span: the place reached last time; 0 at first.
            since: nothing of before this moment.
            limit: so many blocks and so many spans; 0 gives the place where everything yet to come begins.
        """
        self.flush()
        if limit == 0:
            place = {name: self._newest(name) for name in ("log_block", "span")}
            return {"block": place["log_block"], "span": place["span"], "lines": [], "spans": [], "more": False}
        blocks = self._db.execute(
            "SELECT id, log_group, stream, lines FROM log_block WHERE id > ? AND last >= ? ORDER BY id LIMIT ?",
            (block, since, limit),
        ).fetchall()
        spans = self._db.execute(
            "SELECT id, trace, kind, name, start, finish, failure FROM span WHERE id > ? AND finish >= ?"
            " ORDER BY id LIMIT ?",
            (span, since, limit),
        ).fetchall()
        return {
            "block": blocks[-1]["id"] if blocks else block,
            "span": spans[-1]["id"] if spans else span,
            "lines": [
                {"time": time, "group": row["log_group"], "stream": row["stream"], "message": message}
                for row in blocks
                for time, message in json.loads(row["lines"])
                if time >= since
            ],
            "spans": [
                {
                    "time": row["start"],
                    "trace": row["trace"],
                    "kind": row["kind"],
                    "name": row["name"],
                    "ms": (row["finish"] - row["start"]) * 1000,
                    "failure": row["failure"],
                }
                for row in spans
            ],
            "more": len(blocks) == limit or len(spans) == limit,
        }

    def _newest(self, table: str) -> int:
        return int(self._db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0])

    def find_trace(self, part: str) -> str | None:
        """The newest trace whose id, or an attribute of one of whose spans (a request id, say), contains this text."""
        self.flush()
        row = self._db.execute(
            "SELECT trace FROM span WHERE instr(trace, ?) OR instr(attributes, ?) ORDER BY id DESC LIMIT 1",
            (part, part),
        ).fetchone()
        return row[0] if row else None

    def lines(
        self,
        account: str,
        region: str,
        group: str,
        stream: str | None = None,
        start: float = 0.0,
        end: float = float("inf"),
        after_block: int = 0,
    ) -> list[LogLine]:
        """The lines of a group, or of one of its streams, in [start, end), in order of time."""
        self.flush()
        sql = (
            "SELECT id, stream, written, lines FROM log_block"
            " WHERE account = ? AND region = ? AND log_group = ? AND id > ? AND last >= ? AND first < ?"
        )
        args: list[Any] = [account, region, group, after_block, start, end]
        if stream is not None:
            sql += " AND stream = ?"
            args.append(stream)
        found = [
            LogLine(time, message, row["stream"], row["written"], f"{row['id']:020d}{i:08d}")
            for row in self._db.execute(sql, args)
            for i, (time, message) in enumerate(json.loads(row["lines"]))
            if start <= time < end
        ]
        found.sort(key=lambda line: (line.time, line.id))
        return found

    def newest_block(self) -> int:
        """The number of the newest block of lines ever written; `lines(after_block=...)` goes on from there."""
        self.flush()
        found = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'log_block'").fetchone()
        return int(found[0]) if found is not None else 0

    def streams(self, account: str, region: str, group: str) -> dict[str, tuple[float, float, float]]:
        """Stream name to (first event, last event, last written)."""
        self.flush()
        return {
            row[0]: (row[1], row[2], row[3])
            for row in self._db.execute(
                "SELECT stream, min(first), max(last), max(written) FROM log_block"
                " WHERE account = ? AND region = ? AND log_group = ? GROUP BY stream",
                (account, region, group),
            )
        }

    def groups(self) -> list[tuple[str, str, str]]:
        """(account, region, group) of every group that has lines."""
        self.flush()
        return [tuple(r) for r in self._db.execute("SELECT DISTINCT account, region, log_group FROM log_block")]

    def forget_lines(
        self, account: str, region: str, group: str, stream: str | None = None, before: float | None = None
    ) -> None:
        """Delete a group's lines (one stream's; only blocks wholly older than a moment)."""
        self.flush()
        sql, args = "DELETE FROM log_block WHERE account = ? AND region = ? AND log_group = ?", [account, region, group]
        if stream is not None:
            sql += " AND stream = ?"
            args.append(stream)
        if before is not None:
            sql += " AND last < ?"
            args.append(before)  # type: ignore[arg-type]
        self._db.execute(sql, args)

    def points(
        self, account: str, region: str, namespace: str, name: str, start: float, end: float
    ) -> list[tuple[dict[str, str], str, int, list[tuple[float, int]]]]:
        """(dimensions, unit, minute, [(value, count)]) of a metric's series in a span of time."""
        self.flush()
        return [
            (json.loads(r["dimensions"]), r["unit"], r["minute"], [tuple(p) for p in json.loads(r["points"])])
            for r in self._db.execute(
                "SELECT dimensions, unit, minute, points FROM metric WHERE account = ? AND region = ? AND namespace = ?"
                " AND name = ? AND minute >= ? AND minute < ? ORDER BY id",
                (account, region, namespace, name, int(start // 60), int(-(-end // 60))),
            )
        ]

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.flush()
        self._db.close()


_json = json.JSONEncoder(separators=(",", ":"), default=str).encode


def _blocks(lines: list[tuple[float, str]]) -> list[list[tuple[float, str]]]:
    blocks: list[list[tuple[float, str]]] = []
    room = 0
    for line in lines:
        size = len(line[1]) + 24
        if size > room or not blocks:
            blocks.append([])
            room = BLOCK_BYTES
        blocks[-1].append(line)
        room -= size
    return blocks


def _below(spans: list[Span], root: str, link: Span) -> list[Span]:
    """A span and all below it, moved to where a link stands."""
    children: dict[str | None, list[Span]] = {}
    for span in spans:
        children.setdefault(span.parent, []).append(span)
    found = [replace(s, trace=link.trace, parent=link.parent) for s in spans if s.span == root]
    todo = [root] if found else []
    while todo:
        for span in children.get(todo.pop(), ()):
            found.append(replace(span, trace=link.trace))
            todo.append(span.span)
    return found
