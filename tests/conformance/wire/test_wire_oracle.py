"""botocore is the oracle of the wire: of every operation of every service, in every protocol it is spoken in.

It proves that we agree with the SDK. What AWS itself says beyond that is in test_wire_texts.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_oracle import (
    cases,
    check_events,
    check_request,
    check_response,
    presigned,
    request_of,
    sample_params,
    signed,
)

from stratolite.wire import models
from stratolite.wire.protocols import SERVICES
from stratolite.wire.quirks import s3
from stratolite.wire.route import route

SEEDS = range(int(os.environ.get("WIRE_SEEDS", "2")))
ALL = frozenset(SERVICES)

# Operations that only the signature or the host tells from those of another service at the same path.
AMBIGUOUS_UNSIGNED = {
    ("appsync", "CreateApi"),
    ("appsync", "DeleteApi"),
    ("appsync", "GetApi"),
    ("appsync", "ListApis"),
    ("pipes", "ListTagsForResource"),
    ("pipes", "UntagResource"),
    ("scheduler", "ListTagsForResource"),
    ("scheduler", "TagResource"),
}

# What botocore's own parser or serializer cannot do without handlers outside of it, or at all.
_UNLIKE_THE_MODEL = {
    ("s3", "GetBucketLocation"),  # its only member is the root element
    ("s3", "GetBucketNotification"),  # two members of one name
    ("s3", "PutBucketNotification"),
}


def each(service: str, check: Callable[[str, str, str, Random], None], skip: Callable[[str, Any], bool]) -> None:
    for protocol, operation in cases(service):
        if not skip(operation, models.operation(service, operation)):
            for seed in SEEDS:
                check(service, operation, protocol, Random(f"{operation} {seed}"))


@pytest.mark.parametrize("service", SERVICES)
def test_we_read_what_botocore_writes(service: str) -> None:
    each(
        service,
        check_request,
        lambda name, model: model.has_event_stream_input or (service, name) in _UNLIKE_THE_MODEL,
    )


@pytest.mark.parametrize("service", SERVICES)
def test_botocore_reads_what_we_write(service: str) -> None:
    each(
        service,
        check_response,
        lambda name, model: model.has_event_stream_output or (service, name) in _UNLIKE_THE_MODEL,
    )


@pytest.mark.parametrize(
    ("service", "protocol", "operation"),
    [
        (s, p, o)
        for s in ("kinesis", "lambda", "logs", "s3")
        for p, o in cases(s)
        if models.operation(s, o).has_event_stream_output
    ],
)
def test_botocore_reads_the_events_we_stream(service: str, protocol: str, operation: str) -> None:
    for seed in range(5):
        check_events(service, operation, protocol, Random(seed))


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_found(service: str) -> None:
    for protocol, operation in cases(service):
        if service == "s3" and operation in s3.REPLACED:
            continue
        request = request_of(
            service, operation, protocol, sample_params(service, operation, protocol, Random(operation))
        )
        wanted = (service, operation, protocol)
        assert route(signed(request, service), ALL) == wanted
        assert route(presigned(request, service), ALL) == wanted
        if (service, operation) not in AMBIGUOUS_UNSIGNED:
            assert route(request, ALL) == wanted


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
def test_no_value_gets_lost_either_way(service: str) -> None:
    """The same over many more values, shrunk to the smallest that fails."""

    @settings(max_examples=1000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(cases(service)), st.randoms(use_true_random=False))
    def holds(case: tuple[str, str], random: Random) -> None:
        protocol, operation = case
        model = models.operation(service, operation)
        if (service, operation) in _UNLIKE_THE_MODEL:
            return
        if not model.has_event_stream_input:
            check_request(service, operation, protocol, random)
        if model.has_event_stream_output:
            check_events(service, operation, protocol, random)
        else:
            check_response(service, operation, protocol, random)

    holds()
