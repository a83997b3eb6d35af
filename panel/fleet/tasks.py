"""Looking at AWS every few seconds, one task an application, and the workers' sign of life."""

from __future__ import annotations

from datetime import timedelta

from celery.signals import heartbeat_sent
from django.conf import settings
from django.utils import timezone

from panel import dispatch
from panel.celery import app
from panel.fleet import heartbeats
from panel.fleet.models import Application
from panel.fleet.observation import observe
from panel.operations import automatic


@app.task(name="fleet.observe_all")  # type: ignore[untyped-decorator]  # celery has no types
def observe_all() -> None:
    """Have every application looked at that was not just now."""
    recently = timezone.now() - timedelta(seconds=settings.PANEL_OBSERVE_SECONDS / 2)
    late = Application.objects.exclude(stored_snapshot__observed_at__gt=recently)
    for pk in late.values_list("pk", flat=True):
        dispatch.wake("fleet.observe", pk)


@app.task(name="fleet.observe")  # type: ignore[untyped-decorator]
def observe_one(application_id: int) -> None:
    """Look at one application, and consider whether something should start by itself."""
    application = Application.objects.filter(pk=application_id).first()
    snapshot = observe(application) if application else None
    if application and snapshot:
        automatic.consider(application, snapshot, counts=False)


@app.task(name="fleet.heartbeat")  # type: ignore[untyped-decorator]
def heartbeat(_: int) -> None:
    """Run by a worker's pool, asked for by its main process: the way from broker to database works."""
    heartbeats.show(heartbeats.WORKER)


@heartbeat_sent.connect  # type: ignore[untyped-decorator]
def _ask_for_heartbeat(**_: object) -> None:
    dispatch.wake("fleet.heartbeat", 0)
