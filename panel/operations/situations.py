"""What the panel knows of an application and AWS does not, for many in a few queries: what automation is judged by."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import OuterRef, QuerySet, Subquery

import failover.automation
from failover.automation import Situation
from failover.model import Goal, Mode
from panel.fleet.models import Application
from panel.operations.brakes import active_holds, kill_switch_is_on
from panel.operations.models import Acknowledgement, Operation


def of(applications: Iterable[Application]) -> dict[int, Situation]:
    """By the application's id. `mode` is the row's own: pass rows that were just read."""
    rows = {each.pk: each for each in applications}
    kill_switch, holds, active = kill_switch_is_on(), active_holds(rows), _active(rows)
    failures, acknowledgements = _last_failures(rows), _acknowledgements(rows)
    found = {}
    for pk, application in rows.items():
        held = [hold for hold in holds if hold.application_id in (pk, None)]
        found[pk] = Situation(
            mode=Mode(application.mode),
            hold=f"{held[0]} (until {held[0].expires_at:%Y-%m-%d %H:%M} UTC)" if held else "",
            hold_rule=held[0].rule if len({hold.rule for hold in held}) == 1 else "",
            kill_switch=kill_switch,
            active=f"{active[pk]} is {active[pk].status}." if pk in active else "",
            active_goal=Goal(active[pk].goal) if pk in active else None,
            last_failure_at=failures.get((pk, Goal.FAILOVER)),
            last_failback_failure_at=failures.get((pk, Goal.FAILBACK)),
            last_prepare_failure_at=failures.get((pk, Goal.SET_WEIGHTS)),
            acknowledgement=acknowledgements.get(pk),
        )
    return found


def _active(ids: Collection[int]) -> dict[int, Operation]:
    found = Operation.objects.filter(application__in=ids, status__in=Operation.ACTIVE)
    return {each.application_id: each for each in found}


def _last_failures(ids: Collection[int]) -> dict[tuple[int, Goal], float]:
    """When the newest operation with each goal ended, where it failed. A failed drill keeps no real failover back."""
    newest = Application.every.filter(pk__in=ids).annotate(**{goal.value: _newest(goal) for goal in Goal})
    found = [pk for row in newest.values_list(*Goal) for pk in row if pk is not None]
    failed = Operation.objects.filter(pk__in=found, status=Operation.Status.FAILED, finished_at__isnull=False)
    rows = failed.values_list("application", "goal", "finished_at")
    return {(application, Goal(goal)): at.timestamp() for application, goal, at in rows if at is not None}


def _newest(goal: Goal) -> Subquery:
    of_goal = Operation.objects.filter(application=OuterRef("pk"), goal=goal)
    real = of_goal.exclude(trigger=Operation.Trigger.DRILL) if goal is Goal.FAILOVER else of_goal
    return Subquery(real.order_by("-pk").values("pk")[:1])


def _acknowledgements(ids: Collection[int]) -> dict[int, failover.automation.Acknowledgement]:
    """The newest of each."""
    found: QuerySet[Acknowledgement] = Acknowledgement.objects.filter(operation__application__in=ids)
    rows = found.order_by("pk").values_list("operation__application", "at", "by", "comment")
    return {
        application: failover.automation.Acknowledgement(at.timestamp(), by, comment)
        for application, at, by, comment in rows
    }
