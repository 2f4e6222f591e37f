"""What is wrong with an expression or a value, in AWS's words."""

from __future__ import annotations


class Invalid(ValueError):
    """A request DynamoDB answers with a ValidationException; the text is the message."""

    @property
    def message(self) -> str:
        return str(self.args[0])


class Malformed(Invalid):
    """A value of the wrong JSON type: a SerializationException, before anything else is looked at."""
