"""Malformed bodies: what each protocol and service calls them."""

from __future__ import annotations

from stratolite.wire.faults import Malformed
from stratolite.wire.protocols import PROTOCOLS

_XML_MESSAGE = "The XML you provided was not well-formed or did not validate against our published schema"


def fault(service: str, protocol: str, message: str) -> Malformed:
    """The error AWS answers when a request is not a document of its shape."""
    row = PROTOCOLS[protocol]
    if row.reads == "xml":
        return Malformed(row.malformed, _XML_MESSAGE)
    return Malformed(row.malformed, message)
