"""Constraints: how AWS words them, prints what broke them, and where services go their own way."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from stratolite.wire import models
from stratolite.wire.faults import WireError
from stratolite.wire.shapes import Shape

KINDS = ("required", "length", "range", "pattern", "enum")
NOT_NULL = "Member must not be null"


class Constraint(NamedTuple):
    kind: str
    text: str
    accepts: Callable[[Any], bool]


# Rules -----------------------------------------------------------------------------


def of(shape: Shape) -> list[Constraint]:
    """The constraints of a shape itself, in the order AWS reports them for a member."""
    return [*_pattern(shape), *_bounds(shape), *_enum(shape)]


def of_item(shape: Shape) -> list[Constraint]:
    """The same in the order AWS lists them for the items of a list or a map."""
    return [*_bounds(shape), *_pattern(shape), *_enum(shape)]


def _bounds(shape: Shape) -> list[Constraint]:
    """The upper bound before the lower, as recorded."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    out = []
    match shape.type_name:
        case "string" | "blob" | "list" | "map":
            size = _blob_size if shape.type_name == "blob" else len
            if high is not None:
                out.append(
                    Constraint("length", f"Member must have length less than or equal to {high}", _most(size, high))
                )
            if low is not None:
                out.append(
                    Constraint("length", f"Member must have length greater than or equal to {low}", _least(size, low))
                )
        case "integer" | "long" | "float" | "double":
            number: Callable[[Any], Any] = float if shape.type_name in ("float", "double") else int
            if high is not None:
                text = f"Member must have value less than or equal to {number(high)}"
                out.append(Constraint("range", text, lambda value: value <= high))
            if low is not None:
                text = f"Member must have value greater than or equal to {number(low)}"
                out.append(Constraint("range", text, lambda value: value >= low))
    return out


def _most(size: Callable[[Any], int], high: int) -> Callable[[Any], bool]:
    return lambda value: size(value) <= high


def _least(size: Callable[[Any], int], low: int) -> Callable[[Any], bool]:
    return lambda value: size(value) >= low


def _blob_size(value: Any) -> int:
    """Bytes of a blob: plain, in a file, or still base64 text."""
    if isinstance(value, str):
        return len(value) * 3 // 4 - value.endswith("=") - value.endswith("==")
    return value.size if hasattr(value, "size") else len(value)


def _pattern(shape: Shape) -> list[Constraint]:
    text = WIDER_PATTERNS.get(shape.name) or shape.metadata.get("pattern")
    if text is None or shape.type_name != "string" or (matcher := compiled(text)) is None:
        return []
    whole = matcher.fullmatch
    return [
        Constraint(
            "pattern",
            f"Member must satisfy regular expression pattern: {text}",
            lambda value: whole(value) is not None,
        )
    ]


def _enum(shape: Shape) -> list[Constraint]:
    values = shape.metadata.get("enum")
    if not values:
        return []
    allowed = frozenset(values)
    text = f"Member must satisfy enum value set: [{', '.join(hashed(values))}]"
    if shape.name in ANY_CASE:
        return [Constraint("enum", text, lambda value: value.upper() in allowed)]
    return [Constraint("enum", text, lambda value: value in allowed)]


# Patterns: Java's, as far as the models use them ---------------------------------------

