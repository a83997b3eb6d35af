"""Who is told of what, what there was to tell, and what became of it."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.db.models import Q

from panel.accounts.models import Team


class Target(models.Model):
    """Somebody or something that is told. Without a team it is every team's, and of the panel itself.

    `address` and `secret` are sealed (panel.notify.sealing); `shown` is what pages, logs and the audit trail may show.
    """

    class Way(models.TextChoices):
        WEBHOOK = "webhook", "signed webhook"
        APPRISE = "apprise", "service (Apprise URL)"
        CONSOLE = "console", "the panel's log"

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="notification_targets")
    name = models.CharField(max_length=60)
    way = models.CharField(max_length=8, choices=Way)
    address = models.TextField(blank=True)
    secret = models.TextField(blank=True, help_text="what a webhook's deliveries are signed with")
    shown = models.CharField(max_length=200, blank=True)
    kinds = models.JSONField(default=list)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    delivering_until = models.DateTimeField(null=True, blank=True, help_text="a worker delivers to it until then")
    rests_until = models.DateTimeField(null=True, blank=True, help_text="it failed: it is left alone until then")
    failures = models.PositiveIntegerField(default=0, help_text="deliveries that failed in a row")
    summarised_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("team__slug", "name")
        constraints = (
            models.UniqueConstraint(fields=("team", "name"), name="target_name_once_in_a_team"),
            models.UniqueConstraint(fields=("name",), condition=Q(team=None), name="target_name_once_in_every_team"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.shown or self.way})"


class Notice(models.Model):
    """One thing to tell, in words that were true when it happened. `count`: how often, where the same came again."""

    key = models.CharField(max_length=120, unique=True, help_text="the same thing is never told twice")
    kind = models.CharField(max_length=32)
    application = models.CharField(max_length=60, blank=True, help_text="its slug")
    subject = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=200)
    what = models.TextField(blank=True)
    traffic = models.TextField(blank=True)
    next = models.TextField(blank=True)
    by = models.CharField(max_length=150, blank=True)
    why = models.TextField(blank=True)
    path = models.CharField(max_length=200, blank=True)
    happened_at = models.DateTimeField(help_text="for the first time")
    last_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="until then the same becomes a part of this one")
    count = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("kind", "application", "subject", "-due_at"), name="notice_again"),
            models.Index(fields=("last_at",), name="notices_by_age"),
        )

    def __str__(self) -> str:
        return self.title


class Delivery(models.Model):
    """One notice for one target. Its row is written together with the notice; what becomes of it is written here."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        GAVE_UP = "gave up"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    target = models.ForeignKey(Target, null=True, on_delete=models.SET_NULL, related_name="deliveries")
    target_name = models.CharField(max_length=60)
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+")
    message_id = models.UUIDField(default=uuid4, unique=True, help_text="the same at each try")
    status = models.CharField(max_length=9, choices=Status, default=Status.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    in_summary = models.BooleanField(default=False)
    error = models.TextField(blank=True, help_text="how the last try failed; a sentence")

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "deliveries"
        constraints = (models.UniqueConstraint(fields=("notice", "target"), name="told_once"),)
        indexes = (
            models.Index(fields=("next_try_at",), condition=Q(status="waiting"), name="deliveries_waiting"),
            models.Index(fields=("target", "sent_at"), name="deliveries_sent"),
        )

    def __str__(self) -> str:
        return f"{self.notice} → {self.target_name}"


class Part(models.Model):
    """A part of the panel that does not work, since when, and whether people were told."""

    name = models.CharField(max_length=40, unique=True)
    sick_since = models.DateTimeField()
    told = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.name} since {self.sick_since:%H:%M:%S}"
