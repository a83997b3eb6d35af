"""Events as rows: stored once, matched to the applications that they concern, and a worker woken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from django.db import models, transaction
from django.db.models import F

import failover.events
from failover.events import EventError
from panel import dispatch, trails
from panel.fleet.applications import service_name
from panel.fleet.models import Application, OwnedResource
from panel.ingest import keys
from panel.ingest.models import Event, WebhookKey

PROCESS_TASK = "ingest.process"
UNMATCHED = "No application of this panel listens to it."


@dataclass(frozen=True)
class Received:
    """`status` is accepted, duplicate or unmatched."""

    status: str
    event_id: str


def store(body: dict[str, Any], event: failover.events.Event, key: WebhookKey) -> Received:
    """Keep the event, all of it or nothing. Raises EventError where a value is longer than any that AWS sends."""
    columns = _columns(event)
    with transaction.atomic():
        row, created = Event.objects.get_or_create(
            event_id=event.id, defaults={**columns, "body": body, **trails.request_id()}
        )
        keys.remember_use(key)
        if not created:
            Event.objects.filter(pk=row.pk).update(deliveries=F("deliveries") + 1)
            return Received("duplicate", event.id)
        matched = matching(event, body)
        row.applications.set(matched)
        if not matched:
            Event.objects.filter(pk=row.pk).update(status=Event.Status.UNMATCHED, outcome=UNMATCHED)
            return Received("unmatched", event.id)
        dispatch.wake(PROCESS_TASK, row.pk)
    return Received("accepted", event.id)


def _columns(event: failover.events.Event) -> dict[str, Any]:
    texts = {
        "detail_type": event.detail_type,
        "account": event.account,
        "region": event.region,
        "alarm_name": event.alarm_name,
        "alarm_state": event.alarm_state,
    }
    for name, text in {"event_id": event.id, **texts}.items():
        longest = _longest(name)
        if len(text) > longest:
            raise EventError(f"The event's {name} is longer than {longest} characters.")
    return {**texts, "happened_at": _moment(event.at)}


@cache
def _longest(name: str) -> int:
    column = Event._meta.get_field(name)  # noqa: SLF001 - Django's documented way
    return cast("models.CharField[str, str]", column).max_length or 0


def _moment(at: float | None) -> datetime | None:
    try:
        return None if at is None else datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def matching(event: failover.events.Event, body: dict[str, Any]) -> list[Application]:
    """Alarms match by account, region and name; ECS events by the service that they name."""
    if event.alarm_name:
        return list(
            Application.objects.filter(
                account=event.account, region=event.region, alarm_names__name=event.alarm_name
            ).distinct()
        )
    services = _services(event, body)
    owned = OwnedResource.objects.filter(kind=OwnedResource.Kind.SERVICE, name__in=services)
    return list(Application.objects.filter(resources__in=owned).distinct())


def _services(event: failover.events.Event, body: dict[str, Any]) -> list[str]:
    """Service events name their service as a resource, task events by `detail.group` and `detail.clusterArn`."""
    if event.source != "aws.ecs":
        return []
    arns = [arn.split(":service/", 1)[1].split("/") for arn in event.resources if ":service/" in arn]
    pairs = [(parts[0], parts[-1]) for parts in arns if len(parts) == 2]
    detail = body["detail"]
    group, cluster = str(detail.get("group", "")), str(detail.get("clusterArn", ""))
    if group.startswith("service:"):
        pairs.append((cluster, group.removeprefix("service:")))
    return [service_name(event.account, event.region, cluster, service) for cluster, service in pairs]
