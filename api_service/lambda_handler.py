"""The Lambda entry: `api_service.lambda_handler.handler` answers ALB target-group events."""

from http import HTTPStatus
from typing import Any

from mangum import Mangum

from api_service.app import app

# An ASGI lifespan would run once for each invocation, not once for each environment.
_answer_http = Mangum(app, lifespan="off")


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer one invocation.

    An ALB sends `headers`, or `multiValueHeaders` where the target group has them switched on, and reads the same
    key from the answer, with `statusDescription` as "200 OK"
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html).
    Any other event, such as a schedule that keeps the function warm, gets a sentence.
    """
    if not _is_from_load_balancer(event):
        return {"message": "This function answers ALB target-group requests; this event is none, so nothing was done."}
    answer: dict[str, Any] = _answer_http(event, context)
    return {**answer, "statusDescription": _description(answer["statusCode"])}


def _is_from_load_balancer(event: Any) -> bool:
    request_context = event.get("requestContext") if isinstance(event, dict) else None
    return isinstance(request_context, dict) and "elb" in request_context


def _description(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
