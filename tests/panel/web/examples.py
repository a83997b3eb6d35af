"""Applications, snapshots and operations as AWS and the worker would have left them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from failover.model import (
    Alarm,
    AlarmState,
    Limits,
    Metrics,
    Reading,
    Routes,
    RouteState,
    Scaling,
    Service,
    Snapshot,
    Split,
    Targets,
)
from panel.accounts.models import default_team
from panel.fleet import snapshots
from panel.fleet.models import Application, StoredSnapshot
from panel.operations.models import Hold, JournalEntry, Operation, Refusal

REGION, ACCOUNT = "sa-east-1", "111122223333"
GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup"
LISTENER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:listener/app/web"
NOW = 1_790_000_000.0


def document(slug: str, name: str = "", **policy: object) -> dict[str, object]:
    return {
        "application": {
            "slug": slug,
            "name": name or slug.capitalize(),
            "region": REGION,
            "alarms": [f"{slug}-concurrency"],
        },
        "lambda": {"function_name": slug, "target_group_arn": f"{GROUP}/{slug}-lambda/0123456789abcdef"},
        "ecs": {"cluster": "apis", "service": slug, "target_group_arn": f"{GROUP}/{slug}-ecs/0123456789abcdef"},
        "routes": [{"listener_arn": f"{LISTENER}/{slug}/0123456789abcdef"}],
        "policy": policy,
    }


ON_LAMBDA = Split(100, 0)


def snapshot(
    *,
    at: float = NOW,
    split: Split | None = ON_LAMBDA,
    alarm: AlarmState = AlarmState.OK,
    since: float = 180,
    desired: int = 0,
    pending: int = 0,
    running: int = 0,
    healthy: int = 0,
    concurrency: tuple[float, ...] = (),
    limit: int = 64,
) -> Snapshot:
    """What AWS says at `at`; the alarm has been in its state for `since` seconds."""
    seen = at - 1
    route = RouteState(
        f"{LISTENER}/x/1", "HTTPS :443, default", split, "f", problem="" if split else "no such listener"
    )
    state = Alarm("concurrency", alarm, at - since, "Threshold crossed", 51, "ConcurrentExecutions")
    return Snapshot(
        at=at,
        alarms=Reading.of((state,), seen),
        routes=Reading.of(Routes((route,)), seen),
        service=Reading.of(Service(desired, pending, running), seen),
        targets=Reading.of(Targets(healthy), seen),
        scaling=Reading.of(Scaling(), seen),
        metrics=Reading.of(metrics(at, concurrency, split), seen),
        limits=Reading.of(Limits(reserved=limit, unreserved=900), seen),
    )


def metrics(at: float, concurrency: tuple[float, ...], split: Split | None) -> Metrics:
    """A point a minute, the last one now; the last fifth of the traffic follows `split`."""
    times = [at - 60 * (len(concurrency) - 1 - i) for i in range(len(concurrency))]
    moved = len(times) * 4 // 5
    share = (split.ecs_percent if split else 0) / 100
    to_ecs = [1200 * share if i >= moved else 0.0 for i in range(len(times))]
    return Metrics(
        60,
        {
            "concurrency": tuple(zip(times, concurrency, strict=True)),
            "throttles": tuple((t, max(0.0, value - 60)) for t, value in zip(times, concurrency, strict=True)),
            "lambda_requests": tuple((t, 1200 - ecs) for t, ecs in zip(times, to_ecs, strict=True)),
            "ecs_requests": tuple(zip(times, to_ecs, strict=True)),
        },
    )


def wave(count: int = 90, base: float = 30, surge: bool = False) -> tuple[float, ...]:
    calm = [base + 6 * math.sin(i / 7) for i in range(count)]
    return tuple(v + max(0, i - count * 0.75) * 1.6 if surge else v for i, v in enumerate(calm))


def application(
    slug: str, shown: Snapshot | None = None, *, name: str = "", mode: str = "auto", **policy: object
) -> Application:
    """An application in the database, with its snapshot."""
    row = Application.objects.create(
        team=default_team(),
        slug=slug,
        name=name or slug.capitalize(),
        region=REGION,
        account=ACCOUNT,
        mode=mode,
        document=document(slug, name, **policy),
    )
    if shown:
        StoredSnapshot.objects.create(application=row, **snapshots.columns(shown))
    return row


def operation(row: Application, goal: str = "failover", **values: object) -> Operation:
    """An operation as the worker leaves it; `ago` (seconds) moves its beginning into the past."""
    ago = timedelta(seconds=float(values.pop("ago", 40)))  # type: ignore[arg-type]
    defaults = {
        "status": Operation.Status.WAITING,
        "trigger": Operation.Trigger.AUTOMATIC,
        "reason": "alarm concurrency is in ALARM",
        "headline": "Waiting for 2 healthy targets",
        "document": row.document,
        "finished_at": None if values.get("status", "waiting") in Operation.ACTIVE else datetime.now(UTC),
    }
    found = Operation.objects.create(application=row, goal=goal, **(defaults | values))
    Operation.objects.filter(pk=found.pk).update(created_at=datetime.now(UTC) - ago)
    found.refresh_from_db()
    return found


def journal(found: Operation) -> None:
    lines = (
        ("decision", "Desired count becomes 2", {}),
        (
            "call",
            "ecs:UpdateService: 2 (was 0)",
            {"request_id": "9f3c1a52-7c1e-4ab0-9d4e-0c8f1f1e2a11", "seconds": 0.21},
        ),
        ("decision", "Waiting for 2 healthy targets", {}),
        ("readback", "HTTPS :443, default shows 100/0", {}),
    )
    for seconds, (kind, message, detail) in enumerate(lines):
        at = found.created_at + timedelta(seconds=seconds)
        JournalEntry.objects.create(operation=found, at=at, kind=kind, message=message, detail=detail)


def refusal(row: Application, goal: str = "failback", **values: object) -> Refusal:
    now = datetime.now(UTC)
    defaults = {
        "rule": "demand",
        "reason": "Projected concurrency 72 must be under 51",
        "remedy": "It fails back by itself once demand falls",
        "first_at": now - timedelta(minutes=9),
        "last_at": now - timedelta(seconds=20),
        "count": 4,
    }
    return Refusal.objects.create(application=row, goal=goal, **(defaults | values))


def hold(
    row: Application | None, *, owner: str = "on-call", reason: str = "provider migration", minutes: int = 60
) -> Hold:
    expires = datetime.now(UTC) + timedelta(minutes=minutes)
    return Hold.objects.create(application=row, owner=owner, reason=reason, expires_at=expires)
