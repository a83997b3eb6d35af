"""Moving weights: in the policy's steps, read back after each, guarded between them, and back where a guard fails."""

from __future__ import annotations

from dataclasses import replace

from failover import going_back, weights
from failover.cycle import Cycle, Step, refuse, stop, unread_part, wait
from failover.demand import project, tasks_needed
from failover.evidence import (
    SMALL_STEP_PERCENT,
    Answers,
    alarming,
    ecs_healthy,
    ecs_plainly_fails,
    failing_percent,
    lambda_answers,
    pool_answers,
    probed,
)
from failover.evidence import since as evidence_since
from failover.model import Decision, Goal, Kind, Part, Position, Split

JUDGING = frozenset({Part.ALARMS, Part.METRICS, Part.LIMITS})  # what a pool that gains traffic is judged by
STRAY_PERCENT = 5  # traffic agrees when no more than this share still goes to the pool without weight


def steps(cycle: Cycle) -> tuple[Split, ...]:
    """The splits that the goal passes through."""
    if cycle.request.goal is Goal.SET_WEIGHTS and cycle.request.split is not None:
        return (cycle.request.split,)
    policy = cycle.policy
    percents = policy.shift_steps if cycle.request.goal is Goal.FAILOVER else policy.failback_steps
    return tuple(Split.of_ecs_percent(percent) for percent in percents)


def final_split(cycle: Cycle) -> Split:
    return steps(cycle)[-1]


def _ahead(cycle: Cycle) -> tuple[Split, ...]:
    """Steps that lead on from where traffic was: a failover from 50 % does not pass through 10 % again. Where routes
    differ, the one that lags behind takes each step, and the others wait for it.
    """
    spread, todo = cycle.progress.spread, steps(cycle)
    if spread is None or cycle.request.goal is Goal.SET_WEIGHTS:
        return todo
    lowest, highest = spread
    if cycle.request.goal is Goal.FAILOVER:
        return tuple(step for step in todo if step.ecs_percent > lowest) or todo[-1:]
    return tuple(step for step in todo if step.ecs_percent < highest) or todo[-1:]


def decide(cycle: Cycle) -> Step:
    todo = _ahead(cycle)
    cycle = _hurried(cycle, len(todo) - 1)
    target = todo[min(cycle.progress.step, len(todo) - 1)]
    if not weights.shown_everywhere(cycle, target):
        return _not_ready(cycle, target) or weights.write(cycle, target)
    agreed = weights.agreed(cycle, target)
    if isinstance(agreed, Decision):
        return agreed
    cycle = replace(cycle, progress=agreed)
    if cycle.progress.step >= len(todo) - 1:
        phase = "bake" if cycle.request.goal is Goal.FAILBACK else "settle"
        return agreed.marked("verified", cycle.now).entered(phase, cycle.now)
    return _between(cycle, target)


def _hurried(cycle: Cycle, last: int) -> Cycle:
    """Small steps protect users of a pool that works: where ECS plainly fails and Lambda answers, go straight home."""
    if cycle.request.goal is not Goal.FAILBACK or cycle.progress.step >= last:
        return cycle
    since = evidence_since(cycle.policy, cycle.progress, cycle.now)
    if not ecs_plainly_fails(cycle.policy, cycle.snapshot, since, cycle.now):
        return cycle
    if lambda_answers(cycle.policy, cycle.snapshot, since) is not Answers.YES:
        return cycle
    hurried = replace(cycle.progress, step=last, step_since=None, agreed_streak=0)
    return replace(cycle, progress=hurried.marked("deserted", cycle.now))


# ---- before a write ----


def _not_ready(cycle: Cycle, target: Split) -> Step | None:
    """Why the target can't be written now, or None. The rules judge the write again, on their own.

    Where routes differ both pools may gain: neither route is written unless both can be.
    """
    unready = _ecs_not_ready(cycle) if weights.gives_ecs_more(cycle, target) else None
    return unready or (_lambda_not_ready(cycle, target) if weights.gives_lambda_more(cycle, target) else None)


def _ecs_not_ready(cycle: Cycle) -> Step | None:
    if "ecs_ready" in cycle.request.override:
        return None
    enough = max(cycle.progress.enough, cycle.policy.min_healthy)
    if cycle.request.goal is not Goal.FAILBACK and tasks_needed(cycle.policy, cycle.snapshot, cycle.now) > enough:
        return cycle.progress.entered("capacity", cycle.now)
    healthy = ecs_healthy(cycle.snapshot, cycle.now) or 0
    if healthy >= enough:
        return None
    if cycle.now - cycle.progress.phase_since > cycle.policy.scale_deadline_seconds:
        return going_back.give_up(cycle, f"ECS has {healthy} of {enough} healthy targets")
    return wait(cycle, f"Waiting for {enough} healthy targets", f"{healthy} healthy now")


