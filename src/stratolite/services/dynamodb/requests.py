"""What all requests share: expressions or legacy parameters, never both; errors in AWS's order."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from stratolite.kernel import operation
from stratolite.languages.expressions import values
from stratolite.languages.expressions.bind import Binding
from stratolite.languages.expressions.errors import Invalid, Malformed

from .errors import SerializationException, ValidationException

F = TypeVar("F", bound=Callable[..., Any])

LONGEST_NAME_BYTES = 65_535


def judged(fn: F) -> F:
    """Let what the languages find wrong with a request reach the caller as AWS's error."""

    @functools.wraps(fn)
    def answer(*args: Any, **members: Any) -> Any:
        try:
            return fn(*args, **members)
        except Malformed as error:
            raise SerializationException(error.message) from None
        except Invalid as error:
            raise ValidationException(error.message) from None

    return answer  # type: ignore[return-value]


def answers(fn: F) -> F:
    """Mark an operation whose parameters and result are wire JSON and whose faults are the languages'."""
    return operation(raw=True)(judged(fn))


def check_mixture(legacy: Mapping[str, Any], expressions: Mapping[str, Any]) -> None:
    """Raise Invalid when a request has parameters of both ages."""
    old = [name for name, value in legacy.items() if value is not None]
    new = [name for name, value in expressions.items() if value is not None]
    if old and new:
        raise Invalid(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(old)}}} Expression parameters: {{{', '.join(new)}}}"
        )


_NAME = re.compile(r"#[A-Za-z0-9_]+", re.ASCII).fullmatch
_VALUE = re.compile(r":[A-Za-z0-9_]+", re.ASCII).fullmatch


def check_attribute_name(name: Any) -> None:
    """Raise Invalid for an attribute name that is empty or too long."""
    if name.__class__ is not str:
        raise Malformed("Unexpected value type in payload")
    if not name:
        raise Invalid("One or more parameter values were invalid: Empty attribute name")
    if len(name) > LONGEST_NAME_BYTES // 4 and values.text_bytes(name) > LONGEST_NAME_BYTES:
        raise Invalid("Member must have length less than or equal to 65535, Member must have length greater than 0")


def _any_given(expressions: Mapping[str, Any]) -> bool:
    return any(text is not None for text in expressions.values())


def _check_names(names: Any, expressions: Mapping[str, Any]) -> None:
    if not _any_given(expressions):
        raise Invalid("ExpressionAttributeNames can only be specified when using expressions")
    if names.__class__ is not dict:
        raise Malformed("Unexpected field type")
    if not names:
        raise Invalid("ExpressionAttributeNames must not be empty")
    for placeholder, name in names.items():
        if not _NAME(placeholder):
            raise Invalid(f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{placeholder}"')
        with _told("ExpressionAttributeNames", placeholder):
            check_attribute_name(name)


def _check_values(given: Any, expressions: Mapping[str, Any]) -> None:
    if not _any_given(expressions):
        missing = " and ".join(expressions) + (" is null" if len(expressions) == 1 else " are null")
        raise Invalid(f"ExpressionAttributeValues can only be specified when using expressions: {missing}")
    if given.__class__ is not dict:
        raise Malformed("Unexpected field type")
    if not given:
        raise Invalid("ExpressionAttributeValues must not be empty")
    for placeholder, value in given.items():
        if not _VALUE(placeholder):
            raise Invalid(f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{placeholder}"')
        with _told("ExpressionAttributeValues", placeholder):
            values.admit(value)


class _told:
    """Say of which placeholder a fault is; a malformed one is malformed without that."""

    __slots__ = ("member", "placeholder")

    def __init__(self, member: str, placeholder: str) -> None:
        self.member, self.placeholder = member, placeholder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if isinstance(error, Invalid) and not isinstance(error, Malformed):
            raise Invalid(f"{self.member} contains invalid value: {error.message} for key {self.placeholder}") from None


def binding(names: Any, given: Any, expressions: Mapping[str, Any], valued: Mapping[str, Any] | None = None) -> Binding:
    """The names and values of a request, checked.

    expressions: the request's expressions by parameter name; valued: those of them that can hold values.
    """
    if names is not None:
        _check_names(names, expressions)
    if given is not None:
        _check_values(given, expressions if valued is None else valued)
    return Binding(names, given)


def admit_attributes(item: Any) -> int:
    """Check an item or key a client sent, canonical in place; its size in bytes."""
    if item.__class__ is not dict:
        raise Malformed("Unexpected value type in payload")
    size = 0
    for name, value in item.items():
        length = len(name)
        if length == 0 or length > LONGEST_NAME_BYTES // 4:
            check_attribute_name(name)
        size += (length if name.isascii() else values.text_bytes(name)) + values.admit(value)
    return size
