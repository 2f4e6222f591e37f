"""Transactions: all or nothing, with a reason for each item, once per token.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from typing import Any

import pytest

from stratolite.kernel import AwsError


@pytest.fixture
def table(aws: Any) -> Any:
    aws.dynamodb.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    aws.settle()
    return aws.dynamodb


def item(p: str, **more: Any) -> Any:
    return {"p": {"S": p}, **more}


def put(p: str, **more: Any) -> Any:
    return {"Put": {"TableName": "table", "Item": item(p), **more}}


def count(table: Any) -> int:
    return int(table.scan(TableName="table")["Count"])


def test_all_of_a_transaction_is_done(table: Any) -> None:
    table.put_item(TableName="table", Item=item("old"))
    table.transact_write_items(
        TransactItems=[
            put("new"),
            {"Delete": {"TableName": "table", "Key": item("old")}},
            {
                "Update": {
                    "TableName": "table",
                    "Key": item("made"),
                    "UpdateExpression": "SET n = :n",
                    "ExpressionAttributeValues": {":n": {"N": "1"}},
                }
            },
            {
                "ConditionCheck": {
                    "TableName": "table",
                    "Key": item("absent"),
                    "ConditionExpression": "attribute_not_exists(p)",
                }
            },
        ]
    )
    answer = table.transact_get_items(
        TransactItems=[{"Get": {"TableName": "table", "Key": item(p)}} for p in ("new", "old", "made")],
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["Responses"] == [{"Item": item("new")}, {}, {"Item": item("made", n={"N": "1"})}]
    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 6.0


def test_or_none_of_it_with_a_reason_for_each(table: Any) -> None:
    table.put_item(TableName="table", Item=item("old", v={"N": "1"}))
    refused = put("old", ConditionExpression="attribute_not_exists(p)", ReturnValuesOnConditionCheckFailure="ALL_OLD")
    with pytest.raises(AwsError) as error:
        table.transact_write_items(TransactItems=[put("new"), refused])
    assert error.value.code == "TransactionCanceledException"
    assert error.value.message == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]"
    )
    assert error.value.fields["CancellationReasons"] == [
        {"Code": "None"},
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": item("old", v={"N": "1"}),
        },
    ]
    assert count(table) == 1


def test_what_does_not_fit_its_table_is_a_reason_too(table: Any) -> None:
    wrong: Any = {"Put": {"TableName": "table", "Item": {"p": {"N": "1"}}}}
    with pytest.raises(AwsError) as error:
        table.transact_write_items(TransactItems=[put("a"), wrong, wrong])
    codes = [reason["Code"] for reason in error.value.fields["CancellationReasons"]]
    assert codes == ["None", "ValidationError", "None"]
    assert count(table) == 0


def test_an_item_is_named_once(table: Any) -> None:
    with pytest.raises(AwsError, match="Transaction request cannot include multiple operations on one item"):
        table.transact_write_items(TransactItems=[put("a"), put("a")])


def test_a_token_is_carried_out_once_in_ten_minutes(aws: Any, table: Any) -> None:
    first = table.transact_write_items(TransactItems=[put("a")], ClientRequestToken="t", ReturnConsumedCapacity="TOTAL")
    assert first["ConsumedCapacity"] == [{"TableName": "table", "CapacityUnits": 2.0, "WriteCapacityUnits": 2.0}]
    table.delete_item(TableName="table", Key=item("a"))
    again = table.transact_write_items(TransactItems=[put("a")], ClientRequestToken="t", ReturnConsumedCapacity="TOTAL")
    assert again["ConsumedCapacity"] == [{"TableName": "table", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]
    assert count(table) == 0
    with pytest.raises(AwsError, match="Requests with the same client request token must have identical parameters"):
        table.transact_write_items(TransactItems=[put("b")], ClientRequestToken="t")
    aws.pass_time(601)
    table.transact_write_items(TransactItems=[put("b")], ClientRequestToken="t")
    assert count(table) == 1
