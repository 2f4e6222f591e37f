"""Letters: what the queue carries from fan-out to the connector, one per submission and destination.

A letter names the submission and the destination and holds neither: the form stays in the table (it may be larger than
a queue likes), the address and the key stay in the registry and in Secrets Manager.
"""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """One submission for one destination."""

    tenant: str
    submission: str
    destination: str
    correlation_id: str

    @property
    def key(self) -> str:
        """The idempotency key at the destination: the same for every attempt."""
        return f"{self.tenant}:{self.submission}"

    def text(self) -> str:
        """The message's body."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> "Letter":
        """Read a message's body; raise ValueError or TypeError if it is none of ours."""
        return cls(**json.loads(text))
