"""Operations and their journals, what keeps automation back, and refusals: what was done, by whom, and why nothing was.

What a row can't be is a constraint of the database; the sentence for it is `panel.operations.services`'.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from panel.fleet.models import Application


def _reason_given(name: str, field: str = "reason") -> models.CheckConstraint:
    return models.CheckConstraint(condition=~Q(**{field: ""}), name=name)


class Operation(models.Model):
    """One pursuit of a goal. The policy is frozen at its start; `progress` is failover.model.Progress as JSON."""

    class Goal(models.TextChoices):
        FAILOVER = "failover"
        FAILBACK = "failback"
        SET_WEIGHTS = "set_weights"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        WAITING = "waiting"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"
        SUPERSEDED = "superseded"

    ACTIVE = (Status.QUEUED, Status.RUNNING, Status.WAITING)

    class Trigger(models.TextChoices):
        AUTOMATIC = "automatic"
        MANUAL = "manual"
        API = "api"
        DRILL = "drill"

    UNATTENDED = (Trigger.AUTOMATIC, Trigger.DRILL)  # nobody's decision about where traffic belongs

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="operations")
    goal = models.CharField(max_length=12, choices=Goal)
    weight_lambda = models.PositiveSmallIntegerField(null=True, blank=True)
    weight_ecs = models.PositiveSmallIntegerField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.QUEUED, db_index=True)
    trigger = models.CharField(max_length=10, choices=Trigger)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)
    reason = models.TextField()
    override = models.JSONField(default=list)
    idempotency_key = models.CharField(max_length=255, blank=True, help_text="a replay of it asks for nothing new")
    retry_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="retries")
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    document = models.JSONField(help_text="the application's TOML as it was when the operation started")
    progress = models.JSONField(default=dict)
    headline = models.TextField(blank=True)
    detail = models.TextField(blank=True)
    rule = models.CharField(max_length=32, blank=True, help_text="the rule that refused or stopped it")
    error = models.TextField(blank=True)
    cancel_requested = models.TextField(blank=True, help_text="why a person asked to cancel")
    failed_steps = models.PositiveSmallIntegerField(default=0, help_text="steps in a row that raised an error")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    next_step_at = models.DateTimeField(null=True, blank=True, db_index=True)
    lease_holder = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_version = models.PositiveIntegerField(default=0, help_text="how often the lease was taken")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("application",),
                condition=Q(status__in=("queued", "running", "waiting")),
                name="one_active_operation_per_application",
            ),
            models.UniqueConstraint(
                fields=("requested_by", "idempotency_key"),
                condition=~Q(idempotency_key=""),
                name="one_operation_per_requester_and_key",
            ),
            models.UniqueConstraint(
                fields=("idempotency_key",),
                condition=Q(requested_by=None) & ~Q(idempotency_key=""),
                name="one_operation_per_key_of_nobody",
            ),
            models.CheckConstraint(
                condition=Q(weight_lambda=None, weight_ecs=None)
                | Q(weight_lambda__isnull=False, weight_ecs__isnull=False)
                & (Q(weight_lambda__gt=0) | Q(weight_ecs__gt=0)),
                name="operation_weights_both_or_neither",
            ),
            models.CheckConstraint(
                condition=Q(status__in=("queued", "running", "waiting"), finished_at=None)
                | Q(status__in=("succeeded", "failed", "cancelled", "superseded"), finished_at__isnull=False),
                name="operation_finished_when_ended",
            ),
            _reason_given("operation_has_reason"),
        )
        indexes = (
            # What is under way is asked for every second; it is a handful among all that ever was.
            models.Index(
                fields=("-id",), condition=Q(status__in=("queued", "running", "waiting")), name="operations_active"
            ),
            models.Index(fields=("application", "goal", "-id"), name="operations_newest"),
        )

    def __str__(self) -> str:
        return f"{self.goal} #{self.pk}"

    @property
    def automatic(self) -> bool:
        """Automation may undo it, and the kill switch stops it."""
        return self.trigger in self.UNATTENDED

    @property
    def prepares(self) -> bool:
        """It only has tasks started, and leaves the weights where they are."""
        return self.goal == self.Goal.SET_WEIGHTS and self.weight_ecs is None


class JournalEntry(models.Model):
    """Append-only. `kind`: decision, call (an AWS write, with its request id), readback, or note."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="journal")
    at = models.DateTimeField()
    kind = models.CharField(max_length=12)
    message = models.TextField()
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.message


class Hold(models.Model):
    """Automatic starts suspended for one application, or for all where `application` is null.

    One that ended by itself says so: it was released by TIME, when it expired.
    """

    TIME = "time"

    application = models.ForeignKey(Application, null=True, blank=True, on_delete=models.CASCADE, related_name="holds")
    owner = models.CharField(max_length=150)
    reason = models.TextField()
    rule = models.CharField(max_length=32, blank=True, help_text="the rule that placed it; empty where a person did")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="hold_ends_after_it_began"),
            _reason_given("hold_has_reason"),
        )

    def __str__(self) -> str:
        return f"hold by {self.owner}: {self.reason}"


class KillSwitch(models.Model):
    """For all applications, in one row: while `on`, nothing starts by itself, and what runs by itself writes nothing.

    Without the row nobody has ever touched it.
    """

    ROW = 1

    on = models.BooleanField()
    by = models.CharField(max_length=150)
    reason = models.TextField()
    at = models.DateTimeField(help_text="when it was last turned on or off")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(id=1), name="one_kill_switch"),
            _reason_given("kill_switch_has_reason"),
        )

    def __str__(self) -> str:
        return f"kill switch {'on' if self.on else 'off'}"


class ModeChange(models.Model):
    """Append-only: what a person let automation do for an application, and why."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="mode_changes")
    before = models.CharField(max_length=8, choices=Application.Mode)
    mode = models.CharField(max_length=8, choices=Application.Mode)
    by = models.CharField(max_length=150)
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (_reason_given("mode_change_has_reason"),)

    def __str__(self) -> str:
        return f"{self.before} → {self.mode}"


class Acknowledgement(models.Model):
    """A person has looked at an operation that failed: automation need not wait for its back-off any more."""

    operation = models.OneToOneField(Operation, on_delete=models.CASCADE, related_name="acknowledgement")
    by = models.CharField(max_length=150)
    comment = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (_reason_given("acknowledgement_has_comment", "comment"),)

    def __str__(self) -> str:
        return f"acknowledged by {self.by}: {self.comment}"


class Refusal(models.Model):
    """A trigger that started nothing: one row per application, goal and rule."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="refusals")
    goal = models.CharField(max_length=12, choices=Operation.Goal)
    rule = models.CharField(max_length=32)
    reason = models.TextField()
    remedy = models.TextField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("-last_at",)
        constraints = (models.UniqueConstraint(fields=("application", "goal", "rule"), name="one_refusal_per_rule"),)

    def __str__(self) -> str:
        return f"{self.goal}: {self.rule}"
