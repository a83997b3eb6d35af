"""Event deliveries for the lab's page: every attempt, what waits, what is held, and what is dead."""

from collections import Counter
from typing import Any

from lab.application import Application
from lab.eventbridge import Delivery, EventBus
from lab.ports import Answer

MOST_SHOWN = 20


def events(bus: EventBus, application: Application, now: float) -> dict[str, Any]:
    """The newest of the application's deliveries, of alarms and of wake-ups alike; the counts are of all."""
    ours = [each for each in bus.deliveries if concerns(each.event, application)]
    copies = Counter(_key(each) for each in ours)
    seen: Counter[tuple[str, str]] = Counter()
    shown = []
    for each in ours:
        seen[_key(each)] += 1
        shown.append(_delivery(each, seen[_key(each)], copies[_key(each)], now))
    return {
        "destination": bus.destination.url if bus.destination else None,
        "counts": _counts(ours),
        "deliveries": [*_newest(shown, "alarm"), *_newest(shown, "wake-up")],
    }


def concerns(event: dict[str, Any], application: Application) -> bool:
    """Whether the event is about one of the application's alarms, its service or one of its tasks."""
    detail, service = event["detail"], application.service
    alarms = {each.settings.name for each in application.alarms}
    alarms |= {each.settings.name for each in application.composite_alarms}
    return (
        detail.get("alarmName") in alarms
        or service.arn in event["resources"]
        or detail.get("group") == f"service:{service.name}"
    )


def _newest(shown: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in reversed(shown) if each["kind"] == kind][:MOST_SHOWN]


def _counts(deliveries: list[Delivery]) -> dict[str, int]:
    outcomes = Counter("held" if each.held else each.outcome for each in deliveries)
    names = ("pending", "held", "delivered", "dead", "dropped", "unrouted")
    return {name: outcomes[name] for name in names}


def _key(delivery: Delivery) -> tuple[str, str]:
    return delivery.event["id"], delivery.rule.name


def _delivery(delivery: Delivery, copy: int, copies: int, now: float) -> dict[str, Any]:
    return {
        "id": delivery.event["id"],
        "copy": copy,
        "copies": copies,
        "at": delivery.accepted,
        "kind": "alarm" if "alarmName" in delivery.event["detail"] else "wake-up",
        "what": _words(delivery.event),
        "rule": delivery.rule.name,
        "outcome": "held" if delivery.held else delivery.outcome,
        "exhausted": delivery.exhausted,
        "next_in": max(0.0, delivery.due - now) if delivery.due is not None else None,
        "attempts": [_attempt(at, answer) for at, answer in delivery.attempts],
    }


def _attempt(at: float, answer: Answer | None) -> dict[str, Any]:
    """``status`` is null for an attempt without an answer, ``open`` says that it may still come."""
    return {
        "at": at,
        "status": answer.status if answer else None,
        "error": answer.error if answer else "",
        "open": answer is None,
    }


def _words(event: dict[str, Any]) -> str:
    detail = event["detail"]
    if "alarmName" in detail:
        return f"{detail['alarmName']}: {detail['previousState']['value']} → {detail['state']['value']}"
    if "lastStatus" in detail:
        return f"task {detail['taskArn'].rpartition('/')[2][:8]}: {detail['lastStatus']}"
    return str(detail.get("eventName", event["detail-type"]))
