"""What an action will do, in words, from the policy and from what AWS showed last."""

from __future__ import annotations

from failover.demand import project
from failover.model import Application, Goal, Memory, Policy, Snapshot, Split
from panel.web.standing import Standing
from panel.web.times import span

PEOPLE_FIRST = "While traffic is off Lambda by hand, automation is held for 8 h; the hold can be released at any time."

MAY_NOT_FIT = "Demand may not fit Lambda"


def steps(goal: Goal, application: Application, snapshot: Snapshot | None) -> tuple[str, ...]:
    """The steps of `goal`, in order, one sentence each."""
    policy = application.policy
    return {
        Goal.FAILOVER: (
            _tasks(policy, snapshot),
            _healthy(policy),
            _shift(policy, application),
            _settle(policy),
            PEOPLE_FIRST,
        ),
        Goal.FAILBACK: (_shift_back(policy), _bake(policy), _scale_in(policy)),
        Goal.SET_WEIGHTS: (_if_more(policy), _weights(application), _settle(policy), PEOPLE_FIRST),
    }[goal]


def _tasks(policy: Policy, snapshot: Snapshot | None) -> str:
    service = snapshot.service.value if snapshot else None
    now = f", now {service.desired}" if service else ""
    wanted = max(policy.failover_count, policy.min_healthy, service.desired if service else 0)
    return f"ECS is asked for {wanted} tasks{now}. No traffic moves yet."


def _healthy(policy: Policy) -> str:
    return (
        f"It waits until {policy.min_healthy} targets are healthy, {policy.healthy_checks} times in a row. "
        f"If that takes more than {span(policy.scale_deadline_seconds)}, it stops and traffic stays where it is."
    )


def _shift(policy: Policy, application: Application) -> str:
    routes = _routes(application)
    if len(policy.shift_steps) == 1:
        return (
            f"Weights become {Split.of_ecs_percent(policy.shift_steps[0])} (Lambda/ECS) on {routes} and are read back."
        )
    way = " → ".join(f"{percent} %" for percent in policy.shift_steps)
    return f"ECS gets {way} of the traffic on {routes}, {span(policy.step_seconds)} apart, each step checked."


def _settle(policy: Policy) -> str:
    return f"After {span(policy.settle_seconds)} it checks that weights and traffic agree. Then it is done."


def _shift_back(policy: Policy) -> str:
    way = " → ".join(f"{100 - percent} %" for percent in policy.failback_steps)
    return (
        f"Lambda gets {way} of the traffic, {span(policy.step_seconds)} apart. "
        "A step that makes errors goes back to ECS."
    )


def _bake(policy: Policy) -> str:
    return f"The ECS tasks stay for {span(policy.bake_seconds)}: if the alarm returns, so does the traffic."


def _scale_in(policy: Policy) -> str:
    return f"When ECS gets no more traffic, its tasks go down to {policy.standby_count}, or to what ran before."


def _if_more(policy: Policy) -> str:
    return (
        f"If ECS is to get more, it first waits for {policy.min_healthy} healthy targets, starting tasks where needed."
    )


def _weights(application: Application) -> str:
    return f"The weights are written on {_routes(application)} and read back."


def _routes(application: Application) -> str:
    count = len(application.routes)
    return "the route" if count == 1 else f"all {count} routes"


def warnings(goal: Goal, application: Application, standing: Standing, memory: Memory) -> tuple[str, ...]:
    """What to know before going on; nothing here forbids it."""
    found = []
    if standing.stale:
        found.append("What you see is old. The operation reads AWS itself before it changes anything.")
    if goal is Goal.FAILBACK and standing.alarming:
        found.append("The alarm is still on: with traffic back, Lambda may be at its limit again.")
    if goal is Goal.FAILBACK and standing.snapshot:
        found += _demand(application.policy, standing.snapshot, memory, standing.now)
    if (
        standing.snapshot
        and standing.snapshot.routes.value
        and any(r.sticky for r in standing.snapshot.routes.value.managed)
    ):
        found.append("Sticky sessions are on: some users may stay on the pool they are on.")
    return tuple(found)


def _demand(policy: Policy, snapshot: Snapshot, memory: Memory, now: float) -> list[str]:
    projection = project(policy, snapshot, memory, now)
    if projection.fits:
        return []
    return [f"{MAY_NOT_FIT}: {projection.reason}."]
