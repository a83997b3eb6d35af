"""The entries of the audit trail, and the denials that are still being counted."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from panel.audit.words import Outcome


class AppendOnlyError(Exception):
    """Somebody would change or delete an entry. Triggers in the database refuse it as well: `panel.audit.triggers`."""

    def __init__(self) -> None:
        super().__init__(
            "An audit entry is never changed or deleted: record another one instead. "
            "The oldest go by themselves after PANEL_AUDIT_DAYS."
        )


class Entries(models.QuerySet["Entry"]):
    def update(self, **_values: Any) -> NoReturn:
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        raise AppendOnlyError

    def bulk_update(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise AppendOnlyError


class Entry(models.Model):
    """Who did what. `hash` is an HMAC over everything else, `previous_hash` included: that makes the chain.

    An actor is a username, or a name like `panel`, `eventbridge key NAME` or `command line`; empty for an unknown
    visitor. A checkpoint stands for entries that were deleted, up to and with the id `deleted_to`.
    """

    at = models.DateTimeField()
    actor = models.CharField(max_length=150, blank=True)
    address = models.CharField(max_length=45, blank=True)
    action = models.CharField(max_length=40)
    outcome = models.CharField(max_length=8, choices=[(each.value, each.value) for each in Outcome])
    application = models.CharField(max_length=60, blank=True, help_text="its slug")
    subject = models.CharField(max_length=300, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    deleted_to = models.BigIntegerField(null=True, blank=True)
    # Unique, so that no two entries follow the same one whatever the writers do.
    previous_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    objects = Entries.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "entries"
        indexes = (
            models.Index(fields=("application", "-id"), name="audit_by_application"),
            models.Index(fields=("actor", "-id"), name="audit_by_actor"),
            models.Index(fields=("action", "-id"), name="audit_by_action"),
            models.Index(fields=("outcome", "-id"), name="audit_by_outcome"),
            models.Index(
                fields=("deleted_to",), condition=models.Q(deleted_to__isnull=False), name="audit_checkpoints"
            ),
        )

    def __str__(self) -> str:
        return f"{self.action} #{self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnlyError


class Tally(models.Model):
    """Equal denials since `opened_at` that no entry tells of yet: a flood of them becomes one entry a minute."""

    action = models.CharField(max_length=40)
    actor = models.CharField(max_length=150, blank=True)
    address = models.CharField(max_length=45, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    reason = models.TextField(blank=True)
    count = models.PositiveBigIntegerField(default=0)
    opened_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = (
            models.UniqueConstraint(fields=("action", "actor", "address", "subject"), name="one_tally_a_denial"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.address}"
