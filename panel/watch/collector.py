"""What Prometheus is told, read from the database at each scrape.

So it does not matter which of several processes, or hosts, answers, and no process keeps files for the others. Labels
take a few values each, but for an application's slug: there are as many of those as applications.
"""

from __future__ import annotations

import json
import platform
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

import django
import redis
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from panel import VERSION, broker, queues
from panel.fleet import heartbeats
from panel.fleet.models import StoredSnapshot
from panel.ingest.models import Event
from panel.operations.journal import unheld
from panel.operations.models import Hold, Operation
from panel.watch.models import Tally
from panel.watch.tally import BUCKET, BUCKETS, SUM

COUNTERS = {
    "webhook_deliveries": ("Deliveries to the webhook by what became of them.", ("outcome",)),
    "aws_calls": ("Calls to AWS by action and outcome: ok, throttled, refused, unanswered.", ("action", "outcome")),
    "aws_retries": ("Times that the SDK sent a call to AWS again.", ("action",)),
}
HISTOGRAMS = {
    "recovery_seconds": ("How long the parts of operations that succeeded took.", ("goal", "part")),
    "sweep_seconds": ("How long reading one account and region took.", ()),
}


class Collector:
    """prometheus_client's protocol: `collect` answers with every metric as it is now."""

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield _build()
        yield from _tallies()
        yield _operations()
        yield _gauge("operations_active", "Operations that have not ended, by status.", "status", _active())
        yield _gauge("holds_active", "Holds on automatic starts.", "", {"": _holds(now)})
        yield _gauge("data_age_seconds", "Since when AWS was last read, by application.", "application", _ages(now))
        yield _gauge("queue_age_seconds", "How long the oldest row has waited that is due.", "queue", _waiting(now))
        yield _gauge("queue_length", "Messages in the broker.", "queue", _lengths())
        yield _gauge("heartbeat_age_seconds", "Since a part last showed that it works.", "part", _heartbeats())


def _build() -> Metric:
    labels = {"version": VERSION, "python": platform.python_version(), "django": django.__version__}
    build = GaugeMetricFamily("panel_build_info", "What runs; the value is always 1.", labels=list(labels))
    build.add_metric(list(labels.values()), 1)
    return build


def _tallies() -> Iterator[Metric]:
    found: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
    for name, given, value in Tally.objects.values_list("name", "labels", "value"):
        found[name].append((json.loads(given), value))
    for name, (about, labels) in COUNTERS.items():
        counter = CounterMetricFamily(f"panel_{name}", about, labels=labels)
        for each, value in found[name]:
            counter.add_metric([each.get(label, "") for label in labels], value)
        yield counter
    for name, (about, labels) in HISTOGRAMS.items():
        yield _histogram(name, about, labels, found[name + BUCKET], found[name + SUM])


def _histogram(
    name: str,
    about: str,
    labels: tuple[str, ...],
    buckets: Iterable[tuple[dict[str, str], float]],
    sums: Iterable[tuple[dict[str, str], float]],
) -> Metric:
    """Stored is how many fell into each bucket; told is how many were at most as long."""
    counted: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for given, value in buckets:
        counted[tuple(given.get(label, "") for label in labels)][given["le"]] = value
    total = {tuple(given.get(label, "") for label in labels): value for given, value in sums}
    histogram = HistogramMetricFamily(f"panel_{name}", about, labels=labels)
    for values, by_end in counted.items():
        told, so_far = [], 0.0
        for end in (*map(str, BUCKETS), "+Inf"):
            so_far += by_end.get(end, 0.0)
            told.append((end, so_far))
        histogram.add_metric(list(values), told, total.get(values, 0.0))
    return histogram


def _operations() -> Metric:
    labels = ("goal", "trigger", "status")
    ended = Operation.objects.exclude(status__in=Operation.ACTIVE).order_by().values_list(*labels)
    counter = CounterMetricFamily("panel_operations", "Operations that have ended.", labels=[*labels[:2], "outcome"])
    for *values, number in ended.annotate(Count("pk")):
        counter.add_metric(values, number)
    return counter


def _active() -> dict[str, float]:
    found = Operation.objects.filter(status__in=Operation.ACTIVE).order_by().values_list("status").annotate(Count("pk"))
    return dict.fromkeys(map(str, Operation.ACTIVE), 0.0) | {status: float(number) for status, number in found}


def _holds(now: datetime) -> float:
    return Hold.objects.filter(released_at=None, expires_at__gt=now).count()


def _ages(now: datetime) -> dict[str, float]:
    rows = StoredSnapshot.objects.filter(application__retired_at=None).values_list("application__slug", "observed_at")
    return {slug: _since(observed_at, now) for slug, observed_at in rows}


def _waiting(now: datetime) -> dict[str, float]:
    due = Operation.objects.filter(unheld(now), status__in=Operation.ACTIVE, next_step_at__lte=now)
    stored = Event.objects.filter(Q(status=Event.Status.STORED))
    return {
        queues.STEPS: _since(due.aggregate(Min("next_step_at"))["next_step_at__min"], now),
        queues.EVENTS: _since(stored.aggregate(Min("received_at"))["received_at__min"], now),
    }


def _lengths() -> dict[str, float]:
    """Missing while the broker does not answer."""
    try:
        return {name: float(broker.connection().llen(name)) for name in queues.ALL}
    except redis.RedisError:
        return {}


def _heartbeats() -> dict[str, float]:
    """A part that was never seen has no age."""
    return {name: beat.age_seconds for name, beat in heartbeats.read_all().items() if beat.age_seconds is not None}


def _since(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max(0.0, round((now - moment).total_seconds(), 3))


def _gauge(name: str, about: str, label: str, values: dict[str, float]) -> Metric:
    gauge = GaugeMetricFamily(f"panel_{name}", about, labels=[label] if label else [])
    for value, number in values.items():
        gauge.add_metric([value] if label else [], number)
    return gauge
