"""Webhook keys (stored as keyed hashes only) and the events that EventBridge delivered."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models

from panel.fleet.models import Application


class WebhookKey(models.Model):
    name = models.CharField(max_length=60, unique=True)
    digest = models.CharField(max_length=64, unique=True, help_text="HMAC-SHA256 of the secret under the panel's key")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """One delivered event. `outcome` says in a sentence what became of it and why."""

    class Status(models.TextChoices):
        STORED = "stored"
        PROCESSED = "processed"
        UNMATCHED = "unmatched"

    event_id = models.CharField(max_length=128, unique=True)
    detail_type = models.CharField(max_length=128)
    account = models.CharField(max_length=12, blank=True)
    region = models.CharField(max_length=32, blank=True)
    alarm_name = models.CharField(max_length=255, blank=True)
    alarm_state = models.CharField(max_length=20, blank=True)
    happened_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    body = models.JSONField()
    status = models.CharField(max_length=10, choices=Status, default=Status.STORED, db_index=True)
    outcome = models.TextField(blank=True)
    deliveries = models.PositiveIntegerField(default=1, help_text="how often it came; only the first counted")
    request_id = models.CharField(max_length=32, blank=True, help_text="of the request that brought it, as in the log")
    applications = models.ManyToManyField(Application, related_name="events", blank=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.detail_type} {self.event_id}"

    def told(self, slugs: Collection[str]) -> str:
        """What became of it for the applications with these slugs alone: several teams' may share an alarm."""
        everybody, shown, lines = {each.slug for each in self.applications.all()}, True, []
        for line in self.outcome.split("\n"):  # a sentence may quote a reason of several lines
            slug = line.partition(": ")[0]
            shown = slug in slugs if slug in everybody else shown
            lines += [line] if shown else []
        return "\n".join(lines)
