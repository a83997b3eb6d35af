"""Rows as the API shows them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from failover.milestones import seconds
from failover.model import Mode, Split
from failover.plan import Plan
from failover.resume import stored_progress
from panel.api import schemas
from panel.audit.models import Entry
from panel.drills.models import Drill
from panel.ingest.models import Event
from panel.operations import timing
from panel.operations.models import Acknowledgement, Hold, JournalEntry, KillSwitch, Operation, Refusal
from panel.probing.strip import summary
from panel.web.standing import Standing


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _split(split: Split | None) -> schemas.Split | None:
    return schemas.Split(**{"lambda": split.lambda_, "ecs": split.ecs}) if split else None


def application(standing: Standing) -> schemas.ApplicationShown:
    row, snapshot = standing.application, standing.snapshot
    service = snapshot.service.value if snapshot else None
    targets = snapshot.targets.value if snapshot else None
    routes = snapshot.routes.value.managed if snapshot and snapshot.routes.value else ()
    return schemas.ApplicationShown(
        slug=row.slug,
        name=row.name,
        team=row.team.slug,
        region=row.region,
        account=row.account,
        mode=Mode(row.mode),
        hold=hold(standing.hold) if standing.hold else None,
        alarms=None if standing.alarms is None else [
            schemas.AlarmShown(name=each.name, state=each.state.value, since=_moment(each.since))
            for each in standing.alarms
        ],
        split=_split(snapshot.split) if snapshot else None,
        routes=[
            schemas.RouteShown(arn=each.arn, label=each.label, split=_split(each.split), problem=each.problem)
            for each in routes
        ],
        ecs=schemas.Ecs(
            desired=service.desired if service else None,
            pending=service.pending if service else None,
            running=service.running if service else None,
            healthy=targets.ecs_healthy if targets else None,
        ),
        position=standing.position.value,
        drift=list(standing.drift),
        cautions=list(standing.cautions),
        observed_at=_moment(standing.read_at) if standing.read_at else None,
        data_age_seconds=round(standing.now - standing.read_at, 3) if standing.read_at else None,
        active_operation=standing.active.pk if standing.active else None,
    )  # fmt: skip


def plan(found: Plan) -> schemas.PlanShown:
    return schemas.PlanShown(
        steps=[
            schemas.StepShown(
                title=step.title,
                at_seconds=step.at,
                seconds=step.seconds,
                changes=[schemas.ChangeShown(what=c.what, before=c.before, after=c.after) for c in step.changes],
                rules=[
                    schemas.RuleShown(rule=r.rule, passes=r.passes, overridden=r.overridden, sentence=r.sentence)
                    for r in step.rules
                ],
            )
            for step in found.steps
        ],
        seconds=found.seconds,
        outcome=found.outcome.value,
        reason=found.reason,
        rule=found.rule,
        digest=found.digest,
    )


def operation(row: Operation) -> schemas.OperationShown:
    return schemas.OperationShown(**_operation(row))


def whole_operation(row: Operation) -> schemas.OperationWhole:
    known = {**_operation(row), "seconds": timing.parts(row)}
    journal = [_entry(each) for each in row.journal.all()]
    return schemas.OperationWhole(**known, journal=journal, probe=probe(row))


def probe(row: Operation) -> schemas.ProbeShown | None:
    found = summary(row)
    if found is None:
        return None
    by_pool: dict[Any, schemas.Probed] = {
        pool or "unknown": schemas.Probed(sent=sent, failed=failed) for pool, (sent, failed) in found.by_pool.items()
    }
    return schemas.ProbeShown(
        sent=found.sent,
        failed=found.failed,
        unanswered=found.unanswered,
        by_pool=by_pool,
        longest_gap_seconds=found.longest_gap,
        latency_ms=schemas.Latency(p50=found.p50, p95=found.p95),
    )


def drill(row: Drill) -> schemas.DrillShown:
    names = (
        "kind", "state", "told", "rule", "remedy", "reason", "due_at", "created_at", "started_at", "finished_at",
        "stay_seconds",
    )  # fmt: skip
    outcome: Any = row.outcome or None
    return schemas.DrillShown(
        id=row.pk,
        application=row.application.slug,
        outcome=outcome,
        requested_by=row.requested_by.get_username() if row.requested_by else None,
        target_seconds=row.target_seconds or None,
        seconds=row.measured,
        operations=[pk for pk in (row.forward_id, row.back_id) if pk],
        **{name: getattr(row, name) for name in names},
    )


def _operation(row: Operation) -> dict[str, Any]:
    lambda_, ecs = row.weight_lambda, row.weight_ecs
    return {
        "id": row.pk,
        "application": row.application.slug,
        "weights": None if lambda_ is None or ecs is None else _split(Split(lambda_, ecs)),
        "requested_by": row.requested_by.get_username() if row.requested_by else None,
        "retry_of": row.retry_of_id,
        "supersedes": row.supersedes_id,
        "seconds": seconds(stored_progress(row.progress)),
        **{name: getattr(row, name) for name in (
            "goal", "status", "trigger", "reason", "override", "headline", "detail", "rule", "error",
            "created_at", "started_at", "finished_at",
        )},
    }  # fmt: skip


def _entry(row: JournalEntry) -> schemas.Entry:
    return schemas.Entry(at=row.at, kind=row.kind, message=row.message, detail=row.detail)


def hold(row: Hold) -> schemas.HoldShown:
    return schemas.HoldShown(
        id=row.pk,
        application=row.application.slug if row.application else None,
        owner=row.owner,
        reason=row.reason,
        rule=row.rule,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def kill_switch(row: KillSwitch | None) -> schemas.KillSwitchShown:
    if row is None:
        return schemas.KillSwitchShown(on=False, by=None, reason=None, at=None)
    return schemas.KillSwitchShown(on=row.on, by=row.by, reason=row.reason, at=row.at)


def acknowledgement(row: Acknowledgement) -> schemas.AcknowledgementShown:
    return schemas.AcknowledgementShown(operation=row.operation_id, by=row.by, comment=row.comment, at=row.at)


def event(row: Event, visible: Collection[str]) -> schemas.EventShown:
    """To somebody who may see the applications with these slugs."""
    names = (
        "event_id", "detail_type", "alarm_name", "alarm_state", "happened_at", "received_at", "processed_at", "status",
    )  # fmt: skip
    return schemas.EventShown(
        id=row.pk,
        applications=[each.slug for each in row.applications.all() if each.slug in visible],
        outcome=row.told(visible),
        **{name: getattr(row, name) for name in names},
    )


def refusal(row: Refusal) -> schemas.RefusalShown:
    names = ("goal", "rule", "reason", "remedy", "first_at", "last_at", "count")
    shown = {name: getattr(row, name) for name in names}
    return schemas.RefusalShown(id=row.pk, application=row.application.slug, **shown)


def audit(row: Entry) -> schemas.AuditShown:
    names = (
        "at", "actor", "address", "action", "outcome", "application", "subject", "before", "after", "reason",
        "request_id",
    )  # fmt: skip
    return schemas.AuditShown(id=row.pk, **{name: getattr(row, name) for name in names})
