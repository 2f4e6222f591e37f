"""Submissions: what a tenant sends, from the raw body to the event that everyone downstream reads."""

import json
import re
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

from forms.numbers import storable
from forms.refusals import MalformedBody, SubmissionTooLarge
from forms.signing import Signed
from forms.sizes import ITEM_BYTES, item_bytes

KEY = re.compile(r"[A-Za-z0-9._:-]{1,128}")
FORM = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
DEPTH = 16  # levels of lists and objects in the fields; DynamoDB ends at 32

# What else is stored beside a submission's own data when it ends up as a dead letter (a reason, the key, ...).
ITEM_RESERVE_BYTES = 4 * 1024
# An entry of PutEvents, an asynchronous invocation and a queue's message end at 1 MiB each. The event grows a little on
# its way: EventBridge's envelope, then the record of a failed invocation around it.
EVENT_BYTES = 960 * 1024

SOURCE = "forms.ingest"
DETAIL_TYPE = "SubmissionAccepted"


@dataclass(frozen=True, slots=True)
class Submission:
    """One accepted submission. `id` is the idempotency key: unique within the tenant."""

    tenant: str
    id: str
    form: str
    fields: dict[str, Any]
    digest: str
    received_at: str  # ISO 8601, UTC, milliseconds: sorts as text
    expires_at: int  # seconds since the epoch: the table's TTL

    def event(self, bus: str, correlation_id: str) -> dict[str, Any]:
        """The canonical event, as an entry of PutEvents."""
        detail = {"metadata": {"version": 1, "correlation_id": correlation_id}, "submission": asdict(self)}
        return {
            "EventBusName": bus,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(detail, ensure_ascii=False, separators=(",", ":")),
        }

    @classmethod
    def from_detail(cls, detail: dict[str, Any]) -> "Submission":
        """Read the submission back from the event's detail."""
        return cls(**detail["submission"])


@dataclass(frozen=True, slots=True)
class Form:
    """A form as the tenant sent it, checked; `key` is the client's own idempotency key, if it has one."""

    form: str
    fields: dict[str, Any]
    key: str | None

    @classmethod
    def parse(cls, body: bytes) -> "Form":
        """Read `{"form": name, "fields": {...}, "key": optional}`; raise MalformedBody with what is wrong."""
        document = _json(body)
        if not isinstance(document, dict):
            raise MalformedBody("the body must be a JSON object")
        if unknown := document.keys() - {"form", "fields", "key"}:
            raise MalformedBody(f"unknown member: {min(unknown)[:64]}")
        form, fields, key = document.get("form"), document.get("fields"), document.get("key")
        if not (isinstance(form, str) and FORM.fullmatch(form)):
            raise MalformedBody("form must be a name of lower-case letters, digits, '-' and '_'")
        if not isinstance(fields, dict) or not fields:
            raise MalformedBody("fields must be an object with at least one member")
        if key is not None and not (isinstance(key, str) and KEY.fullmatch(key)):
            raise MalformedBody("key must be 1 to 128 letters, digits, '.', '_', ':' and '-'")
        _check(fields, "fields", DEPTH)
        return cls(form, _floats(fields), key)

    def accepted(self, tenant: str, signed: Signed, received: datetime, keep_s: int) -> "Submission":
        """The submission this form becomes; raise SubmissionTooLarge if it could not be stored or carried."""
        submission = Submission(
            tenant=tenant,
            id=self.key or time_ordered_id(signed),
            form=self.form,
            fields=self.fields,
            digest=signed.digest,
            received_at=received.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            expires_at=int(received.timestamp()) + keep_s,
        )
        if item_bytes(asdict(submission)) > ITEM_BYTES - ITEM_RESERVE_BYTES:
            raise SubmissionTooLarge(f"a submission may take {ITEM_BYTES - ITEM_RESERVE_BYTES} bytes when stored")
        if len(submission.event("", "")["Detail"].encode()) > EVENT_BYTES:
            raise SubmissionTooLarge(f"a submission may take {EVENT_BYTES} bytes as an event")
        return submission


def time_ordered_id(signed: Signed) -> str:
    """A UUID (version 7) made of the time and the signature of the request.

    Ids made this way sort by time like any version 7 UUID. But the same request gives the same id again: a repeat of
    it, by a client that heard no answer or by somebody who recorded it, is a duplicate and not a second submission.
    """
    drawn = int(signed.signature[:32], 16) & (1 << 80) - 1  # version and variant are written over it
    return str(uuid.UUID(int=_with_version_7((signed.timestamp * 1000) << 80 | drawn)))


def _with_version_7(value: int) -> int:
    value = value & ~(0xF << 76) | 0x7 << 76
    return value & ~(0b11 << 62) | 0b10 << 62


def _json(body: bytes) -> Any:
    def refuse_constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is not JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise ValueError("a member is given twice")
        return members

    try:
        text = body.decode("utf-8")
        return json.loads(text, parse_float=Decimal, parse_constant=refuse_constant, object_pairs_hook=unique)
    except RecursionError:
        raise MalformedBody("the body is nested too deeply") from None
    except ValueError as error:  # not UTF-8, not JSON, a number of thousands of digits
        raise MalformedBody(f"the body is not JSON: {error}"[:200]) from None


def _check(value: Any, path: str, depth: int) -> None:
    match value:
        case bool() | None:
            pass
        case int() | Decimal():
            if not storable(value):
                raise MalformedBody(f"{path}: a number beyond what can be stored exactly; send it as text")
        case str():
            _check_text(value, path)
        case dict() | list() if depth == 0:
            raise MalformedBody(f"{path}: nested too deeply, {DEPTH} levels are allowed")
        case dict():
            for name, member in value.items():
                _check_text(name, path)
                _check(member, f"{path}.{name[:64]}", depth - 1)
        case list():
            for index, member in enumerate(value):
                _check(member, f"{path}[{index}]", depth - 1)


def _check_text(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:  # "\ud800": JSON can say half a character, UTF-8 cannot
        raise MalformedBody(f"{path}: text with an unpaired surrogate") from None


def _floats(value: Any) -> Any:
    """Decimals as the floats they are equal to (`storable` made sure): what the event's JSON is written from."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _floats(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_floats(member) for member in value]
    return value
