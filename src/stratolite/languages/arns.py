"""ARNs: taken apart and put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


class ArnError(ValueError):
    """A text that is not an ARN."""


@dataclass(frozen=True, slots=True)
class Arn:
    """`arn:partition:service:region:account:resource`; `resource` is all that follows the fifth colon."""

    service: str
    region: str
    account: str
    resource: str
    partition: str = "aws"

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def kind(self) -> str:
        """What stands before the first slash or colon of the resource (`function`, `rule`); the whole without one."""
        return self._split()[0]

    @property
    def name(self) -> str:
        """What stands after it (`my-function`, `my-bus/my-rule`); the whole without one."""
        return self._split()[1]

    def _split(self) -> tuple[str, str]:
        places = [at for at in (self.resource.find("/"), self.resource.find(":")) if at >= 0]
        if not places:
            return self.resource, self.resource
        at = min(places)
        return self.resource[:at], self.resource[at + 1 :]


@lru_cache(maxsize=8192)
def parse(text: str) -> Arn:
    """An ARN's parts; ArnError when the text has not six of them."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[2] or not parts[5]:
        raise ArnError(text)
    return Arn(partition=parts[1], service=parts[2], region=parts[3], account=parts[4], resource=parts[5])


def is_arn(text: str) -> bool:
    return text.startswith("arn:") and text.count(":") >= 5
