"""EventBridge rules: which events go to the API destination, how long they are retried, and where they end.

Source: EventBridge User Guide, "Retry policy and using dead-letter queues".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.event_patterns import Pattern

DAY_SECONDS = 24 * 3600.0
MOST_RETRIES = 185


@dataclass(frozen=True)
class Destination:
    """An API destination whose connection adds an API key in ``header``."""

    url: str
    header: str
    key: str


@dataclass(frozen=True)
class RetryPolicy:
    """EventBridge's defaults: 185 retries within 24 hours, whichever ends first."""

    retries: int = MOST_RETRIES
    age: float = DAY_SECONDS


@dataclass(frozen=True)
class Rule:
    """A rule with one target: its own ``destination``, else the lab's API destination."""

    name: str
    arn: str
    pattern: Pattern
    retry: RetryPolicy = RetryPolicy()
    dead_letter_queue: bool = True
    destination: Destination | None = None


ALARMS: Pattern = {
    "source": ["aws.cloudwatch"],
    "detail-type": ["CloudWatch Alarm State Change"],
    "detail": {"state": {"value": ["OK", "ALARM"]}},
}
WAKE_UPS: Pattern = {
    "source": ["aws.ecs"],
    "detail-type": ["ECS Task State Change", "ECS Service Action", "ECS Deployment State Change"],
}


def default_rules(arn_prefix: str) -> Sequence[Rule]:
    """What a world without rules of its own has: alarms that turn OK or ALARM, and ECS's events as wake-ups."""
    patterns = {"alarm-state-changes": ALARMS, "ecs-wake-ups": WAKE_UPS}
    return [Rule(name, f"{arn_prefix}{name}", pattern) for name, pattern in patterns.items()]
