"""What is known about each pool: does it answer? Yes, no and unknown are three answers."""

from __future__ import annotations

from enum import Enum

from failover.model import Alarm, AlarmState, Application, Metrics, Policy, Progress, Snapshot

FRESH_SECONDS = 5.0  # health older than this is no basis for a write
SEARCHED_SECONDS = 30.0  # who else forwards to the ECS group must have been looked up this lately to scale it in
PUBLISHED_PERIODS = 5  # older than this, the newest point says that the API is silent, not that CloudWatch is late
SMALL_STEP_PERCENT = 10.0  # a share of traffic this small is itself the test of an unproven pool

PROBED_SECONDS = 30.0  # probes whose newest answer is older than this say nothing of now
ENOUGH_PROBES = 5  # so many answers speak for a pool
ENOUGH_FAILED_PROBES = 3  # and so many failed ones against it: one lost request is no verdict

PLAINLY_PERCENT = 50.0  # a pool that fails this share of its requests is failing, whatever the other one can take


class Answers(Enum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def alarming(application: Application, alarms: tuple[Alarm, ...]) -> tuple[Alarm, ...]:
    """The alarms that call for a failover by the application's rule (any or all of them); empty if they don't."""
    firing = tuple(alarm for alarm in alarms if alarm.state is AlarmState.ALARM)
    if application.alarm_rule == "all" and len(firing) < len(application.alarms):
        return ()
    return firing


def ecs_healthy(snapshot: Snapshot, now: float) -> int | None:
    """Healthy targets of this service, or None where that is unknown or older than `FRESH_SECONDS`."""
    targets = snapshot.targets.value
    return targets.ecs_healthy if targets and snapshot.targets.age(now) <= FRESH_SECONDS else None


def _sum(metrics: Metrics, name: str, since: float) -> float:
    return sum(value for _, value in metrics.points(name, since))


def failing_percent(metrics: Metrics, pool: str, since: float) -> tuple[float, float]:
    """Requests that a pool got since then, and how many percent of them it failed.

    A throttled Lambda invocation is answered 502 by the load balancer and is in none of the target's own counts.
    """
    requests = _sum(metrics, f"{pool}_requests", since)
    failed = _sum(metrics, f"{pool}_5xx", since)
    if pool == "lambda":
        failed += _sum(metrics, "throttles", since) + _sum(metrics, "errors", since)
        requests = max(requests, failed)
    return requests, 100 * failed / requests if requests else 0.0


def pool_answers(policy: Policy, snapshot: Snapshot, pool: str, since: float) -> Answers:
    """Judge a pool by the requests that it really got since then, and by the probes that it answered.

    Too few are no proof either way. Probes that go well make up for missing traffic, never for failed requests.
    """
    by_requests, by_probes = _requests_answer(policy, snapshot, pool, since), probed(policy, snapshot, pool, since)
    return by_requests if by_requests is Answers.NO or by_probes is Answers.UNKNOWN else by_probes


def probed(policy: Policy, snapshot: Snapshot, pool: str, since: float) -> Answers:
    """What the probes since then say of a pool. One that nobody signed is no pool's: it counts for none."""
    probes = snapshot.probes
    if probes.value is None or snapshot.at - probes.at > PROBED_SECONDS:
        return Answers.UNKNOWN
    own = [each for each in probes.value if each.pool == pool and each.at >= since]
    sent, failed = sum(each.sent for each in own), sum(each.failed for each in own)
    if 100 * failed > policy.max_5xx_percent * sent:
        return Answers.NO if failed >= ENOUGH_FAILED_PROBES else Answers.UNKNOWN
    return Answers.YES if sent >= ENOUGH_PROBES else Answers.UNKNOWN


def _requests_answer(policy: Policy, snapshot: Snapshot, pool: str, since: float) -> Answers:
    metrics = snapshot.metrics.value
    if metrics is None:
        return Answers.UNKNOWN
    requests, failed = failing_percent(metrics, pool, since)
    if requests < policy.min_requests:
        return Answers.UNKNOWN
    return Answers.NO if failed > policy.max_5xx_percent else Answers.YES


def ecs_requests_left(metrics: Metrics, verified: float, now: float) -> float:
    """Requests that ECS still got in the last two periods that CloudWatch shows, none from before weights were read
    back without it. What is published minutes late must not look like silence.
    """
    newest = max((at for name in ("lambda_requests", "ecs_requests") for at, _ in metrics.points(name)), default=now)
    latest = max(newest, now - PUBLISHED_PERIODS * metrics.period)
    return _sum(metrics, "ecs_requests", max(latest - 2 * metrics.period, verified))


def ecs_plainly_fails(policy: Policy, snapshot: Snapshot, since: float, now: float) -> bool:
    """Whether ECS has no healthy target, freshly read, or failed most of the requests that it got since then.

    Then users lose less on a Lambda that answers but may be at its limit than where they are.
    """
    if ecs_healthy(snapshot, now) == 0:
        return True
    if snapshot.metrics.value is None:
        return False
    requests, failed = failing_percent(snapshot.metrics.value, "ecs", since)
    return requests >= policy.min_requests and failed >= PLAINLY_PERCENT


def lambda_answers(policy: Policy, snapshot: Snapshot, since: float) -> Answers:
    """Health checks where the group has them, else the requests of the last periods. `unavailable` proves nothing."""
    states = dict(snapshot.targets.value.lambda_states) if snapshot.targets.value else {}
    if states.get("healthy"):
        return Answers.YES
    if states.get("unhealthy"):
        return Answers.NO
    return pool_answers(policy, snapshot, "lambda", since)


def since(policy: Policy, progress: Progress, now: float) -> float:
    """From when on requests count as evidence: the last three metric periods, or the step that passed before."""
    recent = now - 3 * policy.metric_period_seconds
    return recent if progress.evidence_since is None else min(recent, progress.evidence_since)
