"""Bodies of messages: in the row while small, beside it when large, since a row is written anew at every receive."""

from __future__ import annotations

from stratolite.kernel import Call, blobs
from stratolite.kernel.store import Row


def keep(call: Call, body: str) -> tuple[str, int | None]:
    """What goes into the columns `body` and `payload`."""
    if len(body) <= blobs.INLINE_BYTES:
        return body, None
    return "", blobs.keep(call.tx, body.encode())


def read(call: Call, row: Row) -> str:
    if row["payload"] is None:
        return str(row["body"])
    return blobs.read(call.tx, row["payload"]).decode()


def delete(call: Call, row: Row) -> None:
    """Delete a message, its body with it. The row needs `seq` and `payload`."""
    call.tx.run("DELETE FROM sqs_message WHERE seq = ?", row["seq"])
    if row["payload"] is not None:
        blobs.release(call.tx, row["payload"])
