"""Dialects: what each user of the one pattern language allows."""

from __future__ import annotations

from dataclasses import dataclass

OPERATORS = frozenset(
    {"exactly", "prefix", "suffix", "equals-ignore-case", "anything-but", "numeric", "exists", "cidr", "wildcard"}
)
NESTED = frozenset({"prefix", "suffix", "equals-ignore-case", "wildcard"})
# Beyond this many prefixes of wildcard patterns that one value could match at once, AWS calls a rule too complex.
# AWS does not publish the number: ten is refused and seven accepted in recorded answers.
WILDCARD_COMPLEXITY = 10


@dataclass(frozen=True, slots=True)
class Dialect:
    """Operators, those allowed within anything-but, and how complex wildcards may be."""

    name: str
    operators: frozenset[str] = OPERATORS
    within_anything_but: frozenset[str] = NESTED
    nested_lists: bool = True  # lists within anything-but's operators; without them only one string
    wildcard_complexity: int = WILDCARD_COMPLEXITY


# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
EVENTBRIDGE = Dialect("eventbridge")

# https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax, the same for Pipes
MAPPING = Dialect("mapping", operators=OPERATORS - {"cidr", "wildcard"})

# https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html and recorded refusals
FILTER_POLICY = Dialect("filter-policy", within_anything_but=frozenset({"prefix"}), nested_lists=False)
