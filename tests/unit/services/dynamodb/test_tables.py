"""Tables: their states, what is wrong with their definitions, and indexes that come later.

Texts as AWS gives them; the shapes of answers as recorded in LocalStack's suite (tests/aws/services/dynamodb).
"""

from typing import Any

import pytest

from stratolite.kernel import AwsError

INCLUDE: Any = {"ProjectionType": "INCLUDE"}
RANGE: Any = [{"AttributeName": "p", "KeyType": "RANGE"}]
KEY: Any = [{"AttributeName": "p", "KeyType": "HASH"}]
BOTH: Any = [*KEY, {"AttributeName": "c", "KeyType": "RANGE"}]
ALL: Any = {"ProjectionType": "ALL"}


def attributes(*names: str) -> Any:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def create(aws: Any, name: str = "table", **more: Any) -> Any:
    given = {"KeySchema": KEY, "AttributeDefinitions": attributes("p"), "BillingMode": "PAY_PER_REQUEST", **more}
    return aws.dynamodb.create_table(TableName=name, **given)["TableDescription"]


def described(aws: Any, name: str = "table") -> Any:
    aws.settle()
    return aws.dynamodb.describe_table(TableName=name)["Table"]


def test_a_table_is_creating_then_active_then_deleting_then_gone(aws: Any) -> None:
    assert create(aws)["TableStatus"] == "CREATING"
    table = described(aws)
    assert table["TableStatus"] == "ACTIVE"
    assert table["TableArn"] == "arn:aws:dynamodb:us-east-1:000000000000:table/table"
    assert table["BillingModeSummary"] == {
        "BillingMode": "PAY_PER_REQUEST",
        "LastUpdateToPayPerRequestDateTime": table["CreationDateTime"],
    }
    assert table["WarmThroughput"] == {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}
    gone = aws.dynamodb.delete_table(TableName="table")["TableDescription"]
    assert gone["TableStatus"] == "DELETING"
    assert not {"KeySchema", "AttributeDefinitions", "CreationDateTime"} & gone.keys()
    aws.settle()
    with pytest.raises(AwsError, match="Requested resource not found: Table: table not found") as error:
        aws.dynamodb.describe_table(TableName="table")
    assert error.value.code == "ResourceNotFoundException"


def test_tables_are_of_an_account_and_a_region(aws: Any) -> None:
    create(aws)
    create(aws.of("111111111111"))
    create(aws.of(region="eu-west-1"), "other")
    assert aws.dynamodb.list_tables()["TableNames"] == ["table"]
    assert aws.of(region="eu-west-1").dynamodb.list_tables()["TableNames"] == ["other"]
    with pytest.raises(AwsError, match="Table already exists: table"):
        create(aws)


