"""A form is checked whole at the door: shape, numbers, text, size."""

import json
import time
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from world import headers

from forms.numbers import decimals, plain
from forms.refusals import MalformedBody, SubmissionTooLarge
from forms.signing import Signed
from forms.sizes import item_bytes
from forms.submissions import ITEM_BYTES, ITEM_RESERVE_BYTES, Form, Submission


def form(**changes: Any) -> bytes:
    return json.dumps({"form": "contact", "fields": {"name": "Ada"}} | changes).encode()


def signed(content: bytes = b"", age_s: int = 0) -> Signed:
    return Signed.of(headers(content=content, age_s=age_s), "POST", "/v1/submissions")


def accepted(**changes: Any) -> Submission:
    return Form.parse(form(**changes)).accepted("acme", signed(), datetime.now(UTC), keep_s=60)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"form": "contact", "fields": {"n": NaN}}',
        b'{"form": "contact", "fields": {"n": 1}, "fields": {"n": 2}}',
        b'{"form": "contact", "fields": {"n": ' + b"9" * 5_000 + b"}}",
        b'{"form": "contact", "fields": {"t": "\\ud800"}}',
        b'{"form": "contact", "fields": {"\\ud800": 1}}',
        b"[" * 100_000,
        b'{"form": "contact", "fields": {"l": ' + b"[" * 16 + b"]" * 16 + b"}}",
        form(fields={}),
        form(fields=[]),
        form(form="Contact"),
        form(form=""),
        form(key=""),
        form(key="a b"),
        form(key=7),
        form(key="k" * 129),
        form(destination="https://evil.example"),
    ],
)
def test_a_malformed_body_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        Form.parse(body)


@pytest.mark.parametrize(
    "number", ["1e400", "1e126", "1e-131", "0.1234567890123456789", "123456789012345678901234567890123456789"]
)
def test_a_number_that_would_be_changed_is_refused(number: str) -> None:
    with pytest.raises(MalformedBody, match="number"):
        Form.parse(b'{"form": "contact", "fields": {"n": ' + number.encode() + b"}}")


@pytest.mark.parametrize(
    "number", ["0", "-0.5", "19.99", "0.1", "1e125", "1e-130", "-7", "12345678901234567890123456789012345678"]
)
def test_a_number_reaches_the_table_and_comes_back_as_written(number: str) -> None:
    fields = Form.parse(b'{"form": "contact", "fields": {"n": ' + number.encode() + b"}}").fields
    carried = json.loads(json.dumps(fields))
    stored = decimals(carried)["n"]
    assert Decimal(stored) == Decimal(number)
    assert Decimal(repr(plain(Decimal(stored)))) == Decimal(number)


def test_the_clients_key_is_the_id() -> None:
    assert accepted(key="order-17").id == "order-17"


def test_without_a_key_the_id_is_a_time_ordered_uuid() -> None:
    earlier, later = (
        Form.parse(form()).accepted("acme", signed(age_s=age_s), datetime.now(UTC), 60).id for age_s in (20, 10)
    )
    assert earlier < later
    assert uuid.UUID(later).version == 7
    assert uuid.UUID(later).variant == uuid.RFC_4122
    assert abs((uuid.UUID(later).int >> 80) / 1000 - (time.time() - 10)) < 5


def test_the_same_signed_request_gets_the_same_id_and_another_body_another() -> None:
    def id_of(content: bytes) -> str:
        request = Signed("acme", 1_800_000_000, "0" * 64, headers(content=content)["x-forms-signature"], "POST", "/")
        return Form("contact", {"a": 1}, None).accepted("acme", request, datetime.now(UTC), 60).id

    assert id_of(b"1") == id_of(b"1")
    assert id_of(b"1") != id_of(b"2")


def test_the_largest_submission_fits_into_an_item_and_one_byte_more_is_refused() -> None:
    room = ITEM_BYTES - ITEM_RESERVE_BYTES - accepted_bytes(accepted(fields={"t": ""}))
    assert accepted(fields={"t": "x" * room})
    with pytest.raises(SubmissionTooLarge, match="stored"):
        accepted(fields={"t": "x" * (room + 1)})


def accepted_bytes(submission: Submission) -> int:
    return item_bytes(asdict(submission))


def test_size_is_counted_in_bytes_and_not_in_characters() -> None:
    with pytest.raises(SubmissionTooLarge):
        accepted(fields={"t": "é" * 250_000})


def test_what_fits_into_an_item_but_not_into_an_event_is_refused() -> None:
    with pytest.raises(SubmissionTooLarge, match="event"):
        accepted(fields={"t": "\x00" * 300_000})  # six bytes each in JSON


def test_an_event_carries_the_submission_and_back() -> None:
    submission = accepted(fields={"price": 19.99, "tags": ["a", None, True], "é": "ü"})
    entry = submission.event("bus", "correlation")
    assert Submission.from_detail(json.loads(entry["Detail"])) == submission
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        "bus",
        "forms.ingest",
        "SubmissionAccepted",
    )
