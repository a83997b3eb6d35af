"""EventBridge: events that a rule takes, delivered to one API destination, at least once and in no order.

Sources: EventBridge User Guide, "API destinations" (headers, 5 s, 300 invocations a second by default), "How
EventBridge retries delivering events" and "Using dead-letter queues to process undelivered events".
"""

import json
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.event_patterns import matches
from lab.event_rules import Destination, Rule
from lab.faults import Faults
from lab.moments import second
from lab.ports import Answer, Http

__all__ = ["Delivery", "Destination", "EventBus", "dead_letter_attributes", "envelope"]

TIMEOUT_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 60.0
MOST_A_SECOND = 300
HELD_SECONDS = 120.0
RETRIED_STATUSES = frozenset({401, 407, 409, 429})
KEPT_DELIVERIES = 1000


@dataclass
class Delivery:
    """One event on its way to a rule's target.

    ``outcome`` is pending, delivered, dead (in the dead-letter queue), dropped (there is no such queue) or unrouted
    (there was no destination). A ``held`` one waits until a later event was delivered.
    """

    event: dict[str, Any]
    accepted: float
    rule: Rule
    outcome: str = "pending"
    due: float | None = None
    held: bool = False
    exhausted: str = ""
    attempts: list[tuple[float, Answer | None]] = field(default_factory=list)


def envelope(detail_type: str, resource: str, detail: dict[str, Any], at: float) -> dict[str, Any]:
    """An event of the service that owns the resource, with a new id; account and region are the resource's."""
    _, _, service, region, account, *_ = resource.split(":")
    source = {"cloudwatch": "aws.cloudwatch", "ecs": "aws.ecs"}[service]
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": second(at),
        "region": region,
        "resources": [resource],
        "detail": detail,
    }


class EventBus:
    """The default bus with its rules."""

    def __init__(self, http: Http, rules: Sequence[Rule], faults: Faults) -> None:
        self._http = http
        self._faults = faults
        self._sent: deque[float] = deque()
        self.rules = rules
        self.destination: Destination | None = None
        self.deliveries: list[Delivery] = []
        self._open: list[Delivery] = []

    @property
    def dead_letters(self) -> list[Delivery]:
        return [delivery for delivery in self.deliveries if delivery.outcome == "dead"]

    def publish(self, event: dict[str, Any], now: float) -> None:
        """Accepts an event; one that no rule takes is gone, as on AWS."""
        for rule in self.rules:
            if matches(rule.pattern, event):
                self._accept(event, rule, now)
        del self.deliveries[:-KEPT_DELIVERIES]

    def advance(self, now: float) -> None:
        if not self._open:
            return
        for delivery in sorted(self._due(now), key=lambda each: each.due or 0.0):
            if self._is_held(delivery, now):
                continue
            if not self._has_capacity(now):
                return
            self._attempt(delivery, now)

    def _accept(self, event: dict[str, Any], rule: Rule, now: float) -> None:
        outcome = "pending" if rule.destination or self.destination else "unrouted"
        due = now + (self._faults.number("events_late") or 0.0)
        held = self._faults.flag("events_reordered") and not any(each.held for each in self.pending())
        for _ in range(1 + int(self._faults.number("events_duplicated") or 0)):
            self._open.append(Delivery(event, now, rule, outcome, due, held))
            self.deliveries.append(self._open[-1])

    def pending(self) -> list[Delivery]:
        """What is still to be delivered, the oldest first."""
        if self._open:
            self._open = [delivery for delivery in self._open if delivery.outcome == "pending"]
        return self._open

    def _due(self, now: float) -> list[Delivery]:
        return [delivery for delivery in self.pending() if delivery.due is not None and delivery.due <= now]

    def _is_held(self, delivery: Delivery, now: float) -> bool:
        if not delivery.held:
            return False
        overtaken = any(each.outcome == "delivered" for each in self._later(delivery))
        patient = self._faults.flag("events_reordered") and now - delivery.accepted < HELD_SECONDS
        delivery.held = patient and not overtaken
        return delivery.held

    def _later(self, delivery: Delivery) -> list[Delivery]:
        return [each for each in self.deliveries if each.accepted > delivery.accepted]

    def _has_capacity(self, now: float) -> bool:
        while self._sent and now - self._sent[0] >= 1.0:
            self._sent.popleft()
        return len(self._sent) < MOST_A_SECOND

    def _attempt(self, delivery: Delivery, now: float) -> None:
        destination = delivery.rule.destination or self.destination
        if destination is None:
            _bury(delivery, "NO_CONNECTION")
            return
        self._sent.append(now)
        delivery.due = None
        delivery.attempts.append((now, None))
        headers = {
            destination.header: destination.key,
            "User-Agent": "Amazon/EventBridge/ApiDestinations",
            "Content-Type": "application/json; charset=utf-8",
            "Range": "bytes=0-1048575",
            "Connection": "close",
        }
        body = json.dumps(delivery.event).encode()
        self._http.post(destination.url, headers, body, TIMEOUT_SECONDS, lambda a: _settle(delivery, a))


def _settle(delivery: Delivery, answer: Answer) -> None:
    started, _ = delivery.attempts[-1]
    delivery.attempts[-1] = (started, answer)
    if answer.status is not None and 200 <= answer.status < 300:
        delivery.outcome = "delivered"
    elif not _is_retried(answer.status):
        _bury(delivery, "")
    elif len(delivery.attempts) > delivery.rule.retry.retries:
        _bury(delivery, "MaximumRetryAttempts")
    else:
        _schedule_retry(delivery, answer)


def _is_retried(status: int | None) -> bool:
    return status is None or status in RETRIED_STATUSES or status >= 500


def _schedule_retry(delivery: Delivery, answer: Answer) -> None:
    """AWS documents exponential back-off without figures: the lab doubles from one second up to a minute."""
    delay = min(2.0 ** (len(delivery.attempts) - 1), LONGEST_DELAY_SECONDS)
    delivery.due = answer.at + max(delay, answer.retry_after or 0.0)
    if delivery.due - delivery.accepted > delivery.rule.retry.age:
        _bury(delivery, "MaximumEventAgeInSeconds")


def _bury(delivery: Delivery, exhausted: str) -> None:
    delivery.due, delivery.exhausted = None, exhausted
    delivery.outcome = "dead" if delivery.rule.dead_letter_queue else "dropped"


def dead_letter_attributes(delivery: Delivery) -> dict[str, str]:
    """The message attributes under which a dead-letter queue has the event."""
    last = delivery.attempts[-1][1] if delivery.attempts else None
    status = last.status if last else None
    attributes = {
        "RULE_ARN": delivery.rule.arn,
        "ERROR_CODE": "SDK_CLIENT_ERROR" if status else "TIMEOUT",
        "ERROR_MESSAGE": f"The API destination answered {status}." if status else "The API destination did not answer.",
        "RETRY_ATTEMPTS": str(max(0, len(delivery.attempts) - 1)),
    }
    return attributes | ({"EXHAUSTED_RETRY_CONDITION": delivery.exhausted} if delivery.exhausted else {})
