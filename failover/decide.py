"""What to do next about one operation: pure, so that a crash at any point is resumed by asking again.

The order of phases is the safety argument. Tasks start before they are asked for, weights move only after health was
seen, and nothing is scaled in before no weight, no traffic and no running alarm speak for it:

    failover, set_weights:  start → capacity → healthy → shift → settle → done
    failback:               start → shift → bake → drain → scale_in → done
    a guard failed:         shift or bake → going_back → stop

Each phase either answers with a Decision or hands over to the next phase. `failover.rules` judges every write once
more, sharing no code with this module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from failover import retire, shift
from failover.cycle import Cycle, Step, refuse, stop, unread_part, wait
from failover.demand import seconds_per_request, tasks_needed
from failover.evidence import ecs_healthy
from failover.model import (
    Application,
    Baseline,
    Bounds,
    Decision,
    Goal,
    Kind,
    Memory,
    Part,
    Policy,
    Position,
    Progress,
    Request,
    SetBounds,
    SetDesiredCount,
    Snapshot,
)


@dataclass(frozen=True)
class Phase:
    """`needs` must be known before the phase decides anything; `reads` is looked at where it is known."""

    needs: frozenset[Part]
    decide: Callable[[Cycle], Step]
    reads: frozenset[Part] = frozenset()


def decide(
    application: Application, request: Request, snapshot: Snapshot, progress: Progress, now: float, cancel: str = ""
) -> Decision:
    """Answer what this cycle does. `cancel` is a person's reason to end at a safe split."""
    if not progress.phase_since:
        progress = replace(progress, phase_since=now)
    cycle = Cycle(application, request, snapshot, progress, now)
    while True:
        step = _guarded(cycle, cancel)
        if isinstance(step, Decision):
            return step
        cycle = replace(cycle, progress=step)


def needed(request: Request, progress: Progress) -> frozenset[Part]:
    """The parts of a snapshot that the operation's present phase looks at."""
    phase = PHASES[progress.phase]
    judges = progress.phase == "shift" and (request.goal is not Goal.FAILOVER or progress.mark("shifting"))
    return phase.needs | phase.reads | (shift.JUDGING if judges else frozenset())


def _guarded(cycle: Cycle, cancel: str) -> Step:
    phase = PHASES[cycle.progress.phase]
    cancelling = bool(cancel) and cycle.progress.phase != "going_back"
    needs = [Part.ROUTES] if cancelling else [Part.ROUTES, *sorted(phase.needs)]
    unread = unread_part(cycle, needs)
    if unread:
        return unread
    foreign = _foreign(cycle)
    if foreign:
        headline = "A split that this operation did not write was found"
        remedy = "Look who changed it; release the hold, then start again from what is there now."
        return stop(cycle, headline, foreign, rule="foreign_change", remedy=remedy)
    return _cancelled(cycle, cancel) if cancelling else phase.decide(cycle)


def _foreign(cycle: Cycle) -> str:
    """Name the first route that shows what neither stood there nor was written by us."""
    if not cycle.progress.allowed:
        return ""
    for route in cycle.routes.managed:
        if route.split is None or not cycle.progress.may_show(route.arn, route.split):
            return f"{route.label} shows {route.split or route.problem}"
    return ""


def _cancelled(cycle: Cycle, reason: str) -> Step:
    """Weights that agree stay where they are; half-written ones go back to where they came from."""
    if cycle.snapshot.split is None and cycle.progress.origin is not None and cycle.progress.allowed:
        return replace(cycle.progress.entered("going_back", cycle.now), returning=f"Cancelled: {reason}")
    where = f"Weights stay at {cycle.snapshot.split}." if cycle.snapshot.split else "No weight was written."
    return stop(cycle, f"Cancelled: {reason}", f"{where} Tasks stay as they are.")


# ---- start ----


def _start(cycle: Cycle) -> Step:
    unusable = next((route for route in cycle.routes.managed if route.split is None), None)
    if unusable:
        return refuse(cycle, f"{unusable.label} can't be managed", unusable.problem, rule="only_weights")
    if cycle.service.status != "ACTIVE":
        return refuse(cycle, f"The ECS service is {cycle.service.status}", "It must be ACTIVE.", rule="capacity")
    if cycle.service.weight_writer:
        return refuse(cycle, "Deployments move this service's traffic themselves", cycle.service.weight_writer,
                      rule="deployment_running", remedy="Deploy it by ECS, with the strategy ROLLING.")  # fmt: skip
    already = _already_there(cycle)
    if already:
        return Decision(Kind.DONE, already, cycle.progress.marked("ended", cycle.now))
    progress = replace(
        cycle.progress.marked("started", cycle.now),
        memory=_remember(cycle),
        origin=cycle.snapshot.split,
        allowed=tuple((route.arn, (route.split,)) for route in cycle.routes.managed if route.split),
    )
    phase = "capacity" if _wants_ecs(cycle) else "shift"
    return progress.entered(phase, cycle.now)


def _already_there(cycle: Cycle) -> str:
    request, position = cycle.request, cycle.snapshot.position
    if request.goal is Goal.FAILOVER and position is Position.ECS:
        return "All traffic is on ECS already"
    if request.goal is Goal.SET_WEIGHTS and cycle.snapshot.split == request.split:
        return f"Weights are {request.split} already"
    settled = position is Position.LAMBDA and cycle.service.desired <= retire.standby(cycle)
    if request.goal is Goal.FAILBACK and settled:
        return "All traffic is on Lambda already"
    return ""


