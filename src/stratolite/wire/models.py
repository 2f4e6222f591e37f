"""Models: botocore's descriptions of services, read when first asked for."""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stratolite.wire.protocols import QUERY
from stratolite.wire.quirks import sqs_query
from stratolite.wire.shapes import Document, OperationModel, ServiceModel, Shape

__all__ = ["OperationModel", "ServiceModel", "Shape", "error_shape", "operation", "operations", "service"]


@cache
def _data() -> Path:
    """Where botocore keeps its models. Only what it ships: a model in somebody's home must not change the cloud."""
    spec = find_spec("botocore")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "data"


@cache
def document(name: str, protocol: str | None = None) -> Document:
    """A service's model without its documentation, which is most of its bytes.

    Raises KeyError for a service that botocore does not have.
    """
    if (name, protocol) == ("sqs", QUERY):
        return sqs_query.spelled(document(name))
    model = read(name)
    model.pop("documentation", None)
    for operation in model["operations"].values():
        operation.pop("documentation", None)
    for shape in model["shapes"].values():
        shape.pop("documentation", None)
        for member in shape.get("members", {}).values():
            member.pop("documentation", None)
    return model


def read(name: str) -> Document:
    """A service's model as botocore has it: the newest version, with the corrections that stand beside it."""
    folder = _data() / name
    if not folder.is_dir():
        raise KeyError(name)
    newest = max(folder.iterdir())
    packed = newest / "service-2.json.gz"
    text = gzip.decompress(packed.read_bytes()) if packed.exists() else (newest / "service-2.json").read_bytes()
    model: Document = json.loads(text)
    corrections = newest / "service-2.sdk-extras.json"
    if corrections.exists():
        _merge(model, json.loads(corrections.read_bytes()).get("merge", {}))
    return model


def _merge(base: dict[str, Any], extra: dict[str, Any]) -> None:
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value


@cache
def service(name: str, protocol: str | None = None) -> ServiceModel:
    """The model of a service by its botocore name. A protocol is named where its spelling differs from the model's.

    Raises KeyError for a name that botocore does not know.
    """
    return ServiceModel(document(name, protocol), name)


@cache
def operation(name: str, operation: str, protocol: str | None = None) -> OperationModel:
    """The model of an operation. Raises KeyError for one that the service does not have."""
    return service(name, protocol if (name, protocol) == ("sqs", QUERY) else None).operation_model(operation)


@cache
def operations(name: str) -> frozenset[str]:
    """The names of all operations of a service."""
    return frozenset(service(name).operation_names)


@cache
def error_shape(name: str, error: str) -> Shape | None:
    """The shape of an error by its shape name or by its code on the wire, if the model has one."""
    model = service(name)
    if model.shapes.get(error, {}).get("exception"):
        return model.shape_for(error)
    return next((s for s in model.error_shapes if s.metadata.get("error", {}).get("code") == error), None)
