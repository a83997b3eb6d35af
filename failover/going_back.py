"""The way back: weights return to where they came from, if the pool there is known to be healthy."""

from __future__ import annotations

from failover import weights
from failover.cycle import Cycle, Step, stop, wait
from failover.evidence import Answers, ecs_healthy, lambda_answers
from failover.evidence import since as evidence_since
from failover.model import Decision, Split


def give_up(cycle: Cycle, reason: str) -> Step:
    """Go back if a weight was moved, else end where traffic is."""
    if not cycle.progress.mark("shifting"):
        return stop(cycle, "No weight was moved", reason, rule="towards_health")
    return cycle.progress.turned_back(reason, cycle.now)


def go_back(cycle: Cycle) -> Step:
    """Weights return to where they came from, if that pool is known to be healthy; else they stay and people look."""
    origin, reason = cycle.progress.origin, cycle.progress.returning
    if origin is None:
        return stop(cycle, "Weights stay where they are", f"{reason}; the routes differed from the start.")
    if weights.shown_everywhere(cycle, origin):
        agreed = weights.agreed(cycle, origin)
        return agreed if isinstance(agreed, Decision) else stop(cycle, f"Weights are back at {origin}", reason)
    if _origin_answers(cycle, origin):
        return weights.write(cycle, origin)
    if cycle.now - cycle.progress.phase_since > cycle.policy.drain_seconds:
        return stop(cycle, "No pool is known to be healthy: weights stay", reason, rule="towards_health",
                    remedy="Look at both pools; set weights by hand with an override if you know better.")  # fmt: skip
    return wait(cycle, f"Waiting until the way back to {origin} is known to be healthy", reason)


def _origin_answers(cycle: Cycle, origin: Split) -> bool:
    if weights.gives_ecs_more(cycle, origin):
        return (ecs_healthy(cycle.snapshot, cycle.now) or 0) >= cycle.policy.min_healthy
    return (
        lambda_answers(cycle.policy, cycle.snapshot, evidence_since(cycle.policy, cycle.progress, cycle.now))
        is Answers.YES
    )
