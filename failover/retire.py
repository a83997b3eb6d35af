"""After a failback: keep the tasks until nothing speaks for them, then put back what stood before the failover.

A prewarm alarm does not keep them: Lambda has just carried all of the traffic for the bake time. Where it is in ALARM
then, automation starts tasks anew, as for any other prewarm, and the failback ends at a known count.
"""

from __future__ import annotations

from failover.cycle import Cycle, Step, stop, wait
from failover.evidence import alarming, ecs_healthy, ecs_requests_left
from failover.model import Action, Alarm, Bounds, Decision, Kind, Memory, Policy, SetBounds, SetDesiredCount

DEPLOYMENT_SECONDS = 1800.0  # a deployment that runs longer is left to people, and the tasks with it


def standby_count(policy: Policy, memory: Memory) -> int:
    """The desired count to return to: never less than what stood before the failover or prewarm."""
    return max(policy.standby_count, memory.baseline.desired if memory.baseline else 0)


def standby(cycle: Cycle) -> int:
    return standby_count(cycle.policy, cycle.progress.memory)


def bake(cycle: Cycle) -> Step:
    """Tasks stay up for the bake time: a minute metric can't raise an alarm sooner, and a return must be instant."""
    firing = alarming(cycle.application, cycle.snapshot.alarms.value or ())
    if firing and _can_return(cycle):
        return cycle.progress.turned_back(f"Alarm {firing[0].name} returned", cycle.now)
    if firing:
        return _kept_for_a_failover(cycle, firing[0])
    waited = cycle.now - cycle.progress.phase_since
    whole = max(cycle.policy.bake_seconds, cycle.policy.settle_seconds)
    if waited < whole:
        return wait(cycle, "Keeping the tasks in case the alarm returns", f"{waited:.0f} s of {whole:.0f} s")
    return cycle.progress.marked("baked", cycle.now).entered("drain", cycle.now)


def _can_return(cycle: Cycle) -> bool:
    origin = cycle.progress.origin
    healthy = ecs_healthy(cycle.snapshot, cycle.now) or 0
    return origin is not None and origin.ecs > 0 and healthy >= cycle.policy.min_healthy


def _kept_for_a_failover(cycle: Cycle, alarm: Alarm) -> Decision:
    """End at once: the failover that the alarm calls for can't start while this operation waits."""
    return stop(cycle, f"Alarm {alarm.name} is in ALARM: the tasks stay", "A failover can start now.",
                rule="no_early_scale_in", remedy="Fail back again when the alarm is OK.")  # fmt: skip


def drain(cycle: Cycle) -> Step:
    firing = alarming(cycle.application, cycle.snapshot.alarms.value or ())
    if firing:
        return _kept_for_a_failover(cycle, firing[0])
    reason = _still_used(cycle)
    if not reason:
        return cycle.progress.marked("drained", cycle.now).entered("scale_in", cycle.now)
    waited = cycle.now - cycle.progress.phase_since
    if cycle.service.deployment_running and waited <= cycle.policy.drain_seconds + DEPLOYMENT_SECONDS:
        return wait(cycle, "Waiting until the service's deployment has ended", f"{waited:.0f} s")
    if waited > cycle.policy.drain_seconds:
        headline = f"Traffic is on Lambda; {cycle.service.desired} tasks were left running"
        remedy = "Find what still uses the ECS group, then fail back again."
        return stop(cycle, headline, reason, rule="no_early_scale_in", remedy=remedy)
    figures = f"{reason}; {waited:.0f} s of {cycle.policy.drain_seconds:.0f} s"
    return wait(cycle, "Waiting until ECS gets no more traffic", figures)


def _still_used(cycle: Cycle) -> str:
    """What still sends, or could send, requests to the tasks."""
    if cycle.service.deployment_running:
        return "A deployment of the service is in progress"
    if cycle.routes.ecs_forwarders:
        return f"{cycle.routes.ecs_forwarders[0]} still gives the ECS group weight"
    metrics = cycle.snapshot.metrics.value
    if metrics is None:
        return "Requests can't be read"
    requests = ecs_requests_left(metrics, cycle.progress.mark("verified") or 0.0, cycle.now)
    return f"ECS still got {requests:.0f} requests" if requests else ""


def scale_in(cycle: Cycle) -> Step:
    target = min(cycle.service.desired, standby(cycle))
    bounds = _restored_bounds(cycle)
    actions: tuple[Action, ...] = ()
    if bounds is not None:
        actions += (SetBounds(bounds),)
    if cycle.service.desired > target:
        actions += (SetDesiredCount(target),)
    if not actions:
        progress = cycle.progress.marked("scaled_in", cycle.now).marked("ended", cycle.now)
        return Decision(Kind.DONE, f"All traffic is on Lambda; desired count is {cycle.service.desired}", progress)
    return Decision(
        Kind.ACT, f"Desired count {cycle.service.desired} → {target}", cycle.progress, actions=actions, wait=1.0
    )


def _restored_bounds(cycle: Cycle) -> Bounds | None:
    """The bounds of before, if those that stand now are still the ones that we wrote."""
    memory, scaling = cycle.progress.memory, cycle.snapshot.scaling.value
    before = memory.baseline.bounds if memory.baseline else None
    if before is None or scaling is None or scaling.bounds != memory.bounds_written or scaling.bounds == before:
        return None
    return before
