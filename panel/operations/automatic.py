"""What starts by itself: the controller's judgement on a snapshot, turned into an operation or a refusal."""

from __future__ import annotations

from django.utils import timezone

import failover.automation
from failover.automation import Situation, Start
from failover.codec import decode
from failover.model import Goal, Memory, Mode, Snapshot
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Operation


def consider(application: Application, snapshot: Snapshot, *, counts: bool) -> str:
    """Start what is called for, record what is refused, and answer with a sentence that says which and why.

    `counts`: an event asked, so a refusal counts; a poll that meets the same refusal again only shows that it lasts.
    Mode and memory are read anew: `application` may be older than the operation that has just ended.
    """
    application.refresh_from_db()
    memory = decode(Memory, application.memory)
    now = timezone.now().timestamp()
    verdict = failover.automation.consider(configuration(application), snapshot, memory, situation(application), now)
    if verdict is None:
        return _nothing_to_do(application, snapshot)
    if isinstance(verdict, Start):
        return _start(application, verdict)
    services.record_refusal(application, verdict.goal, verdict.rule, verdict.reason, verdict.remedy, counts=counts)
    return f"No {verdict.goal} was started ({verdict.rule}): {verdict.reason} {verdict.remedy}"


def situation(application: Application) -> Situation:
    """What the panel knows and AWS does not."""
    active = services.active_operation(application)
    hold = services.active_hold(application)
    return Situation(
        mode=Mode(application.mode),
        hold=f"{hold} (until {hold.expires_at:%Y-%m-%d %H:%M} UTC)" if hold else "",
        active=f"{active} is {active.status}." if active else "",
        active_goal=Goal(active.goal) if active else None,
        last_failure_at=_last_failure_at(application, Goal.FAILOVER),
        last_failback_failure_at=_last_failure_at(application, Goal.FAILBACK),
    )


def _last_failure_at(application: Application, goal: Goal) -> float | None:
    """When the newest operation with this goal ended, if it failed."""
    last = Operation.objects.filter(application=application, goal=goal).first()
    if last is None or last.status != Operation.Status.FAILED or last.finished_at is None:
        return None
    return last.finished_at.timestamp()


def _start(application: Application, start: Start) -> str:
    try:
        operation = services.request_operation(
            application, start.request.goal, trigger=Operation.Trigger.AUTOMATIC, reason=start.reason
        )
    except services.Refused as refused:
        return f"No {start.request.goal} was started ({refused.rule}): {refused}"
    return f"Started {operation}: {start.reason}"


def _nothing_to_do(application: Application, snapshot: Snapshot) -> str:
    active = services.active_operation(application)
    if active:
        return f"Nothing more to do: {active} is under way."
    alarms = ", ".join(f"{alarm.name} is {alarm.state}" for alarm in snapshot.alarms.value or ())
    return f"Nothing to do: {alarms or 'no alarm was read'}, and traffic is on {snapshot.position}."
