"""Writing a split to every route, and reading it back until all of them agree."""

from __future__ import annotations

from dataclasses import replace

from failover.cycle import Cycle, Step, wait
from failover.model import Decision, Kind, RouteState, SetSplit, Split

AGREED_READS = 2  # consecutive reads in which every route shows what was asked


def on_route(route: RouteState, target: Split) -> Split:
    """The target as this route takes it: beside a third group with weight, our two keep their sum."""
    if not route.other_weight or route.split is None:
        return target
    total = route.split.lambda_ + route.split.ecs
    ecs = round(total * target.ecs_percent / 100)
    return Split(total - ecs, ecs)


def shown_everywhere(cycle: Cycle, target: Split) -> bool:
    return all(route.split == on_route(route, target) for route in cycle.routes.managed)


def write(cycle: Cycle, target: Split) -> Decision:
    """Write the routes that don't show the target yet. Both splits are allowed from before the write until it is read
    back: a crash in between leaves either.
    """
    stale = [r for r in cycle.routes.managed if r.split != on_route(r, target)]
    written = {r.arn: (r.split, on_route(r, target)) for r in stale if r.split is not None}
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
        allowed = tuple((route.arn, (on_route(route, target),)) for route in cycle.routes.managed)
        progress = replace(progress, allowed=allowed, step_since=cycle.now)
    return progress
