"""Which events wake a controller that runs alone: its alarms, its service, and the clock. The rest is ignored.

An event only wakes; what is done is decided on what AWS shows then. Sources: EventBridge user guide, "Scheduled
events"; ECS developer guide, "Amazon ECS events"; CloudWatch user guide, "Alarm events and EventBridge".
"""

from __future__ import annotations

from failover.events import ALARM_CHANGE, Event, EventError, parse
from failover.model import Application

SCHEDULED = "Scheduled Event"


def ignored(body: object, application: Application, now: float) -> str:
    """Why this event wakes nobody, as a sentence; "" where it does."""
    if isinstance(body, dict) and body.get("detail-type") == SCHEDULED:
        return ""  # EventBridge Scheduler sends its detail as a string, a rule as an object
    try:
        event = parse(body)
    except EventError as error:
        return str(error)
    if event.detail_type == ALARM_CHANGE:
        return _alarm(event, application, now)
    if event.source == "aws.ecs":
        return "" if _is_of(body, event, application) else "It is about another ECS service."
    return f"Events of type {event.detail_type} from {event.source} wake nobody."


def _alarm(event: Event, application: Application, now: float) -> str:
    if event.alarm_name not in application.alarms + application.prewarm_alarms:
        return f"{event.alarm_name} is not one of this application's alarms."
    if event.account not in ("", application.account) or event.region not in ("", application.region):
        return f"{event.alarm_name} is an alarm of another account or region."
    age = now - event.at if event.at is not None else 0.0
    limit = application.policy.max_event_age_seconds
    if age > limit:
        return f"The event is {age:.0f} s old, more than max_event_age_seconds ({limit:g})."
    return ""


def _is_of(body: object, event: Event, application: Application) -> bool:
    """Task events name the service in `group`, service and deployment events in `resources`."""
    service = application.service.rsplit("/", 1)[-1]
    cluster = application.cluster.rsplit("/", 1)[-1]
    detail = body["detail"] if isinstance(body, dict) else {}
    if detail.get("group") == f"service:{service}":
        return str(detail.get("clusterArn", "")).rsplit("/", 1)[-1] in ("", cluster)
    return any(arn.endswith((f":service/{cluster}/{service}", f":service/{service}")) for arn in event.resources)
