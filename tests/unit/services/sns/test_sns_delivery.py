"""Delivery: what queues, functions, endpoints and phones get of a message, and what becomes of it when they do not."""

import json

import pytest
from botocore.exceptions import ClientError

from stratolite.wire.http1 import Headers, Response

REGION = "arn:aws:{}:us-east-1:000000000000:{}".format


class World:
    def __init__(self, cloud):
        self.cloud, self.sns, self.sqs = cloud, cloud.client("sns"), cloud.client("sqs")
        self.asked, self.status = [], 200
        cloud.web(self.answer)

    def answer(self, method, url, headers, body):
        self.asked.append((url, headers, body.decode()))
        return Response(self.status, Headers({}), b"")

    def topic(self, name="t", **attributes):
        if name.endswith(".fifo"):
            attributes["FifoTopic"] = "true"
        return self.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]

    def queue(self, name="q"):
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def subscribe(self, topic, name="q", **attributes):
        return self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=REGION("sqs", name), Attributes=attributes)[
            "SubscriptionArn"
        ]

    def messages(self, url):
        return self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
        ).get("Messages", [])

    def outbox(self, **query):
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return json.loads(self.cloud.http("GET", f"http://localhost:4566/_aws/sns/outbox?{asked}").body)["messages"]


@pytest.fixture
def world(cloud):
    return World(cloud)


def test_a_queue_gets_the_envelope_line_by_line(world):
    topic, url = world.topic(), world.queue()
    arn = world.subscribe(topic)
    id_ = world.sns.publish(
        TopicArn=topic, Message="é", Subject="s", MessageAttributes={"n": {"DataType": "Number", "StringValue": "1"}}
    )["MessageId"]
    [message] = world.messages(url)
    # https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html: AWS prints a space on both sides.
    assert message["Body"].startswith(f'{{\n  "Type" : "Notification",\n  "MessageId" : "{id_}",\n  "TopicArn" : ')
    assert '  "MessageAttributes" : {\n    "n" : {"Type":"Number","Value":"1"}\n  }\n}' in message["Body"]
    body = json.loads(message["Body"])
    assert (body["Message"], body["Subject"]) == ("é", "s")
    assert body["UnsubscribeURL"] == f"http://localhost:4566/?Action=Unsubscribe&SubscriptionArn={arn}"


