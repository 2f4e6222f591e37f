"""Models: botocore's descriptions of services, loaded when first asked for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

_LOADER = Loader([str(Path(botocore.__file__).parent / "data")], include_default_search_paths=False)


@cache
def service(name: str) -> ServiceModel:
    document: Any = _LOADER.load_service_model(name, "service-2")
    return ServiceModel(document, name)


@cache
def operation(name: str, operation: str) -> OperationModel:
    return service(name).operation_model(operation)
