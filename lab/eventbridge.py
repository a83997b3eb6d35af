"""EventBridge: alarm state changes delivered to one API destination, at least once.

Sources: EventBridge User Guide, "API destinations" and "How EventBridge retries delivering events"; CloudWatch User
Guide, "Alarm events and EventBridge".
"""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lab.alarms import Alarm, State, Transition, timestamp
from lab.ports import Answer, Http

TIMEOUT_SECONDS = 5.0
MAXIMUM_ATTEMPTS = 186  # the first and 185 retries, EventBridge's default
MAXIMUM_AGE_SECONDS = 24 * 3600
LONGEST_DELAY_SECONDS = 60.0
RETRIED_STATUSES = frozenset({401, 407, 409, 429})
KEPT_DELIVERIES = 1000


@dataclass(frozen=True)
class Destination:
    """An API destination whose connection adds an API key in ``header``."""

    url: str
    header: str
    key: str


@dataclass
class Delivery:
    """One event on its way. ``outcome`` is pending, delivered, dead or unrouted (there was no destination)."""

    event: dict[str, Any]
    accepted: float
    outcome: str = "pending"
    due: float | None = None
    attempts: list[tuple[float, Answer | None]] = field(default_factory=list)


class EventBus:
    """The default bus with one rule: every alarm state change goes to the destination."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.destination: Destination | None = None
        self.deliveries: list[Delivery] = []

    @property
    def dead_letters(self) -> list[Delivery]:
        return [delivery for delivery in self.deliveries if delivery.outcome == "dead"]

    def publish(self, event: dict[str, Any], now: float) -> None:
        outcome = "pending" if self.destination else "unrouted"
        self.deliveries.append(Delivery(event, now, outcome, due=now))
        del self.deliveries[:-KEPT_DELIVERIES]

    def advance(self, now: float) -> None:
        for delivery in self.deliveries:
            if delivery.outcome == "pending" and delivery.due is not None and delivery.due <= now:
                self._attempt(delivery, now)

    def _attempt(self, delivery: Delivery, now: float) -> None:
        if self.destination is None:
            delivery.outcome = "dead"
            return
        delivery.due = None
        delivery.attempts.append((now, None))
        headers = {
            self.destination.header: self.destination.key,
            "User-Agent": "Amazon/EventBridge/ApiDestinations",
            "Content-Type": "application/json; charset=utf-8",
            "Range": "bytes=0-1048575",
            "Connection": "close",
        }
        body = json.dumps(delivery.event).encode()
        self._http.post(self.destination.url, headers, body, TIMEOUT_SECONDS, lambda a: _settle(delivery, a))


def _settle(delivery: Delivery, answer: Answer) -> None:
    started, _ = delivery.attempts[-1]
    delivery.attempts[-1] = (started, answer)
    if answer.status is not None and 200 <= answer.status < 300:
        delivery.outcome = "delivered"
    elif not _is_retried(answer.status) or len(delivery.attempts) >= MAXIMUM_ATTEMPTS:
        delivery.outcome = "dead"
    else:
        _schedule_retry(delivery, answer)


def _is_retried(status: int | None) -> bool:
    return status is None or status in RETRIED_STATUSES or status >= 500


def _schedule_retry(delivery: Delivery, answer: Answer) -> None:
    """AWS documents exponential back-off without figures: the lab doubles from one second up to a minute."""
    delay = min(2.0 ** (len(delivery.attempts) - 1), LONGEST_DELAY_SECONDS)
    delivery.due = answer.at + max(delay, answer.retry_after or 0.0)
    if delivery.due - delivery.accepted > MAXIMUM_AGE_SECONDS:
        delivery.outcome = "dead"


def alarm_event(transition: Transition, account: str, region: str) -> dict[str, Any]:
    """The event of a metric alarm's transition, with a new id."""
    alarm = transition.alarm
    at = datetime.fromtimestamp(transition.state.updated, UTC)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": account,
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [alarm.arn],
        "detail": {
            "alarmName": alarm.settings.name,
            "configuration": _configuration(alarm),
            "previousState": _state(transition.previous),
            "state": _state(transition.state),
        },
    }


def _configuration(alarm: Alarm) -> dict[str, Any]:
    settings = alarm.settings
    metric = {
        "namespace": settings.metric.namespace,
        "name": settings.metric.name,
        "dimensions": dict(settings.metric.dimensions),
    }
    stat = {"metric": metric, "period": settings.period, "stat": settings.statistic}
    query = {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, alarm.arn)), "metricStat": stat, "returnData": True}
    return {"description": settings.description, "metrics": [query]}


def _state(state: State) -> dict[str, str]:
    shown = {"value": state.value, "reason": state.reason, "timestamp": timestamp(state.updated)}
    if state.reason_data is not None:
        shown["reasonData"] = state.reason_data
    return shown
