"""The Lambda entry, with events shaped as an ALB sends them in both of its header modes."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from api_service.lambda_handler import handler

TARGET_GROUP = "arn:aws:elasticloadbalancing:sa-east-1:111122223333:targetgroup/checkout-lambda/0123456789abcdef"


@pytest.fixture(autouse=True)
def event_loop() -> Iterator[None]:
    """As in a Lambda environment, where nothing else takes the loop that the handler found when it was loaded."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
    asyncio.set_event_loop(None)


def alb_event(path: str, *, method: str = "GET", multi_value: bool = False) -> dict[str, Any]:
    headers = {"host": "api.example.com", "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
    event: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": TARGET_GROUP}},
        "httpMethod": method,
        "path": path,
        "body": "",
        "isBase64Encoded": False,
    }
    if multi_value:
        return event | {
            "multiValueQueryStringParameters": {"q": ["a%20b", "c"]},
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
        }
    return event | {"queryStringParameters": {"q": "a%20b"}, "headers": headers}


@pytest.mark.parametrize(
    ("path", "message"), [("/", "healthy"), ("/bang", "boom"), ("/pong", "ping"), ("/env", "server")]
)
def test_it_answers_each_route(path: str, message: str) -> None:
    answer = handler(alb_event(path), None)
    assert (answer["statusCode"], answer["statusDescription"]) == (200, "200 OK")
    assert json.loads(answer["body"]) == {"message": message}
    assert answer["isBase64Encoded"] is False


def test_headers_come_back_in_the_mode_they_came_in() -> None:
    single, multi = handler(alb_event("/"), None), handler(alb_event("/", multi_value=True), None)
    assert single["headers"]["content-type"] == "application/json"
    assert "multiValueHeaders" not in single
    assert multi["multiValueHeaders"]["content-type"] == ["application/json"]
    assert "headers" not in multi


def test_an_unknown_path_is_404_in_the_same_shape() -> None:
    answer = handler(alb_event("/nowhere"), None)
    assert (answer["statusCode"], answer["statusDescription"]) == (404, "404 Not Found")
    assert json.loads(answer["body"]) == {"message": "Not Found"}


def test_another_method_is_405_and_says_which_are_allowed() -> None:
    answer = handler(alb_event("/bang", method="DELETE"), None)
    assert answer["statusDescription"] == "405 Method Not Allowed"
    assert "GET" in answer["headers"]["allow"]


@pytest.mark.parametrize("event", [{}, [], None, "tick", {"source": "aws.events"}, {"requestContext": None}])
def test_an_event_that_is_no_request_gets_a_sentence(event: Any) -> None:
    answer = handler(event, None)
    assert list(answer) == ["message"]
    assert "nothing was done" in answer["message"]


def test_one_environment_answers_one_invocation_after_another() -> None:
    bodies = [json.loads(handler(alb_event("/pong"), None)["body"]) for _ in range(3)]
    assert bodies == [{"message": "ping"}] * 3


def test_a_cold_start_loads_no_server() -> None:
    program = "import sys, api_service.lambda_handler; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    heavy = {"uvicorn", "h11", "boto3", "django", "httpx", "multipart"} & set(result.stdout.split())
    assert not heavy, f"the Lambda entry imports {heavy}, which every cold start pays for"