def test_tables_are_listed_in_order_page_by_page(aws: Any) -> None:
    for name in ("bbb", "aaa", "ccc"):
        create(aws, name)
    first = aws.dynamodb.list_tables(Limit=2)
    assert first == {"TableNames": ["aaa", "bbb"], "LastEvaluatedTableName": "bbb"}
    assert aws.dynamodb.list_tables(ExclusiveStartTableName="bbb") == {"TableNames": ["ccc"]}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"KeySchema": RANGE}, "The first KeySchemaElement is not a HASH key type"),
        ({"KeySchema": [*KEY, {"AttributeName": "p", "KeyType": "RANGE"}]}, "in the KeySchema have the same name"),
        ({"KeySchema": [*KEY, {"AttributeName": "c", "KeyType": "HASH"}], "AttributeDefinitions": attributes("p", "c")},
         "The second KeySchemaElement is not a RANGE key type"),
        ({"KeySchema": BOTH}, "Some index key attributes are not defined in AttributeDefinitions. Keys: [c]"),
        ({"AttributeDefinitions": attributes("p", "x")}, "Number of attributes in KeySchema does not exactly match"),
        ({"AttributeDefinitions": attributes("p", "p")}, "Duplicate attribute name: p"),
        ({"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
         "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"),
        ({"BillingMode": "PROVISIONED"}, "must both be specified when BillingMode is PROVISIONED"),
        ({"GlobalSecondaryIndexes": []}, "List of GlobalSecondaryIndexes is empty"),
        ({"LocalSecondaryIndexes": [{"IndexName": "index", "KeySchema": BOTH, "Projection": ALL}]},
         "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"),
        ({"GlobalSecondaryIndexes": [{"IndexName": "index", "KeySchema": KEY, "Projection": INCLUDE}]},
         "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"),
        ({"GlobalSecondaryIndexes": [{"IndexName": "index", "KeySchema": KEY, "Projection": ALL}] * 2},
         "Duplicate index name: index"),
        ({"StreamSpecification": {"StreamEnabled": True}}, "StreamViewType was not specified"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_definition(aws: Any, more: Any, message: str) -> None:
    with pytest.raises(AwsError) as error:
        create(aws, **more)
    assert error.value.code == "ValidationException"
    assert message in error.value.message


def test_a_name_has_three_characters_and_no_odd_ones(aws: Any) -> None:
    with pytest.raises(AwsError, match="at least 3 characters long and at most 255"):
        create(aws, "xy")
    with pytest.raises(AwsError, match=r"Member must satisfy regular expression pattern: \[a-zA-Z0-9_.-\]\+"):
        create(aws, "a b c")


def test_a_protected_table_is_not_deleted(aws: Any) -> None:
    create(aws, DeletionProtectionEnabled=True)
    aws.settle()
    with pytest.raises(AwsError, match="currently protected against deletion"):
        aws.dynamodb.delete_table(TableName="table")
    aws.dynamodb.update_table(TableName="table", DeletionProtectionEnabled=False)
    aws.settle()
    aws.dynamodb.delete_table(TableName="table")


def test_an_index_made_later_shows_what_was_there_before(aws: Any) -> None:
    create(aws)
    aws.settle()
    for number in range(1200):  # more than the back-fill takes at a time
        aws.dynamodb.put_item(TableName="table", Item={"p": {"S": str(number)}, "x": {"S": f"x{number % 2}"}})
    aws.dynamodb.put_item(TableName="table", Item={"p": {"S": "without"}})
    update = {
        "Create": {"IndexName": "by-x", "KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}], "Projection": ALL}
    }
    made = aws.dynamodb.update_table(
        TableName="table", AttributeDefinitions=attributes("x"), GlobalSecondaryIndexUpdates=[update]
    )["TableDescription"]
    assert made["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    table = described(aws)
    assert table["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
    assert table["AttributeDefinitions"] == attributes("p", "x")
    assert aws.dynamodb.scan(TableName="table", IndexName="by-x", Select="COUNT")["Count"] == 1200
    aws.dynamodb.update_table(TableName="table", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-x"}}])
    table = described(aws)
    assert "GlobalSecondaryIndexes" not in table
    assert table["AttributeDefinitions"] == attributes("p")
    assert aws.cloud.store.reader().value("SELECT count(*) FROM dynamodb_index_item") == 0


def test_a_new_table_of_an_old_name_is_empty_and_the_old_ones_items_are_swept(aws: Any) -> None:
    create(aws)
    aws.settle()
    aws.dynamodb.put_item(TableName="table", Item={"p": {"S": "a"}})
    aws.dynamodb.delete_table(TableName="table")
    aws.settle()
    create(aws)
    aws.settle()
    assert aws.dynamodb.scan(TableName="table")["Items"] == []
    assert aws.cloud.store.reader().value("SELECT count(*) FROM dynamodb_item") == 0


def test_size_and_count_are_those_of_the_items(aws: Any) -> None:
    create(aws)
    aws.settle()
    aws.dynamodb.put_item(TableName="table", Item={"p": {"S": "abc"}})
    table = described(aws)
    assert (table["ItemCount"], table["TableSizeBytes"]) == (1, 4)


def test_a_large_table_is_counted_by_the_first_who_asks_and_again_after_six_hours(aws: Any) -> None:
    create(aws)
    aws.settle()
    for number in range(2100):
        aws.dynamodb.put_item(TableName="table", Item={"p": {"S": f"{number:04}"}})
    assert described(aws)["ItemCount"] == 1000
    table = described(aws)
    assert (table["ItemCount"], table["TableSizeBytes"]) == (2100, 2100 * 5)
    aws.dynamodb.delete_item(TableName="table", Key={"p": {"S": "0000"}})
    assert described(aws)["ItemCount"] == 2100
    aws.pass_time(6 * 3600)
    described(aws)
    assert described(aws)["ItemCount"] == 2099


def test_tags_are_added_changed_and_removed(aws: Any) -> None:
    arn = create(aws, Tags=[{"Key": "a", "Value": "1"}])["TableArn"]
    aws.dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    aws.dynamodb.untag_resource(ResourceArn=arn, TagKeys=["b"])
    assert aws.dynamodb.list_tags_of_resource(ResourceArn=arn) == {"Tags": [{"Key": "a", "Value": "2"}]}
    with pytest.raises(AwsError, match="ARNs must start with 'arn:'"):
        aws.dynamodb.tag_resource(ResourceArn="table", Tags=[{"Key": "a", "Value": "2"}])


def test_point_in_time_recovery_is_said_to_be_on(aws: Any) -> None:
    create(aws)
    aws.dynamodb.update_continuous_backups(
        TableName="table", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    found = aws.dynamodb.describe_continuous_backups(TableName="table")["ContinuousBackupsDescription"]
    assert found["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] == 35


def test_a_new_stream_leaves_the_warm_throughput_active(aws: Any) -> None:
    """As recorded in LocalStack's `test_lambda_integration_dynamodbstreams.snapshot.json`, update_table_response."""
    create(aws)
    described(aws)
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    updated = aws.dynamodb.update_table(TableName="table", StreamSpecification=stream)["TableDescription"]
    assert (updated["TableStatus"], updated["WarmThroughput"]["Status"]) == ("UPDATING", "ACTIVE")


def test_a_warm_throughput_that_is_asked_for_is_updating(aws: Any) -> None:
    create(aws)
    described(aws)
    warm = {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 5000}
    updated = aws.dynamodb.update_table(TableName="table", WarmThroughput=warm)["TableDescription"]
    assert updated["WarmThroughput"] == {**warm, "Status": "UPDATING"}
    assert described(aws)["WarmThroughput"] == {**warm, "Status": "ACTIVE"}
