"""Writing a split to every route, and reading it back until all of them agree."""

from __future__ import annotations

from dataclasses import replace

from failover.cycle import Cycle, Step, wait
from failover.model import Decision, Goal, Kind, RouteState, SetSplit, Split

AGREED_READS = 2  # consecutive reads in which every route shows what was asked


def on_route(cycle: Cycle, route: RouteState, target: Split) -> Split:
    """The target as this route takes it: beside a third group with weight, our two keep their sum, and what is further
    on than a step stays where it is.
    """
    if route.split is None:
        return target
    if _further_on(cycle, route.split, target):
        return route.split
    if not route.other_weight:
        return target
    total = route.split.lambda_ + route.split.ecs
    ecs = round(total * target.ecs_percent / 100)
    return Split(total - ecs, ecs)


def _further_on(cycle: Cycle, shown: Split, step: Split) -> bool:
    """Routes may differ at the start: a step towards a pool takes no route away from it."""
    if cycle.progress.phase != "shift":
        return False
    if cycle.request.goal is Goal.FAILOVER:
        return shown.ecs_percent > step.ecs_percent
    return cycle.request.goal is Goal.FAILBACK and shown.ecs_percent < step.ecs_percent


def shown_everywhere(cycle: Cycle, target: Split) -> bool:
    return all(route.split == on_route(cycle, route, target) for route in cycle.routes.managed)


def gives_ecs_more(cycle: Cycle, target: Split) -> bool:
    return any(r.split and on_route(cycle, r, target).ecs_percent > r.split.ecs_percent for r in cycle.routes.managed)


def gives_lambda_more(cycle: Cycle, target: Split) -> bool:
    return any(r.split and on_route(cycle, r, target).ecs_percent < r.split.ecs_percent for r in cycle.routes.managed)


def write(cycle: Cycle, target: Split) -> Decision:
    """Write the routes that don't show the target yet. Both splits are allowed from before the write until it is read
    back: a crash in between leaves either.
    """
    stale = [r for r in cycle.routes.managed if r.split != on_route(cycle, r, target)]
    written = {r.arn: (r.split, on_route(cycle, r, target)) for r in stale if r.split is not None}
    allowed = tuple({**dict(cycle.progress.allowed), **written}.items())
    progress = replace(cycle.progress, allowed=allowed, agreed_streak=0, step_since=None)
    return Decision(
        Kind.ACT,
        f"Weights {', '.join(sorted({str(r.split) for r in stale}))} → {target}",
        progress.marked("shifting", cycle.now),
        actions=tuple(SetSplit(arn, after, before) for arn, (before, after) in written.items()),
        wait=1.0,
    )


def agreed(cycle: Cycle, target: Split) -> Step:
    """Count consecutive reads in which all routes agree; from then on nothing but the target may show."""
    progress = replace(cycle.progress.written(), agreed_streak=cycle.progress.agreed_streak + 1)
    if progress.agreed_streak < AGREED_READS and progress.step_since is None:
        return wait(replace(cycle, progress=progress), f"Reading {target} back", seconds=1.0)
    if progress.step_since is None:
        allowed = tuple((route.arn, (on_route(cycle, route, target),)) for route in cycle.routes.managed)
        progress = replace(progress, allowed=allowed, step_since=cycle.now)
    return progress
