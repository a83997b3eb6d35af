"""Drills that were asked for or due, what came of them, and when the next one is."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from panel.fleet.models import Application
from panel.operations.models import Operation


class Kind(models.TextChoices):
    DRILL = "drill", "Drill"
    REHEARSAL = "rehearsal", "Rehearsal"


class Drill(models.Model):
    """A drill moves traffic to ECS and back; a rehearsal only starts tasks and stops them again.

    `forward` is the operation that leads there, `back` the one that leads home. `outcome` is set as soon as it is
    known, while tasks may still have to be stopped. `measured` has seconds by part, `recovery` among them.
    """

    class State(models.TextChoices):
        ASKED = "asked"
        FORWARD = "forward"
        STAYING = "staying"
        BACK = "back"
        ENDED = "ended"
        NOT_STARTED = "not_started"

    ACTIVE = (State.ASKED, State.FORWARD, State.STAYING, State.BACK)

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"
        INTERRUPTED = "interrupted", "interrupted"
        NOT_ENOUGH_CAPACITY = "not_enough_capacity", "not enough capacity"

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="drills")
    kind = models.CharField(max_length=10, choices=Kind)
    due_at = models.DateTimeField(null=True, blank=True, help_text="when its schedule was due; null: by hand")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)
    reason = models.TextField()
    idempotency_key = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.ASKED, db_index=True)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    told = models.TextField(blank=True, help_text="what came of it, or why it was not started")
    rule = models.CharField(max_length=32, blank=True)
    remedy = models.TextField(blank=True)
    abort_requested = models.TextField(blank=True, help_text="why a person asked to abort it")
    target_seconds = models.FloatField(default=0, help_text="0: none")
    stay_seconds = models.FloatField(default=0)
    measured = models.JSONField(default=dict)
    forward = models.OneToOneField(Operation, null=True, blank=True, on_delete=models.PROTECT, related_name="drill")
    back = models.OneToOneField(Operation, null=True, blank=True, on_delete=models.PROTECT, related_name="drill_back")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    stay_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    looking_until = models.DateTimeField(
        null=True, blank=True, help_text="a worker looks at it, or AWS rests, until then"
    )

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("application",),
                condition=Q(state__in=("asked", "forward", "staying", "back")),
                name="one_active_drill_per_application",
            ),
            models.UniqueConstraint(
                fields=("application", "kind", "due_at"), condition=Q(due_at__isnull=False), name="drill_once_due"
            ),
            models.UniqueConstraint(
                fields=("requested_by", "idempotency_key"),
                condition=~Q(idempotency_key=""),
                name="one_drill_per_requester_and_key",
            ),
            models.CheckConstraint(
                condition=~Q(state="ended") | ~Q(outcome="") & Q(finished_at__isnull=False),
                name="drill_that_ended_has_outcome",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="drill_has_reason"),
        )
        indexes = (
            models.Index(
                fields=("-id",), condition=Q(state__in=("asked", "forward", "staying", "back")), name="drills_active"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def rehearses(self) -> bool:
        return self.kind == Kind.REHEARSAL

    @property
    def active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def recovery(self) -> float | None:
        """Seconds from the start until users would have been served by ECS; None where it did not come so far."""
        seconds: float | None = self.measured.get("recovery")
        return seconds

    @property
    def over_target(self) -> bool:
        return bool(self.target_seconds) and self.recovery is not None and self.recovery > self.target_seconds


class Schedule(models.Model):
    """What an application's TOML asks for, and when it is due next. `checked_at` is how far it was followed."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="drill_schedules")
    kind = models.CharField(max_length=10, choices=Kind)
    expression = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64)
    checked_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, db_index=True, help_text="null: never again")

    class Meta:
        ordering = ("next_at",)
        constraints = (models.UniqueConstraint(fields=("application", "kind"), name="one_schedule_per_kind"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.application_id}: {self.expression} {self.time_zone}"
