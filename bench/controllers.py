"""The two controllers, each as its Lambda function is deployed: with its own events, configuration and clients."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config

from bench.configuration import PREWARM, application, environment, toml
from bench.events import Handle
from bench.incident import Controller, Told
from bench.naive import Naive
from bench.simulate.play import INVOCATION_SECONDS, QUICK
from failover import lambda_handler
from lab.process import LabProcess

ALARM_CHANGE = "CloudWatch Alarm State Change"


@contextmanager
def naive(lab: LabProcess, told: Told) -> Iterator[Handle]:
    """Its EventBridge rule takes the two alarms that a failover is for, as they turn OK or ALARM."""
    ecs, elbv2 = _client(lab, "ecs"), _client(lab, "elbv2")
    controller = Naive(application(lab, QUICK), ecs, elbv2, time.sleep, lambda: told.ended)

    def handle(event: dict[str, Any]) -> None:
        if event["detail-type"] == ALARM_CHANGE and event["detail"]["alarmName"] != PREWARM:
            told.tell("event", f"{event['detail']['alarmName']} is {event['detail']['state']['value']}")
            controller.handle(event)

    yield handle


def ours(*, prewarm: bool) -> Controller:
    """Every event and the schedule wake it; it ignores what is not its application's."""

    @contextmanager
    def controller(lab: LabProcess, told: Told) -> Iterator[Handle]:
        configured = environment(lab, FAILOVER_CONFIG=toml(lab, QUICK, prewarm=prewarm))
        with configured, contextlib.redirect_stdout(_Log(told)):
            yield lambda event: _invoke(event, told)

    return controller


def _invoke(event: dict[str, Any], told: Told) -> None:
    lambda_handler.handler(event, _Context(told))


class _Context:
    """What Lambda passes beside the event; an invocation that outlives the play is out of time."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._until = time.time() + INVOCATION_SECONDS

    def get_remaining_time_in_millis(self) -> int:
        return 0 if self._told.ended else int(1000 * (self._until - time.time()))


class _Log(io.TextIOBase):
    """Where a function's standard output goes: each line is told, at its time."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def write(self, text: str) -> int:
        for line in filter(None, text.splitlines()):
            said = json.loads(line)
            self._told.tell(said["kind"], said["message"])
        return len(text)


def _client(lab: LabProcess, service: str) -> Any:
    session: Any = boto3.Session("lab", "lab", region_name=lab.description["region"])
    config = Config(connect_timeout=2, read_timeout=5)
    return session.client(service, endpoint_url=lab.endpoint, config=config)
