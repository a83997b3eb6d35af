"""Tasks before traffic: ask ECS for enough of them, then wait until they are healthy."""

from __future__ import annotations

from dataclasses import replace

from failover.cycle import Cycle, Step, stop, wait
from failover.demand import tasks_needed
from failover.evidence import alarming, ecs_healthy
from failover.model import Bounds, Decision, Kind, Policy, Progress, SetBounds, SetDesiredCount

DEPLOYMENT_FAILED = "The service's deployment failed: its circuit breaker launches nothing more."
DEPLOY = "Deploy a working task definition."


def wanted_tasks(policy: Policy, desired: int, needed_now: int) -> int:
    return max(desired, policy.min_healthy, policy.failover_count, needed_now)


def ask(cycle: Cycle) -> Step:
    """Raise bounds and desired count to what policy and demand ask for; never lower them."""
    needed_elsewhere = _made_way(cycle)
    if needed_elsewhere:
        return needed_elsewhere
    if cycle.service.deployment_failed:
        said = cycle.service.trouble or DEPLOYMENT_FAILED
        return stop(cycle, "ECS can't start tasks", said, rule="capacity", remedy=DEPLOY)
    need = tasks_needed(cycle.policy, cycle.snapshot, cycle.now)
    wanted = wanted_tasks(cycle.policy, cycle.service.desired, max(need, cycle.progress.wanted))
    enough = max(cycle.policy.min_healthy, need)
    progress = replace(cycle.progress, wanted=wanted, enough=max(enough, cycle.progress.enough))
    bounds = _raised_bounds(cycle, wanted)
    actions = (*((SetBounds(bounds),) if bounds else ()),
               *((SetDesiredCount(wanted),) if cycle.service.desired < wanted else ()))  # fmt: skip
    if not actions:
        progress = progress.marked("asked", cycle.now)
        only_asked = cycle.request.prepares and not cycle.request.rehearses
        return _prepared(cycle, progress) if only_asked else progress.entered("healthy", cycle.now)
    if bounds:
        progress = replace(progress, memory=replace(progress.memory, bounds_written=bounds))
    headline = f"Desired count {cycle.service.desired} → {wanted}"
    return Decision(Kind.ACT, headline, progress.marked("asked", cycle.now), actions=actions, wait=1.0)


def _prepared(cycle: Cycle, progress: Progress) -> Decision:
    headline = f"Desired count is {cycle.service.desired}; weights stay as they are"
    return Decision(Kind.DONE, headline, progress.marked("ended", cycle.now))


def _rehearsed(cycle: Cycle, progress: Progress) -> Decision:
    headline = f"{progress.enough} targets became healthy; weights stay as they are"
    return Decision(Kind.DONE, headline, progress.marked("ended", cycle.now))


def _made_way(cycle: Cycle) -> Decision | None:
    """A rehearsal ends at once when an alarm calls for a failover: it can't start while this one runs."""
    firing = alarming(cycle.application, cycle.snapshot.alarms.value or ()) if cycle.request.rehearses else ()
    if not firing:
        return None
    return stop(cycle, f"Alarm {firing[0].name} is in ALARM: the rehearsal makes way",
                "Its tasks stay: a failover can start now.", rule="real_alarm")  # fmt: skip


def _raised_bounds(cycle: Cycle, wanted: int) -> Bounds | None:
    """Minimum = wanted keeps autoscaling from undoing us; any registration clamps, so the maximum never falls."""
    bounds = cycle.snapshot.scaling.value.bounds if cycle.snapshot.scaling.value else None
    if bounds is None:
        return None
    raised = Bounds(max(bounds.minimum, wanted), max(bounds.maximum, cycle.service.desired, wanted))
    return raised if raised != bounds else None


def wait_for_health(cycle: Cycle) -> Step:
    """Wait until enough targets were seen healthy in consecutive observations."""
    needed_elsewhere = _made_way(cycle)
    if needed_elsewhere:
        return needed_elsewhere
    progress, policy = cycle.progress, cycle.policy
    healthy = ecs_healthy(cycle.snapshot, cycle.now) or 0
    streak = progress.healthy_streak + 1 if healthy >= progress.enough else 0
    progress = replace(progress, healthy_streak=streak)
    if streak >= policy.healthy_checks:
        progress = progress.marked("healthy", cycle.now)
        return _rehearsed(cycle, progress) if cycle.request.rehearses else progress.entered("shift", cycle.now)
    waited = cycle.now - progress.phase_since
    if waited > policy.scale_deadline_seconds:
        event = cycle.service.trouble or next(iter(cycle.service.events), "the service reports no event")
        return stop(cycle, f"Only {healthy} of {progress.enough} targets became healthy in {waited:.0f} s",
                    f"Traffic stays where it was. ECS says: {event}", rule="capacity",
                    remedy="Look at the service's events and the tasks' logs, then start again.")  # fmt: skip
    figures = f"{healthy} healthy, {waited:.0f} s of {policy.scale_deadline_seconds:.0f} s"
    figures += f"; {cycle.service.trouble}" if cycle.service.trouble else ""
    return wait(replace(cycle, progress=progress), f"Waiting for {progress.enough} healthy targets", figures)
