"""Input transformers, with the results recorded from AWS."""

import pytest

from stratolite.languages.transformers import Context, TransformError, find, path_steps, transform, unknown_placeholder

EVENT = {
    "version": "0",
    "id": "i",
    "detail-type": "t",
    "source": "s",
    "account": "1",
    "time": "T",
    "region": "r",
    "resources": [],
    "detail": {
        "payload": {"acc_id": "0a78", "sf_id": "baz"},
        "listsingle": ["HIGH"],
        "listmulti": ["ACTIVE", "INACTIVE"],
        "valid": True,
        "quote": 'a "b"',
    },
}
PATHS = {
    "userId": "$.detail.payload.acc_id",
    "payload": "$.detail.payload",
    "missing": "$.detail.awsAccountId",
    "listsingle": "$.detail.listsingle",
    "listmulti": "$.detail.listmulti",
    "valid": "$.detail.valid",
    "quote": "$.detail.quote",
}
CONTEXT = Context("arn:aws:events:us-east-1:1:rule/r", "r", "2025-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"id" : <userId>}', '{"id":"0a78"}'),
        ('{"id" : "<userId>"}', '{"id":"0a78"}'),
        ('{"path": "users/<userId>/second/<userId>"}', '{"path":"users/0a78/second/0a78"}'),
        ('{"bod": [<userId>, "hardcoded"], "p": <payload>}',
         '{"bod":["0a78","hardcoded"],"p":{"acc_id":"0a78","sf_id":"baz"}}'),
        ('{"command": <missing>}', '{"command":""}'),
        ('{"quote": "<quote>"}', '{"quote":"a \\"b\\""}'),
        ('"<listsingle> single list item"', '"[HIGH] single list item"'),
        ('"<listmulti> multiple list items"', '"[ACTIVE,INACTIVE] multiple list items"'),
        ('"Payload of <payload> with <userId>"', '"Payload of {acc_id:0a78,sf_id:baz} with 0a78"'),
        ('"<missing> system account id"', '" system account id"'),
        ('"Command is <valid>!"', '"Command is true!"'),
        ('"{[/Check <userId> type"', '"{[/Check 0a78 type"'),
        ('"<userId> one"\n"<valid> two"', '"0a78 one"\n"true two"'),
        ('"<aws.events.rule-arn> <aws.events.rule-name> <aws.events.event.ingestion-time>"',
         '"arn:aws:events:us-east-1:1:rule/r r 2025-01-01T00:00:00Z"'),
        ('{"e": <aws.events.event>}',
         '{"e":{"version":"0","id":"i","detailType":"t","source":"s","account":"1","time":"T","region":"r",'
         '"resources":[]}}'),
    ],
)  # fmt: skip
def test_a_template_is_filled(template, expected):
    assert transform(EVENT, PATHS, template, CONTEXT) == expected


def test_the_whole_event_is_a_value():
    import json

    assert json.loads(transform(EVENT, {}, "<aws.events.event.json>", CONTEXT)) == EVENT


@pytest.mark.parametrize(
    "template", ['{"payload": "<payload>"}', '{"single": "<listsingle>"}', "<listsingle> single list item"]
)
def test_what_is_not_json_afterwards_is_not_delivered(template):
    with pytest.raises(TransformError):
        transform(EVENT, PATHS, template, CONTEXT)


def test_an_unknown_placeholder_is_named():
    assert unknown_placeholder('"<known> <other>"', {"known": "$.a"}) == "other"
    assert unknown_placeholder('"<aws.events.rule-name>"', {}) is None


def test_paths_step_through_lists():
    document = {"a": [{"b": 1}, {"b": 2}], "c-d": {"e f": 3}}
    assert find(document, "$.a[1].b") == 2
    assert find(document, "$.a[*].b") == [1, 2]
    assert find(document, "$.c-d['e f']") == 3
    assert find(document, "$.a[7].b", "nothing") == "nothing"
    assert find(document, "$") == document


@pytest.mark.parametrize("path", ["detail", "$detail", "$.a[", "$..a"])
def test_what_is_not_a_path_is_refused(path):
    with pytest.raises(TransformError):
        path_steps(path)
