"""Names: the many ways to say which function is meant, and which version of it.

https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html#lambda-GetFunction-request-uri-FunctionName
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stratolite.kernel import Call
from stratolite.kernel.store import Row

from .errors import InvalidParameterValueException, ResourceNotFoundException

LATEST = "$LATEST"
_VERSIONS = ("lambda_function", "lambda_version")
_FORM = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)


@dataclass(frozen=True, slots=True)
class Named:
    account: str
    region: str
    name: str
    qualifier: str | None

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    def qualified(self, default: str | None = None) -> str:
        """The ARN with its qualifier, or the one given; bare without either."""
        qualifier = self.qualifier or default
        return f"{self.arn}:{qualifier}" if qualifier else self.arn


def named(call: Call, function_name: str, qualifier: str | None = None) -> Named:
    """What a name, partial ARN or ARN means, together with the request's qualifier."""
    match = _FORM.fullmatch(function_name)
    if match is None:
        # The model's pattern lets nothing else through; a name we are given from inside may be anything.
        raise ResourceNotFoundException(f"Function not found: {function_name}")
    name, inner = match["name"], match["qualifier"]
    region = match["region"] or call.region
    if region != call.region:
        raise ResourceNotFoundException(f"Functions from '{region}' are not reachable in this region ('{call.region}')")
    if inner and qualifier and inner != qualifier:
        raise InvalidParameterValueException(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    return Named(match["account"] or call.account, region, name, qualifier or inner)


def missing(which: Named, default: str | None = None) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Function not found: {which.qualified(default)}")


def function(call: Call, which: Named, default: str | None = None) -> Row:
    """The function's row. Raises ResourceNotFoundException."""
    row = look(call, which)
    if row is None:
        raise missing(which, default)
    return row


def look(call: Call, which: Named) -> Row | None:
    return call.tx.one(
        "SELECT * FROM lambda_function WHERE account = ? AND region = ? AND name = ?",
        which.account, which.region, which.name,
    )  # fmt: skip


def version(call: Call, which: Named, default: str | None = LATEST) -> Row:
    """The version that a qualifier (a version, an alias, nothing for $LATEST) stands for.

    Raises ResourceNotFoundException. The row has the version's columns and the function's `account`, `region`, `name`,
    `reserved` and `tags`, and what is reserved `in_all` its region.
    """
    qualifier = which.qualifier or LATEST
    row = _version(call, which, qualifier)
    if row is None and qualifier != LATEST:
        alias = call.tx.one(
            "SELECT a.version FROM lambda_alias a JOIN lambda_function f ON f.key = a.function"
            " WHERE f.account = ? AND f.region = ? AND f.name = ? AND a.name = ?",
            which.account, which.region, which.name, qualifier,
        )  # fmt: skip
        if alias is not None:
            row = _version(call, which, alias["version"])
    if row is None:
        raise missing(which, default)
    return row


def _version(call: Call, which: Named, number: str) -> Row | None:
    def read() -> Row | None:
        return call.tx.one(
            "SELECT v.*, f.account, f.region, f.name, f.reserved, f.tags,"
            " (SELECT coalesce(sum(reserved), 0) FROM lambda_function o"
            "  WHERE o.reserved IS NOT NULL AND o.account = f.account AND o.region = f.region) AS reserved_in_all"
            " FROM lambda_function f JOIN lambda_version v ON v.function = f.key AND v.version = ?"
            " WHERE f.account = ? AND f.region = ? AND f.name = ?",
            number, which.account, which.region, which.name,
        )  # fmt: skip

    # Every invocation asks for it.
    return call.tx.known(_VERSIONS, (which.account, which.region, which.name, number), read)


def marker(text: str | None, beginning: int) -> int:
    """Where the next page begins. Raises InvalidParameterValueException for a marker we did not give."""
    if text is None:
        return beginning
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidParameterValueException("The marker is not one that an earlier answer gave.")
    return int(text)
