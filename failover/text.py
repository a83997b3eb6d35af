"""Status and plan for a terminal: plain text that a tired operator can read, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from failover import cautions
from failover.codec import encode
from failover.model import Alarm, AlarmState, Application, Kind, Reading, Service, Snapshot
from failover.parity import judged
from failover.plan import Plan
from failover.precondition_facts import Check, Result
from failover.preconditions import failed

_RESULTS = {Result.PASS: "pass", Result.WARN: "warn", Result.FAIL: "FAIL", Result.UNKNOWN: "not checked"}
_SIGNS = {AlarmState.ALARM: "▲", AlarmState.OK: "●", AlarmState.INSUFFICIENT_DATA: "○"}


def status(application: Application, snapshot: Snapshot, now: float) -> str:
    """Alarm state, traffic split and task counts; what could not be read says why."""
    lines = [f"{application.slug}  {application.region}  traffic: {_position(snapshot)}  read at {_clock(snapshot.at)}"]
    lines += _rows("alarms", _alarms(snapshot.alarms, now))
    if application.prewarm_alarms:
        lines += _rows("prewarm", _alarms(snapshot.prewarm, now))
    lines += _rows("routes", _routes(snapshot))
    lines += _rows("ecs", [_ecs(application, snapshot)])
    lines += _rows("lambda", [_lambda(snapshot, now)])
    parity = judged(snapshot)
    if parity.sentence and parity.same is not False:
        lines += _rows("code", [parity.sentence])
    lines += _rows("caution", list(cautions.found(application, snapshot, now)))
    return "\n".join(lines)


def status_json(application: Application, snapshot: Snapshot, now: float) -> dict[str, Any]:
    service, targets, split = snapshot.service.value, snapshot.targets.value, snapshot.split
    return {
        "application": application.slug,
        "position": snapshot.position,
        "split": {"lambda": split.lambda_, "ecs": split.ecs} if split else None,
        "alarms": [{"name": a.name, "state": a.state, "since": a.since} for a in snapshot.alarms.value or ()],
        "routes": encode(snapshot.routes.value.managed) if snapshot.routes.value else None,
        "ecs": {
            "desired": service.desired if service else None,
            "pending": service.pending if service else None,
            "running": service.running if service else None,
            "healthy": targets.ecs_healthy if targets else None,
        },
        "cautions": list(cautions.found(application, snapshot, now)),
        "problems": dict(_problems(snapshot)),
        "data_age_seconds": round(now - snapshot.at, 1),
    }


def plan(found: Plan) -> str:
    """Each step with what it changes and how the rules judge it; then how it would end."""
    lines = [f"plan {found.digest}, about {_duration(found.seconds)}"]
    for step in found.steps:
        lines.append(f"  {_duration(step.at):>8}  {step.title}")
        lines += [f"            {change.what}: {change.before} → {change.after}" for change in step.changes]
        lines += [f"            ✗ {v.rule}: {v.sentence}" for v in step.rules if not v.passes]
        passed = [v.rule for v in step.rules if v.passes]
        lines += [f"            ✓ {', '.join(passed)}"] if passed else []
    end = {Kind.DONE: "ends", Kind.REFUSE: "refused", Kind.STOP: "stops"}[found.outcome]
    lines.append(f"  {_duration(found.seconds):>8}  {end}: {found.reason}" + (f" ({found.rule})" if found.rule else ""))
    return "\n".join(lines)


def plan_json(found: Plan) -> dict[str, Any]:
    body: dict[str, Any] = encode(found)
    return body


def _rows(name: str, values: list[str]) -> list[str]:
    return [f"  {name if not index else '':<8}{value}" for index, value in enumerate(values)]


def _position(snapshot: Snapshot) -> str:
    names = {"lambda": "all on Lambda", "ecs": "all on ECS", "split": "split", "unknown": "unknown"}
    return names[snapshot.position]


def _unknown(reading: Reading[Any]) -> str:
    return f"unknown: {reading.problem}"


def _alarms(alarms: Reading[tuple[Alarm, ...]], now: float) -> list[str]:
    if alarms.value is None:
        return [_unknown(alarms)]
    return [
        f"{_SIGNS[a.state]} {a.name}  {a.state} since {_clock(a.since)} ({_duration(now - a.since)})"
        + (", muted" if a.muted else "")
        for a in alarms.value
    ]


def _routes(snapshot: Snapshot) -> list[str]:
    if snapshot.routes.value is None:
        return [_unknown(snapshot.routes)]
    return [
        f"{r.label}: " + (f"Lambda {r.split.lambda_}, ECS {r.split.ecs}" if r.split else r.problem)
        for r in snapshot.routes.value.managed
    ]


def _ecs(application: Application, snapshot: Snapshot) -> str:
    service, targets = snapshot.service.value, snapshot.targets.value
    if service is None:
        return _unknown(snapshot.service)
    healthy = str(targets.ecs_healthy) if targets else "?"
    return (
        f"desired {service.desired}, pending {service.pending}, running {service.running}, "
        f"healthy {healthy} (at least {application.policy.min_healthy}){_deployment(service)}"
    )


def _deployment(service: Service) -> str:
    if service.deployment_failed:
        return "; its deployment failed: it launches no more tasks"
    return "; a deployment is in progress" if service.deployment_running else ""


def _lambda(snapshot: Snapshot, now: float) -> str:
    metrics, limits = snapshot.metrics.value, snapshot.limits.value
    if metrics is None:
        return _unknown(snapshot.metrics)
    limit = "?" if limits is None else limits.reserved if limits.reserved is not None else limits.unreserved
    busy, throttled = metrics.latest("concurrency", now), metrics.latest("throttles", now)
    return f"concurrency {busy:g} of {limit}, throttled {throttled:g} in {metrics.period} s"


def _problems(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    for name in ("alarms", "routes", "service", "targets", "scaling", "metrics", "limits", "prewarm", "versions"):
        reading = getattr(snapshot, name)
        if reading.value is None:
            yield name, reading.problem


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S UTC")


def _duration(seconds: float) -> str:
    whole = int(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h"


def checks(found: tuple[Check, ...]) -> str:
    """One line each, and its remedy below it."""
    lines = []
    for each in found:
        lines.append(f"{_RESULTS[each.result]:<11} {each.about}: {each.says}")
        if each.remedy:
            lines.append(f"{'':<11} → {each.remedy}")
    return "\n".join(lines)


def checks_json(found: tuple[Check, ...]) -> dict[str, Any]:
    return {"checks": [{**vars(each), "result": each.result.value} for each in found], "failed": failed(found)}
