"""Log patterns match as the CloudWatch Logs user guide says.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import pytest

from stratolite.languages import log_patterns

ACCESS = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
EVENT = (
    '{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"], '
    '"objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "cluster.name": "c", '
    '"ThisFlag": true, "user": {"id": 1, "email": "John.Stiles@example.com"}, "ms": 12.5, "text": "say \\"hi\\""}'
)


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("ERROR", "[ERROR 400] BAD REQUEST", True),
        ("ERROR", "an error", False),
        ("ERROR ARGUMENTS", "ERROR 419 MISSING ARGUMENTS", True),
        ("ERROR ARGUMENTS", "ERROR 400", False),
        ('"INTERNAL SERVER ERROR"', "500 INTERNAL SERVER ERROR", True),
        ('"INTERNAL SERVER ERROR"', "INTERNAL ERROR SERVER", False),
        ("?ERROR ?WARN", "WARN disk", True),
        ("?ERROR ?WARN", "INFO disk", False),
        ("ERROR -EXITING", "ERROR 500", True),
        ("ERROR -EXITING", "ERROR EXITING", False),
        ('ERROR -"BAD REQUEST"', "ERROR 400 BAD REQUEST", False),
        ("?WARN ERROR", "ERROR", True),  # optional terms beside others are ignored
        ("%AUTHORIZED%", "UNAUTHORIZED", True),
        (r"%4\d\d%", "status 404", True),
        (r"%4\d\d%", "status 504", False),
    ],
)
def test_terms(pattern: str, message: str, matches: bool) -> None:
    assert log_patterns.compile(pattern).matches(message) is matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes]", True),
        ("[ip, user, username, timestamp, request, status_code]", False),
        ("[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]", True),
        ("[ip, user, username, timestamp, request, status_code = 5*, bytes]", False),
        ("[ip, ..., status_code = 404, bytes > 1000]", True),
        ("[ip, ..., status_code, bytes > 2000]", False),
        ("[..., bytes]", True),
        ("[ip = 127.0.0.1 || ip = 10.0.0.1, ...]", True),
        ("[ip != 127.0.0.1, ...]", False),
        ("[ip, user, username, timestamp, request =%GET.*HTTP%, status >= 400 && status < 500, bytes]", True),
        ("[]", True),
    ],
)
def test_fields_of_a_line(pattern: str, matches: bool) -> None:
    assert log_patterns.compile(pattern).matches(ACCESS) is matches


def test_the_fields_of_a_matching_line_are_told() -> None:
    pattern = log_patterns.compile("[ip, ..., request, status, bytes]")
    assert pattern.extract(ACCESS) == {
        "$ip": "127.0.0.1",
        "$request": "GET /index.html HTTP/1.0",
        "$status": "404",
        "$bytes": "1534",
    }


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ('{ $.eventType = "Update*" }', True),
        ('{ $.sourceIPAddress != "123.123.*" }', True),
        ('{ $.sourceIPAddress != "111.111.*" }', False),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[1] = "value" }', False),
        ('{ $.arrayKey[*] = "another value" }', True),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[*].id > 1 }", True),
        ("{ $.objectList[*].id > 2 }", False),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.eventType IS NULL }", False),
        ("{ $.Missing NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.ThisFlag IS TRUE }", True),
        ("{ $.ThisFlag IS FALSE }", False),
        ('{ ($.user.id = 1) && ($.user.email = "John*") }', True),
        ("{ $.user.id = 2 || $.ms >= 12.5 }", True),
        ("{ $.user.id = 2 && ($.ms > 1 || $.ms < 1) }", False),
        ("{ $.ms = 1.25e1 }", True),
        ("{ $.user.email = %example\\.com$% }", True),
        ("{ $['cluster.name'] = \"c\" }", True),
        ('{ $.text = "say \\"hi\\"" }', True),
        ("{ $.eventType = * }", True),
        ("{ $.Missing = * }", False),
        ('{ $.Missing != "x" }', False),
    ],
)
def test_properties_of_a_json_line(pattern: str, matches: bool) -> None:
    assert log_patterns.compile(pattern).matches(EVENT) is matches


def test_a_line_that_is_no_json_has_no_properties() -> None:
    assert not log_patterns.compile("{ $.level = * }").matches("level = 3")


@pytest.mark.parametrize(
    "text", ["{ $.a = ", "{ $.a }", "[a, b", "{ a = 1 }", "{ $.a > x }", "[a, ..., b, ...]", "%(%"]
)
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(log_patterns.PatternError):
        log_patterns.compile(text)
