"""The guard of ECS while it carries traffic and no operation runs: more tasks, then the way home, and people are paged.

A guard that fails for `healthy_checks` observations in a row first raises the desired count and then, if Lambda's
evidence holds, fails back whatever dwell and cooldown say. Both are ordinary operations: set_weights without a split,
which only asks for tasks, and failback. So lease, journal, progress and the rules at every write bind them as they bind
all others, and a crash in either is resumed. Where neither pool is known to be healthy nothing moves and nothing is
scaled in: people are paged. After a person's failover the guard may raise the count, but moves no traffic.

    observation      1        2 = healthy_checks     3 ...
    guard            fails    fails: raise (once)    fails: fail back, or page
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from failover.capacity import wanted_tasks
from failover.demand import project, tasks_needed
from failover.evidence import (
    SMALL_STEP_PERCENT,
    Answers,
    alarming,
    ecs_plainly_fails,
    failing_percent,
    lambda_answers,
    pool_answers,
)
from failover.failback import a_persons
from failover.model import Application, Goal, Memory, Policy, Request, Snapshot, Watch
from failover.prewarm import PREPARE
from failover.verdict import PEOPLE_FIRST, Refused, Situation, Start, Verdict, blocked

FRESH_SECONDS = 30.0  # health read longer ago than this is no observation
GROWTH = 1.5  # a raise asks for this many times the tasks that were there
MOST_GROWTH = 2  # and for at most this many times what policy and demand ask for: an outage must not buy a fleet


def observed(application: Application, snapshot: Snapshot, memory: Memory, now: float) -> Memory:
    """The memory after this observation; the same one where it was seen already, or shows nothing of ECS."""
    watch, targets = memory.watch, snapshot.targets
    if targets.value is None or targets.at <= watch.at or targets.age(now) > FRESH_SECONDS:
        return memory
    failing = watch.failing + 1 if problem(application, snapshot, memory, now) else 0
    if failing == watch.failing:
        return memory
    return replace(memory, watch=replace(watch, failing=failing, at=targets.at))


def counting(application: Application, memory: Memory) -> bool:
    """Whether the guard has begun to count and needs another look."""
    return 0 < memory.watch.failing < application.policy.healthy_checks


def problem(application: Application, snapshot: Snapshot, memory: Memory, now: float) -> str:
    """Why ECS's guard fails: too few healthy targets for its demand, or too many failed requests; "" where it holds."""
    targets, metrics, policy = snapshot.targets.value, snapshot.metrics.value, application.policy
    if targets is None or not _share(snapshot):
        return ""
    enough = _enough(policy, snapshot, now)
    if targets.ecs_healthy < enough:
        return f"ECS has {targets.ecs_healthy} healthy targets, and its traffic needs {enough}"
    since = _since(policy, memory.watch, now)
    if metrics is None or pool_answers(policy, snapshot, "ecs", since) is not Answers.NO:
        return ""
    requests, failed = failing_percent(metrics, "ecs", since)
    return f"{failed:.0f} % of {requests:.0f} requests on ECS failed"


def consider(
    application: Application, snapshot: Snapshot, memory: Memory, situation: Situation, now: float
) -> Verdict | None:
    """What a guard that has failed often enough leads to. None: it holds, or is not sure yet."""
    failing = problem(application, snapshot, memory, now)
    if situation.active or not failing or memory.watch.failing < application.policy.healthy_checks:
        return None
    raised = _raise(application, snapshot, memory, situation, failing, now)
    if isinstance(raised, Start):
        return raised
    verdict = _go_home(application, snapshot, memory, situation, failing, now)
    return raised if raised is not None and isinstance(verdict, Refused) else verdict


def _share(snapshot: Snapshot) -> float:
    """The largest share of its traffic that a route gives to ECS, 0 to 1."""
    return max((split.ecs_percent / 100 for split in snapshot.splits if split), default=0.0)


def _enough(policy: Policy, snapshot: Snapshot, now: float) -> int:
    return max(policy.min_healthy, ceil(_share(snapshot) * tasks_needed(policy, snapshot, now)))


