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


def binding(names: Any, given: Any, expressions: Mapping[str, Any], valued: Mapping[str, Any] | None = None) -> Binding:
    """The names and values of a request, checked.

    expressions: the request's expressions by parameter name; valued: those of them that can hold values.
    """
    if names is None and given is None:
        if any(text is not None for text in expressions.values()):
            return Binding()
        return _NOTHING
    valued = expressions if valued is None else valued
    if names is not None:
        if not any(text is not None for text in expressions.values()):
            raise Invalid("ExpressionAttributeNames can only be specified when using expressions")
        if names.__class__ is not dict:
            raise Malformed("Unexpected field type")
        if not names:
            raise Invalid("ExpressionAttributeNames must not be empty")
        for placeholder, name in names.items():
            if not _NAME(placeholder):
                raise Invalid(f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{placeholder}"')
            try:
                check_attribute_name(name)
            except Malformed:
                raise
            except Invalid as error:
                raise Invalid(
                    f"ExpressionAttributeNames contains invalid value: {error.message} for key {placeholder}"
                ) from None
    if given is not None:
        if not any(text is not None for text in valued.values()):
            if len(valued) == 1:
                raise Invalid(
                    "ExpressionAttributeValues can only be specified when using expressions: "
                    f"{next(iter(valued))} is null"
                )
            raise Invalid(
                f"ExpressionAttributeValues can only be specified when using expressions: {' and '.join(valued)} "
                "are null"
            )
        if given.__class__ is not dict:
            raise Malformed("Unexpected field type")
        if not given:
            raise Invalid("ExpressionAttributeValues must not be empty")
        for placeholder, value in given.items():
            if not _VALUE(placeholder):
                raise Invalid(f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{placeholder}"')
            try:
                values.admit(value)
            except Malformed:
                raise
            except Invalid as error:
                raise Invalid(
                    f"ExpressionAttributeValues contains invalid value: {error.message} for key {placeholder}"
                ) from None
    return Binding(names, given)


_NOTHING = Binding()


def admit_attributes(item: Any) -> int:
    """Check an item or key a client sent, canonical in place; its size in bytes."""
    if item.__class__ is not dict:
        raise Malformed("Unexpected value type in payload")
    size = 0
    for name, value in item.items():
        length = len(name)
        if length == 0 or length > 16_000:
            check_attribute_name(name)
        size += (length if name.isascii() else values.text_bytes(name)) + values.admit(value)
    return size
