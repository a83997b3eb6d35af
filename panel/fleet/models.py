"""Applications, the AWS resources that each owns, and what AWS last said about them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from panel.accounts.models import Team


class Present(models.Manager["Application"]):
    """The applications that are not retired."""

    def get_queryset(self) -> models.QuerySet[Application]:
        return super().get_queryset().filter(retired_at=None)


class Application(models.Model):
    """One protected API. `document` is its TOML as parsed; `memory` is what failover.model.Memory holds."""

    class Mode(models.TextChoices):
        AUTO = "auto"
        OBSERVE = "observe"
        OFF = "off"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="applications")
    region = models.CharField(max_length=32)
    account = models.CharField(max_length=12, db_index=True, help_text="AWS account id, from the target groups' ARNs")
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.AUTO)
    document = models.JSONField()
    memory = models.JSONField(default=dict)
    observing_until = models.DateTimeField(null=True, blank=True, help_text="a worker is reading AWS until then")
    sweeping_until = models.DateTimeField(null=True, blank=True, help_text="a worker is sweeping its scope until then")
    retired_at = models.DateTimeField(null=True, blank=True, help_text="not looked at since; its history stays")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    every: ClassVar[models.Manager[Application]] = models.Manager()  # the first: relations lead to retired ones, too
    objects: ClassVar[Present] = Present()

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug


class AlarmName(models.Model):
    """An alarm that an application listens to. Several applications may share one."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="alarm_names")
    name = models.CharField(max_length=255, db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("application", "name"), name="alarm_once_per_application"),)

    def __str__(self) -> str:
        return self.name


class OwnedResource(models.Model):
    """A route, target group or ECS service. The constraint is the rule: two applications never share one."""

    class Kind(models.TextChoices):
        ROUTE = "route"
        TARGET_GROUP = "target group"
        SERVICE = "service"

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="resources")
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=512, help_text="ARN, or account:region:cluster/service")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "name"), name="resource_has_one_owner"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class StoredSnapshot(models.Model):
    """The newest snapshot of an application; `body` is failover.model.Snapshot as JSON (panel.fleet.snapshots).

    The other columns say of the body what a list of a thousand applications is sorted by, and `brief` what one of its
    rows shows, so that it need not be read.
    """

    application = models.OneToOneField(Application, on_delete=models.CASCADE, related_name="stored_snapshot")
    observed_at = models.DateTimeField()
    read_at = models.FloatField(null=True, help_text="when the oldest part that matters was read, epoch seconds")
    # Defaults of the database's own: the release before writes rows without these columns.
    alarm = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="the worst state; empty: not read"
    )
    position = models.CharField(max_length=8, default="unknown", db_default="unknown")
    load = models.FloatField(null=True, help_text="Lambda's concurrency in percent of its limit")
    problem = models.CharField(max_length=200, blank=True, default="", db_default="", help_text="why a part is unknown")
    # The last columns: SQLite finds what stands after them only by reading all of them.
    brief = models.JSONField(null=True, help_text="the body without most of its metrics")
    body = models.JSONField()

    def __str__(self) -> str:
        return f"{self.application_id} at {self.observed_at:%H:%M:%S}"


class Sample(models.Model):
    """What happened to an application in so many `seconds` from `at` on (panel.fleet.history); null is unknown.

    Requests, throttles and failed ones are sums, `concurrency`, `desired` and the seconds (the 95th percentile of a
    request's time) the most, `healthy` the least.
    """

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="samples")
    seconds = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    lambda_requests = models.FloatField(null=True)
    ecs_requests = models.FloatField(null=True)
    throttles = models.FloatField(null=True)
    failed = models.FloatField(null=True)
    lambda_5xx = models.FloatField(null=True)
    ecs_5xx = models.FloatField(null=True)
    lambda_seconds = models.FloatField(null=True)
    ecs_seconds = models.FloatField(null=True)
    concurrency = models.FloatField(null=True)
    ecs_percent = models.FloatField(null=True)
    desired = models.PositiveIntegerField(null=True)
    healthy = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("application", "seconds", "at"), name="sample_once"),)
        indexes = (models.Index(fields=("seconds", "at")),)

    def __str__(self) -> str:
        return f"{self.seconds} s from {self.at:%Y-%m-%d %H:%M}"


class Heartbeat(models.Model):
    """When a part of the panel last showed that it works: each queue's worker, beat, observer."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()
    holder = models.CharField(max_length=120, blank=True, help_text="of a part that may run once: which one it is")
    problem = models.TextField(blank=True, help_text="what kept it from working when it last tried; a sentence")

    def __str__(self) -> str:
        return self.name
