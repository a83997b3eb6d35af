"""What an action will do, in words, from the policy and from what AWS showed last."""

from __future__ import annotations

from django.utils.translation import gettext as _

from failover.demand import project
from failover.model import Application, Goal, Memory, Policy, Snapshot, Split
from panel.web.standing import Standing
from panel.web.times import span
from panel.words import gettext_lazy

PEOPLE_FIRST = gettext_lazy(
    "While traffic is off Lambda by hand, automation is held for 8 h; the hold can be released at any time."
)

MAY_NOT_FIT = gettext_lazy("Demand may not fit Lambda")


def steps(goal: Goal, application: Application, snapshot: Snapshot | None) -> tuple[str, ...]:
    """The steps of `goal`, in order, one sentence each."""
    policy = application.policy
    return {
        Goal.FAILOVER: (
            _tasks(policy, snapshot),
            _healthy(policy),
            _shift(policy, application),
            _settle(policy),
            str(PEOPLE_FIRST),
        ),
        Goal.FAILBACK: (_shift_back(policy), _bake(policy), _scale_in(policy)),
        Goal.SET_WEIGHTS: (_if_more(policy), _weights(application), _settle(policy), str(PEOPLE_FIRST)),
    }[goal]


def _tasks(policy: Policy, snapshot: Snapshot | None) -> str:
    service = snapshot.service.value if snapshot else None
    now = _(", now %(desired)s") % {"desired": service.desired} if service else ""
    wanted = max(policy.failover_count, policy.min_healthy, service.desired if service else 0)
    return _("ECS is asked for %(wanted)s tasks%(now)s. No traffic moves yet.") % {"wanted": wanted, "now": now}


def _healthy(policy: Policy) -> str:
    return _(
        "It waits until %(min_healthy)s targets are healthy, %(healthy_checks)s times in a row. "
        "If that takes more than %(scale_deadline_seconds)s, it stops and traffic stays where it is."
    ) % {
        "min_healthy": policy.min_healthy,
        "healthy_checks": policy.healthy_checks,
        "scale_deadline_seconds": span(policy.scale_deadline_seconds),
    }


def _shift(policy: Policy, application: Application) -> str:
    routes = _routes(application)
    if len(policy.shift_steps) == 1:
        return _("Weights become %(shift_steps)s (Lambda/ECS) on %(routes)s and are read back.") % {
            "shift_steps": Split.of_ecs_percent(policy.shift_steps[0]),
            "routes": routes,
        }
    way = " → ".join(f"{percent} %" for percent in policy.shift_steps)
    return _("ECS gets %(way)s of the traffic on %(routes)s, %(step_seconds)s apart, each step checked.") % {
        "way": way,
        "routes": routes,
        "step_seconds": span(policy.step_seconds),
    }


def _settle(policy: Policy) -> str:
    return _("After %(settle_seconds)s it checks that weights and traffic agree. Then it is done.") % {
        "settle_seconds": span(policy.settle_seconds)
    }


def _shift_back(policy: Policy) -> str:
    way = " → ".join(f"{100 - percent} %" for percent in policy.failback_steps)
    return _(
        "Lambda gets %(way)s of the traffic, %(step_seconds)s apart. A step that makes errors goes back to ECS."
    ) % {"way": way, "step_seconds": span(policy.step_seconds)}


def _bake(policy: Policy) -> str:
    return _("The ECS tasks stay for %(bake_seconds)s: if the alarm returns, so does the traffic.") % {
        "bake_seconds": span(policy.bake_seconds)
    }


def _scale_in(policy: Policy) -> str:
    return _("When ECS gets no more traffic, its tasks go down to %(standby_count)s, or to what ran before.") % {
        "standby_count": policy.standby_count
    }


def _if_more(policy: Policy) -> str:
    return _(
        "If ECS is to get more, it first waits for %(min_healthy)s healthy targets, starting tasks where needed."
    ) % {"min_healthy": policy.min_healthy}


def _weights(application: Application) -> str:
    return _("The weights are written on %(application)s and read back.") % {"application": _routes(application)}


def _routes(application: Application) -> str:
    count = len(application.routes)
    return _("the route") if count == 1 else _("all %(count)s routes") % {"count": count}


def warnings(goal: Goal, application: Application, standing: Standing, memory: Memory) -> tuple[str, ...]:
    """What to know before going on; nothing here forbids it."""
    found = []
    if standing.stale:
        found.append(_("What you see is old. The operation reads AWS itself before it changes anything."))
    if goal is Goal.FAILBACK and standing.alarming:
        found.append(_("The alarm is still on: with traffic back, Lambda may be at its limit again."))
    if goal is Goal.FAILBACK and standing.snapshot:
        found += _demand(application.policy, standing.snapshot, memory, standing.now)
    if (
        standing.snapshot
        and standing.snapshot.routes.value
        and any(r.sticky for r in standing.snapshot.routes.value.managed)
    ):
        found.append(_("Sticky sessions are on: some users may stay on the pool they are on."))
    return tuple(found)


def _demand(policy: Policy, snapshot: Snapshot, memory: Memory, now: float) -> list[str]:
    projection = project(policy, snapshot, memory, now)
    if projection.fits:
        return []
    return [f"{MAY_NOT_FIT}: {projection.reason}."]
