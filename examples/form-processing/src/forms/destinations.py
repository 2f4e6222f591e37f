"""Destinations: where a tenant wants its submissions, which fields under which names, and how one is handed over."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3

from forms.batches import Expected

# For trying out against a receiver on the same machine; an API key must not travel in the clear.
SCHEMES = {"https", "http"} if os.environ.get("ALLOW_HTTP") == "true" else {"https"}

# "Later", in so many words; every other 4xx says that the same request will never do.
LATER = {408, 425, 429}

pool = urllib3.PoolManager(retries=False)


class Refused(Exception):
    """The destination will never take this letter: no retry."""


class Unavailable(Expected):
    """The destination did not take this letter now."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One destination of the registry."""

    name: str
    url: str
    mapping: dict[str, str]  # name at the destination -> path in the submission, like "fields.address.city"

    @classmethod
    def of(cls, item: dict[str, Any]) -> "Destination":
        """Read the registry's item; raise Refused if it is no address to send a key to."""
        url = str(item["url"])
        if urlsplit(url).scheme not in SCHEMES:
            raise Refused(f"destination {item['name']}: only {' or '.join(sorted(SCHEMES))} is allowed")
        return cls(str(item["name"]), url, {str(name): str(path) for name, path in item.get("mapping", {}).items()})

    def mapped(self, submission: dict[str, Any]) -> dict[str, Any]:
        """The submission in the destination's terms (as it is, without a mapping). What is absent stays absent."""
        if not self.mapping:
            return submission
        found = ((name, _at(submission, path.split("."))) for name, path in self.mapping.items())
        return {name: value for name, value in found if value is not _ABSENT}

    def post(self, body: dict[str, Any], headers: dict[str, str], timeout_s: float) -> None:
        """One attempt. Raise Refused for what no retry will change, Unavailable for everything else."""
        try:
            response = pool.request(
                "POST",
                self.url,
                body=json.dumps(body, ensure_ascii=False).encode(),
                headers={"content-type": "application/json", **headers},
                timeout=urllib3.Timeout(total=timeout_s),
                redirect=False,  # the key is for this address, not for where it may point
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{self.name}: {type(error).__name__}") from error
        if 200 <= response.status < 300:
            return
        if response.status >= 500 or response.status in LATER:
            raise Unavailable(f"{self.name} answered {response.status}")
        raise Refused(f"{self.name} answered {response.status}")


_ABSENT = object()


def _at(value: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _ABSENT
        value = value[name]
    return value


def deliver(
    attempt: Callable[[float], None],
    remaining_s: Callable[[], float],
    attempt_s: float,
    attempts: int,
    pause: Callable[[int], None],
) -> int:
    """Try until it works, `attempts` are used up or there is no time for another; say how many it took.

    Raise Unavailable when it did not work out: the queue brings the letter back later. `pause(n)` waits after the nth
    failure, `remaining_s()` says what is left of the time this letter may take.
    """
    made = 0
    while True:
        timeout_s = min(attempt_s, remaining_s())
        if timeout_s <= 0:
            raise Unavailable("no time left for an attempt")
        made += 1
        try:
            attempt(timeout_s)
            return made
        except Unavailable:
            if made == attempts:
                raise
            pause(made)
