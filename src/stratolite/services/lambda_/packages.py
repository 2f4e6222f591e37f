"""Packages: code as it is handed in (a zip, an object, a folder of this machine), and unpacked where functions run.

A project that is being worked on hands in `{"S3Bucket": "__local__", "S3Key": "/its/folder"}`: the folder is read in
place, and a file saved in it is live with the next event. More folders, separated by `:`, are packages that can be
imported behind the first.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stratolite.kernel import AwsError, Call

from . import limits
from .errors import InvalidParameterValueException, RequestEntityTooLargeException

LOCAL = "__local__"


@dataclass(frozen=True, slots=True)
class Package:
    where: dict[str, Any]
    """{"zip": the blob's name} or {"folders": [path, ...]}."""
    sha256: str
    size: int


async def take(call: Call, code: dict[str, Any], operation: str = "CreateFunction") -> Package:
    """The package a request hands in, with a zip's bytes brought to the blobs (not yet referred to)."""
    if code.get("S3Bucket") == LOCAL:
        return _local(code.get("S3Key") or "")
    if "ZipFile" in code:
        body = code["ZipFile"]
        if len(body) * 4 // 3 > limits.CREATE_REQUEST_BYTES:
            raise RequestEntityTooLargeException(limit=limits.CREATE_REQUEST_BYTES, operation=operation)
        if len(body) > limits.ZIPPED_BYTES:
            raise RequestEntityTooLargeException(f"Zipped size must be smaller than {limits.ZIPPED_BYTES} bytes")
    elif code.get("S3Bucket") and code.get("S3Key"):
        body = await _object(call, code)
    else:
        raise InvalidParameterValueException("Please provide a source for function code.")
    digest, unzipped = await call.world.offload(_look, body)
    if unzipped is None:
        raise InvalidParameterValueException(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        )
    if unzipped > limits.UNZIPPED_BYTES:
        raise InvalidParameterValueException(f"Unzipped size must be smaller than {limits.UNZIPPED_BYTES} bytes")
    return Package({"zip": await call.blobs.take(body)}, digest, len(body))


def check_request(code: dict[str, Any], environment: dict[str, Any] | None) -> None:
    """A request too large as a whole is said before what is in it. Raises RequestEntityTooLargeException."""
    zipped = len(code.get("ZipFile", b""))
    rest = sum(len(name) + len(value) for name, value in ((environment or {}).get("Variables") or {}).items())
    if zipped <= limits.ZIPPED_BYTES and zipped * 4 // 3 + rest > limits.CREATE_REQUEST_BYTES:
        raise RequestEntityTooLargeException(limit=limits.CREATE_REQUEST_BYTES, operation="CreateFunction")


def _local(path: str) -> Package:
    folders = [os.path.abspath(folder) for folder in path.split(os.pathsep) if folder]
    for folder in folders:
        if not os.path.isdir(folder):
            raise InvalidParameterValueException(f"There is no folder {folder}")
    if not folders:
        raise InvalidParameterValueException("Please provide a source for function code.")
    # AWS's hash is of a zip; nothing is zipped here, and a save must not change what the API says.
    digest = base64.b64encode(hashlib.sha256(path.encode()).digest()).decode()
    return Package({"folders": folders}, digest, 0)


async def _object(call: Call, code: dict[str, Any]) -> bytes:
    asked = {"Bucket": code["S3Bucket"], "Key": code.get("S3Key")}
    if code.get("S3ObjectVersion"):
        asked["VersionId"] = code["S3ObjectVersion"]
    try:
        found = await call.api("s3").get_object(**asked)
    except AwsError as error:
        raise InvalidParameterValueException(
            f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
        ) from error
    body = found["Body"]
    return body if isinstance(body, bytes) else b"".join([part async for part in body])


def _look(body: bytes) -> tuple[str, int | None]:
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return digest, sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError):
        return digest, None


def unpack(archives: list[Path], folder: Path) -> None:
    """Unpack one zip, or several over one another, into a folder that appears whole or not at all. Blocks."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for archive in archives:
        with zipfile.ZipFile(archive) as file:
            for entry in file.infolist():
                # `extract` keeps names inside the folder; it forgets who may execute.
                written = file.extract(entry, draft)
                mode = entry.external_attr >> 16 & 0o777
                if mode and not entry.is_dir():
                    os.chmod(written, mode | 0o444)
    try:
        draft.rename(folder)
    except OSError:
        # Another invocation was faster; what it unpacked is the same.
        shutil.rmtree(draft, ignore_errors=True)
