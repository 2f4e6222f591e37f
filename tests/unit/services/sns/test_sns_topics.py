"""Topics through the API: made, described, changed, tagged, permitted, deleted."""

import json

import pytest
from botocore.exceptions import ClientError

ORDERS = "arn:aws:sns:us-east-1:000000000000:orders"


@pytest.fixture
def sns(cloud):
    return cloud.client("sns")


def refused(operation, **members):
    with pytest.raises(ClientError) as error:
        operation(**members)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_topic_is_made_once_and_its_name_is_its_arn(sns):
    assert sns.create_topic(Name="orders")["TopicArn"] == ORDERS
    assert sns.create_topic(Name="orders")["TopicArn"] == ORDERS
    assert [each["TopicArn"] for each in sns.list_topics()["Topics"]] == [ORDERS]


def test_a_topic_that_is_there_is_not_made_with_other_attributes_or_tags(sns):
    sns.create_topic(Name="orders", Attributes={"DisplayName": "a"}, Tags=[{"Key": "k", "Value": "v"}])
    assert refused(sns.create_topic, Name="orders", Attributes={"DisplayName": "b"}) == (
        "InvalidParameter",
        "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
    )
    assert refused(sns.create_topic, Name="orders", Tags=[{"Key": "k", "Value": "w"}]) == (
        "InvalidParameter",
        "Invalid parameter: Tags Reason: Topic already exists with different tags",
    )


@pytest.mark.parametrize(
    ("name", "attributes"), [("a b", {}), ("orders.fifo", {}), ("orders", {"FifoTopic": "true"}), ("x" * 257, {})]
)
def test_names_that_no_topic_can_have(sns, name, attributes):
    assert refused(sns.create_topic, Name=name, Attributes=attributes) == (
        "InvalidParameter",
        "Invalid parameter: Topic Name",
    )


def test_a_new_topic_tells_its_defaults(sns):
    sns.create_topic(Name="orders.fifo", Attributes={"FifoTopic": "true"})
    found = sns.get_topic_attributes(TopicArn=f"{ORDERS}.fifo")["Attributes"]
    assert (found["FifoTopic"], found["ContentBasedDeduplication"], found["SubscriptionsConfirmed"]) == (
        "true",
        "false",
        "0",
    )
    assert json.loads(found["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 3


def test_what_is_no_topic_is_not_found(sns):
    assert refused(sns.get_topic_attributes, TopicArn=ORDERS) == ("NotFound", "Topic does not exist")
    assert refused(sns.get_topic_attributes, TopicArn="x")[1].endswith("An ARN must have at least 6 elements, not 1")
    sns.delete_topic(TopicArn=ORDERS)


def test_a_permission_is_a_statement_of_the_policy_until_it_is_removed(sns):
    sns.create_topic(Name="orders")
    sns.add_permission(TopicArn=ORDERS, Label="l", AWSAccountId=["111111111111"], ActionName=["Publish"])

    def labels():
        policy = json.loads(sns.get_topic_attributes(TopicArn=ORDERS)["Attributes"]["Policy"])
        return [each["Sid"] for each in policy["Statement"]]

    assert labels() == ["__default_statement_ID", "l"]
    sns.remove_permission(TopicArn=ORDERS, Label="l")
    assert labels() == ["__default_statement_ID"]


def test_tags_come_and_go(sns):
    sns.create_topic(Name="orders", Tags=[{"Key": "a", "Value": "1"}])
    sns.tag_resource(ResourceArn=ORDERS, Tags=[{"Key": "b", "Value": "2"}])
    sns.untag_resource(ResourceArn=ORDERS, TagKeys=["a"])
    assert sns.list_tags_for_resource(ResourceArn=ORDERS)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_a_topic_takes_its_subscriptions_with_it(sns):
    sns.create_topic(Name="orders")
    sns.subscribe(TopicArn=ORDERS, Protocol="sms", Endpoint="+15551234567")
    sns.delete_topic(TopicArn=ORDERS)
    assert sns.list_subscriptions()["Subscriptions"] == []
