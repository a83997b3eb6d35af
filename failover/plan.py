"""What an operation would do, foreseen: the same `decide` run forward on a model that fulfils every wish.

The plan says the steps, what each changes in AWS (before and after), how each rule judges it, and about how long it
takes. Its digest covers what an approval is about: goal, policy, routes' actions, desired count and bounds; health and
metrics change every second and are not in it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from failover.codec import encode
from failover.decide import decide
from failover.demand import highest_rate
from failover.model import (
    Action,
    Application,
    Decision,
    Kind,
    Memory,
    Metrics,
    Progress,
    Reading,
    Request,
    SetBounds,
    SetDesiredCount,
    SetSplit,
    Snapshot,
)
from failover.rules import OVERRIDABLE, RULES, Write

TASK_SECONDS = 60.0  # Fargate takes 1 to 4 minutes to a healthy target; the optimistic end, and the page says "about"
MOST_CYCLES = 20_000
_READINGS = ("alarms", "routes", "service", "targets", "scaling", "metrics", "limits", "prewarm")


@dataclass(frozen=True)
class Change:
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Verdict:
    """How one rule judges the step: `sentence` says why it fails, empty where it passes."""

    rule: str
    sentence: str
    overridden: bool = False

    @property
    def passes(self) -> bool:
        return not self.sentence or self.overridden


@dataclass(frozen=True)
class PlanStep:
    """`at` is in seconds from the start, `seconds` how long the step lasts until the next one."""

    title: str
    at: float
    seconds: float = 0.0
    changes: tuple[Change, ...] = ()
    rules: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class Plan:
    """`outcome` is done, refuse or stop with the reason; `seconds` about how long until then."""

    steps: tuple[PlanStep, ...]
    seconds: float
    outcome: Kind
    reason: str
    rule: str
    digest: str


def digest(application: Application, request: Request, snapshot: Snapshot) -> str:
    """Twelve hexadecimal digits; the same as long as what was approved is still what would happen."""
    routes = snapshot.routes.value.managed if snapshot.routes.value else ()
    covered = {
        "request": encode(replace(request, automatic=False)),
        "override": sorted(request.override),
        "policy": encode(application.policy),
        "routes": sorted((route.arn, route.fingerprint, str(route.split)) for route in routes),
        "desired": snapshot.service.value.desired if snapshot.service.value else None,
        "bounds": encode(snapshot.scaling.value),
    }
    covered["request"].pop("override")
    return hashlib.sha256(json.dumps(covered, sort_keys=True).encode()).hexdigest()[:12]


def foresee(application: Application, request: Request, snapshot: Snapshot, memory: Memory, now: float) -> Plan:
    """Run the operation forward from this snapshot, with every write taking effect and no new trouble."""
    world = _Foreseen(snapshot, now)
    progress, steps = Progress(memory=memory), list[PlanStep]()
    for _ in range(MOST_CYCLES):
        decision = decide(application, request, world.snapshot, progress, world.now)
        at = world.now - now
        if decision.kind not in (Kind.ACT, Kind.WAIT):
            return _plan(application, request, snapshot, tuple(steps), at, decision)
        if not steps or steps[-1].title != decision.headline:
            steps.append(_step(application, request, world, decision, at))
        for action in decision.actions:
            world.apply(action)
        progress = decision.progress
        world.pass_time(decision.wait)
    endless = Decision(Kind.STOP, f"No end is foreseen in the first {world.now - now:.0f} s", progress)
    return _plan(application, request, snapshot, tuple(steps), world.now - now, endless)


def _plan(
    application: Application,
    request: Request,
    snapshot: Snapshot,
    steps: tuple[PlanStep, ...],
    at: float,
    end: Decision,
) -> Plan:
    ends = (*(step.at for step in steps), at)[1:]
    timed = tuple(replace(step, seconds=until - step.at) for step, until in zip(steps, ends, strict=False))
    reason = f"{end.headline}: {end.detail}" if end.detail else end.headline
    return Plan(timed, at, end.kind, reason, end.rule, digest(application, request, snapshot))


def _step(application: Application, request: Request, world: _Foreseen, decision: Decision, at: float) -> PlanStep:
    writes = [
        Write(action, application, request, world.snapshot, decision.progress, float("inf"), world.now)
        for action in decision.actions
    ]
    rules = {rule: next(filter(None, map(check, writes)), "") for rule, check in RULES.items()} if writes else {}
    verdicts = tuple(
        Verdict(rule, sentence, rule in OVERRIDABLE and rule in request.override) for rule, sentence in rules.items()
    )
    changes = tuple(_change(world.snapshot, action) for action in decision.actions)
    return PlanStep(decision.headline, at, changes=changes, rules=verdicts)


def _change(snapshot: Snapshot, action: Action) -> Change:
    if isinstance(action, SetSplit):
        routes = snapshot.routes.value.managed if snapshot.routes.value else ()
        label = next((route.label for route in routes if route.arn == action.route_arn), action.route_arn)
        return Change(f"weights on {label}", str(action.before), str(action.split))
    if isinstance(action, SetBounds):
        bounds = snapshot.scaling.value.bounds if snapshot.scaling.value else None
        before = f"{bounds.minimum} to {bounds.maximum}" if bounds else "none"
        return Change("autoscaling bounds", before, f"{action.bounds.minimum} to {action.bounds.maximum}")
    before = str(snapshot.service.value.desired) if snapshot.service.value else "?"
    return Change("desired count", before, str(action.count))


class _Foreseen:
    """The snapshot as it would go on: tasks become healthy, weights hold, demand stays as it is."""

    def __init__(self, snapshot: Snapshot, now: float) -> None:
        self.now = now
        self.snapshot = snapshot
        metrics = snapshot.metrics.value
        self._rate = highest_rate(metrics, now, 0) if metrics else 0.0
        self._healthy_at: list[float] = []
        self._refresh()

    def apply(self, action: Action) -> None:
        if isinstance(action, SetSplit):
            self._set_split(action)
        elif isinstance(action, SetBounds) and self.snapshot.scaling.value:
            self._set("scaling", replace(self.snapshot.scaling.value, bounds=action.bounds))
        elif isinstance(action, SetDesiredCount) and self.snapshot.service.value:
            more = action.count - self.snapshot.service.value.desired
            self._healthy_at += [self.now + TASK_SECONDS] * max(more, 0)
            self._set("service", replace(self.snapshot.service.value, desired=action.count))

    def _set_split(self, action: SetSplit) -> None:
        routes = self.snapshot.routes.value
        if routes is None:
            return
        managed = tuple(replace(r, split=action.split) if r.arn == action.route_arn else r for r in routes.managed)
        ours = {route.label for route in managed}
        foreign = [label for label in routes.ecs_forwarders if label not in ours]
        forwarders = [route.label for route in managed if route.split and route.split.ecs] + foreign
        self._set("routes", replace(routes, managed=managed, ecs_forwarders=tuple(forwarders)))

    def pass_time(self, seconds: float) -> None:
        before, self.now = self.now, self.now + seconds
        self._become_healthy()
        self._serve(before)
        self._refresh()

    def _become_healthy(self) -> None:
        ready = [at for at in self._healthy_at if at <= self.now]
        self._healthy_at = [at for at in self._healthy_at if at > self.now]
        if ready and self.snapshot.targets.value:
            targets = self.snapshot.targets.value
            self._set("targets", replace(targets, ecs_healthy=targets.ecs_healthy + len(ready)))

    def _serve(self, before: float) -> None:
        """A point per whole period that has passed, split as the weights say."""
        metrics, split = self.snapshot.metrics.value, self.snapshot.split
        if metrics is None or split is None or not self._rate:
            return
        period = metrics.period
        starts = range(int(before // period) * period, int(self.now // period) * period, period)
        share = split.ecs_percent / 100
        added = {
            "ecs_requests": tuple((float(at), self._rate * period * share) for at in starts if share),
            "lambda_requests": tuple((float(at), self._rate * period * (1 - share)) for at in starts if share < 1),
        }
        series = {**metrics.series, **{name: metrics.points(name) + points for name, points in added.items()}}
        self._set("metrics", Metrics(period, series))

    def _set(self, name: str, value: object) -> None:
        changed: dict[str, Any] = {name: Reading(value, self.now, "")}
        self.snapshot = replace(self.snapshot, **changed)

    def _refresh(self) -> None:
        known: dict[str, Any] = {name: getattr(self.snapshot, name) for name in _READINGS}
        fresh = {name: replace(reading, at=self.now) for name, reading in known.items() if reading.value is not None}
        self.snapshot = replace(self.snapshot, at=self.now, **fresh)
        routes = self.snapshot.routes.value
        if routes is not None:
            self._set("routes", replace(routes, searched_at=self.now))
