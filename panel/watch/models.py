"""Counts that no other table has, as Prometheus takes them: they only grow."""

from __future__ import annotations

from django.db import models


class Tally(models.Model):
    """`labels` is a JSON object with sorted keys."""

    name = models.CharField(max_length=60)
    labels = models.CharField(max_length=200)
    value = models.FloatField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("name", "labels"), name="one_tally_per_name_and_labels"),)

    def __str__(self) -> str:
        return f"{self.name}{self.labels} {self.value:g}"
