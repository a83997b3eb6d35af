"""Deliveries as rows: each event stored once, matched to the applications that it concerns, and a worker woken.

Deliveries that arrive together are stored in one transaction (`panel.ingest.together`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from django.db import Error, IntegrityError, InterfaceError, OperationalError, models, transaction
from django.db.models import F

import failover.events
from failover.events import EventError
from panel import dispatch
from panel.fleet.applications import service_name
from panel.fleet.models import Application, OwnedResource
from panel.ingest import body, keys
from panel.ingest.models import Event

PROCESS_TASK = "ingest.process"
UNMATCHED = "No application of this panel listens to it."


@dataclass(frozen=True)
class Delivery:
    """As it came: the secret that it carried, its body, and the id of the request that brought it."""

    secret: str
    raw: bytes
    request_id: str = ""


@dataclass(frozen=True)
class Received:
    """`status` is accepted, duplicate or unmatched."""

    status: str
    event_id: str


class WrongKeyError(Exception):
    """The delivery carries no webhook key of this panel."""


Answer = Received | Exception  # WrongKeyError, BodyError, EventError, or what the database said


def receive_all(deliveries: Sequence[Delivery]) -> list[Answer]:
    """Store the deliveries' events, each wholly or not at all, and answer for each in their order.

    One that the database does not take leaves the others alone. Raises where the database is gone.
    """
    try:
        return _together(deliveries)
    except (OperationalError, InterfaceError):
        raise
    except Error:
        return [_alone(delivery) for delivery in deliveries]


def _alone(delivery: Delivery) -> Answer:
    try:
        try:
            return _together([delivery])[0]
        except IntegrityError:  # another process has just stored the same event: now it shows
            return _together([delivery])[0]
    except Error as problem:
        return problem


def _together(deliveries: Sequence[Delivery]) -> list[Answer]:
    with transaction.atomic():
        opened = keys.Opened()
        events = [_read(delivery, opened) for delivery in deliveries]
        opened.remember_use()
        answers = list(_stored(events))
    _count(answers)
    return answers


def _count(answers: Sequence[Answer]) -> None:
    """Apart from the storing, which may hold what the worker that processes the event waits for."""
    came_again = [each.event_id for each in answers if isinstance(each, Received) and each.status == "duplicate"]
    for event_id, times in Counter(came_again).items():
        Event.objects.filter(event_id=event_id).update(deliveries=F("deliveries") + times)


@dataclass(frozen=True)
class _New:
    event: failover.events.Event
    body: dict[str, Any]
    columns: dict[str, Any]
    request_id: str


def _read(delivery: Delivery, opened: keys.Opened) -> _New | Exception:
    if not opened.by(delivery.secret):
        return WrongKeyError()
    try:
        content = body.parse(delivery.raw)
        event = failover.events.parse(content)
        return _New(event, content, _columns(event), delivery.request_id)
    except (body.BodyError, EventError) as problem:
        return problem


def _stored(found: Sequence[_New | Exception]) -> Iterator[Answer]:
    new = {each.event.id: each for each in found if isinstance(each, _New)}
    for event_id in Event.objects.filter(event_id__in=new).values_list("event_id", flat=True):
        del new[event_id]
    matched = _insert(new)
    for each in found:
        if isinstance(each, Exception):
            yield each
        elif each is not new.get(each.event.id):
            yield Received("duplicate", each.event.id)
        else:
            yield Received("accepted" if matched[each.event.id] else "unmatched", each.event.id)


def _insert(new: dict[str, _New]) -> dict[str, list[Application]]:
    """Answers with the applications that each new event concerns."""
    matching_of: dict[object, list[Application]] = {}
    matched = {event_id: _matched(each, matching_of) for event_id, each in new.items()}
    rows = Event.objects.bulk_create(
        # In one order everywhere: two processes that store the same events can't wait for each other.
        _row(new[event_id], matched[event_id])
        for event_id in sorted(new)
    )
    link = Event.applications.through
    link.objects.bulk_create(
        link(event_id=row.pk, application_id=application.pk) for row in rows for application in matched[row.event_id]
    )
    # One wake-up for all events of an application: a flood of events is no flood of messages.
    for application_id in {application.pk for each in matched.values() for application in each}:
        dispatch.wake(PROCESS_TASK, application_id)
    return matched


def _matched(new: _New, known: dict[object, list[Application]]) -> list[Application]:
    """As `matching`, asked once for all events of the same alarm or service."""
    event = new.event
    about = (event.source, event.account, event.region, event.alarm_name, *_services(event, new.body))
    if about not in known:
        known[about] = matching(event, new.body)
    return known[about]


def _row(new: _New, matched: list[Application]) -> Event:
    row = Event(event_id=new.event.id, body=new.body, request_id=new.request_id, **new.columns)
    if not matched:
        row.status, row.outcome = Event.Status.UNMATCHED, UNMATCHED
    return row


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
