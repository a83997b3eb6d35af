"""The Celery application: `celery -A panel.celery worker` and `celery -A panel.celery beat`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")

from django.conf import settings

from panel import collecting, environment, queues, reconnecting, trails

TASK_SECONDS = 30  # a cycle has 10; whatever takes three times as long hangs
SOFT_SECONDS = TASK_SECONDS - 5


def _route(name: str, args: Sequence[object], *_: object, **__: object) -> dict[str, str]:
    return {"queue": queues.queue_of(name, args or ())}


app = Celery("panel")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A silent Redis would otherwise block whoever publishes for 40 s; a lost wake-up costs a sweep's 2 s.
    broker_transport_options={
        # What a killed worker held has expired by then and is only cleared away; the sweeps have long found its rows.
        "visibility_timeout": 600,
        "socket_timeout": 3,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "max_retries": 0,  # of opening a connection for publishing
    },
    task_publish_retry=False,
    task_publish_retry_policy={"max_retries": 0},
    # Tasks are short and idempotent, their state is in the database: run one again rather than lose it.
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_pool="panel.pool:Pool",
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_time_limit=TASK_SECONDS,
    task_soft_time_limit=SOFT_SECONDS,
    task_default_queue=queues.DEFAULT,
    task_queues={name: {"exchange": name, "routing_key": name} for name in queues.ALL},
    task_routes=(_route,),
    task_serializer="json",
    accept_content=["json"],
    # On SIGTERM a worker finishes its tasks, which takes TASK_SECONDS at most. Celery's soft shutdown would wait out
    # its whole time for each, and hand out again what the sweeps find by themselves.
    worker_soft_shutdown_timeout=0.0,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_redirect_stdouts=False,
    # Whoever reaches the broker must not command workers; whether they work is shown by heartbeats.
    worker_enable_remote_control=False,
    enable_utc=True,
    timezone="UTC",
    beat_scheduler="panel.beat:Scheduler",
    imports=("panel.sweeps",),
    beat_max_loop_interval=1,
    # A beat tick that nobody took before the next one is worthless: without `expires` they would pile up.
    beat_schedule={
        "panel.sweep": {"task": "panel.sweep", "schedule": 2.0, "options": {"expires": 2}},
        "fleet.roll_up": {"task": "fleet.roll_up", "schedule": 300.0, "options": {"expires": 300}},
        "audit.close_windows": {"task": "audit.close_windows", "schedule": 15.0, "options": {"expires": 15}},
        "notify.forget_old": {"task": "notify.forget_old", "schedule": 3600.0, "options": {"expires": 3600}},
        "audit.forget_old": {"task": "audit.forget_old", "schedule": 3600.0, "options": {"expires": 3600}},
        "ingest.forget_old": {"task": "ingest.forget_old", "schedule": 3600.0, "options": {"expires": 3600}},
        "accounts.forget_sessions": {
            "task": "accounts.forget_sessions",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "probing.forget_old": {"task": "probing.forget_old", "schedule": 3600.0, "options": {"expires": 3600}},
        "drills.sweep": {"task": "drills.sweep", "schedule": 15.0, "options": {"expires": 15}},
        "fleet.observe_all": {
            "task": "fleet.observe_all",
            "schedule": settings.PANEL_OBSERVE_SECONDS,
            "options": {"expires": settings.PANEL_OBSERVE_SECONDS},
        },
    },
)
app.steps["consumer"].add(reconnecting.Reconnecting)
app.autodiscover_tasks()
_following = trails.follow_tasks()


@signals.celeryd_init.connect  # type: ignore[untyped-decorator]  # celery has no types
@signals.beat_init.connect  # type: ignore[untyped-decorator]
def _begin(**_: object) -> None:
    logging.captureWarnings(capture=True)  # else they would be the only lines of a log that are no JSON
    try:
        environment.require_secret()
    except environment.SettingsError as problem:
        sys.exit(str(problem))


@signals.celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def _tasks_are_loaded(**_: object) -> None:
    collecting.leave_out_what_is_loaded()


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_our_logs(**_: object) -> None:
    """Logs are configured by the settings (`panel.logs`); with a receiver here Celery leaves them as they are."""
