"""What keeps a service from its desired count; what it takes to say so is read only where something does."""

from __future__ import annotations

from typing import Any

from failover.aws import listeners, service_events, services, tasks
from failover.aws.errors import FAILURES
from failover.model import Application


def read(ecs: Any, elbv2: Any, application: Application, described: dict[str, Any], now: float) -> str:
    """Where the stopped tasks can't be read, the service's own words must do: its counts matter more."""
    if not service_events.complains(described, now):
        return ""
    try:
        stopped = tasks.stopped(ecs, application.cluster, services.short(application.service))
        path = _health_check_path(elbv2, application.ecs_target_group_arn)
    except FAILURES:
        return service_events.trouble(described, (), now)
    return service_events.trouble(described, stopped, now, path)


def _health_check_path(elbv2: Any, group: str) -> str:
    path: str = listeners.attachments(elbv2, [group]).get(group, {}).get("HealthCheckPath", "")
    return path
