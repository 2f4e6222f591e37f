"""Secrets: read from Secrets Manager, kept for a while, and so is the knowledge that there is none."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

CAPACITY = 1_000  # names; made-up tenants must not fill the memory


@dataclass(frozen=True, slots=True)
class Secret:
    """The versions of a secret that are good today."""

    current: str
    previous: str | None = None  # only for a while after a rotation
    previous_until: float = 0.0

    def accepted(self, now: float) -> list[tuple[str, str]]:
        """The values to accept, each with the stage it is in; the current one first."""
        values = [("AWSCURRENT", self.current)]
        if self.previous is not None and now < self.previous_until:
            values.append(("AWSPREVIOUS", self.previous))
        return values


@dataclass(frozen=True, slots=True)
class _Kept:
    secret: Secret | None
    at: float


class SecretStore:
    """Secrets by name. An unknown name is remembered as unknown: guessing costs us one look-up a minute for each."""

    def __init__(self, client: Any, prefix: str, keep_s: float, previous_s: float = 0.0) -> None:
        self._client = client
        self._prefix = prefix
        self._keep_s = keep_s
        self._previous_s = previous_s
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def get(self, name: str, younger_than_s: float | None = None) -> Secret | None:
        """The secret of this name, or None; never older than the store keeps (or than asked for here)."""
        now = time.time()
        kept = self._kept.get(name)
        limit = self._keep_s if younger_than_s is None else min(younger_than_s, self._keep_s)
        if kept is None or now - kept.at >= limit:
            kept = _Kept(self._read(name), now)
            self._kept[name] = kept
            self._kept.move_to_end(name)
            if len(self._kept) > CAPACITY:
                self._kept.popitem(last=False)
        return kept.secret

    def _read(self, name: str) -> Secret | None:
        current = self._version(name, "AWSCURRENT")
        if current is None:
            return None
        # A version is created when it is put: its age is the age of the rotation that made it current.
        previous_until = current["CreatedDate"].timestamp() + self._previous_s
        previous = self._version(name, "AWSPREVIOUS") if time.time() < previous_until else None
        return Secret(current["SecretString"], previous["SecretString"] if previous else None, previous_until)

    def _version(self, name: str, stage: str) -> Any:
        try:
            return self._client.get_secret_value(SecretId=f"{self._prefix}/{name}", VersionStage=stage)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        except self._client.exceptions.InvalidRequestException:  # marked for deletion: as good as gone
            return None
