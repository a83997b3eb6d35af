"""An operation of the command line, kept from its journal file, so that the record is whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q

import failover.memory
from failover.codec import encode
from failover.model import Kind, Memory, Progress
from failover.record import Record, read_record
from panel.fleet.models import Application
from panel.operations import audited, services
from panel.operations.models import JournalEntry, Operation
from panel.operations.remembering import change_memory

log = structlog.get_logger(__name__)


class ImportRefused(Exception):  # noqa: N818 - an answer, not an error
    """The journal is sound but has no place here. The message says what to do first."""


@dataclass(frozen=True)
class Import:
    """What an import did. `newer` is the operation for which what this one left is not remembered, if there is one."""

    operation: Operation
    created: bool
    newer: Operation | None = None


def import_journal(path: Path) -> Import:
    """Keep the ended operation that `python -m failover` wrote into `path`, once; all or nothing.

    Raises failover.journal.JournalError, ImportRefused.
    """
    record = read_record(path)
    application = Application.every.filter(slug=record.begun.slug).first()
    if application is None:
        raise ImportRefused(f"{path} is of {record.begun.slug}, which is not here: import that application first.")
    key = f"journal-{record.identity}"
    try:
        with transaction.atomic():
            operation = _kept(application, record, key)
            newer = _newer(application, operation, record)
            if newer is None and record.outcome.decision.kind is not Kind.REFUSE:
                _remember(application, record)
            audited.imported(operation)
    except IntegrityError:
        earlier = services.replayed(None, key)
        if earlier is None:
            raise
        return Import(earlier, created=False)
    log.info("journal_imported", application=application.slug, operation=operation.pk)
    services.hint(application)
    return Import(operation, created=True, newer=newer)


def _kept(application: Application, record: Record, key: str) -> Operation:
    decision, request = record.outcome.decision, record.begun.request
    operation = Operation.objects.create(
        application=application,
        goal=request.goal,
        weight_lambda=request.split.lambda_ if request.split else None,
        weight_ecs=request.split.ecs if request.split else None,
        status=_status(record),
        trigger=Operation.Trigger.MANUAL,
        reason=record.reason.strip() or "No reason was given on the command line.",
        override=sorted(request.override),
        idempotency_key=key,
        document=application.document,
        progress=encode(record.begun.progress),
        headline=decision.headline,
        detail=decision.detail,
        rule=decision.rule,
        error="" if decision.kind is Kind.DONE else decision.sentences,
        started_at=record.began_at,
        finished_at=record.ended_at,
    )
    Operation.objects.filter(pk=operation.pk).update(created_at=record.began_at)
    JournalEntry.objects.bulk_create(
        JournalEntry(operation=operation, at=entry.at, kind=entry.kind, message=entry.message, detail=entry.detail)
        for entry in record.entries
    )
    return operation


def _status(record: Record) -> Operation.Status:
    decision = record.outcome.decision
    if decision.kind is Kind.DONE:
        return Operation.Status.SUCCEEDED
    return Operation.Status.CANCELLED if record.cancelled and not decision.rule else Operation.Status.FAILED


def _newer(application: Application, operation: Operation, record: Record) -> Operation | None:
    """What has changed the application since, or does now, knows better what is there."""
    later = Q(status__in=Operation.ACTIVE) | Q(finished_at__gt=record.ended_at)
    return Operation.objects.filter(later, application=application).exclude(pk=operation.pk).first()


def _remember(application: Application, record: Record) -> None:
    def after(memory: Memory) -> Memory:
        outcome = replace(record.outcome, progress=_knowing(memory, record.outcome.progress))
        return failover.memory.after(memory, record.begun.request, outcome, record.ended_at.timestamp())

    change_memory(application.pk, after)


def _knowing(memory: Memory, progress: Progress) -> Progress:
    """What the panel remembers stood before whatever the command line found when it began."""
    theirs = progress.memory
    before = replace(
        theirs,
        baseline=memory.baseline or theirs.baseline,
        bounds_written=theirs.bounds_written or memory.bounds_written,
        duration=theirs.duration if memory.duration is None else memory.duration,
    )
    return replace(progress, memory=before)
