"""What the probe URL answered, a few seconds a row."""

from __future__ import annotations

from django.db import models

from panel.operations.models import Operation


class Burst(models.Model):
    """Probes sent in the seconds from `at` on. Each of `ticks` is [milliseconds since `at`, pool, outcome, status,
    milliseconds until the answer, error], as failover.probing.Tick has them. `problem` says why none was sent.
    """

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="bursts")
    at = models.DateTimeField(db_index=True)
    ticks = models.JSONField(default=list)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ("at",)
        constraints = (models.UniqueConstraint(fields=("operation", "at"), name="burst_once"),)

    def __str__(self) -> str:
        return f"{len(self.ticks)} probes from {self.at:%H:%M:%S}"
