"""Items: written on condition, read whole or in part, counted in units.

Texts and rules: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
and what Alternator's tests, which pass on AWS, say about order and edge cases.
"""

from typing import Any

import pytest

from stratolite.kernel import AwsError


@pytest.fixture
def table(aws: Any) -> Any:
    aws.dynamodb.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "c", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "c", "AttributeType": "N"},
            {"AttributeName": "x", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-x",
                "KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    aws.settle()
    return aws.dynamodb


KEY: Any = {"p": {"S": "a"}, "c": {"N": "1"}}


def put(table: Any, **attributes: Any) -> Any:
    return table.put_item(TableName="table", Item={**KEY, **attributes})


def got(table: Any) -> Any:
    return table.get_item(TableName="table", Key=KEY).get("Item")


def test_what_is_put_is_got_with_numbers_in_their_one_form(table: Any) -> None:
    assert got(table) is None
    table.put_item(TableName="table", Item={"p": {"S": "a"}, "c": {"N": "1.00"}, "n": {"N": "1e3"}})
    assert got(table) == {**KEY, "n": {"N": "1000"}}
    assert table.get_item(TableName="table", Key={"p": {"S": "a"}, "c": {"N": "10e-1"}})["Item"] == got(table)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"p": {"S": "a"}}, "One or more parameter values were invalid: Missing the key c in the item"),
        ({"p": {"N": "1"}, "c": {"N": "1"}}, "Type mismatch for key p expected: S actual: N"),
        ({"p": {"S": ""}, "c": {"N": "1"}}, "cannot contain an empty string value. Key: p"),
        ({**KEY, "p": {"S": "x" * 2049}}, "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        ({**KEY, "x": {"N": "1"}}, "Type mismatch for Index Key x Expected: S Actual: N IndexName: by-x"),
        ({**KEY, "x": {"S": ""}}, "empty string value. IndexName: by-x, IndexKey: x"),
        ({**KEY, "b": {"S": "x" * 400 * 1024}}, "Item size has exceeded the maximum allowed size"),
        ({**KEY, "": {"S": "x"}}, "Empty attribute name"),
    ],
)
def test_what_cannot_be_put(table: Any, item: Any, message: str) -> None:
    with pytest.raises(AwsError) as error:
        table.put_item(TableName="table", Item=item)
    assert error.value.code == "ValidationException"
    assert message in error.value.message


@pytest.mark.parametrize(
    "key", [{"p": {"S": "a"}}, {"p": {"S": "a"}, "c": {"S": "1"}}, {"p": {"S": "a"}, "d": {"N": "1"}}]
)
def test_a_key_is_exactly_the_tables(table: Any, key: Any) -> None:
    with pytest.raises(AwsError, match="The provided key element does not match the schema"):
        table.get_item(TableName="table", Key=key)