# Inside a class `\w` stands for letters, numbers and the underscore of any script: wider than \p{L} or \p{N} alone by
# each other and by the underscore.
_PROPERTIES = {
    "L": r"\w",
    "N": r"\w",
    "M": r"\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0900-\u0903\u1ab0-\u1aff\u20d0-\u20ff\ufe20-\ufe2f",
    "Z": r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
    "S": r"$+<=>^`|~\u00a2-\u00a9\u00ac\u00ae-\u00b1\u00b4\u00b8\u00d7\u00f7\u02c2-\u02df\u20a0-\u20c0\u2100-\u214f"
    r"\u2190-\u23ff\u2500-\u27bf\u2900-\u2bff\U0001f000-\U0001faff",
    "P": r"!-#%-*,-/:;?@\[-\]_{}\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf\u2010-\u2027\u2030-\u205e\u3001-\u3003",
    "C": r"\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ue000-\uf8ff",
    "ASCII": r"\x00-\x7f",
    "Alnum": r"A-Za-z0-9",
    "Alpha": r"A-Za-z",
    "Digit": r"0-9",
    "Graph": r"!-~",
    "IsLetter": r"\w",
    "Print": r" -~",
    "Punct": r"!-/:-@\[-`{-~",
    "Space": r"\s",
    "Blank": r" \t",
    "Lower": r"a-z",
    "Upper": r"A-Z",
}
_PROPERTY = r"\\p\{(\w+)\}|\\p([LNMZSPC])"


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """A model's pattern for Python; None for one that only Java can read: it is not checked then."""
    # Java reads surrogate pairs where Python has characters, and takes a hyphen after `\w` for itself.
    text = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010ffff")
    text = re.sub(r"(\\[wds])-(?!\])", r"\1\-", text)
    flags = re.ASCII
    if "\\p" in pattern or "\\P" in pattern:
        flags = re.UNICODE
        try:
            text = _expanded(text)
        except KeyError:
            return None
    try:
        return re.compile(text, flags)
    except re.error:
        return None


def _expanded(pattern: str) -> str:
    """The pattern with its property escapes spelled out, in brackets of their own where they stand in none."""
    escape = re.compile(_PROPERTY)
    out, at, depth = [], 0, 0
    while at < len(pattern):
        if match := escape.match(pattern, at):
            name = match[1] or match[2]
            ranges = _PROPERTIES[name if name in _PROPERTIES else name[0]]
            out.append(ranges if depth else f"[{ranges}]")
            at = match.end()
            continue
        if pattern[at] == "\\":
            out.append(pattern[at : at + 2])
            at += 2
            continue
        depth += {"[": not depth, "]": -bool(depth)}.get(pattern[at], 0)
        out.append(pattern[at])
        at += 1
    return "".join(out)


# Printing ----------------------------------------------------------------------------


def hashed(values: list[str]) -> list[str]:
    """The values of an enumeration in the order AWS prints them: that of a hash table of 32 buckets.

    Recorded answers of nine services, of up to 56 values, agree with Java's String.hashCode, and within a bucket with
    the newest first.
    """
    newest_first = values[::-1]
    return sorted(newest_first, key=lambda text: _java_hash(text) & 31)


def mapped(names: list[str]) -> list[str]:
    """Names in the order AWS reports them: that of a Java HashMap of all of them, first come first in a bucket.

    Agrees with every recorded answer that names more than one member.
    """
    buckets = 16
    while len(names) > buckets * 3 // 4:
        buckets *= 2
    return sorted(names, key=lambda name: (_java_hash(name) ^ (_java_hash(name) >> 16)) & (buckets - 1))


def _java_hash(text: str) -> int:
    number = 0
    for char in text:
        number = (31 * number + ord(char)) & 0xFFFFFFFF
    return number


def printed(shape: Shape, value: Any) -> str:
    """A value as Java's toString prints it."""
    if value is None:
        return "null"
    match shape.type_name:
        case "structure":
            members = [f"{n[0].lower()}{n[1:]}={printed(m, value.get(n))}" for n, m in shape.members.items()]
            members += [f"{n}=null" for n in UNPUBLISHED.get(shape.name, ())]
            return f"{shape.name}({', '.join(members)})"
        case "list":
            return f"[{', '.join(printed(shape.member, item) for item in value)}]"
        case "map":
            return "{" + ", ".join(f"{key}={printed(shape.value, item)}" for key, item in value.items()) + "}"
        case "boolean":
            return "true" if value else "false"
        case "blob":
            size = _blob_size(value)
            return f"java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]"
        case "float" | "double":
            return str(float(value))
    return str(value)


# Services that go their own way -----------------------------------------------------------

