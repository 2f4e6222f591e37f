"""Passwords: random, of the kinds of characters asked for."""

from __future__ import annotations

import string
from random import Random
from typing import Any

from stratolite.kernel import Call, operation

from .errors import InvalidParameterException

_LENGTH = 32
PUNCTUATION = string.punctuation


@operation
def get_random_password(
    call: Call,
    password_length: int = _LENGTH,
    exclude_characters: str = "",
    exclude_numbers: bool = False,
    exclude_punctuation: bool = False,
    exclude_uppercase: bool = False,
    exclude_lowercase: bool = False,
    include_space: bool = False,
    require_each_included_type: bool = True,
) -> dict[str, Any]:
    wanted = [
        (string.ascii_lowercase, not exclude_lowercase),
        (string.ascii_uppercase, not exclude_uppercase),
        (string.digits, not exclude_numbers),
        (PUNCTUATION, not exclude_punctuation),
        (" ", include_space),
    ]
    kinds = ["".join(c for c in kind if c not in exclude_characters) for kind, included in wanted if included]
    if not any(kinds) or (require_each_included_type and not all(kinds)):
        raise InvalidParameterException(
            "The password requirements can't be satisfied: every character of a required type is excluded."
        )
    if require_each_included_type and password_length < len(kinds):
        raise InvalidParameterException(f"Password length {password_length} is too short based on the required types.")
    return {"RandomPassword": _password(call.world.random, password_length, kinds, require_each_included_type)}


def _password(random: Random, length: int, kinds: list[str], each: bool) -> str:
    every = "".join(kinds)
    chosen = [random.choice(kind) for kind in kinds] if each else []
    chosen += [random.choice(every) for _ in range(length - len(chosen))]
    random.shuffle(chosen)
    return "".join(chosen)
