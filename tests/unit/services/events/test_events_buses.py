"""Buses, permissions and tags through the API."""

import json

import pytest
from botocore.exceptions import ClientError

BUS = "arn:aws:events:us-east-1:000000000000:event-bus/orders"


@pytest.fixture
def events(cloud):
    return cloud.client("events")


def refused(operation, **members):
    with pytest.raises(ClientError) as error:
        operation(**members)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_the_default_bus_is_there_from_the_start(events):
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default"]
    assert events.describe_event_bus()["Arn"] == "arn:aws:events:us-east-1:000000000000:event-bus/default"


def test_a_bus_is_made_described_changed_and_deleted(events):
    made = events.create_event_bus(Name="orders", Description="d")
    assert (made["EventBusArn"], made["Description"]) == (BUS, "d")
    events.update_event_bus(Name="orders", Description="e")
    assert events.describe_event_bus(Name=BUS)["Description"] == "e"
    events.delete_event_bus(Name="orders")
    assert refused(events.describe_event_bus, Name="orders") == (
        "ResourceNotFoundException",
        "Event bus orders does not exist.",
    )


def test_a_name_is_taken_once_per_account_and_region(events, cloud):
    events.create_event_bus(Name="orders")
    assert refused(events.create_event_bus, Name="orders") == (
        "ResourceAlreadyExistsException",
        "Event bus orders already exists.",
    )
    cloud.client("events", region="eu-west-1").create_event_bus(Name="orders")
    cloud.client("events", account="111111111111").create_event_bus(Name="orders")


def test_the_default_bus_stays(events):
    assert refused(events.delete_event_bus, Name="default") == (
        "ValidationException",
        "Cannot delete event bus default.",
    )


def test_buses_are_listed_by_prefix_and_page(events):
    for number in range(5):
        events.create_event_bus(Name=f"bus-{number}")
    first = events.list_event_buses(NamePrefix="bus-", Limit=3)
    second = events.list_event_buses(NamePrefix="bus-", Limit=3, NextToken=first["NextToken"])
    assert [bus["Name"] for bus in first["EventBuses"]] == ["bus-0", "bus-1", "bus-2"]
    assert [bus["Name"] for bus in second["EventBuses"]] == ["bus-3", "bus-4"]
    assert "NextToken" not in second


def test_permissions_are_statements_of_a_policy(events):
    events.create_event_bus(Name="orders")
    put = {"EventBusName": "orders", "Action": "events:PutEvents"}
    events.put_permission(**put, Principal="111111111111", StatementId="one")
    events.put_permission(**put, Principal="*", StatementId="two")
    policy = json.loads(events.describe_event_bus(Name="orders")["Policy"])
    assert policy["Statement"][0] == {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "events:PutEvents",
        "Resource": BUS,
    }
    assert policy["Statement"][1]["Principal"] == "*"
    events.remove_permission(EventBusName="orders", StatementId="one")
    events.remove_permission(EventBusName="orders", StatementId="two")
    assert "Policy" not in events.describe_event_bus(Name="orders")
    assert refused(events.remove_permission, EventBusName="orders", StatementId="two") == (
        "ResourceNotFoundException",
        "Statement with the provided id does not exist.",
    )


def test_tags_belong_to_buses_and_rules(events):
    events.create_event_bus(Name="orders", Tags=[{"Key": "a", "Value": "1"}])
    rule = events.put_rule(Name="r", EventBusName="orders", EventPattern='{"source":["s"]}')["RuleArn"]
    for arn in (BUS, rule):
        events.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}])
        events.untag_resource(ResourceARN=arn, TagKeys=["c", "not there"])
    assert events.list_tags_for_resource(ResourceARN=BUS)["Tags"] == [
        {"Key": "a", "Value": "1"},
        {"Key": "b", "Value": "2"},
    ]
    assert events.list_tags_for_resource(ResourceARN=rule)["Tags"] == [{"Key": "b", "Value": "2"}]
    missing = "arn:aws:events:us-east-1:000000000000:rule/gone"
    assert refused(events.list_tags_for_resource, ResourceARN=missing) == (
        "ResourceNotFoundException",
        "Rule gone does not exist on EventBus default.",
    )


def test_a_bus_made_again_has_no_old_tags(events):
    events.create_event_bus(Name="orders", Tags=[{"Key": "a", "Value": "1"}])
    events.put_rule(Name="r", EventBusName="orders", EventPattern='{"source":["s"]}', Tags=[{"Key": "b", "Value": "2"}])
    events.delete_event_bus(Name="orders")
    events.create_event_bus(Name="orders")
    assert events.list_tags_for_resource(ResourceARN=BUS)["Tags"] == []
    assert events.list_rules(EventBusName="orders")["Rules"] == []