SILENT = frozenset({"iam"})
"""Services that print neither values nor the values they would accept."""

ANY_CASE = frozenset({"ConnectionOAuthHttpMethod"})
"""Enumerations that AWS takes in small letters too, as recorded from CreateConnection with `put`."""

WIDER_PATTERNS = {"MetricNamespace": "[^*$]*"}
"""Patterns that take more than the models say, as recorded from PutMetricFilter with a colon in its namespace."""

UNPUBLISHED = {"PutEventsRequestEntry": ("kmsKeyIdentifier", "internalMetadata")}
"""Members that no model publishes and AWS prints all the same, as recorded from PutEvents."""

NULLABLE_ITEMS = frozenset({"SubnetId", "SecurityGroupId"})
"""Items for whose lists AWS does not list `Member must not be null`, as recorded from Lambda's VpcConfig."""

OWN_JUDGEMENT = frozenset({("CreateFunctionRequest", "Runtime"), ("UpdateFunctionConfigurationRequest", "Runtime")})
"""Optional members, by structure, whose constraints the service itself judges and words."""

LISTS = {
    "CompatibleRuntimes": "Member must satisfy enum value set: [nodejs20.x, python3.14, provided.al2023, python3.12, "
    "python3.13, nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, "
    "python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2]",
}
"""What AWS says of the items of a list, by shape, where it is not the model's: Lambda names the runtimes of today."""

NOT_VALIDATED: dict[str, frozenset[str]] = {
    # S3 has no such front end: it judges each member in its own words, but for what is missing.
    "s3": frozenset(KINDS) - {"required"},
}

# Codes where they are not ValidationException, or ValidationError over the query protocol. Of several, the one that
# the operation declares.
_CODES = {
    "apigatewayv2": ("BadRequestException",),
    "appsync": ("BadRequestException",),
    "cognito-idp": ("InvalidParameterException",),
    "ecr": ("InvalidParameterException",),
    "logs": ("ValidationException", "InvalidParameterException"),
    "xray": ("InvalidRequestException",),
}


def code(service: str, operation: str, *, query: bool) -> str:
    """The code of a violated constraint."""
    if query:
        return "ValidationError"
    candidates = _CODES.get(service, ("ValidationException",))
    if len(candidates) == 1:
        return candidates[0]
    declared = {shape.name for shape in models.operation(service, operation).error_shapes}
    return next((name for name in candidates if name in declared), candidates[0])


def body_member(service: str, operation: str) -> str | None:
    """The member that holds what travels in the body, where there is one: in API Gateway."""
    return f"{operation[0].lower()}{operation[1:]}Input" if service == "apigateway" else None


class Found(Protocol):
    """A violation, as `validate` finds it."""

    @property
    def path(self) -> str: ...
    @property
    def constraint(self) -> str: ...


def _ecr(operation: str, found: Found) -> WireError:
    return WireError(
        "InvalidParameterException",
        f"Invalid parameter at '{found.path}' failed to satisfy constraint: '{found.constraint}'",
    )


def _sqs(operation: str, found: Found) -> WireError:
    if found.path == "entries":
        # Over the query protocol an empty batch is one that is not there.
        text = f"There should be at least one {operation}RequestEntry in the request."
        return WireError("EmptyBatchRequest", text, shape="EmptyBatchRequest")
    name = ".".join(part[:1].upper() + part[1:] for part in found.path.split(".") if part != "member")
    return WireError("MissingParameter", f"The request must contain the parameter {name}.")


def _s3(operation: str, found: Found) -> WireError:
    if operation == "PutBucketPolicy":
        return WireError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
    if "." not in found.path:
        return WireError("MissingRequestBodyError", "Request Body is empty")
    text = "The XML you provided was not well-formed or did not validate against our published schema"
    return WireError("MalformedXML", text)


WORDED: dict[str, Callable[[str, Found], WireError]] = {"ecr": _ecr, "s3": _s3, "sqs": _sqs}
"""Services that report the first violation only, in words of their own: (operation, violation) to error."""
