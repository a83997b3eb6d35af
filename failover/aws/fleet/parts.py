"""The parts that come in large batches: alarms, autoscaling bounds, metrics, routes read alone."""

from __future__ import annotations

from collections.abc import Sequence

from failover.aws import alarms as alarm_reading
from failover.aws import listeners, routes, scaling
from failover.aws import metrics as metric_reading
from failover.aws.fleet.batch import Batch, failure_kind
from failover.aws.fleet.sweep import Sweep, readings
from failover.aws.listeners import ARNS_A_CALL, Place
from failover.model import Alarm, Application, Metrics, Part, Position, Reading, Routes, Scaling

METRICS_A_CALL = metric_reading.QUERIES_A_CALL // metric_reading.QUERIES


AlarmReadings = dict[str, Reading[tuple[Alarm, ...]]]


def alarms(sweep: Sweep) -> tuple[AlarmReadings, AlarmReadings]:
    """The alarms that call for a failover, and those that call for tasks alone; asked for together."""
    applications = sweep.applications
    names = [name for each in applications for name in (*each.alarms, *each.prewarm_alarms)]
    batch = sweep.asker.ask(
        "alarms", names, alarm_reading.NAMES_A_CALL, lambda some: alarm_reading.read(sweep.readers.alarms, some)
    )
    failover = readings(
        Part.ALARMS,
        applications,
        batch,
        lambda each: each.alarms,
        lambda each: alarm_reading.chosen(batch.found, each.alarms),
    )
    prewarm = readings(
        Part.PREWARM,
        applications,
        batch,
        lambda each: each.prewarm_alarms,
        lambda each: alarm_reading.existing(batch.found, each.prewarm_alarms),
    )
    return failover, prewarm


def bounds(sweep: Sweep) -> dict[str, Reading[Scaling]]:
    ids = [scaling.resource_id(application) for application in sweep.applications]
    batch = sweep.asker.ask("bounds", ids, scaling.IDS_A_CALL, lambda some: scaling.read(sweep.readers.scaling, some))
    return readings(
        Part.BOUNDS,
        sweep.applications,
        batch,
        lambda application: [scaling.resource_id(application)],
        lambda application: batch.found.get(scaling.resource_id(application), Scaling()),
    )


def metrics(sweep: Sweep) -> dict[str, Reading[Metrics]]:
    """As often as AWS publishes them. Whoever is due soon comes along, so that the same call serves all next time."""
    due = _metrics_due(sweep, 1.0) and _metrics_due(sweep, 0.5)
    by_slug = {application.slug: application for application in due}

    def read(some: Sequence[str]) -> dict[str, Metrics]:
        applications = [by_slug[slug] for slug in some]
        on_ecs = {each.slug for each in applications if sweep.before(each).position is not Position.LAMBDA}
        return metric_reading.read_many(sweep.readers.alarms, applications, sweep.clock(), on_ecs)

    batch = sweep.asker.ask("metrics", by_slug, METRICS_A_CALL, read)
    return readings(Part.METRICS, due, batch, lambda each: [each.slug], lambda each: batch.found[each.slug])


def _metrics_due(sweep: Sweep, periods: float) -> list[Application]:
    now = sweep.clock()
    return [
        application
        for application in sweep.applications
        if sweep.before(application).metrics.age(now) >= periods * application.policy.metric_period_seconds
    ]


def managed_routes(sweep: Sweep) -> dict[str, Reading[Routes]]:
    """The applications' own listeners and rules, without their load balancers' others."""
    arns = [arn for application in sweep.applications for arn in _existing(sweep, application)]
    rules, defaults = [a for a in arns if listeners.is_rule(a)], [a for a in arns if not listeners.is_rule(a)]
    batch: Batch[Place] = Batch()
    for what, some in (("listeners", defaults), ("rules", rules)):
        found = sweep.asker.ask_divided(
            what, some, ARNS_A_CALL, lambda asked: listeners.read(sweep.readers.elbv2, asked)
        )
        batch.found.update(found.found)
        batch.asked.update(found.asked)
        # A listener or rule that is gone is an answer, and the route says so.
        batch.failed.update({arn: error for arn, error in found.failed.items() if failure_kind(error) != "missing"})
    return readings(
        Part.ROUTES,
        sweep.applications,
        batch,
        lambda application: _existing(sweep, application),
        lambda application: routes.refreshed(
            application, batch.found, sweep.before(application).routes.value or Routes(())
        ),
    )


def _existing(sweep: Sweep, application: Application) -> list[str]:
    """A route that was gone before is looked for again when its load balancer is searched: it would fail a batch."""
    known = sweep.before(application).routes.value
    gone = {route.arn for route in known.managed if route.problem == routes.GONE} if known else set()
    return [route.arn for route in application.routes if route.arn not in gone]
