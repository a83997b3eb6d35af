"""Looking at AWS every few seconds, one task an account and region, and the workers' sign of life."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import worker_ready
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from panel import alive, broker, dispatch, queues
from panel.celery import app
from panel.fleet import heartbeats, history, observation
from panel.fleet.models import Application
from panel.fleet.showing import Showing
from panel.notify import health
from panel.operations import automatic

log = structlog.get_logger(__name__)

app.steps["consumer"].add(Showing)


@app.task(name="fleet.observe_all")  # type: ignore[untyped-decorator]  # celery has no types
def observe_all() -> None:
    """Have every scope swept in which an application was not looked at just now, what was looked at longest ago first.

    Where the workers can't do all of them in time, what they did not come to is asked for anew: a queue that grows
    would only make everything in it old, and keep drills waiting that share it.
    """
    recently = timezone.now() - timedelta(seconds=settings.PANEL_OBSERVE_SECONDS / 2)
    late = Application.objects.exclude(stored_snapshot__observed_at__gt=recently)
    longest_first = late.order_by(F("stored_snapshot__observed_at").asc(nulls_first=True), "slug")
    for scope in observation.by_scope(longest_first):
        dispatch.wake("fleet.sweep", scope[0].pk, worthless_after=settings.PANEL_OBSERVE_SECONDS)


@app.task(name="fleet.sweep")  # type: ignore[untyped-decorator]
def sweep(application_id: int) -> None:
    """Look at every application in the scope of this one, and consider whether something should start by itself."""
    application = Application.objects.filter(pk=application_id).first()
    swept = observation.sweep(observation.neighbours(application)) if application else {}
    for each in automatic.calling(swept):
        try:
            automatic.consider(each, swept[each], counts=False)
        except SoftTimeLimitExceeded:
            raise
        except Exception:  # one application's trouble is no reason to leave its neighbours alone
            log.exception("consider_failed", application=each.slug)


@app.task(name="fleet.roll_up")  # type: ignore[untyped-decorator]
def roll_up() -> None:
    """Keep the history small: longer samples from shorter ones, and none longer than it is kept."""
    now = timezone.now()
    history.roll_up(now)
    history.forget(now)


@app.task(name=queues.HEARTBEAT_TASK)  # type: ignore[untyped-decorator]
def heartbeat(queue: str | int) -> None:
    """Run by a worker's pool, asked for by its main thread: the way from broker to database works for this queue.

    A worker of the release before asks with a number, and means all queues.
    """
    alive.show(settings.PANEL_ALIVE_PATH)
    heartbeats.show(queue if isinstance(queue, str) and queue in heartbeats.QUEUES else heartbeats.WORKER)
    if queue == queues.NOTIFY:
        health.judge(health.seen_by_worker(), timezone.now())


@worker_ready.connect  # type: ignore[untyped-decorator]
def _look_at_broker(**_: object) -> None:
    if broker.may_evict():
        remedy = (
            "Set its maxmemory-policy to noeviction: it may drop wake-ups, and the sweeps are left to find the rows."
        )
        log.warning("broker_may_evict", remedy=remedy)
