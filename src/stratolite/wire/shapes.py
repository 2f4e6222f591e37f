"""Shapes: what botocore's models say of a value, by the names botocore itself gives to what they say.

botocore's own classes would do, but importing them costs every start 40 ms of CPU for an HTTP client.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

Document = dict[str, Any]
"""A service's model as botocore ships it."""

# What a shape, or the reference to it, may say about its place on the wire.
_ON_THE_WIRE = frozenset(
    {
        "event",
        "eventheader",
        "eventpayload",
        "eventstream",
        "flattened",
        "hostLabel",
        "jsonvalue",
        "location",
        "payload",
        "resultWrapper",
        "streaming",
        "timestampFormat",
        "xmlAttribute",
        "xmlNamespace",
    }
)


class Shape:
    """A shape where it is used: what the reference to it says goes before what it says itself.

    `members` are a structure's; `member` is a list's; `key` and `value` are a map's.
    """

    def __init__(self, name: str, traits: Document, shapes: dict[str, Document]) -> None:
        self.name = name
        self.type_name: str = traits["type"]
        self.metadata = traits
        """Everything the model says: `min`, `max`, `pattern`, `sensitive`, `error`, `exception`, `fault`, ..."""
        self._shapes = shapes

    def __repr__(self) -> str:
        return f"<{self.type_name} {self.name}>"

    @cached_property
    def serialization(self) -> Document:
        """Its place on the wire; a `locationName` is called `name`."""
        out = {key: value for key, value in self.metadata.items() if key in _ON_THE_WIRE}
        if "locationName" in self.metadata:
            out["name"] = self.metadata["locationName"]
        return out

    @cached_property
    def members(self) -> dict[str, Shape]:
        references = self.metadata.get("members", {})
        return {name: referred(reference, self._shapes) for name, reference in references.items()}

    @cached_property
    def member(self) -> Shape:
        return referred(self.metadata["member"], self._shapes)

    @cached_property
    def key(self) -> Shape:
        return referred(self.metadata["key"], self._shapes)

    @cached_property
    def value(self) -> Shape:
        return referred(self.metadata["value"], self._shapes)

    @property
    def required_members(self) -> list[str]:
        return self.metadata.get("required", [])  # type: ignore[no-any-return]

    @property
    def enum(self) -> list[str]:
        return self.metadata.get("enum", [])  # type: ignore[no-any-return]

    @property
    def is_document_type(self) -> bool:
        return bool(self.metadata.get("document"))

    @property
    def is_tagged_union(self) -> bool:
        return bool(self.metadata.get("union"))

    @property
    def event_stream_name(self) -> str | None:
        """The member that is an event stream."""
        return next((n for n, m in self.members.items() if m.serialization.get("eventstream")), None)


def referred(reference: Document, shapes: dict[str, Document]) -> Shape:
    """The shape a reference names, with what the reference adds."""
    name = reference["shape"]
    if len(reference) == 1:
        return Shape(name, shapes[name], shapes)
    traits = shapes[name] | {key: value for key, value in reference.items() if key != "shape"}
    return Shape(name, traits, shapes)


class OperationModel:
    def __init__(self, service_model: ServiceModel, name: str, document: Document) -> None:
        self.service_model = service_model
        self.name = name
        self.http: Document = document["http"]
        """`method`, `requestUri`, `responseCode`."""
        self._document = document

    @cached_property
    def input_shape(self) -> Shape | None:
        return self._shape("input")

    @cached_property
    def output_shape(self) -> Shape | None:
        return self._shape("output")

    def _shape(self, side: str) -> Shape | None:
        reference = self._document.get(side)
        return None if reference is None else referred(reference, self.service_model.shapes)

    @cached_property
    def error_shapes(self) -> list[Shape]:
        return [referred(reference, self.service_model.shapes) for reference in self._document.get("errors", [])]

    @property
    def deprecated(self) -> bool:
        return bool(self._document.get("deprecated"))

    @cached_property
    def has_event_stream_input(self) -> bool:
        return self.input_shape is not None and self.input_shape.event_stream_name is not None

    @cached_property
    def has_event_stream_output(self) -> bool:
        return self.output_shape is not None and self.output_shape.event_stream_name is not None


class ServiceModel:
    def __init__(self, document: Document, name: str) -> None:
        self.service_name = name
        self.document = document
        self.metadata: Document = document["metadata"]
        self.shapes: dict[str, Document] = document["shapes"]
        self._operations: dict[str, OperationModel] = {}

    @property
    def operation_names(self) -> list[str]:
        return list(self.document["operations"])

    def operation_model(self, name: str) -> OperationModel:
        """Raises KeyError for an operation that the service does not have."""
        if name not in self._operations:
            self._operations[name] = OperationModel(self, name, self.document["operations"][name])
        return self._operations[name]

    @property
    def shape_names(self) -> list[str]:
        return list(self.shapes)

    def shape_for(self, name: str) -> Shape:
        """Raises KeyError for a shape that the service does not have."""
        return Shape(name, self.shapes[name], self.shapes)

    @cached_property
    def error_shapes(self) -> list[Shape]:
        return [self.shape_for(name) for name, traits in self.shapes.items() if traits.get("exception")]

    @property
    def is_query_compatible(self) -> bool:
        """Whether errors must still tell the code that the query protocol gave them."""
        return "awsQueryCompatible" in self.metadata
