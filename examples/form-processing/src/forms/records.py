"""Records: the single table, its keys and its access patterns.

    PK              SK                    what                                            TTL
    TENANT#<id>     DEST#<name>           a destination of the tenant: the registry       -
    TENANT#<id>     KEY#<submission>      a claim: this idempotency key stands for        yes
                                          this body, since then
    TENANT#<id>     SUB#<submission>      the submission; in the time index               yes
    TENANT#<id>     DEAD#<source>#<id>    what could not be processed, and why            yes

    time index      TIME_PK TENANT#<id>, TIME_SK <received_at>#<submission>

Every key begins with the tenant, and the tenant always comes from the authorizer or from a record made under it.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from forms.dead_letters import DeadLetter
from forms.numbers import decimals, plain
from forms.submissions import Submission

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

TIME_INDEX = "by-time"


def partition(tenant: str) -> str:
    """The partition key of everything a tenant owns."""
    return f"TENANT#{tenant}"


@dataclass(frozen=True, slots=True)
class Claim:
    """Which body an idempotency key stands for, and since when."""

    digest: str
    received_at: str
    expires_at: int


def claim(table: "Table", submission: Submission) -> tuple[Claim, bool]:
    """Claim the submission's key for its body; give back the claim that holds and whether it is this one."""
    key = {"PK": partition(submission.tenant), "SK": f"KEY#{submission.id}"}
    wanted = Claim(submission.digest, submission.received_at, submission.expires_at)
    while True:
        try:
            table.put_item(Item={**key, **asdict(wanted)}, ConditionExpression=Attr("PK").not_exists())
            return wanted, True
        except table.meta.client.exceptions.ConditionalCheckFailedException:
            item = table.get_item(Key=key, ConsistentRead=True).get("Item")
            if item is not None:  # else it expired in between: claim it again
                return Claim(str(item["digest"]), str(item["received_at"]), int(item["expires_at"])), False  # type: ignore[arg-type]


def store(table: "Table", submission: Submission, correlation_id: str) -> bool:
    """Store a submission unless it is stored already; say whether it is new."""
    item = {
        "PK": partition(submission.tenant),
        "SK": f"SUB#{submission.id}",
        "TIME_PK": partition(submission.tenant),
        "TIME_SK": f"{submission.received_at}#{submission.id}",
        "correlation_id": correlation_id,
        **decimals(asdict(submission)),
    }
    try:
        table.put_item(Item=item, ConditionExpression=Attr("PK").not_exists())
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def find(table: "Table", tenant: str, submission_id: str) -> dict[str, Any] | None:
    """One submission as JSON, or None if it is gone."""
    key = {"PK": partition(tenant), "SK": f"SUB#{submission_id}"}
    item = table.get_item(Key=key, ConsistentRead=True).get("Item")
    return None if item is None else presented(item)


def page(
    table: "Table", tenant: str, first: str, last: str, limit: int, after: tuple[str, str] | None
) -> tuple[list[dict[str, Any]], tuple[str, str] | None]:
    """A tenant's submissions received between two instants, newest first, and where the next page starts.

    `after` is (received_at, id) of the last submission seen. The partition in the key is always the tenant's own.
    """
    query: dict[str, Any] = {
        "IndexName": TIME_INDEX,
        # "$" is the character after "#": `last` itself is included, with every id.
        "KeyConditionExpression": Key("TIME_PK").eq(partition(tenant)) & Key("TIME_SK").between(first, f"{last}$"),
        "ScanIndexForward": False,
        "Limit": limit,
    }
    if after is not None:
        received_at, submission_id = after
        query["ExclusiveStartKey"] = {
            "PK": partition(tenant),
            "SK": f"SUB#{submission_id}",
            "TIME_PK": partition(tenant),
            "TIME_SK": f"{received_at}#{submission_id}",
        }
    found = table.query(**query)
    following = None
    if end := found.get("LastEvaluatedKey"):
        received_at, _, submission_id = str(end["TIME_SK"]).partition("#")
        following = (received_at, submission_id)
    return [presented(item) for item in found["Items"]], following


def presented(item: dict[str, Any]) -> dict[str, Any]:
    """A stored submission as its tenant and its destinations see it."""
    return {name: plain(item[name]) for name in ("id", "form", "received_at", "correlation_id", "fields")}


def destinations(table: "Table", tenant: str) -> Iterator[dict[str, Any]]:
    """The registry: the tenant's destinations, as stored."""
    query: dict[str, Any] = {
        "KeyConditionExpression": Key("PK").eq(partition(tenant)) & Key("SK").begins_with("DEST#"),
        "ConsistentRead": True,
    }
    while True:
        found = table.query(**query)
        yield from found["Items"]
        if "LastEvaluatedKey" not in found:
            return
        query["ExclusiveStartKey"] = found["LastEvaluatedKey"]


def destination(table: "Table", tenant: str, name: str) -> dict[str, Any] | None:
    """One destination of the registry, or None if the tenant has it no longer."""
    key = {"PK": partition(tenant), "SK": f"DEST#{name}"}
    return table.get_item(Key=key, ConsistentRead=True).get("Item")


def bury(table: "Table", letter: DeadLetter, died_at: str, expires_at: int) -> None:
    """Record a dead letter. Recording the same one twice leaves one record."""
    key = {"PK": partition(letter.tenant), "SK": f"DEAD#{letter.source}#{letter.identity}"}
    table.put_item(Item={**key, **decimals(letter.item(died_at, expires_at))})
