"""Invocations: answered, tailed, refused; accepted, tried again, sent on."""

from __future__ import annotations

import base64
import json

import pytest
from botocore.exceptions import ClientError
from lambda_world import ARN, QUEUE, Lambda


def test_the_answer_is_the_handlers(functions: Lambda) -> None:
    functions.make("f", "return {'got': event, 'id': context.aws_request_id, 'arn': context.invoked_function_arn}")
    answer = functions.api.invoke(FunctionName="f", Payload=b'{"n": 1}')
    assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST" and "FunctionError" not in answer
    assert json.loads(answer["Payload"].read()) == {
        "got": {"n": 1},
        "id": answer["ResponseMetadata"]["RequestId"],
        "arn": ARN + "f",
    }


def test_an_exception_is_an_answer_too(functions: Lambda) -> None:
    functions.make("f", "raise KeyError('x')")
    answer = functions.api.invoke(FunctionName="f")
    assert answer["FunctionError"] == "Unhandled" and answer["StatusCode"] == 200
    told = json.loads(answer["Payload"].read())
    assert told["errorType"] == "KeyError" and "in handler" in told["stackTrace"][0]


def test_a_timeout_is_the_configured_one(functions: Lambda) -> None:
    functions.make("f", "import time\ntime.sleep(60)", Timeout=5)
    told = json.loads(functions.api.invoke(FunctionName="f")["Payload"].read())
    assert told["errorType"] == "Sandbox.Timedout" and told["errorMessage"].endswith(
        "Task timed out after 5.00 seconds"
    )


def test_the_tail_of_the_log_comes_with_the_answer(functions: Lambda) -> None:
    functions.make("f", "print('hello')")
    answer = functions.api.invoke(FunctionName="f", LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert [line.split()[0] for line in log] == ["START", "hello", "END", "REPORT"]


def test_a_dry_run_runs_nothing(functions: Lambda) -> None:
    functions.make("f", "print('ran')")
    assert functions.api.invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204
    assert functions.cloud.logs("/aws/lambda/f") == []


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"{x", "Unexpected character ('x' (code 120)): expected a valid value"),
        (b"n\x87r", "Invalid UTF-8 start byte 0x87"),
    ],
)
def test_an_event_must_be_json(functions: Lambda, payload: bytes, message: str) -> None:
    functions.make("f")
    with pytest.raises(ClientError, match="InvalidRequestContentException") as caught:
        functions.api.invoke(FunctionName="f", Payload=payload)
    assert message in str(caught.value)


def test_an_accepted_event_is_run_by_itself(functions: Lambda) -> None:
    functions.make("f", "print(json.dumps(event))")
    answer = functions.api.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": 1}')
    assert answer["StatusCode"] == 202 and answer["Payload"].read() == b""
    functions.cloud.clock.settle()
    assert functions.prints("f") == [{"n": 1}]


def test_an_event_that_fails_is_tried_again_after_one_minute_and_after_two_under_the_same_request_id(
    functions: Lambda,
) -> None:
    functions.make("f", "print(json.dumps(context.aws_request_id))\nraise ValueError('no')")
    functions.api.invoke(FunctionName="f", InvocationType="Event")
    functions.cloud.clock.advance(hours=1)
    assert functions.times("f") == [0.0, 60.0, 180.0]
    assert len(set(functions.prints("f"))) == 1


def test_what_has_failed_for_good_goes_to_the_destination_and_to_the_dead_letters(functions: Lambda) -> None:
    functions.make("end", "print(json.dumps(event))")
    functions.make("f", "raise ValueError('no')")
    functions.api.put_function_event_invoke_config(
        FunctionName="f", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": ARN + "end"}}
    )
    functions.api.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": 1}')
    functions.cloud.clock.settle()
    (record,) = functions.prints("end")
    assert record["version"] == "1.0" and record["requestPayload"] == {"n": 1}
    assert record["requestContext"]["functionArn"] == ARN + "f:$LATEST"
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responsePayload"]["errorMessage"] == "no"


def test_a_success_goes_to_its_destination(functions: Lambda) -> None:
    functions.make("end", "print(json.dumps(event))")
    functions.make("f", "return {'done': True}")
    functions.api.put_function_event_invoke_config(
        FunctionName="f", DestinationConfig={"OnSuccess": {"Destination": ARN + "end"}}
    )
    functions.api.invoke(FunctionName="f", InvocationType="Event")
    functions.cloud.clock.settle()
    (record,) = functions.prints("end")
    assert record["requestContext"]["condition"] == "Success" and record["responsePayload"] == {"done": True}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_an_event_that_is_too_old_is_given_up(functions: Lambda) -> None:
    functions.make("end", "print(json.dumps(event))")
    functions.make("f", "raise ValueError('no')")
    functions.api.put_function_event_invoke_config(
        FunctionName="f", MaximumEventAgeInSeconds=90, DestinationConfig={"OnFailure": {"Destination": ARN + "end"}}
    )
    functions.api.invoke(FunctionName="f", InvocationType="Event")
    functions.cloud.clock.advance(hours=1)
    assert functions.times("f") == [0.0, 60.0]
    assert functions.prints("end")[0]["requestContext"]["condition"] == "EventAgeExceeded"


def test_a_throttled_event_waits_and_is_not_counted_as_a_try(functions: Lambda) -> None:
    functions.make("f", "import time\ntime.sleep(10)", Timeout=20)
    functions.api.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
    functions.api.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0)
    for _ in range(2):
        functions.api.invoke(FunctionName="f", InvocationType="Event")
    functions.cloud.clock.advance(minutes=5)
    assert functions.times("f") == [0.0, 15.0]


def test_an_event_for_a_function_that_may_not_run_is_given_up_at_once(functions: Lambda) -> None:
    functions.make("end", "print(json.dumps(event))")
    functions.make("f")
    functions.api.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    functions.api.put_function_event_invoke_config(
        FunctionName="f", DestinationConfig={"OnFailure": {"Destination": ARN + "end"}}
    )
    functions.api.invoke(FunctionName="f", InvocationType="Event")
    functions.cloud.clock.settle()
    (record,) = functions.prints("end")
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0


def test_dead_letters_carry_the_event_and_why(functions: Lambda) -> None:
    queues = functions.cloud.client("sqs")
    url = queues.create_queue(QueueName="dead")["QueueUrl"]
    functions.make("f", "raise ValueError('no')", DeadLetterConfig={"TargetArn": QUEUE + "dead"})
    functions.api.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0)
    functions.api.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": 1}')
    functions.cloud.clock.settle()
    (message,) = queues.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == '{"n": 1}'
    attributes = message["MessageAttributes"]
    assert attributes["ErrorCode"]["StringValue"] == "200" and attributes["ErrorMessage"]["StringValue"] == "no"
    assert attributes["RequestID"]["DataType"] == "String"


def test_one_trace_leads_from_the_call_through_the_function_to_what_it_called(functions: Lambda) -> None:
    functions.make("inner", "return 'inner'")
    functions.make(
        "outer",
        "import boto3\nreturn json.load(boto3.client('lambda').invoke(FunctionName='inner')['Payload'])",
    )
    answer = functions.api.invoke(FunctionName="outer")
    assert json.loads(answer["Payload"].read()) == "inner"
    names = [span.name for span in functions.cloud.trace(answer["ResponseMetadata"]["RequestId"])]
    assert {"outer", "inner"} <= set(names)