def _remember(cycle: Cycle) -> Memory:
    """Keep what stood before the first write; a baseline that an unfinished failover recorded stays the truth."""
    memory = cycle.progress.memory
    if memory.baseline is None and cycle.request.goal is not Goal.FAILBACK:
        scaling = cycle.snapshot.scaling.value
        memory = replace(memory, baseline=Baseline(cycle.service.desired, scaling.bounds if scaling else None))
    metrics = cycle.snapshot.metrics.value
    measured = seconds_per_request(metrics) if metrics else None
    if measured is not None and cycle.snapshot.position is Position.LAMBDA:
        memory = replace(memory, duration=measured)
    return memory


def _wants_ecs(cycle: Cycle) -> bool:
    """Whether any route's ECS share is to rise, so that tasks must be there first."""
    final = shift.final_split(cycle)
    return any(route.split is None or final.ecs_percent > route.split.ecs_percent for route in cycle.routes.managed)


# ---- capacity ----


def wanted_tasks(policy: Policy, desired: int, needed_now: int) -> int:
    return max(desired, policy.min_healthy, policy.failover_count, needed_now)


def _capacity(cycle: Cycle) -> Step:
    if cycle.service.deployment_failed:
        said = cycle.service.trouble or "The service's deployment failed: its circuit breaker launches nothing more."
        return stop(cycle, "ECS can't start tasks", said, rule="capacity", remedy="Deploy a working task definition.")
    need = tasks_needed(cycle.policy, cycle.snapshot, cycle.now)
    wanted = wanted_tasks(cycle.policy, cycle.service.desired, max(need, cycle.progress.wanted))
    enough = max(cycle.policy.min_healthy, need)
    progress = replace(cycle.progress, wanted=wanted, enough=max(enough, cycle.progress.enough))
    bounds = _raised_bounds(cycle, wanted)
    actions = (*((SetBounds(bounds),) if bounds else ()),
               *((SetDesiredCount(wanted),) if cycle.service.desired < wanted else ()))  # fmt: skip
    if not actions:
        return progress.marked("asked", cycle.now).entered("healthy", cycle.now)
    if bounds:
        progress = replace(progress, memory=replace(progress.memory, bounds_written=bounds))
    headline = f"Desired count {cycle.service.desired} → {wanted}"
    return Decision(Kind.ACT, headline, progress.marked("asked", cycle.now), actions=actions, wait=1.0)


def _raised_bounds(cycle: Cycle, wanted: int) -> Bounds | None:
    """Minimum = wanted keeps autoscaling from undoing us; any registration clamps, so the maximum never falls."""
    bounds = cycle.snapshot.scaling.value.bounds if cycle.snapshot.scaling.value else None
    if bounds is None:
        return None
    raised = Bounds(wanted, max(bounds.maximum, cycle.service.desired, wanted))
    return raised if raised != bounds else None


# ---- healthy ----


def _healthy(cycle: Cycle) -> Step:
    progress, policy = cycle.progress, cycle.policy
    healthy = ecs_healthy(cycle.snapshot, cycle.now) or 0
    streak = progress.healthy_streak + 1 if healthy >= progress.enough else 0
    progress = replace(progress, healthy_streak=streak)
    if streak >= policy.healthy_checks:
        return progress.marked("healthy", cycle.now).entered("shift", cycle.now)
    waited = cycle.now - progress.phase_since
    if waited > policy.scale_deadline_seconds:
        event = cycle.service.trouble or next(iter(cycle.service.events), "the service reports no event")
        return stop(cycle, f"Only {healthy} of {progress.enough} targets became healthy in {waited:.0f} s",
                    f"Traffic stays where it was. ECS says: {event}", rule="capacity",
                    remedy="Look at the service's events and the tasks' logs, then start again.")  # fmt: skip
    figures = f"{healthy} healthy, {waited:.0f} s of {policy.scale_deadline_seconds:.0f} s"
    figures += f"; {cycle.service.trouble}" if cycle.service.trouble else ""
    return wait(replace(cycle, progress=progress), f"Waiting for {progress.enough} healthy targets", figures)


_HEALTH = frozenset({Part.ROUTES, Part.SERVICE, Part.TARGETS})
_SCALING = frozenset({Part.ROUTES, Part.SERVICE, Part.BOUNDS})

PHASES = {
    "start": Phase(_SCALING, _start, reads=frozenset(Part)),
    "capacity": Phase(_SCALING, _capacity, reads=frozenset({Part.METRICS, Part.TARGETS})),
    "healthy": Phase(_HEALTH, _healthy),
    "shift": Phase(_HEALTH, shift.decide),
    "settle": Phase(_HEALTH, shift.settle, reads=shift.JUDGING),
    "going_back": Phase(_HEALTH, shift.go_back, reads=shift.JUDGING),
    "bake": Phase(_HEALTH | {Part.ALARMS}, retire.bake),
    "drain": Phase(frozenset({Part.ROUTES, Part.SERVICE, Part.ALARMS, Part.METRICS}), retire.drain),
    "scale_in": Phase(_SCALING | {Part.METRICS}, retire.scale_in),
}
