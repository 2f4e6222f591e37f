"""DynamoDB's expressions: parsed once, bound to names and values, evaluated over items in their wire form."""
