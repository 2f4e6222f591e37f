"""Signatures: what a tenant signs, and how it is checked.

A request carries four headers:

    x-forms-tenant     who asks
    x-forms-timestamp  when, in seconds since the epoch
    x-forms-digest     SHA-256, in lower-case hex, of the request's content: the raw body of a POST, the raw query
                       string of a GET (both may be empty)
    x-forms-signature  HMAC-SHA256, in lower-case hex, under the tenant's secret, of the lines
                       timestamp, METHOD, path, tenant, digest

An authorizer never sees a body. It can vouch for the digest only; whoever reads the content must check that the digest
is the content's (`Signed.covers`).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

WINDOW_S = 300

# A tenant's id becomes part of a secret's name and of the table's keys: nothing else may.
TENANT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
TIMESTAMP = re.compile(r"[0-9]{10}")
SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class BadSignature(Exception):
    """The request is not signed as it should be; the message says why, for the log and never for the caller."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What the headers of a request claim, well-formed but not yet believed."""

    tenant: str
    timestamp: int
    digest: str
    signature: str
    method: str
    path: str

    @classmethod
    def of(cls, headers: Mapping[str, str], method: str, path: str) -> "Signed":
        """Read the headers (names in lower case, as API Gateway gives them); raise BadSignature for a bad shape."""

        def header(name: str, shape: re.Pattern[str]) -> str:
            value = headers.get(name, "")
            if not shape.fullmatch(value):
                raise BadSignature(f"{name} is missing or malformed")
            return value

        return cls(
            tenant=header("x-forms-tenant", TENANT),
            timestamp=int(header("x-forms-timestamp", TIMESTAMP)),
            digest=header("x-forms-digest", SHA256_HEX),
            signature=header("x-forms-signature", SHA256_HEX),
            method=method,
            path=path,
        )

    def fresh(self, now: float) -> bool:
        """Whether the request was signed within the last, or for the next, five minutes."""
        return abs(now - self.timestamp) <= WINDOW_S

    def signed_with(self, secret: str) -> bool:
        """Whether the signature is this secret's, found out in constant time."""
        expected = signature(secret, self.timestamp, self.method, self.path, self.tenant, self.digest)
        return hmac.compare_digest(expected, self.signature)

    def covers(self, content: bytes) -> bool:
        """Whether the signed digest is this content's."""
        return hmac.compare_digest(hashlib.sha256(content).hexdigest(), self.digest)


def signature(secret: str, timestamp: int, method: str, path: str, tenant: str, digest: str) -> str:
    """The signature of one request. No field can hold a line break, so no two requests share a text."""
    text = "\n".join((str(timestamp), method, path, tenant, digest))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
