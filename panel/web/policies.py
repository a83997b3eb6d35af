"""The policy in words: each limit with its value and what it does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from failover.model import Policy
from panel.web.times import span


@dataclass(frozen=True)
class Limit:
    key: str
    value: str
    says: str


def explained(policy: Policy) -> tuple[tuple[str, tuple[Limit, ...]], ...]:
    """By the part of an operation that they are about."""
    return (
        ("Tasks", _tasks(policy)),
        (_("Moving traffic"), _moving(policy)),
        (_("Coming home"), _home(policy)),
    )


def _way(percents: Iterable[int]) -> str:
    return " → ".join(f"{each} %" for each in percents)


def _tasks(policy: Policy) -> tuple[Limit, ...]:
    each = (
        _("%(requests_per_task)s requests a second") % {"requests_per_task": f"{policy.requests_per_task:g}"}
        if policy.requests_per_task
        else _("not proven")
    )
    return (
        Limit("failover_count", f"{policy.failover_count}", _("tasks wanted while traffic is on ECS, at least")),
        Limit("min_healthy", f"{policy.min_healthy}", _("healthy targets before ECS gets weight")),
        Limit("requests_per_task", each, _("what one task can take; demand beyond it asks for more tasks")),
        Limit("standby_count", f"{policy.standby_count}", _("tasks that stay once traffic is home")),
        Limit(
            "scale_deadline_seconds",
            span(policy.scale_deadline_seconds),
            _("for tasks to become healthy, then it fails"),
        ),
    )


def _moving(policy: Policy) -> tuple[Limit, ...]:
    least = f"{policy.max_5xx_percent:g} %"
    return (
        Limit(
            "shift_steps",
            " → ".join(f"{each} %" for each in policy.shift_steps),
            _("of the traffic on ECS, step by step"),
        ),
        Limit("step_seconds", span(policy.step_seconds), _("between two steps, in which each is judged")),
        Limit("max_5xx_percent", least, _("of a pool's answers may be errors, or the step goes back")),
        Limit("min_requests", f"{policy.min_requests}", _("requests before a step can be judged at all")),
        Limit("on_inconclusive", policy.on_inconclusive, _("with too few requests to judge")),
        Limit("settle_seconds", span(policy.settle_seconds), _("until weights and traffic must agree")),
    )


def _home(policy: Policy) -> tuple[Limit, ...]:
    headroom = f"{100 * policy.demand_headroom:g} %" if policy.demand_headroom else _("not asked")
    return (
        Limit("dwell_seconds", span(policy.dwell_seconds), _("for which alarms must have been OK")),
        Limit("cooldown_seconds", span(policy.cooldown_seconds), _("after a failover, before an automatic failback")),
        Limit("demand_headroom", headroom, _("of Lambda's limit that projected concurrency must stay under")),
        Limit(
            "failback_steps",
            " → ".join(f"{100 - each} %" for each in policy.failback_steps),
            _("of the traffic on Lambda"),
        ),
        Limit("bake_seconds", span(policy.bake_seconds), _("for which tasks stay, should the alarm return")),
        Limit("drain_seconds", span(policy.drain_seconds), _("for ECS's last requests to end")),
    )
