"""What an account may have, and where its tables answer."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call

from .requests import answers

Answer = dict[str, Any]


@answers
def describe_limits(call: Call) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeLimits.html"""
    return {
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    }


@answers
def describe_endpoints(call: Call) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeEndpoints.html

    AWS: dynamodb.REGION.amazonaws.com. Here: where this cloud answers.
    """
    return {"Endpoints": [{"Address": call.caller.host, "CachePeriodInMinutes": 1440}]}
