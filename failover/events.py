"""What EventBridge delivers, and what an alarm sends when it invokes a Lambda function directly.

Both shapes carry the same facts; unknown keys never break reading. Source: CloudWatch user guide, "Alarm events and
EventBridge" and "Invoke a Lambda function from an alarm".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

ALARM_CHANGE = "CloudWatch Alarm State Change"


class EventError(ValueError):
    """This is no event. The message is a sentence that says what is missing."""


@dataclass(frozen=True)
class Event:
    """`at` is when it happened (epoch seconds; for an alarm, its state's timestamp), or None where unreadable."""

    id: str
    source: str
    detail_type: str
    account: str
    region: str
    at: float | None
    alarm_name: str = ""
    alarm_state: str = ""
    resources: tuple[str, ...] = ()


def parse(body: object) -> Event:
    """Read an event of either shape. Raises EventError."""
    if not isinstance(body, dict):
        raise EventError("An event is a JSON object.")
    if "alarmData" in body:
        return _direct(body)
    for key in ("id", "detail-type", "source"):
        if not isinstance(body.get(key), str) or not body[key]:
            raise EventError(f"The event has no {key!r}; EventBridge events carry id, detail-type, source and detail.")
    detail = body.get("detail")
    if not isinstance(detail, dict):
        raise EventError("The event's 'detail' must be a JSON object.")
    alarm = detail if body["detail-type"] == ALARM_CHANGE else {}
    if body["detail-type"] == ALARM_CHANGE and not (_text(alarm, "alarmName") and _state(alarm)):
        raise EventError("An alarm event needs detail.alarmName and detail.state.value.")
    return Event(
        id=body["id"],
        source=body["source"],
        detail_type=body["detail-type"],
        account=_text(body, "account"),
        region=_text(body, "region"),
        at=_alarm_time(alarm) or _time(body.get("time")),
        alarm_name=_text(alarm, "alarmName"),
        alarm_state=_state(alarm),
        resources=_resources(body.get("resources")),
    )


def _direct(body: dict[str, Any]) -> Event:
    data = body["alarmData"]
    arn = _text(body, "alarmArn")
    if not isinstance(data, dict) or not _text(data, "alarmName") or not _state(data):
        raise EventError("A direct alarm invocation needs alarmData.alarmName and alarmData.state.value.")
    timestamp = data["state"].get("timestamp")
    return Event(
        id=f"{arn or data['alarmName']}@{timestamp}",
        source=_text(body, "source") or "aws.cloudwatch",
        detail_type=ALARM_CHANGE,
        account=_text(body, "accountId"),
        region=_text(body, "region"),
        at=_alarm_time(data) or _time(body.get("time")),
        alarm_name=_text(data, "alarmName"),
        alarm_state=_state(data),
        resources=(arn,) if arn else (),
    )


def _text(table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _state(alarm: dict[str, Any]) -> str:
    state = alarm.get("state")
    return _text(state, "value") if isinstance(state, dict) else ""


def _alarm_time(alarm: dict[str, Any]) -> float | None:
    state = alarm.get("state")
    return _time(state.get("timestamp")) if isinstance(state, dict) else None


def _resources(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _time(value: object) -> float | None:
    """`2019-10-02T17:04:40Z` or `2019-10-02T17:04:40.989+0000`."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None
