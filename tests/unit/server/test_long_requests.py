"""Some services refuse a long request whatever it asks: DynamoDB at 16 MB, with 413."""

import json

from stratolite.testing import TestCloud

MEGABYTE = 1024 * 1024


def scan(cloud: TestCloud, padding: int) -> int:
    body = json.dumps({"TableName": "table"}) + " " * padding
    headers = {"X-Amz-Target": "DynamoDB_20120810.Scan", "Content-Type": "application/x-amz-json-1.0"}
    return cloud.http("POST", "http://localhost:4566/", headers, body).status


def test_a_request_of_over_16_megabytes_is_refused_before_it_is_read(cloud: TestCloud) -> None:
    assert scan(cloud, 15 * MEGABYTE) == 400  # read: there is no such table
    assert scan(cloud, 16 * MEGABYTE) == 413
