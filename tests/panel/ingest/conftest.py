"""Deliveries as EventBridge makes them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

Deliver = Callable[..., HttpResponse]


def alarm_event(**changes: Any) -> dict[str, Any]:
    """An alarm's change to ALARM as CloudWatch words it; `changes` replaces top-level keys."""
    now = datetime.now(UTC)
    event = {
        "version": "0",
        "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "123456789012",
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "sa-east-1",
        "resources": ["arn:aws:cloudwatch:sa-east-1:123456789012:alarm:busy"],
        "detail": {
            "alarmName": "busy",
            "state": {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": timestamp(now)},
            "previousState": {"value": "OK", "timestamp": timestamp(now - timedelta(hours=1))},
        },
    }
    return {**event, **changes}


def timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}+0000"


@pytest.fixture
def deliver(key: str) -> Deliver:
    """Send a body (a value, or bytes as they are) to the webhook."""
    client = Client(raise_request_exception=False)

    def send(body: Any, *, path: str = "/webhooks/eventbridge", secret: str = key, **headers: str) -> HttpResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.post(
            path, raw, content_type="application/json; charset=utf-8", headers={"X-Api-Key": secret, **headers}
        )

    return send