def _since(policy: Policy, watch: Watch, now: float) -> float:
    return max(now - 3 * policy.metric_period_seconds, watch.since)


# ---- more tasks ----


def _raise(
    application: Application, snapshot: Snapshot, memory: Memory, situation: Situation, failing: str, now: float
) -> Verdict | None:
    """Ask for more tasks. None: they were asked for lately, or there are as many as would make sense."""
    policy, service, raised_at = application.policy, snapshot.service.value, memory.watch.raised_at
    if service is None or service.deployment_failed:
        return None
    if raised_at is not None and now - raised_at < policy.scale_deadline_seconds:
        return None
    asked_for = wanted_tasks(policy, 0, tasks_needed(policy, snapshot, now))
    wanted = max(asked_for, min(ceil(GROWTH * service.desired), MOST_GROWTH * asked_for))
    if wanted <= service.desired:
        return None
    in_the_way = blocked(Goal.SET_WEIGHTS, situation, failing, in_spite_of=PEOPLE_FIRST)
    if in_the_way is None and _failed_just_now(situation.last_prepare_failure_at, policy, now):
        return None
    reason = f"Guard: {failing}. Desired count {service.desired} → {wanted}, weights stay"
    return _paging(in_the_way, failing) if in_the_way else Start(PREPARE, reason, tasks=wanted, page=failing)


def _failed_just_now(failed_at: float | None, policy: Policy, now: float) -> bool:
    return failed_at is not None and now - failed_at < policy.scale_deadline_seconds


def _paging(refused: Refused, failing: str) -> Refused:
    return replace(refused, page=f"{failing}. {refused.reason}")


# ---- the way home ----


def _go_home(
    application: Application, snapshot: Snapshot, memory: Memory, situation: Situation, failing: str, now: float
) -> Verdict:
    in_the_way = a_persons(memory) or blocked(Goal.FAILBACK, situation, failing)
    if in_the_way:
        return _paging(in_the_way, failing)
    against = _against_lambda(application, snapshot, memory, now)
    if against is not None:
        rule, reason = against
        remedy = "Weights and tasks stay as they are: look at both pools; a person may set weights with an override."
        return _paging(Refused(Goal.FAILBACK, rule, f"{failing}, but {reason}.", remedy), failing)
    plainly = ecs_plainly_fails(application.policy, snapshot, _since(application.policy, memory.watch, now), now)
    if not plainly and _failed_just_now(situation.last_failback_failure_at, application.policy, now):
        refused = Refused(Goal.FAILBACK, "cooldown", f"{failing}, but the last failback failed.",
                          "Look at why it failed; fail back by hand when you know better.")  # fmt: skip
        return _paging(refused, failing)
    return Start(Request(Goal.FAILBACK, automatic=True), f"Guard: {failing}, and Lambda answers", page=failing)


def _against_lambda(application: Application, snapshot: Snapshot, memory: Memory, now: float) -> tuple[str, str] | None:
    """What speaks against Lambda as the place to go to (rule, reason), or None.

    Where ECS plainly fails, an answering Lambda is better whatever the projection says. Where nothing shows that
    Lambda answers, a small first step would, but only from a pool that works well enough to come back to.
    """
    policy = application.policy
    since = _since(policy, memory.watch, now)
    answers = lambda_answers(policy, snapshot, since)
    plainly = ecs_plainly_fails(policy, snapshot, since, now)
    if answers is Answers.NO or (answers is Answers.UNKNOWN and (plainly or not _starts_small(policy))):
        return "towards_health", "Lambda is not known to be healthy either"
    if answers is Answers.YES and plainly:
        return None
    if alarming(application, snapshot.alarms.value or ()):
        return "lambda_ready", "Lambda's alarm is in ALARM"
    projection = project(policy, snapshot, memory, now)
    return None if projection.fits else ("demand", f"Lambda would be at its limit: {projection.reason}")


def _starts_small(policy: Policy) -> bool:
    return policy.on_inconclusive == "continue" or 100 - policy.failback_steps[0] <= SMALL_STEP_PERCENT
