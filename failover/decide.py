"""What to do next about one operation: pure, so that a crash at any point is resumed by asking again.

The order of phases is the safety argument. Tasks start before they are asked for, weights move only after health was
seen, and nothing is scaled in before no weight, no traffic and no running alarm speak for it:

    failover, set_weights:  start → capacity → healthy → shift → settle → done
    failback:               start → shift → bake → drain → scale_in → done
    set_weights, no split:  start → capacity → done (only tasks are started)
    a rehearsal:            start → capacity → healthy → done (so that a failback retires them)
    a guard failed:         shift or bake → going_back → stop

Each phase either answers with a Decision or hands over to the next phase. `failover.rules` judges every write once
more, sharing no code with this module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from failover import capacity, going_back, retire, shift
from failover.cycle import Cycle, Step, refuse, stop, unread_part
from failover.demand import seconds_per_request
from failover.model import (
    DECIDING,
    PROGRESS_VERSION,
    Application,
    Baseline,
    Decision,
    Goal,
    Kind,
    Memory,
    Part,
    Position,
    Progress,
    Request,
    Snapshot,
)

WRITE_DEADLINE = 120.0  # a write that AWS refuses, or does not show, for this long is given up


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
    cycle = Cycle(
        application, request, snapshot, replace(progress, unread_since=None), now, unread_since=progress.unread_since
    )
    if not _understood(progress):
        return _not_understood(cycle)
    while True:
        step = _guarded(cycle, cancel)
        if isinstance(step, Decision):
            return _writing(step, now)
        cycle = replace(cycle, progress=step)


def stopped_by_kill_switch(
    application: Application, request: Request, snapshot: Snapshot, progress: Progress, now: float
) -> Decision:
    """End an automatic operation without another write. Each split on the way was safe when it was written."""
    shown = snapshot.split or ", ".join(str(split) for split in snapshot.splits) or "as last written"
    return stop(Cycle(application, request, snapshot, progress, now), "The kill switch is on",
                f"Weights stay at {shown}, tasks stay as they are.", rule="kill_switch",
                remedy="Act by hand, or turn the kill switch off.")  # fmt: skip


def needed(request: Request, progress: Progress) -> frozenset[Part]:
    """The parts of a snapshot that the operation's present phase looks at."""
    if not _understood(progress):
        return frozenset({Part.ROUTES})
    phase = PHASES[progress.phase]
    judges = progress.phase == "shift" and (request.goal is not Goal.FAILOVER or progress.mark("shifting"))
    watches = request.rehearses and progress.phase in ("capacity", "healthy")
    return (
        phase.needs
        | phase.reads
        | (shift.JUDGING if judges else frozenset())
        | (frozenset({Part.ALARMS}) if watches else frozenset())
    )


def heeds_probes(request: Request, progress: Progress) -> bool:
    """Whether the present phase judges a pool, so that what users see of it counts."""
    return progress.phase == "going_back" or (progress.phase == "shift" and needed(request, progress) >= shift.JUDGING)


def _understood(progress: Progress) -> bool:
    return 1 <= progress.version <= PROGRESS_VERSION and progress.phase in PHASES


def _not_understood(cycle: Cycle) -> Decision:
    """An operation that another version began is not guessed at: traffic stays where that version put it."""
    return stop(cycle, "Another version of this program began this operation",
                f"Its progress has version {cycle.progress.version}, phase {cycle.progress.phase!r}; "
                f"this program knows versions up to {PROGRESS_VERSION}. Weights and tasks stay as they are.",
                remedy="Start again from what is there now.")  # fmt: skip


def _writing(decision: Decision, now: float) -> Decision:
    """Remember when the first write began that is not shown yet: every wait ends, this one too."""
    if decision.kind is not Kind.ACT or decision.progress.writing_since is not None:
        return decision
    return replace(decision, progress=replace(decision.progress, writing_since=now))


def _stuck(cycle: Cycle) -> Step | None:
    """What becomes of writes that AWS refuses, or does not show, until their deadline."""
    since = cycle.progress.writing_since
    if since is None or cycle.now - since <= WRITE_DEADLINE:
        return None
    reason = cycle.progress.write_problem or "AWS took the write but does not show it"
    reason = f"{reason} (for {cycle.now - since:.0f} s)"
    if cycle.progress.phase == "shift":
        return going_back.give_up(cycle, reason)
    return stop(cycle, "AWS could not be changed", reason, rule="deadlines",
                remedy="Look at what is there, then start again.")  # fmt: skip


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
    if cancelling:
        return _cancelled(cycle, cancel)
    return _stuck(cycle) or phase.decide(cycle)


def _foreign(cycle: Cycle) -> str:
    """Name the first route that shows what neither stood there nor was written by us."""
    if not cycle.progress.allowed:
        return ""
    for route in cycle.routes.managed:
        if route.split is None or not cycle.progress.may_show(route, route.split):
            return f"{route.label} shows {route.split or route.problem}"
    return ""


def _cancelled(cycle: Cycle, reason: str) -> Step:
    """Weights that agree stay where they are; half-written ones go back to where they came from."""
    if cycle.snapshot.split is None and cycle.progress.origin is not None and cycle.progress.allowed:
        return cycle.progress.turned_back(f"Cancelled: {reason}", cycle.now)
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
    if cycle.service.deployment_failed and _wants_ecs(cycle):
        return refuse(
            cycle, "ECS can't start tasks", capacity.DEPLOYMENT_FAILED, rule="capacity", remedy=capacity.DEPLOY
        )
    percents = [route.split.ecs_percent for route in cycle.routes.managed if route.split]
    progress = replace(
        cycle.progress.marked("started", cycle.now),
        memory=_remember(cycle),
        origin=cycle.snapshot.split,
        spread=(min(percents), max(percents)),
        allowed=tuple((route.arn, (route.split,)) for route in cycle.routes.managed if route.split),
    )
    phase = "capacity" if _wants_ecs(cycle) else "shift"
    return progress.entered(phase, cycle.now)


def _already_there(cycle: Cycle) -> str:
    request, position = cycle.request, cycle.snapshot.position
    if request.goal is Goal.FAILOVER and position is Position.ECS:
        return "All traffic is on ECS already"
    if request.split is not None and cycle.snapshot.split == request.split:
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
    if cycle.request.prepares:
        return True
    final = shift.final_split(cycle)
    return any(route.split is None or final.ecs_percent > route.split.ecs_percent for route in cycle.routes.managed)


_HEALTH = frozenset({Part.ROUTES, Part.SERVICE, Part.TARGETS})
_SCALING = frozenset({Part.ROUTES, Part.SERVICE, Part.BOUNDS})
_UNUSED = frozenset({Part.ROUTES, Part.FORWARDERS, Part.SERVICE, Part.METRICS})

PHASES = {
    "start": Phase(_SCALING, _start, reads=DECIDING),
    "capacity": Phase(_SCALING, capacity.ask, reads=frozenset({Part.METRICS, Part.TARGETS})),
    "healthy": Phase(_HEALTH, capacity.wait_for_health),
    "shift": Phase(_HEALTH, shift.decide),
    "settle": Phase(_HEALTH, shift.settle, reads=frozenset({Part.METRICS})),
    "going_back": Phase(_HEALTH, going_back.go_back, reads=shift.JUDGING),
    "bake": Phase(_HEALTH | {Part.ALARMS}, retire.bake),
    "drain": Phase(_UNUSED | {Part.ALARMS}, retire.drain),
    "scale_in": Phase(_SCALING | _UNUSED, retire.scale_in),
}
