"""Events and answers of Lambda targets (Application Load Balancers guide, "Use Lambda functions as targets ...")."""

import base64
import json

import pytest

from lab.runtime.lambda_event import Incoming, InvalidAnswerError, build, parse

REQUEST = Incoming(
    method="POST",
    path="/orders",
    query="q=a%20b&tag=1&tag=2",
    headers=[("Host", "shop"), ("Cookie", "a=1"), ("Cookie", "b=2"), ("Content-Type", "application/json")],
    body=b"{}",
)


def test_an_event_has_the_documented_members():
    event = json.loads(build(REQUEST, "arn:group", multi_value=False))
    assert event == {
        "requestContext": {"elb": {"targetGroupArn": "arn:group"}},
        "httpMethod": "POST",
        "path": "/orders",
        "queryStringParameters": {"q": "a%20b", "tag": "2"},
        "headers": {"host": "shop", "cookie": "b=2", "content-type": "application/json"},
        "body": "{}",
        "isBase64Encoded": False,
    }


def test_with_multi_value_headers_every_value_is_kept():
    event = json.loads(build(REQUEST, "arn:group", multi_value=True))
    assert event["multiValueQueryStringParameters"] == {"q": ["a%20b"], "tag": ["1", "2"]}
    assert event["multiValueHeaders"]["cookie"] == ["a=1", "b=2"]
    assert "headers" not in event


def test_a_body_that_is_no_text_is_base64():
    binary = Incoming("POST", "/", "", [("Content-Type", "image/png")], b"\x89PNG")
    event = json.loads(build(binary, "arn:group", multi_value=False))
    assert event["isBase64Encoded"]
    assert base64.b64decode(event["body"]) == b"\x89PNG"


def test_an_answer_is_read():
    outgoing = parse(b'{"statusCode": 201, "headers": {"a": "b"}, "body": "done"}', multi_value=False)
    assert (outgoing.status, outgoing.headers, outgoing.body) == (201, [("a", "b")], b"done")


def test_an_answer_with_multi_value_headers_is_read():
    answer = {"statusCode": 200, "multiValueHeaders": {"a": ["b", "c"]}, "body": "ZG9uZQ==", "isBase64Encoded": True}
    outgoing = parse(json.dumps(answer).encode(), multi_value=True)
    assert (outgoing.headers, outgoing.body) == ([("a", "b"), ("a", "c")], b"done")


@pytest.mark.parametrize(
    ("answer", "multi_value"),
    [
        (b'{"statusCode": 200, "body": "no headers"}', False),
        (b'{"headers": {}, "body": "no status"}', False),
        (b'{"statusCode": 200, "headers": {"a": "b"}}', True),
        (b'"text"', False),
        (b"not JSON", False),
        (b"[" * 50_000, False),
        (b'{"statusCode": 99, "headers": {}}', False),
        (b'{"statusCode": 200, "headers": {"a": "b\\r\\nc: d"}}', False),
        (b'{"statusCode": 200, "headers": {"a": "\\udcff"}}', False),
        (b'{"statusCode": 200, "headers": {}, "body": "' + b"x" * 1_000_001 + b'"}', False),
    ],
)
def test_what_a_load_balancer_refuses_is_an_error(answer, multi_value):
    with pytest.raises(InvalidAnswerError):
        parse(answer, multi_value=multi_value)
