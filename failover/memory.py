"""What an application remembers once an operation has ended, or somebody else has changed its weights."""

from __future__ import annotations

from dataclasses import replace

from failover.model import Goal, Kind, Memory, Position, Progress, Request, Snapshot, Watch
from failover.ports import Outcome

FLAP_SECONDS = 3600.0  # a failover this soon after a failback doubles the dwell
MAX_DWELL_FACTOR = 16


def after(memory: Memory, request: Request, outcome: Outcome, now: float) -> Memory:
    """The memory to store when `outcome` ended an operation; `memory` is what was stored before it."""
    done = outcome.decision.kind is Kind.DONE
    if done and outcome.progress.mark("started") is None:
        return memory  # it was so already: whoever brought it about is still who brought it about
    kept = carried(memory, outcome.progress)
    kept = replace(_left(kept, outcome.snapshot, now), watch=_watched(memory.watch, outcome.progress, now))
    if request.prepares:
        return _prepared(kept, memory, request, outcome, now)
    return _moved(kept, memory, request, outcome, now)


def _watched(watch: Watch, progress: Progress, now: float) -> Watch:
    """The guard begins to count anew; what it did stays known, and how often ECS had to be left lately."""
    begun = replace(watch, failing=0, at=0.0, since=now)
    left_at = progress.mark("deserted")
    if left_at is None:
        return begun
    lately = watch.deserted_at is not None and left_at - watch.deserted_at < FLAP_SECONDS
    return replace(begun, deserted_at=left_at, desertions=watch.desertions + 1 if lately else 1)


def carried(memory: Memory, progress: Progress) -> Memory:
    """What goes from an operation to the one after it, superseded or ended: what stood before the first write.

    What it left behind is not known before AWS is read again, and must not look like somebody else's change.
    """
    return replace(
        memory,
        left=(),
        baseline=progress.memory.baseline,
        bounds_written=progress.memory.bounds_written,
        duration=progress.memory.duration,
    )


def found_changed(memory: Memory, snapshot: Snapshot, now: float) -> Memory:
    """The memory after somebody else changed the weights: what is there now is theirs, and automation leaves it."""
    away = snapshot.position is not Position.LAMBDA
    at = (now if memory.failover_at is None else memory.failover_at) if away else None
    return replace(_left(memory, snapshot, now), failover_at=at, failover_automatic=False)


def _left(memory: Memory, snapshot: Snapshot, now: float) -> Memory:
    """What routes show is what the next observation is compared with; nothing where they could not be read."""
    routes = snapshot.routes.value.managed if snapshot.routes.value else ()
    return replace(memory, left=tuple((route.arn, route.split) for route in routes if route.split), left_at=now)


def _prepared(kept: Memory, memory: Memory, request: Request, outcome: Outcome, now: float) -> Memory:
    """Tasks were asked for, no traffic moved: on Lambda a prewarm, to be retired; on ECS what the guard asked for.

    A rehearsal may have been stopped after it asked: where no failover needs its tasks, they are retired all the same.
    """
    done = outcome.decision.kind is Kind.DONE
    asked = done or (request.rehearses and outcome.progress.mark("asked") is not None)
    if asked and outcome.snapshot.position is Position.LAMBDA:
        return replace(kept, prewarmed=outcome.progress.wanted)
    return replace(kept, watch=replace(memory.watch, raised_at=now)) if done else kept


def _moved(kept: Memory, memory: Memory, request: Request, outcome: Outcome, now: float) -> Memory:
    done = outcome.decision.kind is Kind.DONE
    if request.goal is Goal.FAILBACK and done:
        home_at = now if outcome.progress.mark("shifting") is not None else memory.failback_at
        return replace(kept, baseline=None, bounds_written=None, prewarmed=None, failover_at=None, failback_at=home_at)
    if outcome.decision.rule == "foreign_change":
        return found_changed(kept, outcome.snapshot, now)
    if outcome.snapshot.position is Position.LAMBDA:
        return replace(kept, failover_at=None)
    if request.goal is Goal.FAILOVER and (done or outcome.progress.mark("shifting")):
        return _failed_over(kept, request, now)
    if request.goal is Goal.FAILBACK and outcome.progress.mark("shifting"):
        ours = memory.failover_automatic and not _found_elsewhere(memory, outcome.progress)
        return replace(kept, failover_at=now, failover_automatic=ours, dwell_factor=_doubled(kept))
    if request.goal is Goal.SET_WEIGHTS and done:
        since = now if kept.failover_at is None else kept.failover_at
        return replace(kept, failover_at=since, failover_automatic=False)
    return kept


def _found_elsewhere(memory: Memory, progress: Progress) -> bool:
    """Whether the operation began where the last one had not left traffic: somebody else moved it in between."""
    shares = [split.ecs_percent for _, split in memory.left]
    return bool(shares) and progress.spread is not None and progress.spread != (min(shares), max(shares))


def _failed_over(memory: Memory, request: Request, now: float) -> Memory:
    soon = memory.failback_at is not None and now - memory.failback_at < FLAP_SECONDS
    factor = _doubled(memory) if soon else 1
    return replace(memory, failover_at=now, failover_automatic=request.automatic, dwell_factor=factor, prewarmed=None)


def _doubled(memory: Memory) -> int:
    return min(2 * memory.dwell_factor, MAX_DWELL_FACTOR)
