"""Models: botocore's descriptions of services, loaded when first asked for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from stratolite.wire.protocols import QUERY
from stratolite.wire.quirks import sqs_query
from stratolite.wire.shapes import Shape

__all__ = ["OperationModel", "ServiceModel", "error_shape", "operation", "service"]

# Only what botocore ships: a model in the user's ~/.aws must not change what the cloud answers.
_LOADER = Loader([str(Path(botocore.__file__).parent / "data")], include_default_search_paths=False)


@cache
def _document(name: str) -> dict[str, Any]:
    return _LOADER.load_service_model(name, "service-2")  # type: ignore[no-any-return]


@cache
def service(name: str, protocol: str | None = None) -> ServiceModel:
    """The model of a service by its botocore name. A protocol is named where its spelling differs from the model's.

    Raises botocore's UnknownServiceError for a name it does not know.
    """
    if (name, protocol) == ("sqs", QUERY):
        return ServiceModel(sqs_query.spelled(_document(name)), name)
    return ServiceModel(_document(name), name)


@cache
def operation(name: str, operation: str, protocol: str | None = None) -> OperationModel:
    """The model of an operation. Raises botocore's OperationNotFoundError."""
    if protocol is not None and (name, protocol) != ("sqs", QUERY):
        protocol = None
    return service(name, protocol).operation_model(operation)


@cache
def operations(name: str) -> frozenset[str]:
    """The names of all operations of a service."""
    return frozenset(service(name).operation_names)


@cache
def is_fault(name: str, shape: str) -> bool:
    """Whether the model calls an error the service's own fault."""
    return bool(_document(name)["shapes"][shape].get("fault"))


@cache
def error_shape(name: str, error: str) -> Shape | None:
    """The shape of an error by its shape name or by its code on the wire, if the model has one."""
    model = service(name)
    if error in model.shape_names:
        shape = model.shape_for(error)
        if shape.metadata.get("exception") or shape.metadata.get("error"):
            return shape
    return next((s for s in model.error_shapes if s.metadata.get("error", {}).get("code") == error), None)