def test_a_condition_that_does_not_hold_writes_nothing_and_shows_the_item_if_asked(table: Any) -> None:
    put(table, v={"N": "1"})
    with pytest.raises(AwsError, match="The conditional request failed") as error:
        table.put_item(
            TableName="table",
            Item=KEY,
            ConditionExpression="attribute_not_exists(p)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert error.value.code == "ConditionalCheckFailedException"
    assert error.value.fields["Item"] == got(table) == {**KEY, "v": {"N": "1"}}


def test_legacy_conditions_and_updates_say_the_same(table: Any) -> None:
    put(table, v={"N": "1"})
    change = {"v": {"Action": "ADD", "Value": {"N": "2"}}, "l": {"Action": "ADD", "Value": {"L": [{"S": "a"}]}}}
    table.update_item(TableName="table", Key=KEY, AttributeUpdates=change, Expected={"v": {"Value": {"N": "1"}}})
    assert got(table) == {**KEY, "v": {"N": "3"}, "l": {"L": [{"S": "a"}]}}
    with pytest.raises(AwsError, match="The conditional request failed"):
        table.delete_item(TableName="table", Key=KEY, Expected={"v": {"Exists": False}})
    with pytest.raises(AwsError, match="Type mismatch for attribute to update"):
        table.update_item(TableName="table", Key=KEY, AttributeUpdates={"l": {"Action": "ADD", "Value": {"N": "1"}}})
    with pytest.raises(AwsError, match=r"Non-expression parameters: \{Expected\} Expression parameters: \{ConditionEx"):
        table.delete_item(
            TableName="table", Key=KEY, Expected={"v": {"Exists": False}}, ConditionExpression="attribute_exists(v)"
        )


@pytest.mark.parametrize(
    ("wanted", "attributes"),
    [
        ("NONE", None),
        ("ALL_OLD", {**KEY, "m": {"M": {"a": {"N": "1"}, "b": {"N": "2"}}}}),
        ("ALL_NEW", {**KEY, "m": {"M": {"a": {"N": "5"}, "b": {"N": "2"}}}, "n": {"N": "7"}}),
        ("UPDATED_OLD", {"m": {"M": {"a": {"N": "1"}}}}),
        ("UPDATED_NEW", {"m": {"M": {"a": {"N": "5"}}}, "n": {"N": "7"}}),
    ],
)
def test_an_update_returns_what_is_asked_for(table: Any, wanted: str, attributes: Any) -> None:
    put(table, m={"M": {"a": {"N": "1"}, "b": {"N": "2"}}})
    answer = table.update_item(
        TableName="table",
        Key=KEY,
        UpdateExpression="SET m.a = :five, n = :seven",
        ExpressionAttributeValues={":five": {"N": "5"}, ":seven": {"N": "7"}},
        ReturnValues=wanted,
    )
    assert answer.get("Attributes") == attributes


def test_an_update_makes_an_item_unless_it_only_takes_away(table: Any) -> None:
    table.update_item(TableName="table", Key=KEY, UpdateExpression="REMOVE v")
    assert got(table) is None
    table.update_item(TableName="table", Key=KEY)
    assert got(table) == KEY


def test_a_key_is_not_updated(table: Any) -> None:
    with pytest.raises(AwsError, match=r"Cannot update attribute c\. This attribute is part of the key"):
        table.update_item(TableName="table", Key=KEY, UpdateExpression="REMOVE c")


def test_the_size_of_an_updated_item_is_that_of_its_attributes(table: Any) -> None:
    put(table, a={"S": "x" * 100}, b={"S": "y"})
    table.update_item(
        TableName="table",
        Key=KEY,
        UpdateExpression="SET a = :a, d = :a REMOVE b",
        ExpressionAttributeValues={":a": {"S": "zz"}},
    )
    answer = table.describe_table(TableName="table")["Table"]
    assert answer["TableSizeBytes"] == len("pa") + (len("c") + 2) + len("azz") + len("dzz")


def test_units_are_of_four_kilobytes_read_and_one_written_and_of_indexes_apart(table: Any) -> None:
    answer = table.put_item(
        TableName="table", Item={**KEY, "x": {"S": "x"}, "b": {"S": "y" * 1024}}, ReturnConsumedCapacity="INDEXES"
    )
    assert answer["ConsumedCapacity"] == {
        "TableName": "table",
        "CapacityUnits": 3.0,
        "Table": {"CapacityUnits": 2.0},
        "GlobalSecondaryIndexes": {"by-x": {"CapacityUnits": 1.0}},
    }
    for consistent, units in ((True, 1.0), (False, 0.5)):
        answer = table.get_item(TableName="table", Key=KEY, ConsistentRead=consistent, ReturnConsumedCapacity="TOTAL")
        assert answer["ConsumedCapacity"]["CapacityUnits"] == units


def test_a_batch_gets_and_writes_each_for_itself(table: Any) -> None:
    keys = [{"p": {"S": "a"}, "c": {"N": str(number)}} for number in range(3)]
    table.batch_write_item(RequestItems={"table": [{"PutRequest": {"Item": key}} for key in keys]})
    table.batch_write_item(RequestItems={"table": [{"DeleteRequest": {"Key": keys[0]}}]})
    answer = table.batch_get_item(RequestItems={"table": {"Keys": keys}})
    assert answer == {"Responses": {"table": keys[1:]}, "UnprocessedKeys": {}}
    with pytest.raises(AwsError, match="Provided list of item keys contains duplicates"):
        table.batch_get_item(RequestItems={"table": {"Keys": [keys[0], {"p": {"S": "a"}, "c": {"N": "0.0"}}]}})