def test_raw_delivery_is_the_message_itself_with_its_attributes(world):
    topic, url = world.topic(), world.queue()
    world.subscribe(topic, RawMessageDelivery="true")
    attributes = {"b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    world.sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)
    [message] = world.messages(url)
    assert (message["Body"], message["MessageAttributes"]) == ("m", attributes)


def test_a_message_has_a_text_for_each_protocol(world):
    topic, url = world.topic(), world.queue()
    world.subscribe(topic, RawMessageDelivery="true")
    world.sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+15551234567")
    world.sns.publish(
        TopicArn=topic, MessageStructure="json", Message=json.dumps({"default": "d", "sqs": "for queues"})
    )
    assert [each["Body"] for each in world.messages(url)] == ["for queues"]
    assert [each["message"] for each in world.outbox(protocol="sms")] == ["d"]


@pytest.mark.parametrize(
    ("policy", "scope", "message", "arrives"),
    [
        ({"kind": ["a"]}, "MessageAttributes", "m", True),
        ({"kind": ["b"]}, "MessageAttributes", "m", False),
        ({"size": [{"numeric": [">", 4]}]}, "MessageAttributes", "m", True),
        ({"list": ["y"]}, "MessageAttributes", "m", True),
        ({"other": [{"exists": False}]}, "MessageAttributes", "m", True),
        ({"order": {"state": ["new"]}}, "MessageBody", '{"order": {"state": "new"}}', True),
        ({"order": {"state": ["new"]}}, "MessageBody", '{"order": {"state": "old"}}', False),
        ({"order": {"state": ["new"]}}, "MessageBody", "no JSON", False),
    ],
)
def test_a_filter_policy_decides(world, policy, scope, message, arrives):
    topic, url = world.topic(), world.queue()
    world.subscribe(topic, FilterPolicy=json.dumps(policy), FilterPolicyScope=scope)
    attributes = {
        "kind": {"DataType": "String", "StringValue": "a"},
        "size": {"DataType": "Number", "StringValue": "5"},
        "list": {"DataType": "String.Array", "StringValue": '["x", "y"]'},
    }
    world.sns.publish(TopicArn=topic, Message=message, MessageAttributes=attributes)
    assert len(world.messages(url)) == arrives


def test_a_fifo_topic_keeps_order_and_takes_a_message_once_in_five_minutes(world):
    topic, url = world.topic("t.fifo"), world.queue("q.fifo")
    world.subscribe(topic, "q.fifo", RawMessageDelivery="true")
    for text, dedup in (("1", "a"), ("1 again", "a"), ("2", "b")):
        world.sns.publish(TopicArn=topic, Message=text, MessageGroupId="g", MessageDeduplicationId=dedup)
    found = world.messages(url)
    assert [each["Body"] for each in found] == ["1", "2"]
    assert [each["Attributes"]["MessageDeduplicationId"] for each in found] == ["a", "b"]
    for each in found:
        world.sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    world.cloud.clock.advance(301)
    world.sns.publish(TopicArn=topic, Message="3", MessageGroupId="g", MessageDeduplicationId="a")
    assert [each["Body"] for each in world.messages(url)] == ["3"]


def test_what_a_queue_does_not_take_is_in_the_dead_letter_queue_at_once(world):
    topic, dead = world.topic(), world.queue("dead")
    policy = json.dumps({"deadLetterTargetArn": REGION("sqs", "dead")})
    world.subscribe(topic, "gone", RedrivePolicy=policy, RawMessageDelivery="true")
    attributes = {"b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    world.sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)
    [message] = world.messages(dead)
    assert (message["Body"], message["MessageAttributes"]) == ("m", attributes)


def test_the_dead_letter_of_a_function_is_what_a_queue_would_have_got(world):
    topic, dead = world.topic(), world.queue("dead")
    policy = json.dumps({"deadLetterTargetArn": REGION("sqs", "dead")})
    world.sns.subscribe(
        TopicArn=topic,
        Protocol="lambda",
        Endpoint=REGION("lambda", "function:gone"),
        Attributes={"RedrivePolicy": policy},
    )
    world.sns.publish(TopicArn=topic, Message="m")
    [message] = world.messages(dead)
    assert json.loads(message["Body"])["Message"] == "m"


def pending(world, topic, **attributes):
    arn = world.sns.subscribe(
        TopicArn=topic,
        Protocol="https",
        Endpoint="https://example.com/in",
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    world.cloud.clock.settle()
    return arn, json.loads(world.asked[-1][2])


def test_an_endpoint_confirms_by_a_link_and_ends_by_another(world):
    topic = world.topic()
    arn, asked = pending(world, topic)
    assert (asked["Type"], world.asked[-1][1]["x-amz-sns-message-type"]) == ("SubscriptionConfirmation",) * 2
    world.sns.publish(TopicArn=topic, Message="too early")
    world.cloud.clock.settle()
    assert len(world.asked) == 1
    assert arn in world.cloud.http("GET", asked["SubscribeURL"]).body.decode()
    world.sns.publish(TopicArn=topic, Message="m")
    world.cloud.clock.settle()
    url, headers, body = world.asked[-1]
    assert (url, json.loads(body)["Message"]) == ("https://example.com/in", "m")
    assert headers["x-amz-sns-subscription-arn"] == arn
    world.cloud.http("GET", json.loads(body)["UnsubscribeURL"])
    world.cloud.clock.settle()
    ended = json.loads(world.asked[-1][2])
    assert ended["Type"] == "UnsubscribeConfirmation"
    assert world.sns.list_subscriptions()["Subscriptions"] == []
    world.cloud.http("GET", ended["SubscribeURL"])
    assert [each["SubscriptionArn"] for each in world.sns.list_subscriptions()["Subscriptions"]] == [arn]


def test_a_subscription_that_nobody_confirms_is_gone_after_two_days(world):
    pending(world, world.topic())
    assert world.sns.list_subscriptions()["Subscriptions"][0]["SubscriptionArn"] == "PendingConfirmation"
    world.cloud.clock.advance(hours=49)
    assert world.sns.list_subscriptions()["Subscriptions"] == []


def test_an_endpoint_is_tried_as_its_delivery_policy_says_and_then_it_is_a_dead_letter(world):
    topic, dead = world.topic(), world.queue("dead")
    retry = {"numRetries": 2, "minDelayTarget": 5, "maxDelayTarget": 5}
    policy = json.dumps({"deadLetterTargetArn": REGION("sqs", "dead")})
    delivery = json.dumps({"healthyRetryPolicy": retry})
    _, asked = pending(world, topic, RedrivePolicy=policy, DeliveryPolicy=delivery)
    world.cloud.http("GET", asked["SubscribeURL"])
    world.status = 500
    world.sns.publish(TopicArn=topic, Message="m")
    tries = []
    for _ in range(3):
        world.cloud.clock.settle()
        tries.append(len(world.asked) - 1)
        world.cloud.clock.advance(5)
    assert tries == [1, 2, 3]
    [message] = world.messages(dead)
    assert json.loads(message["Body"])["Message"] == "m"


def test_what_an_endpoint_refuses_is_not_tried_again(world):
    topic = world.topic()
    _, asked = pending(world, topic)
    world.cloud.http("GET", asked["SubscribeURL"])
    world.status = 404
    world.sns.publish(TopicArn=topic, Message="m")
    world.cloud.clock.advance(3600)
    assert len(world.asked) == 2


def test_an_e_mail_is_in_the_outbox_with_the_link_that_confirms(world):
    topic = world.topic()
    world.sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    [asked] = world.outbox(protocol="email")
    world.cloud.http("GET", asked["message"].split()[-1])
    world.sns.publish(TopicArn=topic, Message="m", Subject="s")
    [mail] = world.outbox(after=asked["key"])
    assert (mail["endpoint"], mail["subject"], mail["message"].split("\n")[0]) == ("a@example.com", "s", "m")


def test_a_disabled_endpoint_of_an_application_is_told(world):
    secret = {"PlatformPrincipal": "p", "PlatformCredential": "c"}
    app = world.sns.create_platform_application(Name="a", Platform="GCM", Attributes=secret)["PlatformApplicationArn"]
    arn = world.sns.create_platform_endpoint(PlatformApplicationArn=app, Token="t")["EndpointArn"]
    world.sns.publish(
        TargetArn=arn, MessageStructure="json", Message=json.dumps({"default": "d", "GCM": '{"data": 1}'})
    )
    assert [each["message"] for each in world.outbox(endpoint=arn)] == ['{"data": 1}']
    world.sns.set_endpoint_attributes(EndpointArn=arn, Attributes={"Enabled": "false"})
    with pytest.raises(ClientError, match="Endpoint is disabled"):
        world.sns.publish(TargetArn=arn, Message="m")


def test_a_rule_publishes_to_a_topic(world):
    topic, url = world.topic(), world.queue()
    world.subscribe(topic, RawMessageDelivery="true")
    events = world.cloud.client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["shop"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": topic, "InputPath": "$.detail"}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "d", "Detail": '{"n": 1}'}])
    world.cloud.clock.settle()
    assert [json.loads(each["Body"]) for each in world.messages(url)] == [{"n": 1}]


def refused(operation, **members):
    with pytest.raises(ClientError) as error:
        operation(**members)
    return error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Message": ""}, "Invalid parameter: Empty message"),
        ({"Message": "m", "Subject": ""}, "Invalid parameter: Subject"),
        ({"Message": "x" * 262_145}, "Invalid parameter: Message too long"),
        (
            {"Message": "{}", "MessageStructure": "json"},
            "Invalid parameter: Message Structure - No default entry in JSON message body",
        ),
        (
            {"Message": "m", "MessageDeduplicationId": "d"},
            "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter "
            "that is not valid for this topic type",
        ),
    ],
)
def test_messages_that_are_refused(world, members, message):
    # The texts are what AWS answered (the recorded answers of LocalStack's test suite, test_sns.py).
    assert refused(world.sns.publish, TopicArn=world.topic(), **members) == message


def test_a_batch_is_published_entry_by_entry(world):
    topic, url = world.topic(), world.queue()
    world.subscribe(topic, RawMessageDelivery="true")
    entries = [{"Id": str(n), "Message": f"m{n}"} for n in range(3)]
    answer = world.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert ([each["Id"] for each in answer["Successful"]], answer["Failed"]) == (["0", "1", "2"], [])
    assert sorted(each["Body"] for each in world.messages(url)) == ["m0", "m1", "m2"]
    twice = [{"Id": "1", "Message": "m"}] * 2
    assert refused(world.sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=twice).startswith("Two or more")


def test_a_template_makes_topics_with_subscriptions_and_policies(world):
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}
    topic = {
        "Type": "AWS::SNS::Topic",
        "Properties": {"Subscription": [{"Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Q", "Arn"]}}]},
    }
    raw = {
        "Type": "AWS::SNS::Subscription",
        "Properties": {
            "TopicArn": {"Ref": "T"},
            "Protocol": "sms",
            "Endpoint": "+15551234567",
            "FilterPolicy": {"kind": ["a"]},
        },
    }
    policy = {
        "Type": "AWS::SNS::TopicPolicy",
        "Properties": {"Topics": [{"Ref": "T"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": []}},
    }
    template = {
        "Resources": {"Q": queue, "T": topic, "S": raw, "P": policy},
        "Outputs": {"T": {"Value": {"Ref": "T"}}, "N": {"Value": {"Fn::GetAtt": ["T", "TopicName"]}}},
    }
    made = world.cloud.deploy(template)
    assert made["T"].endswith(f":{made['N']}")
    found = world.sns.list_subscriptions_by_topic(TopicArn=made["T"])["Subscriptions"]
    assert sorted(each["Protocol"] for each in found) == ["sms", "sqs"]
    attributes = world.sns.get_topic_attributes(TopicArn=made["T"])["Attributes"]
    assert json.loads(attributes["Policy"])["Statement"] == []
    raw["Properties"]["FilterPolicy"] = {"kind": ["b"]}
    del template["Resources"]["P"]
    world.cloud.deploy(template)
    sms = next(each["SubscriptionArn"] for each in found if each["Protocol"] == "sms")
    changed = world.sns.get_subscription_attributes(SubscriptionArn=sms)["Attributes"]
    assert json.loads(changed["FilterPolicy"]) == {"kind": ["b"]}


def test_a_function_gets_a_record(world):
    topic = world.topic()
    code = "import json\ndef handler(event, context):\n    print(json.dumps(event))"
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "f",
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": "arn:aws:iam::000000000000:role/r",
            "Code": {"ZipFile": code},
        },
    }
    world.cloud.deploy({"Resources": {"F": function}})
    arn = world.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=REGION("lambda", "function:f"))
    world.sns.publish(TopicArn=topic, Message="m", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}})
    world.cloud.clock.settle()
    [event] = [json.loads(line.message) for line in world.cloud.logs("/aws/lambda/f") if line.message[0] == "{"]
    [record] = event["Records"]
    # https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    assert (record["EventSource"], record["EventVersion"]) == ("aws:sns", "1.0")
    assert record["EventSubscriptionArn"] == arn["SubscriptionArn"]
    sns = record["Sns"]
    assert list(sns) == [
        "Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature",
        "SigningCertUrl", "UnsubscribeUrl", "MessageAttributes",
    ]  # fmt: skip
    assert (sns["Subject"], sns["Message"], sns["MessageAttributes"]) == (
        None,
        "m",
        {"a": {"Type": "String", "Value": "b"}},
    )