def _lambda_not_ready(cycle: Cycle, target: Split) -> Step | None:
    if "lambda_ready" in cycle.request.override:
        return None
    unread = unread_part(cycle, sorted(JUDGING))
    if unread:
        return unread
    reason = ""
    since = evidence_since(cycle.policy, cycle.progress, cycle.now)
    answers = lambda_answers(cycle.policy, cycle.snapshot, since)
    if answers is Answers.YES and ecs_plainly_fails(cycle.policy, cycle.snapshot, since, cycle.now):
        return None
    projection = project(cycle.policy, cycle.snapshot, cycle.progress.memory, cycle.now)
    small = 100 - target.ecs_percent <= SMALL_STEP_PERCENT
    if answers is Answers.NO:
        reason = "Lambda fails the requests that it gets"
    elif not projection.fits:
        reason = f"Lambda would be at its limit again: {projection.reason}"
    elif answers is Answers.UNKNOWN and not small and cycle.policy.on_inconclusive != "continue":
        reason = f"Nothing shows that Lambda answers; a step of at most {SMALL_STEP_PERCENT:.0f} % would"
    if not reason:
        return None
    if cycle.progress.step == 0 and not cycle.progress.mark("shifting"):
        return refuse(cycle, "Lambda is not ready for traffic", reason, rule="lambda_ready",
                      remedy="Wait until it is, or override lambda_ready with a reason.")  # fmt: skip
    return going_back.give_up(cycle, reason)


# ---- between steps ----


def _between(cycle: Cycle, target: Split) -> Step:
    since = cycle.progress.step_since or cycle.now
    failure = _guard_failure(cycle, since)
    if failure:
        streak = cycle.progress.sick_streak + 1
        if streak >= cycle.policy.healthy_checks:
            return going_back.give_up(cycle, failure)
        return wait(replace(cycle, progress=replace(cycle.progress, sick_streak=streak)), "A guard fails", failure)
    progress = replace(cycle.progress, sick_streak=0)
    cycle = replace(cycle, progress=progress)
    waited = cycle.now - since
    if waited < cycle.policy.step_seconds:
        return wait(cycle, f"Watching {target}", f"{waited:.0f} s of {cycle.policy.step_seconds:.0f} s")
    if _inconclusive(cycle, since) and cycle.policy.on_inconclusive == "hold":
        if waited > cycle.policy.step_seconds + cycle.policy.scale_deadline_seconds:
            return stop(cycle, f"Too little traffic to judge {target}", "Weights stay as they are.", rule="deadlines")
        return wait(cycle, f"Too little traffic to judge {target}: holding", f"since {waited:.0f} s")
    return replace(progress, step=progress.step + 1, step_since=None, evidence_since=since, agreed_streak=0)


def _gaining(cycle: Cycle) -> str:
    return "lambda" if cycle.request.goal is Goal.FAILBACK else "ecs"


def _guard_failure(cycle: Cycle, since: float) -> str:
    """What speaks against going on: an alarm, sick targets, or failed requests on the pool that gains traffic."""
    if _gaining(cycle) == "lambda":
        firing = alarming(cycle.application, cycle.snapshot.alarms.value or ())
        if firing:
            return f"Alarm {firing[0].name} is in ALARM"
    elif (ecs_healthy(cycle.snapshot, cycle.now) or 0) < cycle.progress.enough:
        return f"Fewer than {cycle.progress.enough} targets are healthy"
    pool = _gaining(cycle)
    if probed(cycle.policy, cycle.snapshot, pool, since) is Answers.NO:
        return f"Probes that {pool} answered failed"
    if pool_answers(cycle.policy, cycle.snapshot, pool, since) is Answers.NO and cycle.snapshot.metrics.value:
        requests, failed = failing_percent(cycle.snapshot.metrics.value, pool, since)
        return f"{failed:.0f} % of {requests:.0f} requests on {pool} failed"
    return ""


def _inconclusive(cycle: Cycle, since: float) -> bool:
    return pool_answers(cycle.policy, cycle.snapshot, _gaining(cycle), since) is Answers.UNKNOWN


# ---- after the last step ----


def settle(cycle: Cycle) -> Step:
    """Done when the settle time has passed and traffic agrees, or says nothing."""
    since = cycle.progress.phase_since
    waited = cycle.now - since
    split = cycle.snapshot.split
    if waited < cycle.policy.settle_seconds:
        return wait(cycle, f"Settling at {split}", f"{waited:.0f} s of {cycle.policy.settle_seconds:.0f} s")
    agreement = _traffic(cycle, since)
    patience = cycle.policy.settle_seconds + 3 * cycle.policy.metric_period_seconds
    if agreement != "agrees" and waited < patience:
        return wait(cycle, "Waiting for traffic to show it", f"traffic is {agreement} so far")
    said = "traffic agrees" if agreement == "agrees" else f"traffic is inconclusive ({agreement})"
    where = "All traffic is on ECS" if cycle.snapshot.position is Position.ECS else f"Weights are {split}"
    return Decision(Kind.DONE, f"{where}; {said}", cycle.progress.marked("ended", cycle.now))


def _traffic(cycle: Cycle, since: float) -> str:
    """Compare the newest whole period's requests with a split that leaves one pool nothing."""
    metrics, position = cycle.snapshot.metrics.value, cycle.snapshot.position
    if metrics is None or position not in (Position.ECS, Position.LAMBDA):
        return "not comparable"
    points = {name: dict(metrics.points(f"{name}_requests", since)) for name in ("lambda", "ecs")}
    times = sorted(set(points["lambda"]) | set(points["ecs"]))
    if not times:
        return "silent"
    counts = {name: points[name].get(times[-1], 0.0) for name in points}
    stray = counts["lambda" if position is Position.ECS else "ecs"]
    total = sum(counts.values())
    return "agrees" if total and 100 * stray / total <= STRAY_PERCENT else f"{stray:.0f} of {total:.0f} requests astray"
