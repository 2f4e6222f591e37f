"""Maintenance windows: none can be made here, and looking for one is answered as AWS answers."""

from __future__ import annotations

from typing import NoReturn

from stratolite.kernel import Call, operation

from .errors import DoesNotExistException


@operation
def get_maintenance_window(call: Call, window_id: str) -> NoReturn:
    raise DoesNotExistException(window=window_id)
