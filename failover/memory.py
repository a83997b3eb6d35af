"""What an application remembers once an operation has ended."""

from __future__ import annotations

from dataclasses import replace

from failover.model import Goal, Kind, Memory, Position, Request
from failover.ports import Outcome

FLAP_SECONDS = 3600.0  # a failover this soon after a failback doubles the dwell
MAX_DWELL_FACTOR = 16


def after(memory: Memory, request: Request, outcome: Outcome, now: float) -> Memory:
    """The memory to store when `outcome` ended an operation; `memory` is what was stored before it."""
    kept = replace(outcome.progress.memory, failback_at=memory.failback_at, dwell_factor=memory.dwell_factor)
    done = outcome.decision.kind is Kind.DONE
    if done and outcome.progress.mark("started") is None:
        return memory  # it was so already: whoever brought it about is still who brought it about
    if request.goal is Goal.FAILBACK and done:
        return replace(kept, baseline=None, bounds_written=None, failover_at=None, failback_at=now)
    if outcome.snapshot.position is Position.LAMBDA:
        return replace(kept, failover_at=None)
    if request.goal is Goal.FAILOVER and done:
        return _failed_over(kept, request, now)
    if request.goal is Goal.FAILBACK and outcome.progress.mark("shifting"):
        return replace(kept, failover_at=now, dwell_factor=_doubled(kept))
    if request.goal is Goal.SET_WEIGHTS and done:
        since = now if kept.failover_at is None else kept.failover_at
        return replace(kept, failover_at=since, failover_automatic=False)
    return kept


def _failed_over(memory: Memory, request: Request, now: float) -> Memory:
    soon = memory.failback_at is not None and now - memory.failback_at < FLAP_SECONDS
    factor = _doubled(memory) if soon else 1
    return replace(memory, failover_at=now, failover_automatic=request.automatic, dwell_factor=factor)


def _doubled(memory: Memory) -> int:
    return min(2 * memory.dwell_factor, MAX_DWELL_FACTOR)
