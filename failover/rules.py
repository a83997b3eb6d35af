"""The rules that may never break, judged at every write, on their own: nothing here is shared with `decide`.

Each function answers with a sentence when the write would break its rule, or "" when it may go ahead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from failover.demand import project, tasks_needed
from failover.evidence import (
    FRESH_SECONDS,
    SEARCHED_SECONDS,
    SMALL_STEP_PERCENT,
    Answers,
    ecs_plainly_fails,
    ecs_requests_left,
    lambda_answers,
    since,
)
from failover.model import (
    Action,
    Application,
    Goal,
    Progress,
    Request,
    RouteState,
    SetBounds,
    SetDesiredCount,
    SetSplit,
    Snapshot,
)

WRITE_SECONDS = 7.0  # the longest a write can take: connect 2 s and read 5 s, sent once
OVERRIDABLE = frozenset({"ecs_ready", "lambda_ready", "towards_health", "foreign_change"})


@dataclass(frozen=True)
class Write:
    """One write about to be sent, and everything it is judged by."""

    action: Action
    application: Application
    request: Request
    snapshot: Snapshot
    progress: Progress
    lease_left: float
    now: float

    @property
    def route(self) -> RouteState | None:
        routes = self.snapshot.routes.value
        if routes is None or not isinstance(self.action, SetSplit):
            return None
        return next((route for route in routes.managed if route.arn == self.action.route_arn), None)

    @property
    def gains(self) -> str:
        """The pool that gets more weight on the route, or "" for neither."""
        if not isinstance(self.action, SetSplit) or self.route is None or self.route.split is None:
            return ""
        before, after = self.route.split.ecs_percent, self.action.split.ecs_percent
        return "ecs" if after > before else "lambda" if after < before else ""


@dataclass(frozen=True)
class Violation:
    rule: str
    sentence: str


def judge(write: Write) -> Violation | None:
    """The first rule that the write would break, or None. An override silences only what may be overridden."""
    for rule, check in RULES.items():
        sentence = check(write)
        if sentence and not (rule in OVERRIDABLE and rule in write.request.override):
            return Violation(rule, sentence)
    return None


def single_writer(write: Write) -> str:
    if write.lease_left > WRITE_SECONDS:
        return ""
    return f"The lease has {write.lease_left:.1f} s left; a write can take {WRITE_SECONDS:.0f} s."


def foreign_change(write: Write) -> str:
    if not isinstance(write.action, SetSplit):
        return ""
    route = write.route
    if route is None or route.split is None:
        return "The route's present weights are unknown."
    if write.snapshot.routes.age(write.now) > FRESH_SECONDS:
        return "The route was read too long ago."
    known = write.progress.may_show(route, route.split)
    return "" if known else f"{route.label} shows {route.split}, which this operation did not write."


def never_zero(write: Write) -> str:
    """A Split is never 0/0; beside a third group with weight our two keep their sum."""
    route = write.route
    if not isinstance(write.action, SetSplit) or route is None or route.split is None or not route.other_weight:
        return ""
    before = route.split.lambda_ + route.split.ecs
    after = write.action.split.lambda_ + write.action.split.ecs
    return "" if before == after else f"Beside a third group our weights must keep their sum {before}, not {after}."


def ecs_ready(write: Write) -> str:
    if write.gains != "ecs":
        return ""
    healthy = _fresh_healthy(write)
    policy = write.application.policy
    enough = max(policy.min_healthy, write.progress.enough, tasks_needed(policy, write.snapshot, write.now))
    if healthy is None:
        return "The health of ECS targets is unknown or too old."
    return "" if healthy >= enough else f"ECS has {healthy} healthy targets, {enough} are needed."


def _fresh_healthy(write: Write) -> int | None:
    targets = write.snapshot.targets.value
    if targets is None or write.snapshot.targets.age(write.now) > FRESH_SECONDS:
        return None
    return targets.ecs_healthy


def lambda_ready(write: Write) -> str:
    """Evidence that Lambda answers and, unless ECS plainly fails or this is the way back from a failed shift, room for
    its demand.
    """
    if write.gains != "lambda" or not isinstance(write.action, SetSplit):
        return ""
    policy = write.application.policy
    start = since(policy, write.progress, write.now)
    answers = lambda_answers(policy, write.snapshot, start)
    if answers is Answers.NO:
        return "Lambda fails the requests that it gets."
    if answers is Answers.YES and ecs_plainly_fails(policy, write.snapshot, start, write.now):
        return ""
    if write.progress.returning:
        return "" if answers is Answers.YES else "Nothing shows that Lambda answers."
    small = 100 - write.action.split.ecs_percent <= SMALL_STEP_PERCENT
    if answers is Answers.UNKNOWN and not small and policy.on_inconclusive != "continue":
        return "Nothing shows that Lambda answers."
    projection = project(policy, write.snapshot, write.progress.memory, write.now)
    return "" if projection.fits else f"Lambda's demand does not fit: {projection.reason}."


def towards_health(write: Write) -> str:
    if write.gains == "ecs":
        return "" if _fresh_healthy(write) else "No ECS target is known to be healthy."
    if write.gains == "lambda":
        policy = write.application.policy
        broken = lambda_answers(policy, write.snapshot, since(policy, write.progress, write.now)) is Answers.NO
        return "Lambda is known to fail." if broken else ""
    return ""


def never_shrink(write: Write) -> str:
    """A failover lowers no desired count: not by asking, and not by a maximum that autoscaling would clamp to."""
    service = write.snapshot.service.value
    if write.request.goal is Goal.FAILBACK or isinstance(write.action, SetSplit):
        return ""
    if service is None:
        return "The desired count is unknown."
    ceiling = write.action.bounds.maximum if isinstance(write.action, SetBounds) else write.action.count
    return "" if ceiling >= service.desired else f"It would shrink the service from {service.desired} to {ceiling}."


def no_early_scale_in(write: Write) -> str:
    if not _scales_in(write):
        return ""
    routes, metrics = write.snapshot.routes.value, write.snapshot.metrics.value
    if routes is None or any(route.split is None or route.split.ecs for route in routes.managed):
        return "A route may still give ECS weight."
    if write.now - routes.searched_at > SEARCHED_SECONDS:
        return "Which other listeners give the ECS group weight was last read too long ago."
    if routes.ecs_forwarders:
        return f"{routes.ecs_forwarders[0]} still gives the ECS group weight."
    policy, verified = write.application.policy, write.progress.mark("verified")
    rest = max(policy.settle_seconds, policy.bake_seconds)
    if verified is None or write.now - verified < rest:
        return f"Settle and bake ({rest:.0f} s) have not passed since the weights were read back."
    if metrics is None:
        return "Whether ECS still gets requests is unknown."
    busy = ecs_requests_left(metrics, verified, write.now)
    return f"ECS still got {busy:.0f} requests." if busy else ""


def _scales_in(write: Write) -> bool:
    service = write.snapshot.service.value
    if isinstance(write.action, SetDesiredCount):
        return service is None or write.action.count < service.desired
    return isinstance(write.action, SetBounds) and (service is None or write.action.bounds.maximum < service.desired)


RULES: dict[str, Callable[[Write], str]] = {
    "single_writer": single_writer,
    "foreign_change": foreign_change,
    "never_zero": never_zero,
    "never_shrink": never_shrink,
    "no_early_scale_in": no_early_scale_in,
    "towards_health": towards_health,
    "ecs_ready": ecs_ready,
    "lambda_ready": lambda_ready,
}