def test_dead_letters_of_a_fifo_topic_keep_their_group(world):
    topic, dead = world.topic("t.fifo"), world.queue("dead.fifo")
    policy = json.dumps({"deadLetterTargetArn": REGION("sqs", "dead.fifo")})
    world.subscribe(topic, "gone.fifo", RedrivePolicy=policy, RawMessageDelivery="true")
    for text in "12":
        world.sns.publish(TopicArn=topic, Message=text, MessageGroupId="g", MessageDeduplicationId=text)
    found = world.messages(dead)
    assert [(each["Body"], each["Attributes"]["MessageGroupId"]) for each in found] == [("1", "g"), ("2", "g")]


def test_attributes_of_text_messages_and_numbers(world):
    world.sns.set_sms_attributes(attributes={"DefaultSMSType": "Transactional"})
    assert world.sns.get_sms_attributes(attributes=["DefaultSMSType"])["attributes"] == {
        "DefaultSMSType": "Transactional"
    }
    assert refused(world.sns.set_sms_attributes, attributes={"X": "1"}) == "X is not a valid attribute"
    world.sns.publish(PhoneNumber="+15551234567", Message="m")
    assert [each["endpoint"] for each in world.outbox(protocol="sms")] == ["+15551234567"]
    assert (
        refused(world.sns.publish, PhoneNumber="+1a234", Message="m")
        == "Invalid parameter: PhoneNumber Reason: +1a234 is not valid to publish to"
    )


def test_a_template_does_not_take_a_topic_that_is_there(world):
    world.topic("mine")
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "mine"}}
    with pytest.raises(AssertionError, match="Topic mine already exists"):
        world.cloud.deploy({"Resources": {"T": topic}})
    assert len(world.sns.list_topics()["Topics"]) == 1
