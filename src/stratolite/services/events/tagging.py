"""Tags as rows: put and forgotten with what they belong to."""

from __future__ import annotations

from stratolite.kernel import Call


def put(call: Call, arn: str, tags: list[dict[str, str]]) -> None:
    for tag in tags:
        call.tx.run(
            """INSERT INTO events_tag (arn, key, value) VALUES (?, ?, ?)
               ON CONFLICT (arn, key) DO UPDATE SET value = excluded.value""",
            arn, tag["Key"], tag["Value"],
        )  # fmt: skip


def forget(call: Call, arn: str) -> None:
    call.tx.run("DELETE FROM events_tag WHERE arn = ?", arn)
